#include "thread_sync_internal.h"

#include "dbconn/base/log.h"
#include "dbconn/base/text.h"

#define RETRY_MAX_MS MINUTE_MS

void sync_wake(struct thread_sync *s)
{
    loop_timer_start(s->later, 0);
}

bool part_is_reply(const struct part *p)
{
    return p->want.in_thread || p->sync->in_thread;
}

static bool busy(const struct part *p)
{
    return p->store_call || p->slack_call || p->drawing;
}

static bool looks_right(const struct part *p)
{
    return p->want.picture || text_same(p->hash, p->want.hash); /* a picture stays as it is */
}

static bool is_current(const struct part *p)
{
    return !p->want.text || p->state == GIVEN_UP ||
           (p->state == POSTED && !busy(p) && !p->stream && p->strays_until_ms == 0 &&
            looks_right(p));
}

bool thread_sync_is_settled(const struct thread_sync *s)
{
    for (size_t i = 0; i < PART_COUNT; i++)
        if (!is_current(&s->parts[i]))
            return false;
    return true;
}

void part_again_in(struct part *p, int64_t ms)
{
    p->not_before_mono = clock_mono_ms() + ms;
    loop_timer_start(p->timer, ms);
}

void part_retry_later(struct part *p)
{
    int64_t ms = RETRY_MS << (p->tries < 5 ? p->tries : 5);

    p->tries++;
    part_again_in(p, ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS);
}

/* Without a channel message there is no thread. One that is there and cannot be changed any more
 * (somebody deleted it) costs its own state only, unless it is the place that is closed, or we. */
static bool is_the_end(const struct part *p, const char *code)
{
    enum webapi_kind kind = webapi_kind_of("chat.update", code);

    return p->id == PART_ROOT && (!p->ts || kind == WEBAPI_AUTH || kind == WEBAPI_CHANNEL);
}

void part_give_up(struct part *p, const char *code, const struct error *err)
{
    struct thread_sync *s = p->sync;

    LOG(WARN, "thread.give_up", F_STR("job", s->job), F_STR("part", part_name(p->id)),
        F_STR("code", code), F_STR("why", err ? error_text(err) : ""));
    p->state = GIVEN_UP;
    if (p->id == PART_ROOT) {
        xreplace(&s->root_refused, code);
        if (err)
            error_copy(&s->root_error, err);
    }
    if (is_the_end(p, code)) {
        s->problem = true;
        for (size_t i = 0; i < PART_COUNT; i++)
            s->parts[i].state = GIVEN_UP;
    }
    sync_wake(s);
}

bool part_may_send(void *user)
{
    const struct part *p = user;

    return scheduler_may_post(p->sync->o.run, POST_TIMEOUT_MS);
}

void part_call(struct part *p, const char *method, cJSON *args, webapi_done_fn *done)
{
    struct error err = ERROR_INIT;
    struct webapi_request request = { .method = method,
                                      .args = args,
                                      .owner = p->sync->o.owner,
                                      .timeout_ms = POST_TIMEOUT_MS,
                                      .may_send = part_may_send,
                                      .done = done,
                                      .user = p };

    p->slack_call = webapi_start(p->sync->o.api, &request, &err);
    cJSON_Delete(args);
    if (!p->slack_call)
        part_give_up(p, "not_configured", &err);
    error_clear(&err);
}

/* A picture that does not succeed at once holds nothing up. */
static bool goes_first(const struct part *p)
{
    return p->want.text && p->state != POSTED && p->state != GIVEN_UP &&
           !(p->want.picture && p->tries > 0);
}

/* Parts are posted in order, so that a thread reads from top to bottom. */
static bool may_be_posted(const struct part *p)
{
    const struct thread_sync *s = p->sync;

    if (p->want.in_thread && !s->thread_ts)
        return false;
    for (size_t i = 0; i < (size_t)p->id; i++)
        if (goes_first(&s->parts[i]))
            return false;
    return true;
}

static void first_time(struct part *p)
{
    if (p->want.picture)
        part_show_picture(p);
    else if (part_wants_stream(p))
        part_open_stream(p);
    else
        part_post(p);
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
        part_look(p);
    else if (p->state == UNPOSTED && may_be_posted(p))
        first_time(p);
    else if (p->state == POSTED && p->stream)
        part_stream(p);
    else if (p->state == POSTED && !looks_right(p))
        part_edit(p);
    else if (p->state == POSTED && p->strays_until_ms > 0)
        part_edit_after_strays(p);
}

static void on_part_timer(void *user)
{
    advance(user);
}

static void on_later(void *user)
{
    struct thread_sync *s = user;

    for (size_t i = 0; i < PART_COUNT; i++) {
        bool refused = s->refused[i];
        s->refused[i] = false;
        if (refused)
            s->o.on_refused(s->o.user, (enum part_id)i);
    }
    for (size_t i = 0; i < PART_COUNT; i++)
        advance(&s->parts[i]);
    bool settled = thread_sync_is_settled(s);
    bool tell = settled && !s->told_settled;
    s->told_settled = settled;
    if (s->problem) {
        s->problem = false;
        s->told_settled = true;
        s->o.on_cannot_post(s->o.user); /* last statement: may free `s` */
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
    s->root_error = (struct error)ERROR_INIT;
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
        thread_part_clear(&p->want);
        free(p->ts);
        free(p->hash);
        free(p->sending);
        part_forget_picture(p);
        part_drop_stream(p);
    }
    loop_timer_free(s->later);
    free(s->job);
    free(s->channel);
    free(s->thread_ts);
    free(s->root_refused);
    error_clear(&s->root_error);
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
        part_take_stored(p, m);
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
        thread_part_clear(&p->want);
        p->want = view->parts[i];
        view->parts[i] = (struct thread_part){ 0 };
    }
    view->n = 0;
    if (!thread_sync_is_settled(s))
        s->told_settled = false;
    sync_wake(s);
}

bool thread_sync_pause(struct thread_sync *s)
{
    bool idle = true;

    s->paused = true;
    for (size_t i = 0; i < PART_COUNT; i++)
        idle &= !busy(&s->parts[i]);
    return idle;
}

const char *thread_sync_refusal(const struct thread_sync *s, const struct error **ret_why)
{
    if (s->parts[PART_ROOT].state != GIVEN_UP || s->parts[PART_ANSWER].state == POSTED)
        return NULL;
    *ret_why = &s->root_error;
    return s->root_refused;
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
