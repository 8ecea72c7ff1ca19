/*
 * stage - a sandbox, a store and one or two processes of `dbconn serve` that use them.
 *
 * The programs are those that DBCONN and SANDBOX name (default: build/dbconn and
 * build/dbconn-sandbox). What cannot work ends the test with a sentence.
 */
#ifndef DBCONN_CRASH_STAGE_H
#define DBCONN_CRASH_STAGE_H

#include <cjson/cJSON.h>

#include "dbconn/queue/store.h"
#include "process.h"
#include "world.h"

#define STAGE_BOTS 2

struct stage_options {
    const char *store_url; /* NULL: a SQLite file in the stage's folder */
    struct world_size world;
    bool lift_limits;
    int lease_s, max_running, max_waiting; /* 0: 15, 8, 100 */
};

struct stage {
    char *folder, *store_url, *config, *control, *short_id;
    pid_t sandbox;
    struct environment env; /* what a bot needs to find the sandbox */
    pid_t bots[STAGE_BOTS]; /* 0: does not run */
    void *curl;
};

void stage_open(struct stage *s, const struct stage_options *options);
/* Ends everything; the folder with its logs is removed unless `keep`. */
void stage_close(struct stage *s, bool keep);

/* ---- the bots ---- */

/* `extra` (may be NULL) is added to its environment. */
void stage_start_bot(struct stage *s, int which, const struct environment *extra);
void stage_kill_bot(struct stage *s, int which);
/* SIGTERM; how long it took to exit, at most 15 s, and how it did (see waitpid()); -1: it did not.
 */
int64_t stage_stop_bot(struct stage *s, int which, int *ret_status);
bool stage_bot_died(struct stage *s, int which); /* by itself, or by a fault */
/* Until Slack has this many open connections, or dies. */
void stage_wait_connected(struct stage *s, int connections);
bool stage_is_connected(struct stage *s, int connections);

/* ---- the sandbox ---- */

/* The answer, or NULL when it was an error. The caller owns it. */
cJSON *stage_get(struct stage *s, const char *path);
cJSON *stage_post(struct stage *s, const char *path, const cJSON *body);
void stage_faults(struct stage *s, const char *json);
/* Types "/dbconn TEXT" in channel i. false: nobody was connected, and Slack says so. */
bool stage_try_command(struct stage *s, size_t channel, const char *text);
/* The same where somebody is: anything else is the end of the test. */
void stage_command(struct stage *s, size_t channel, const char *text);
/* Until no envelope waits for its acknowledgement. */
void stage_wait_acknowledged(struct stage *s);
/* Until what was sent to Slack has taken effect, also by a bot that is dead by now. */
void stage_wait_landed(struct stage *s);
int64_t stage_last_request(struct stage *s); /* the number of the latest in the log */

/* ---- the store ---- */

struct store *stage_store(struct stage *s);
/* Jobs in those states (bits 1u << JOB_...; 0: all); -1 when the store cannot be read just now. */
int64_t stage_count_jobs(struct stage *s, unsigned states);
/* Until that many jobs have ended; false when it takes longer. */
bool stage_wait_ended(struct stage *s, int64_t jobs, int64_t timeout_ms);

#define STATES_ENDED (1u << JOB_DONE | 1u << JOB_FAILED | 1u << JOB_CANCELLED | 1u << JOB_DEAD)

#endif
