/*
 * The life of a part:
 *
 *   UNPOSTED -> intend (store) -> post (Slack) -> record (store) -> POSTED <-> edit (Slack, store)
 *                  |                 |
 *                  |                 +- outcome unknown -> UNRESOLVED
 *                  +- an earlier attempt may have posted -> UNRESOLVED
 *   UNRESOLVED -> wait until it cannot land any more -> look (Slack) -> POSTED | UNPOSTED
 *   any -> GIVEN_UP: Slack will not have it
 *
 * An edit too is noted in the store before it is sent. While one whose outcome is not known may
 * still land, what is there counts as not settled.
 */
#include "dbconn/slack/thread_sync.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/net/loop.h"

#define POST_TIMEOUT_MS (15 * SECOND_MS)
#define EDIT_SPACING_MS (3 * SECOND_MS)
#define RETRY_MS (2 * SECOND_MS)
#define RETRY_MAX_MS MINUTE_MS
#define LOOK_PAGE 200

enum part_state { UNPOSTED, UNRESOLVED, POSTED, GIVEN_UP };

struct part {
    struct thread_sync *sync;
    enum part_id id;
    enum part_state state;
    struct thread_part want; /* text NULL: not wanted yet */
    char *ts;
    char *hash;              /* of the content that Slack has */
    char *sending;           /* hash of the content on its way */
    int64_t lands_until_ms;  /* wall; UNRESOLVED */
    int64_t strays_until_ms; /* wall; POSTED: till then an edit of unknown outcome may land; or 0 */
    int64_t not_before_mono; /* the next edit or retry */
    int tries;
    struct queue_call *store_call;
    struct webapi_call *slack_call;
    struct loop_timer *timer;
};

struct thread_sync {
    struct thread_sync_options o;
    char *job, *channel, *thread_ts;
    struct part parts[PART_COUNT];
    struct loop_timer *later; /* callbacks and work, never inside a caller's function */
    bool in_thread; /* the root message too is a reply, in a thread that was there before */
    bool told_settled, blind, refused, paused;
    char *problem; /* Slack's code, for on_cannot_post */
    struct error problem_error;
};

static void advance(struct part *p);

static void wake(struct thread_sync *s)
{
    loop_timer_start(s->later, 0);
}

/* Is the part a reply, or a message of the channel itself? */
static bool is_reply(const struct part *p)
{
    return p->want.in_thread || p->sync->in_thread;
}

static void part_forget_want(struct part *p)
{
    free(p->want.text);
    cJSON_Delete(p->want.blocks);
    cJSON_Delete(p->want.metadata);
    p->want = (struct thread_part){ 0 };
}

static bool busy(const struct part *p)
{
    return p->store_call || p->slack_call;
}

static bool is_current(const struct part *p)
{
    return !p->want.text || p->state == GIVEN_UP ||
           (p->state == POSTED && !busy(p) && p->strays_until_ms == 0 &&
            text_same(p->hash, p->want.hash));
}

bool thread_sync_is_settled(const struct thread_sync *s)
{
    for (size_t i = 0; i < PART_COUNT; i++)
        if (!is_current(&s->parts[i]))
            return false;
    return true;
}

static void again_in(struct part *p, int64_t ms)
{
    p->not_before_mono = clock_mono_ms() + ms;
    loop_timer_start(p->timer, ms);
}

static void retry_later(struct part *p)
{
    int64_t ms = RETRY_MS << (p->tries < 5 ? p->tries : 5);

    p->tries++;
    again_in(p, ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS);
}

static void give_up(struct part *p, const char *code, const struct error *err)
{
    struct thread_sync *s = p->sync;

    LOG(WARN, "thread.give_up", F_STR("job", s->job), F_STR("part", part_name(p->id)),
        F_STR("code", code), F_STR("why", err ? error_text(err) : ""));
    p->state = GIVEN_UP;
    if (p->id == PART_ROOT && !s->problem) {
        s->problem = xstrdup(code);
        if (err)
            error_copy(&s->problem_error, err);
        for (size_t i = 0; i < PART_COUNT; i++)
            s->parts[i].state = GIVEN_UP;
    }
    wake(s);
}

/* ---- the store's side; a lost lease ends this job here, the scheduler says so ---- */

static void on_stored(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct part *p = user;

    p->store_call = NULL;
    if (err)
        LOG(ERROR, "thread.store", F_STR("job", p->sync->job), F_STR("why", error_text(err)));
    (void)reply; /* with the lease lost the run is stopped; nothing more to do here */
    wake(p->sync);
}

static void record_sent(struct part *p, const char *ts)
{
    struct thread_sync *s = p->sync;
    struct error err = ERROR_INIT;
    bool begins_thread = p->id == PART_ROOT && !s->in_thread;

    if (ts)
        xreplace(&p->ts, ts);
    free(p->hash);
    p->hash = p->sending;
    p->sending = NULL;
    p->state = POSTED;
    p->tries = 0;
    if (begins_thread)
        xreplace(&s->thread_ts, p->ts);
    p->store_call =
        queue_message_sent(s->o.queue, scheduler_ref(s->o.run), part_name(p->id), s->channel, p->ts,
                           p->hash, begins_thread, on_stored, p, &err);
    if (!p->store_call)
        on_stored(p, NULL, &err);
    error_clear(&err);
}

static void record_unknown(struct part *p)
{
    struct thread_sync *s = p->sync;
    struct error err = ERROR_INIT;

    p->state = UNRESOLVED;
    p->lands_until_ms = clock_wall_ms() + POST_TIMEOUT_MS;
    p->store_call = queue_message_unknown(s->o.queue, scheduler_ref(s->o.run), part_name(p->id),
                                          on_stored, p, &err);
    if (!p->store_call)
        on_stored(p, NULL, &err);
    error_clear(&err);
}

static void record_absent(struct part *p)
{
    struct thread_sync *s = p->sync;
    struct error err = ERROR_INIT;

    if (p->state != GIVEN_UP)
        p->state = UNPOSTED;
    p->store_call = queue_message_absent(s->o.queue, scheduler_ref(s->o.run), part_name(p->id),
                                         on_stored, p, &err);
    if (!p->store_call)
        on_stored(p, NULL, &err);
    error_clear(&err);
}

/* What an earlier attempt left behind. */
static void take_stored(struct part *p, const struct job_message *m)
{
    xreplace(&p->ts, m->ts);
    xreplace(&p->hash, m->hash);
    p->state = m->state == MESSAGE_SENT     ? POSTED
               : m->state == MESSAGE_ABSENT ? UNPOSTED
                                            : UNRESOLVED;
    p->lands_until_ms = m->lands_until_ms;
    p->strays_until_ms = p->state == POSTED && !m->hash ? m->lands_until_ms : 0;
}

/* ---- posting ---- */

static cJSON *post_args(const struct part *p)
{
    const struct thread_sync *s = p->sync;
    cJSON *args = cJSON_CreateObject();

    json_put_str(args, "channel", s->channel);
    json_put_str(args, "text", p->want.text);
    if (p->want.blocks)
        cJSON_AddItemToObject(args, "blocks", cJSON_Duplicate(p->want.blocks, true));
    if (p->want.metadata)
        cJSON_AddItemToObject(args, "metadata", cJSON_Duplicate(p->want.metadata, true));
    json_put_bool(args, "unfurl_links", false);
    json_put_bool(args, "unfurl_media", false);
    if (p->state == POSTED) {
        json_put_str(args, "ts", p->ts);
    } else if (is_reply(p)) {
        json_put_str(args, "thread_ts", s->thread_ts);
        if (p->want.broadcast)
            json_put_bool(args, "reply_broadcast", true);
    }
    return args;
}

static bool refuses_blocks(const struct webapi_reply *reply)
{
    return text_starts(reply->code, "invalid_blocks") ||
           text_same(reply->code, "msg_blocks_too_long") ||
           text_same(reply->code, "invalid_arguments");
}

/* What a failure means for a message that is certainly not there (a post) or unchanged (an edit).
 */
static void on_refused(struct part *p, const struct webapi_reply *reply, const struct error *err)
{
    struct thread_sync *s = p->sync;
    bool with_blocks = cJSON_GetArraySize(p->want.blocks) > 0;

    if (reply->kind == WEBAPI_TRANSIENT) {
        retry_later(p);
    } else if (refuses_blocks(reply) && with_blocks) {
        LOG(WARN, "thread.blocks_refused", F_STR("job", s->job), F_STR("why", error_text(err)));
        s->refused = true;
        again_in(p, RETRY_MS);
        wake(s);
    } else {
        give_up(p, reply->code, err);
    }
}

static void on_posted(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct part *p = user;

    p->slack_call = NULL;
    if (reply->kind == WEBAPI_OK && json_str(reply->json, "ts")) {
        if (json_str(reply->json, "channel"))
            xreplace(&p->sync->channel, json_str(reply->json, "channel"));
        record_sent(p, json_str(reply->json, "ts"));
        return;
    }
    xreplace(&p->sending, NULL);
    if (reply->kind == WEBAPI_AMBIGUOUS || reply->kind == WEBAPI_OK) {
        record_unknown(p);
        return;
    }
    on_refused(p, reply, err);
    record_absent(p);
}

/* A call may wait in line for long, and this process be stopped in between. */
static bool may_send(void *user)
{
    const struct part *p = user;

    return scheduler_may_post(p->sync->o.run, POST_TIMEOUT_MS);
}

static void send_part(struct part *p, const char *method, webapi_done_fn *done)
{
    struct thread_sync *s = p->sync;
    struct error err = ERROR_INIT;
    cJSON *args = post_args(p);
    struct webapi_request request = {
        .method = method,
        .args = args,
        .owner = s->o.owner,
        .priority = p->want.settled ? WEBAPI_FINAL : WEBAPI_NORMAL,
        .timeout_ms = POST_TIMEOUT_MS,
        .may_send = may_send,
        .done = done,
        .user = p,
    };

    xreplace(&p->sending, p->want.hash);
    p->slack_call = webapi_start(s->o.api, &request, &err);
    cJSON_Delete(args);
    if (!p->slack_call)
        give_up(p, "not_configured", &err);
    error_clear(&err);
}

static void on_intended(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct part *p = user;
    struct thread_sync *s = p->sync;

    p->store_call = NULL;
    if (err) {
        retry_later(p);
        return;
    }
    if (reply->outcome == STORE_EXISTS && reply->message) {
        take_stored(p, reply->message);
        wake(s);
    } else if (reply->outcome == STORE_UNRESOLVED && reply->message) {
        take_stored(p, reply->message);
        wake(s);
    } else if (reply->outcome == STORE_OK && scheduler_may_post(s->o.run, POST_TIMEOUT_MS)) {
        send_part(p, "chat.postMessage", on_posted);
    } else if (reply->outcome == STORE_OK) {
        retry_later(p);
    }
}

static void intend(struct part *p)
{
    struct thread_sync *s = p->sync;
    struct error err = ERROR_INIT;

    p->store_call = queue_message_intend(s->o.queue, scheduler_ref(s->o.run), part_name(p->id),
                                         s->channel, is_reply(p) ? s->thread_ts : NULL,
                                         POST_TIMEOUT_MS, on_intended, p, &err);
    if (!p->store_call)
        on_intended(p, NULL, &err);
    error_clear(&err);
}

/* ---- editing ---- */

/* An edit whose outcome is not known may land after the next one. What is sent meanwhile is shown
 * at once, but it counts only when it was sent again after that. */
static void expect_stray(struct part *p)
{
    p->strays_until_ms = clock_wall_ms() + POST_TIMEOUT_MS;
}

static void on_edit_succeeded(struct part *p)
{
    if (p->strays_until_ms == 0) {
        record_sent(p, NULL);
        return;
    }
    free(p->hash);
    p->hash = p->sending;
    p->sending = NULL;
    p->tries = 0;
    wake(p->sync);
}

static void on_edited(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct part *p = user;

    p->slack_call = NULL;
    p->not_before_mono = clock_mono_ms() + (p->sync->o.edit_spacing_ms ? p->sync->o.edit_spacing_ms
                                                                       : EDIT_SPACING_MS);
    if (reply->kind == WEBAPI_OK) {
        on_edit_succeeded(p);
        return;
    }
    xreplace(&p->sending, NULL);
    if (!*reply->code) /* no answer of Slack's */
        expect_stray(p);
    if (reply->kind == WEBAPI_AMBIGUOUS)
        retry_later(p); /* the same content again does no harm */
    else
        on_refused(p, reply, err);
}

/* Committed: should this process die now, the next one knows that an edit may be under way. */
static void on_edit_noted(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct part *p = user;

    p->store_call = NULL;
    if (!err && reply->outcome == STORE_LEASE_LOST)
        return; /* the scheduler says so */
    if (err || !scheduler_may_post(p->sync->o.run, POST_TIMEOUT_MS)) {
        retry_later(p);
        return;
    }
    if (p->strays_until_ms <= clock_wall_ms())
        p->strays_until_ms = 0; /* whatever was under way has landed: this one is the last */
    send_part(p, "chat.update", on_edited);
}

static void edit(struct part *p)
{
    struct thread_sync *s = p->sync;
    struct error err = ERROR_INIT;
    int64_t wait = p->not_before_mono - clock_mono_ms();

    if (wait > 0) {
        loop_timer_start(p->timer, wait);
        return;
    }
    p->store_call = queue_message_edit(s->o.queue, scheduler_ref(s->o.run), part_name(p->id),
                                       POST_TIMEOUT_MS, on_edit_noted, p, &err);
    if (!p->store_call)
        on_edit_noted(p, NULL, &err);
    error_clear(&err);
}

/* The content is right, but something older may still land on top of it. */
static void edit_after_strays(struct part *p)
{
    int64_t wait = p->strays_until_ms - clock_wall_ms();

    if (wait > 0)
        loop_timer_start(p->timer, wait < POST_TIMEOUT_MS ? wait : POST_TIMEOUT_MS);
    else
        edit(p);
}

/* ---- looking for a post whose outcome is unknown ---- */

static const cJSON *find_part(const cJSON *messages, const char *job, const char *part)
{
    const cJSON *message;

    cJSON_ArrayForEach (message, messages) {
        const cJSON *payload = json_path(message, "metadata", "event_payload", NULL);
        if (text_same(json_str(payload, "job"), job) && text_same(json_str(payload, "part"), part))
            return message;
    }
    return NULL;
}

static void on_looked(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct part *p = user;
    const cJSON *found;

    p->slack_call = NULL;
    if (reply->kind == WEBAPI_TRANSIENT || reply->kind == WEBAPI_AMBIGUOUS) {
        retry_later(p);
        return;
    }
    if (reply->kind != WEBAPI_OK) {
        p->sync->blind = true; /* at most once: better missing than doubled */
        give_up(p, reply->code, err);
        return;
    }
    found = find_part(json_get(reply->json, "messages"), p->sync->job, part_name(p->id));
    if (!found) {
        record_absent(p);
        return;
    }
    const char *hash = json_str(json_path(found, "metadata", "event_payload", NULL), "hash");
    xreplace(&p->sending, hash ? hash : "");
    record_sent(p, json_str(found, "ts"));
}

static cJSON *look_args(const struct part *p)
{
    const struct thread_sync *s = p->sync;
    cJSON *args = cJSON_CreateObject();
    char *oldest =
        xasprintf("%lld.000000", (long long)((p->lands_until_ms - 10 * MINUTE_MS) / 1000));

    json_put_str(args, "channel", s->channel);
    json_put_bool(args, "include_all_metadata", true);
    json_put_i64(args, "limit", LOOK_PAGE);
    if (!is_reply(p))
        json_put_str(args, "oldest", oldest);
    else
        json_put_str(args, "ts", s->thread_ts);
    free(oldest);
    return args;
}

static void look(struct part *p)
{
    struct thread_sync *s = p->sync;
    struct error err = ERROR_INIT;
    int64_t wait = p->lands_until_ms - clock_wall_ms();

    if (wait > 0) {
        again_in(p, wait < POST_TIMEOUT_MS ? wait : POST_TIMEOUT_MS);
        return;
    }
    cJSON *args = look_args(p);
    struct webapi_request request = {
        .method = is_reply(p) ? "conversations.replies" : "conversations.history",
        .args = args,
        .owner = s->o.owner,
        .priority = WEBAPI_FINAL,
        .done = on_looked,
        .user = p,
    };
    p->slack_call = webapi_start(s->o.api, &request, &err);
    cJSON_Delete(args);
    if (!p->slack_call)
        give_up(p, "not_configured", &err);
    error_clear(&err);
}

/* ---- the whole ---- */

/* Parts are posted in order, so that a thread reads from top to bottom. */
static bool may_be_posted(const struct part *p)
{
    const struct thread_sync *s = p->sync;

    if (p->want.in_thread && !s->thread_ts)
        return false;
    for (size_t i = 0; i < (size_t)p->id; i++)
        if (s->parts[i].want.text && s->parts[i].state != POSTED && s->parts[i].state != GIVEN_UP)
            return false;
    return true;
}

static void advance(struct part *p)
{
    if (p->sync->paused || !p->want.text || busy(p) || p->state == GIVEN_UP)
        return;
    if (p->state != POSTED && p->not_before_mono > clock_mono_ms()) {
        loop_timer_start(p->timer, p->not_before_mono - clock_mono_ms());
        return;
    }
    if (p->state == UNRESOLVED)
        look(p);
    else if (p->state == UNPOSTED && may_be_posted(p))
        intend(p);
    else if (p->state == POSTED && !text_same(p->hash, p->want.hash))
        edit(p);
    else if (p->state == POSTED && p->strays_until_ms > 0)
        edit_after_strays(p);
}

static void on_part_timer(void *user)
{
    advance(user);
}

static void on_later(void *user)
{
    struct thread_sync *s = user;

    if (s->refused) {
        s->refused = false;
        s->o.on_blocks_refused(s->o.user);
    }
    for (size_t i = 0; i < PART_COUNT; i++)
        advance(&s->parts[i]);
    bool settled = thread_sync_is_settled(s);
    bool tell = settled && !s->told_settled;
    s->told_settled = settled;
    if (s->problem) {
        char *code = s->problem;
        s->problem = NULL;
        s->told_settled = true;
        s->o.on_cannot_post(s->o.user, code, &s->problem_error); /* may free `s` */
        free(code);
    } else if (tell) {
        s->o.on_settled(s->o.user); /* last statement: may free `s` */
    }
}

struct thread_sync *thread_sync_new(const struct thread_sync_options *options)
{
    struct thread_sync *s = xcalloc(1, sizeof(*s));
    const struct job *job = scheduler_job(options->run);

    s->o = *options;
    s->job = xstrdup(job->id);
    s->channel = xstrdup(job->channel);
    s->thread_ts = xstrdup(job->thread_ts);
    s->in_thread = job->thread_ts != NULL; /* until thread_sync_restore() knows better */
    s->problem_error = (struct error)ERROR_INIT;
    s->later = loop_timer_new(options->loop, on_later, s);
    for (size_t i = 0; i < PART_COUNT; i++) {
        s->parts[i] = (struct part){ .sync = s, .id = (enum part_id)i };
        s->parts[i].timer = loop_timer_new(options->loop, on_part_timer, &s->parts[i]);
    }
    return s;
}

void thread_sync_free(struct thread_sync *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < PART_COUNT; i++) {
        struct part *p = &s->parts[i];
        queue_cancel_call(p->store_call);
        webapi_cancel(p->slack_call);
        loop_timer_free(p->timer);
        part_forget_want(p);
        free(p->ts);
        free(p->hash);
        free(p->sending);
    }
    loop_timer_free(s->later);
    free(s->job);
    free(s->channel);
    free(s->thread_ts);
    free(s->problem);
    error_clear(&s->problem_error);
    free(s);
}

void thread_sync_restore(struct thread_sync *s, const struct job_message_list *messages)
{
    enum part_id id;

    for (size_t i = 0; i < messages->n; i++) {
        const struct job_message *m = &messages->items[i];
        if (!part_parse(m->part, &id))
            continue;
        struct part *p = &s->parts[id];
        take_stored(p, m);
        if (m->channel)
            xreplace(&s->channel, m->channel);
        if (id == PART_ROOT) {
            s->in_thread = m->thread_ts != NULL;
            if (m->ts && !s->in_thread)
                xreplace(&s->thread_ts, m->ts);
        }
    }
}

void thread_sync_show(struct thread_sync *s, struct thread_view *view)
{
    for (size_t i = 0; i < view->n; i++) {
        struct part *p = &s->parts[view->parts[i].id];
        part_forget_want(p);
        p->want = view->parts[i];
        view->parts[i] = (struct thread_part){ 0 };
    }
    view->n = 0;
    if (!thread_sync_is_settled(s))
        s->told_settled = false;
    wake(s);
}

bool thread_sync_pause(struct thread_sync *s)
{
    bool idle = true;

    s->paused = true;
    for (size_t i = 0; i < PART_COUNT; i++)
        idle &= !busy(&s->parts[i]);
    return idle;
}

bool thread_sync_was_blind(const struct thread_sync *s)
{
    return s->blind;
}

bool thread_sync_has_begun(const struct thread_sync *s)
{
    for (size_t i = 0; i < PART_COUNT; i++)
        if (s->parts[i].state != UNPOSTED)
            return true;
    return false;
}
