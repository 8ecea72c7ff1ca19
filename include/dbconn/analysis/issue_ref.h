/*
 * issue_ref - what a person typed after the command: a short id, a numeric id, or a Sentry URL.
 *
 * Reads "SHOP-1A2", "4509062593", every shape of issue and event URL of Sentry's cloud, region
 * hosts and self-hosted servers, as Slack delivers them (`<https://...|label>`, `&amp;`), with
 * quotes, backticks, punctuation or other text around them.
 */
#ifndef DBCONN_ANALYSIS_ISSUE_REF_H
#define DBCONN_ANALYSIS_ISSUE_REF_H

#include "dbconn/base/error.h"

#define ISSUE_REF_MAX_TEXT 10240 /* bytes; more than this is refused */

/* Heap strings; NULL: not said. `issue` is NULL only when `event` alone was given. */
struct issue_ref {
    char *organization; /* slug, as in the URL's path or sub-domain */
    char *issue;        /* digits, or a short id in capitals: "SHOP-1A2" */
    char *event;        /* 32 hex digits in lower case, or "latest", "oldest", "recommended" */
    char *host;         /* of the URL, in lower case; NULL for a bare id */
};

/*
 * Reads the first reference in `text`. `sentry_url` is the configured base ("https://sentry.io",
 * "https://sentry.acme.example/base"), `organization` the configured slug or NULL for any.
 * The caller ends *ret with issue_ref_clear(); it is untouched on failure.
 * Errors (sentences for the person who typed, with an example): ERR_USAGE when nothing, too much
 * or nothing readable was typed, or the page is no issue; ERR_INVALID when the URL is another
 * server's or another organization's.
 */
int issue_ref_parse(const char *text, const char *sentry_url, const char *organization,
                    struct issue_ref *ret, struct error *err) MUST_CHECK;
void issue_ref_clear(struct issue_ref *ref);

#endif
