/*
 * slack - the Slack of the sandbox: Web API, Socket Mode, response_url, uploads, on one port.
 *
 * It is strict where Slack is: tokens, scopes, arguments, blocks, membership, rate limits. What
 * Slack lets pass but a careful client avoids is let pass and noted (slack_note()), so that a test
 * can ask for an empty list.
 */
#ifndef SANDBOX_SLACK_SLACK_H
#define SANDBOX_SLACK_SLACK_H

#include "shell/shell.h"
#include "slack/limits.h"
#include "slack/workspace.h"

struct socket_hub; /* socket.h */
struct hooks;      /* hooks.h */
struct files;      /* files.h */
struct views;      /* views.h */
struct streams;    /* streams.h */

struct slack {
    struct shell *shell;
    struct service *service;
    struct workspace ws;
    struct limits limits;
    char *app_token, *bot_token;
    char *app_token_error, *bot_token_error; /* "token_revoked" and the like; NULL: good */
    char *scopes;                            /* of the bot token, comma-separated */
    char *refused_blocks;                    /* types that this workspace does not have yet */
    bool socket_mode_enabled;
    int64_t post_burst; /* posts a channel takes at once */
    int64_t calls_seen; /* sequence number of the last recorded call */
    cJSON *calls;       /* array, oldest first */
    cJSON *notes;       /* array of strings */
    struct socket_hub *hub;
    struct hooks *hooks;
    struct files *files;
    struct views *views;
    struct streams *streams;
};

/* `world_slack`: the scenario's part or NULL. Errors: ERR_CONFIG. */
struct slack *slack_new(struct shell *shell, const cJSON *world_slack, int port,
                        struct error *err) MUST_CHECK;
void slack_free(struct slack *slack);
/* Messages, calls, limits, notes, views away; connections and unacknowledged envelopes stay. */
void slack_reset(struct slack *slack);

/* Something that Slack would let pass, or drop silently, and that a client should not do. */
void slack_note(struct slack *slack, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool slack_has_scope(const struct slack *slack, const char *scope);
/* A call of the Web API, a response_url or an upload. Takes the trees. */
void slack_record(struct slack *slack, const char *method, cJSON *args, int status, cJSON *reply);

/* api.c */
void slack_api(struct slack *slack, const char *method, const struct request *req,
               struct reply *reply);

#endif
