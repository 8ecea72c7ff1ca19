/*
 * search - Sentry's search language over issues and events: "is:unresolved error.type:[A,B]
 * !release:x lastSeen:-24h free text". https://docs.sentry.io/concepts/search/
 */
#ifndef SANDBOX_SENTRY_SEARCH_H
#define SANDBOX_SENTRY_SEARCH_H

#include "dbconn/base/error.h"
#include "sentry/model.h"

struct search; /* a parsed query */

/* `for_issues`: it selects issues, else events. ERR_INVALID, worded as Sentry does. */
int search_parse(const struct sentry_model *m, const char *query, bool for_issues,
                 struct search **ret, struct error *err) MUST_CHECK;
void search_free(struct search *search);
bool search_takes_issue(struct search *search, const struct issue *g);
bool search_takes_event(struct search *search, const struct event *e);
/* The value of the first plain `key:` term, or NULL; lent. */
const char *search_value(const struct search *search, const char *key);
/* Is there anything but terms of that key? */
bool search_has_more_than(const struct search *search, const char *key);

/* The time window that statsPeriod, or start and end, ask for; both 0 when none. ERR_INVALID. */
int search_window(const struct params *query, int64_t *ret_since_ms, int64_t *ret_until_ms,
                  struct error *err) MUST_CHECK;
/* "24h", "14d", "30m", "1w" in ms; 0 when it is none. */
int64_t search_period(const char *text);

#endif
