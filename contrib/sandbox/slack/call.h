/*
 * call - one call of the Web API while it is answered.
 */
#ifndef SANDBOX_SLACK_CALL_H
#define SANDBOX_SLACK_CALL_H

#include "slack/slack.h"

struct call {
    struct slack *slack;
    const struct request *req;
    cJSON *args;                /* strings from a form or a query, any JSON from a JSON body */
    cJSON *reply;               /* object; "ok" is put in at the end */
    cJSON *warnings, *messages; /* arrays of strings for response_metadata */
    bool is_json;
    char error[64];        /* empty: all is well */
    int64_t retry_after_s; /* with the error "ratelimited" */
};

typedef void method_fn(struct call *call);

/* Fails the call; the first error stays. */
void call_fail(struct call *call, const char *error);
void call_warn(struct call *call, const char *warning);
void call_message(struct call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool call_ok(const struct call *call);

/* Lent. NULL when the argument is absent or empty. */
const char *arg_str(const struct call *call, const char *name);
/* The same; fails the call with invalid_arguments when it is missing. */
const char *arg_need(struct call *call, const char *name);
bool arg_bool(const struct call *call, const char *name);
int64_t arg_i64(const struct call *call, const char *name, int64_t fallback);
bool arg_has(const struct call *call, const char *name);
/* An argument that is JSON, also when it came as text inside a form. Caller's tree; NULL when
 * absent. Fails the call with `error` when it is no JSON. */
cJSON *arg_json(struct call *call, const char *name, const char *error);

/* The channel of argument `channel`, as far as the bot can see it; fails with channel_not_found. */
struct channel *arg_channel(struct call *call);
/* A channel that the bot may write into; fails with Slack's word for why not. */
struct channel *arg_postable(struct call *call);
/* Fails with missing_scope unless the token has the scope for this kind of channel:
 * kind_scope("history") is channels:history, groups:history, im:history or mpim:history. */
bool need_kind_scope(struct call *call, const struct channel *channel, const char *verb);
bool need_scope(struct call *call, const char *scope);
/* Fails with invalid_blocks and the complaints when there are any. Frees the list. */
bool accept_blocks(struct call *call, cJSON *errors);

/* The methods: chat.c, conversations.c, views.c, files.c, streams.c, people.c */
method_fn chat_postMessage, chat_update, chat_postEphemeral, chat_delete, chat_getPermalink,
    reactions_add, users_conversations, conversations_info, conversations_replies,
    conversations_history, conversations_join, conversations_open, conversations_members,
    views_open, views_push, views_update, views_publish, files_getUploadURLExternal,
    files_completeUploadExternal, files_info, chat_startStream, chat_appendStream, chat_stopStream,
    users_info, usergroups_users_list, auth_test, apps_connections_open;

#endif
