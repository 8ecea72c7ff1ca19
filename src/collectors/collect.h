/* What the collectors share: a step's run, its calls, its findings. */
#ifndef DBCONN_COLLECTORS_COLLECT_PRIVATE_H
#define DBCONN_COLLECTORS_COLLECT_PRIVATE_H

#include "dbconn/collectors/collectors.h"
#include "dbconn/sources/source.h"

struct collect_call;
typedef void collect_result_fn(struct collect *c, const void *result, const struct error *err,
                               size_t tag);
typedef void collect_next_fn(struct collect *c);

struct collect {
    const struct collector *collector;
    const char *step, *issue;
    const cJSON *settings;
    const struct sources *sources;
    int64_t now_ms;
    uint64_t owner;
    struct evidence *board;
    struct step_record *record;
    collect_done_fn *done;
    void *user;
    bool (*may_name)(void *user, const char *project); /* NULL: all */
    void *may_name_user;
    void *state; /* the collector's own */
    struct collect_call *calls;
    collect_next_fn *next; /* runs when no call is under way any more */
    size_t lost;           /* calls that failed or came back incomplete */
    struct buf losses;     /* a sentence each */
    struct error error;
    int64_t over_ms; /* 0, or its time is over, which was so long: nothing more is asked */
    bool ended;
};

/*
 * Asking a source:
 *     struct collect_call *call = collect_call(c, got_issue, 0);
 *     collect_sent(call, sentry_get_issue(..., collect_received, call, &err), &err);
 * got_issue() runs exactly once, also when the call could not start. After the last of a round:
 *     collect_wait(c, next_phase);
 */
struct collect_call *collect_call(struct collect *c, collect_result_fn *fn, size_t tag);
void collect_sent(struct collect_call *call, struct source_call *handle, struct error *err);
source_done_fn collect_received;
void collect_wait(struct collect *c, collect_next_fn *next);

/* Something could not be had: the step will be partial and say this. */
void collect_lost(struct collect *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The usual handling of a result: notes an error or a partial answer as lost; true when there is a
 * result to use. `what` completes "could not read ...". */
bool collect_usable(struct collect *c, const void *result, const struct error *err,
                    const char *what);

/* Adds a finding; the text is redacted and cleaned. */
void collect_finding(struct collect *c, const char *url, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Ends the step with its outcome in a sentence. complete() becomes partial when anything was
 * lost. Last statement of a collector's function: `c` may be gone afterwards. */
void collect_complete(struct collect *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void collect_skip(struct collect *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void collect_fail(struct collect *c, const struct error *err); /* NULL: c->error says why */

/* Settings of the playbook by dotted path. */
double collect_number(const struct collect *c, const char *dotted, double fallback);
int64_t collect_ms(const struct collect *c, const char *dotted_minutes, double fallback_minutes);

/* Short forms of evidence_set_*() for this step. */
void put_str(struct collect *c, const char *name, const char *value); /* redacted; NULL: unknown */
void put_num(struct collect *c, const char *name, double value);
void put_time(struct collect *c, const char *name, int64_t ms);
void put_bool(struct collect *c, const char *name, bool value);

/* Appends a series of counts in the shape of TABLE_SERIES; NULL and empty ones are left out. */
void collect_add_series(cJSON *list, const struct source_series *series);

/* Redacted, on one line, cut at `max` bytes. Heap; NULL gives NULL. */
char *presentable(const char *text, size_t max);

#endif
