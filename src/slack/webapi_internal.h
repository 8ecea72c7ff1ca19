/*
 * webapi_internal - what the parts of the Web API client share.
 *
 *   webapi.c          the public face; the life of a call: waiting, sent, ended
 *   webapi_line.c     the lines of waiting calls and their limits
 *   webapi_methods.c  what is known of each method, and of each error code
 *   webapi_body.c     arguments as JSON or as a form
 *   webapi_reply.c    an answer, read
 */
#ifndef DBCONN_SLACK_WEBAPI_INTERNAL_H
#define DBCONN_SLACK_WEBAPI_INTERNAL_H

#include "dbconn/net/http.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/ratelimit.h"
#include "dbconn/slack/webapi.h"

/* What Slack's documentation says of a method (docs.slack.dev/reference/methods). */
struct method_info {
    const char *name;
    bool form;        /* the body is a form: for reading methods and where JSON is not taken */
    bool repeatable;  /* twice does no more than once */
    bool app_token;   /* the app-level token instead of the bot's */
    bool per_channel; /* makes a message: one a second in each channel */
    int per_minute;   /* our limit, below Slack's */
};

/* The row of the method; for one that is not listed a careful one. Never NULL. */
const struct method_info *method_info(const char *name);

/* Appends the body. `args` NULL: none. */
void webapi_write_body(const struct method_info *info, const cJSON *args, struct buf *out);

/* An answer as the caller gets it. Owner: reading_clear(). */
struct reading {
    struct webapi_reply reply;
    struct error err; /* ERR_NONE with WEBAPI_OK */
    cJSON *json;
    char *scopes;
    int64_t retry_after_ms; /* > 0: a 429, to be sent again after this */
};
/* `sent`: may it have reached Slack when `err` is set? (http_call_sent()) */
void webapi_read(const char *method, const struct method_info *info, const struct http_reply *reply,
                 const struct error *err, bool sent, struct reading *ret);
/* The same for the addresses that Slack hands out, where success is any 2xx. */
void webapi_read_address(const char *name, const struct http_reply *reply, const struct error *err,
                         bool sent, struct reading *ret);
void reading_clear(struct reading *r);

/* Everything that makes a message in one channel. */
struct channel {
    char *id;
    struct bucket bucket;
};

/* A method with its line of waiting calls: final states first, then as they came. */
struct line {
    struct webapi *api;
    struct line *next;
    char *method;
    const struct method_info *info;
    struct bucket bucket;
    int64_t paused_until_ms; /* monotonic, after a 429 */
    struct loop_timer *wake;
    struct webapi_call *first, *last;
};

enum webapi_state { WEBAPI_WAITING, WEBAPI_SENT, WEBAPI_ENDED };

struct webapi_call {
    struct line *line;
    struct webapi_call *prev, *next; /* in its line, while it waits */
    struct webapi_call *all_prev, *all_next;
    struct webapi_call *next_ended;
    enum webapi_state state;
    uint64_t number; /* the order of arrival */
    enum webapi_priority priority;
    uint64_t owner;
    char *url;     /* a response_url or an upload_url, else NULL */
    char *channel; /* of the arguments, where that counts */
    struct buf body;
    int64_t timeout_ms;
    struct loop_timer *patience; /* NULL: it waits as long as it takes */
    int64_t patient_until_ms;    /* monotonic */
    struct http_call *http;
    bool (*may_send)(void *user);
    webapi_done_fn *done;
    void *user;
    struct reading reading; /* once it has ended */
};

struct webapi {
    uv_loop_t *loop;
    struct http *http;
    struct http_service *service;
    char *url;                 /* ends in '/' */
    char *bot_auth, *app_auth; /* "Authorization: Bearer ..."; NULL: not configured */
    int updates_per_minute, posts_burst;
    struct line *lines;
    struct channel *channels;
    size_t n_channels, cap_channels;
    struct webapi_call *calls;
    struct webapi_call *ended, **ended_tail;
    struct loop_timer *deliver;
    bool delivering, closing;
    uint64_t last_number;
    struct webapi_stats stats;
    bool bot_refused, app_refused; /* the last word about each token */
};

/* The line of `method`, made when it is the first call; `on_wake` runs, with the line, when its
 * timer does. */
struct line *line_need(struct webapi *api, const char *method, loop_fn *on_wake);
void line_free(struct line *line);
/* Puts the call in its place and takes it out again. */
void line_insert(struct webapi_call *call);
void line_remove(struct webapi_call *call);
/* Does something more urgent wait for the same channel in another line that may send? The lines
 * share a channel's bucket: details and images would take turns with answers. */
bool line_gives_way(const struct line *line, const struct webapi_call *call, int64_t now_ms);
/* The bucket of the call's channel; NULL when only the method counts. Lent until the next call. */
struct bucket *line_channel(struct line *line, const struct webapi_call *call, int64_t now_ms);

#endif
