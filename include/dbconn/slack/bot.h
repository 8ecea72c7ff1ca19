/*
 * bot - `dbconn serve`: commands come in over Socket Mode, become durable jobs, run as
 * investigations, and show themselves in threads.
 *
 * The one place where socket, queue, scheduler, playbook and thread meet. One per process, on the
 * loop thread.
 */
#ifndef DBCONN_SLACK_BOT_H
#define DBCONN_SLACK_BOT_H

#include <uv.h>

#include "dbconn/base/error.h"
#include "dbconn/collectors/collectors.h"
#include "dbconn/playbook/playbook.h"
#include "dbconn/queue/queue.h"
#include "dbconn/slack/socket.h"

struct bot; /* opaque */
struct http;
struct access;
struct notify;
struct metrics;
struct websockets;
struct audit_key;

struct bot_options {
    uv_loop_t *loop;
    struct http *http;
    struct websockets *sockets;
    struct metrics *metrics; /* or NULL */
    const struct sources *sources;
    struct playbook *playbook;
    const struct access *access;
    const char *sentry_url, *sentry_org;
    const char *api_url, *app_token, *bot_token; /* Slack's */
    const char *store_url;
    int connections, expected_connections;
    int max_running, max_waiting, max_attempts;
    int edits_per_minute;
    int64_t lease_ms, retention_ms, job_budget_ms, step_ms;
    int64_t seen_ms;      /* how far back an earlier diagnosis of the same is mentioned */
    const char *progress; /* "plan", "blocks", "text" */
    const char *chart;    /* "auto", "image", "text" */
    bool reply_broadcast, mention_asker;
    const struct notify *notify;      /* who else is mentioned, and when nobody is; NULL: nobody */
    const char *const *auto_channels; /* where an alert starts an investigation by itself */
    size_t n_auto_channels;
    /* What this reading of the configuration made, in which `sources` and the strings live. Each
     * investigation retains the one that it began with until it has ended. May be NULL. */
    void *generation;
    void (*retain)(void *generation);
    void (*release)(void *generation);
    const struct audit_key *audit_key; /* of the audit log (queue/audit.h); NULL: none is kept */
    const char *audit_file;            /* gets its entries as lines of JSON too; NULL: no file */
    int64_t audit_retention_ms;        /* 0: for ever */
    /*
     * It has ended: after bot_stop(), or because it cannot go on (then `why` says so). When Slack
     * refuses the app-level token, what runs here finishes first, as long as the bot token works.
     */
    void (*on_ended)(void *user, const struct error *why);
    void *user;
};

/* Opens the store and starts to connect; strings and pointers of `options` must outlive the bot.
 * The caller owns *ret. Errors: ERR_STORE, ERR_CONFIG. */
int bot_start(const struct bot_options *options, struct bot **ret, struct error *err) MUST_CHECK;
/*
 * Takes over what may change while it runs: sources, playbook, rules of access, limits and how
 * threads look. Tokens, addresses, the store and the connections must be as before. Investigations
 * under way end with the playbook and the sources that they began with; the rules of access count
 * at once.
 */
void bot_reload(struct bot *bot, const struct bot_options *options);
/* Takes nothing more, hands running jobs over, acknowledges what waits, closes; at most 10 s. */
void bot_stop(struct bot *bot);
void bot_free(struct bot *bot); /* NULL is fine */

/* How it stands, for those who watch it. */
struct bot_status {
    struct slack_socket_status socket;
    bool token_known, token_good; /* Slack has answered; and accepted the tokens */
    int64_t store_away_since_ms;  /* wall; TIME_UNKNOWN: it works */
    int running;                  /* investigations */
    bool stopping;                /* or it takes nothing more and only finishes what runs */
};
void bot_status(const struct bot *bot, struct bot_status *ret);
struct queue *bot_queue(const struct bot *bot); /* lent */
/* Sets in its metrics what is kept elsewhere. `counts` NULL: not known. */
void bot_collect_metrics(const struct bot *bot, const struct store_counts *counts);

#endif
