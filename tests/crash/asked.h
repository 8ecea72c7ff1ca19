/*
 * asked - what the sources are asked for: how often each request was made, and which requests
 * belong to which step. That is learned, not written down here: with all other steps restored from
 * the store, whatever is asked belongs to the one that is not.
 */
#ifndef DBCONN_CRASH_ASKED_H
#define DBCONN_CRASH_ASKED_H

#include "stage.h"

#define ASKED_STEPS 16

/* Requests to Sentry, GitHub and Elasticsearch; digits become '#'. */
struct asked {
    struct asked_row {
        char *request; /* "sentry GET /api/..." */
        int n;
    } * rows;
    size_t n, cap;
};

void asked_add(struct asked *a, const char *request, int n);
void asked_add_all(struct asked *a, const struct asked *more);
void asked_clear(struct asked *a);
/* What came to the sandbox in that time, wall clock. */
void asked_between(struct stage *s, int64_t from_ms, int64_t to_ms, struct asked *ret);
/* How many requests go beyond what is allowed; names them in `text`. */
int asked_beyond(const struct asked *a, const struct asked *allowed, struct buf *text);

struct asked_by_step {
    char *step[ASKED_STEPS];
    struct asked asked[ASKED_STEPS];
    size_t n;
};

/* On a SQLite stage without a bot; takes a few seconds. */
void asked_learn(struct stage *s, struct asked_by_step *ret);
const struct asked *asked_of_step(const struct asked_by_step *by_step, const char *step);
void asked_by_step_clear(struct asked_by_step *by_step);

#endif
