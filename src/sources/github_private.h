/*
 * github_private - one call of the GitHub client: what it asks and how it takes the answer.
 */
#ifndef SOURCES_GITHUB_PRIVATE_H
#define SOURCES_GITHUB_PRIVATE_H

#include <cjson/cJSON.h>

#include "dbconn/net/url.h"
#include "dbconn/sources/github.h"
#include "github_cache.h"
#include "source_call.h"

struct github {
    struct source_client client;
    char *base; /* without a slash at the end */
    struct url origin;
    struct github_auth *auth;
    struct github_cache *cache;
    int64_t budget_ms;
    int max_pages; /* 0: no limit of ours */
    bool *gone;    /* set by github_free(), for a loop whose callbacks may free the client */
};

struct github_op;

typedef int github_take_fn(struct source_call *call, struct github_op *op, const char *body,
                           size_t len, struct error *err);

/* The first member of every call's state; strings live in the call's memory. */
struct github_op {
    const char *url;           /* of the page to ask for */
    const char *repo;          /* "owner/name"; NULL: none */
    const char *what;          /* "read commit 4f1c2d3 of acme/shop" */
    const char *permission;    /* "contents: read" */
    const char *missing;       /* what a 404 or 422 means here */
    const char *unauthorized;  /* what a 401 means here; NULL: the token is wrong */
    const char *const *wanted; /* what is read of a page */
    github_take_fn *take;
    void *result;
    bool full;      /* a list ended early, for the owner may hold no more */
    int pages_left; /* this one included */
    int pages_done;
    bool renewed;  /* a new token was fetched once after a 401 */
    bool uncached; /* the kept answer was dropped meanwhile */
};

/* A call below /repos/REPO/. NULL with ERR_INVALID when `repo` is no "owner/name". */
struct source_call *github_call_new(struct github *g, uint64_t owner, const char *repo,
                                    source_done_fn *done, void *user, size_t op_size,
                                    struct error *err) MUST_CHECK;
bool github_is_repo(const char *repo);
/* Sets op->url to BASE/repos/REPO/... printed by `fmt`; what strangers named is escaped already. */
void github_set_path(struct source_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
void github_set_what(struct source_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Sends the first request. On failure the call is ended and NULL comes back. */
struct source_call *github_start(struct source_call *call, struct error *err);

/* The headers of every request; `etag` NULL: not conditional. */
struct github_headers {
    char *if_none_match;
    const char *lines[5];
};
void github_headers_init(struct github_headers *h, const char *authorization, const char *etag);
void github_headers_clear(struct github_headers *h);

int github_reply_error(const struct github_op *op, const struct http_reply *reply,
                       struct error *err);

/* ---- where the Authorization header comes from ---- */

struct github_auth *github_auth_token(const char *token);
struct github_auth *github_auth_app(const struct github_app_options *options,
                                    struct error *err) MUST_CHECK;
void github_auth_free(struct github_auth *auth); /* NULL is fine */

/*
 * The header line for requests about `repo` (NULL: about none). 1: *ret is it, lent until the loop
 * turns; 0: there is none yet, the call waits and `wake` runs later; -1 with `err`.
 */
int github_authorize(struct github *g, struct source_call *call, const char *repo,
                     source_wake_fn *wake, const char **ret, struct error *err) MUST_CHECK;
/* GitHub refused the header: forget it. false when another one cannot be had. */
bool github_auth_refused(struct github *g, const char *repo);
const char *github_auth_name(const struct github_auth *auth); /* "GitHub App Iv1.x" or NULL */

extern const char github_bad_app_key[]; /* what a 401 means where the App itself asks */
/* Sends a request as the App itself, with a JWT of the moment. */
int github_send_as_app(struct source_call *call, const char *method, const char *url,
                       source_reply_fn *on_reply, struct error *err) MUST_CHECK;

/* "header.claims.signature", RS256, valid from a minute before `now_ms` for ten minutes in all.
 * Heap. Errors: ERR_CONFIG. */
struct evp_pkey_st;
char *github_jwt(struct evp_pkey_st *key, const char *issuer, int64_t now_ms, struct error *err);

#endif
