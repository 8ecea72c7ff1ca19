/*
 * workspace - the people, channels and messages of one invented Slack workspace.
 *
 * Pure data: what may be done with it, and by whom, is decided in the files beside it. Everything
 * is found by id; ids, ts and hashes are strings, as at Slack.
 */
#ifndef SANDBOX_SLACK_WORKSPACE_H
#define SANDBOX_SLACK_WORKSPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/json.h"

struct user {
    char *id, *name, *real_name, *team_id;
    bool is_bot, deleted, is_guest, is_single_channel_guest;
};

enum channel_kind { CHANNEL_PUBLIC, CHANNEL_PRIVATE, CHANNEL_DM, CHANNEL_GROUP_DM };

struct message {
    char *ts;
    char *thread_ts; /* of the parent; NULL for one that is not in a thread */
    char *user;      /* who wrote it */
    char *bot_id;    /* NULL for a person's */
    char *text;
    char *subtype;  /* NULL mostly */
    char *shown_to; /* ephemeral: only this user sees it; else NULL */
    char *edited_ts;
    char *client_msg_id;                                        /* of a person's message */
    cJSON *blocks, *attachments, *metadata, *files, *reactions; /* NULL: none */
    bool broadcast, deleted, streaming;
    int edits;
};

struct channel {
    char *id, *name;
    enum channel_kind kind;
    bool is_archived, is_ext_shared, is_read_only, bot_is_member;
    char *dm_user;             /* the other one of a DM */
    struct message **messages; /* oldest first, threads and ephemeral ones included */
    size_t n, cap;
};

struct user_group {
    char *id, *handle;
    char **users;
    size_t n, cap;
};

struct workspace {
    char *team_id, *team_name, *domain, *app_id, *bot_user_id, *bot_id;
    struct user *users;
    size_t n_users, cap_users;
    struct channel **channels;
    size_t n_channels, cap_channels;
    struct user_group *groups;
    size_t n_groups, cap_groups;
    int64_t last_ts_us;
    unsigned blocks_named; /* how many blocks got an id from us */
};

/* The workspace of a scenario's "slack" part (or NULL), with the standard people and channels. */
void workspace_init(struct workspace *ws, const cJSON *slack);
void workspace_clear(struct workspace *ws);
/* All messages away, people and channels stay as they are. */
void workspace_forget_messages(struct workspace *ws);

struct user *workspace_user(struct workspace *ws, const char *id);
/* By id or by name. */
struct channel *workspace_channel(struct workspace *ws, const char *id);
struct user_group *workspace_group(struct workspace *ws, const char *id);
/* Each reads one {"id","name",...} and adds it, or changes the one of that id. */
struct channel *workspace_put_channel(struct workspace *ws, const cJSON *spec);
void workspace_put_user(struct workspace *ws, const cJSON *spec);
void workspace_put_group(struct workspace *ws, const cJSON *spec); /* adds */
struct channel *workspace_dm(struct workspace *ws, const char *user); /* with the bot; makes it */
char *workspace_new_ts(struct workspace *ws);                         /* unique, growing; heap */

struct message *channel_message(const struct channel *channel, const char *ts); /* or NULL */
/* A new message of `user` with a ts of its own; the rest is for the caller to fill in. */
struct message *channel_add(struct workspace *ws, struct channel *channel, const char *user);
void message_free(struct message *message);

/* As the Web API shows them; caller's trees. */
cJSON *user_json(const struct user *user);
cJSON *channel_json(const struct workspace *ws, const struct channel *channel);
cJSON *message_json(const struct workspace *ws, const struct channel *channel,
                    const struct message *message, bool with_metadata);
const char *channel_kind_name(enum channel_kind kind); /* "public", ... */

#endif
