/* One thing that a person asked for, from its envelope to its answer: what is needed to authorise
 * it and to answer it, whichever way it came in. */
#ifndef DBCONN_SLACK_BOT_REQUEST_H
#define DBCONN_SLACK_BOT_REQUEST_H

#include "bot_private.h"

#include "access_gate.h"
#include "dbconn/slack/command.h"

extern const char *const request_way_names[ACCESS_WAY_COUNT]; /* "command", "button", ... */

struct request;
typedef void request_fn(struct request *r);

struct request {
    struct bot *bot;
    struct request *next; /* of bot->requests */
    uint64_t delivery;
    bool accepts_payload, acknowledged;
    enum access_way way;
    char *channel, *user; /* NULL: none */
    char *team, *user_name, *trigger, *response_url;
    char *command;      /* "/dbconn", for examples */
    char *thread_ts;    /* the thread to answer in; NULL: the channel */
    bool begins_thread; /* that thread has no message yet but the one it is below */
    char *keys[STORE_MAX_KEYS];
    size_t n_keys; /* what tells that it was delivered before */

    enum command_kind kind; /* what is wanted, when it is a command */
    char *argument;         /* the issue as typed */
    char *problem;

    struct press *press; /* what was pressed (press.h), or NULL */
    struct access_wait *wait;
    request_fn *go_on;
};

/* Not acknowledged yet. `way` decides how it is answered. */
struct request *request_new(struct bot *bot, const struct slack_envelope *e, enum access_way way);
/* Takes the key over (heap); NULL is none. */
void request_add_key(struct request *r, char *key);
/* Acknowledges, the first time; `payload` is lent or NULL. */
void request_acknowledge(struct request *r, const cJSON *payload);
/* Tells the person alone, in whatever way reaches them; the request goes on. */
void request_tell(struct request *r, const char *text);
/* Acknowledges, tells the person alone when there is a text (mrkdwn), ends the request. */
void request_answer(struct request *r, const char *text);
void request_answer_buf(struct request *r, struct buf *text); /* clears the buffer */
/* Acknowledges when nobody has, and forgets it. */
void request_end(struct request *r);
/* `go_on` runs when this person may; otherwise the refusal is answered (request_refuse()). */
void request_authorise(struct request *r, bool help, request_fn *go_on);
void request_refuse(struct request *r, const struct access_decision *decision);
void requests_free(struct bot *bot); /* all that are under way; nothing is acknowledged */

/* What the command asks for (bot_commands.c): `kind`, `argument`, `problem` are set. */
void command_dispatch(struct request *r);
void command_enqueue(struct request *r); /* `argument` names the issue */
void request_set_command(struct request *r, const struct command *command);

/* Envelopes of the other kinds (bot_interactive.c, bot_events.c), and the App Home (bot_home.c). */
void bot_on_interactive(struct bot *bot, const struct slack_envelope *e);
void bot_on_event(struct bot *bot, const struct slack_envelope *e);
void bot_on_shortcut(struct bot *bot, const struct slack_envelope *e);
/* The App Home of the person: what runs and what was found. Ends the request. */
void bot_home_show(struct request *r);
/* The same with only help and this text (mrkdwn). */
void bot_home_tell(struct request *r, const char *text);

#endif
