/*
 * harness - the built program against the sandbox, over real sockets, from a cmocka test.
 *
 * A stage is one sandbox and one bot on free ports, with a state directory of its own under
 * $TMPDIR. Tests act and look through the sandbox's control port and wait for conditions with a
 * deadline; a deadline that passes fails the test with what was waited for and shows the bot's
 * log. stage_close() stops both by their process ids and fails the test when one of them did not
 * end well.
 *
 * The programs are named by DBCONN and SANDBOX (default build/dbconn, build/dbconn-sandbox).
 */
#ifndef TESTS_E2E_HARNESS_H
#define TESTS_E2E_HARNESS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <sys/types.h>

#include "dbconn/base/buf.h"

/* Above the longest wait of the bot's own: a lost answer is looked for after the request's
 * time-out. */
#define DEADLINE_MS 60000
#define INCIDENTS "C0INCIDENT"

struct stage_options {
    const char *scenario;            /* "database-down"; NULL: "deployment-config-change" */
    const char *const *sandbox_args; /* further ones, NULL at the end; or NULL */
    const char *const *bot_env;      /* "NAME=value" on top of the sandbox's; or NULL */
    bool no_bot;                     /* the test starts it itself */
};

struct stage {
    char *dir;     /* state directory, removed at the end */
    char *control; /* "http://127.0.0.1:4711" */
    char *short_id;
    cJSON *start; /* the sandbox's first line */
    pid_t sandbox, bot;
    int sandbox_in;       /* its stdin: closing it stops it */
    char *config;         /* --config of the bot; NULL: none. Heap, the test sets it */
    const char **bot_env; /* what the bot gets, NULL at the end; strings owned by `env` */
    cJSON *env;
    void *curl;
    int bot_exit; /* of the last bot that ended */
};

/* Starts the sandbox and, unless no_bot, the bot, and waits until it is connected. */
void stage_open(struct stage *s, const struct stage_options *options);
void stage_close(struct stage *s);

void stage_start_bot(struct stage *s);      /* and waits for its connection */
void stage_spawn_bot(struct stage *s);      /* does not wait */
void stage_stop_bot(struct stage *s);       /* SIGTERM; it must exit with 0 within the deadline */
void stage_kill_bot(struct stage *s);       /* SIGKILL */
int stage_wait_bot(struct stage *s);        /* for it to end by itself: its exit code */
void stage_show_log(const struct stage *s); /* its end, among the test's messages */
char *stage_bot_log(const struct stage *s); /* heap */
bool stage_log_has(const struct stage *s, const char *what); /* in the bot's log */
int count_in_log(const struct stage *s, const char *what);

/*
 * Runs "dbconn ARGS..." (NULL at the end) with the bot's environment to its end; gives what it
 * wrote to standard output (heap) and its exit code. Its standard error goes to run.log.
 */
char *stage_run(struct stage *s, const char *const *args, int *ret_code);

/* The control port. `body` NULL: GET. The caller owns the tree. Fails the test on an error. */
cJSON *control(struct stage *s, const char *path, const char *body);
char *control_text(struct stage *s, const char *path); /* heap */

/* Types "/dbconn <text>" in a channel; gives the envelope's id (heap). */
char *type_command(struct stage *s, const char *channel, const char *text);

/* Waits until `condition` gives true; fails the test with `what` when it does not in time. */
typedef bool condition_fn(struct stage *s, const void *arg);
void wait_until(struct stage *s, condition_fn *condition, const void *arg, const char *what);

/* What the bot answers at its own port, with metrics.listen set: the status, 0 when it does not.
 * The caller owns the texts; ret_type may be NULL. */
long monitor_get(struct stage *s, const char *path, char **ret_body, char **ret_type);

/* Conditions; the argument in brackets. */
condition_fn is_connected;         /* [NULL] the bot has a connection */
condition_fn is_acknowledged;      /* [envelope id] */
condition_fn transcript_has;       /* [text] the incident channel shows it */
condition_fn log_has;              /* [text] the bot's log holds it */
condition_fn diagnosis_is_reached; /* [NULL] the answer is known; it may not be posted yet */
condition_fn job_has_ended;        /* [NULL] a job ended, and nothing more is under way */
condition_fn jobs_have_ended;      /* [const int *] so many jobs */
condition_fn readiness_says;       /* ["slack.ok=false"] a member of /readyz, as JSON */

/* Figures to assert on. */
int64_t count_calls(struct stage *s, const char *method, int status); /* status 0: any */
int64_t count_requests(struct stage *s, const char *service);
int64_t count_envelopes_acked(struct stage *s);
/* Messages of the bot in a channel that everybody sees, threads included. */
int count_messages(struct stage *s, const char *channel);

void assert_shows(struct stage *s, const char *text); /* in the incident channel */
void assert_does_not_show(struct stage *s, const char *text);
/* Nothing that a careful client avoids (the sandbox's /notes), and no blocks refused. */
void assert_careful(struct stage *s);
/* No message of the bot is there twice: same channel, thread and text. */
void assert_nothing_twice(struct stage *s, const char *channel);
/* None of the sandbox's tokens is in the bot's log, its state directory or the channel. */
void assert_no_secret(struct stage *s);

#endif
