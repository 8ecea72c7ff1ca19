/*
 * collectors - what the steps of a playbook run: one file a step.
 *
 * A collector asks sources, calls analysis, and writes facts to the evidence board and findings to
 * its step's record. It knows no other collector: what it needs of another step stands on the
 * board. One `struct collect` is one run of one step; it lives on the loop thread.
 */
#ifndef DBCONN_COLLECTORS_COLLECTORS_H
#define DBCONN_COLLECTORS_COLLECTORS_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/error.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/diagnosis/evidence.h"

struct sentry;
struct github;
struct es;
struct failure_reader;

/* What the investigations of a process share. A source that is not configured is NULL. */
struct sources {
    struct sentry *sentry;
    struct github *github;
    struct es *es;
    struct source_budget *budget; /* of what the clients hold for a job; NULL: no bound */
    const struct failure_reader *reader;
    const cJSON *services; /* the configuration's service mapping: array, or NULL */
    size_t diff_lines;     /* of one file that are read; 0: as many as GitHub shows */
};

struct collect;
typedef void collect_done_fn(struct collect *c, void *user);

struct collector {
    const char *name;
    void (*start)(struct collect *c);
    /* Asks, before the step's turn, what only needs the issue's details, or not even those; writes
     * no facts and no findings, and start() follows or never does. NULL: nothing. */
    void (*ahead)(struct collect *c);
    bool ahead_at_once;               /* it needs no more than the issue's name */
    void (*clear)(struct collect *c); /* frees c->state; NULL when there is none */
};

/* The collector of that name, or NULL. */
const struct collector *collector_find(const char *name);

struct collect_request {
    const struct collector *collector;
    const char *step;      /* the step's id: facts are written under it */
    const char *issue;     /* numeric or short id */
    const cJSON *settings; /* the playbook's; may be NULL */
    const struct sources *sources;
    int64_t now_ms; /* the investigation's evaluation time */
    uint64_t owner;
    struct evidence *board;     /* lent until the end */
    struct step_record *record; /* likewise; status, summary and findings are filled in */
    collect_done_fn *done;      /* once, after or inside collect_start() */
    void *user;
    /* May issues of that project be named to those who read the findings? NULL: of all. */
    bool (*may_name)(void *user, const char *project);
    void *may_name_user;
};

/* All pointers of `request` must live until `done` or collect_free(). */
struct collect *collect_new(const struct collect_request *request);
/* Runs the step: once, after `ahead` if that is run at all. `done` may run inside. */
void collect_start(struct collect *c);
/* Its time, which was `limit_ms`, is over: calls under way and all further ones fail, so that it
 * ends with what it has and says what it could not read. `done` runs in it; the last statement of
 * the caller, too. */
void collect_expire(struct collect *c, int64_t limit_ms);
/* Cancels what is under way and frees; `done` will not run. After `done` ran: just frees. */
void collect_free(struct collect *c);
struct step_record *collect_record(struct collect *c); /* the one of its request */
/* Why the step failed, when it did; for the first step of a run. */
const struct error *collect_error(const struct collect *c);

#endif
