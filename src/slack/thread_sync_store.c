/* The store's side of a part. A lost lease ends the job here, the scheduler says so. */
#include "thread_sync_internal.h"

#include "dbconn/base/log.h"
#include "dbconn/base/text.h"

static void on_stored(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct part *p = user;

    p->store_call = NULL;
    if (err)
        LOG(ERROR, "thread.store", F_STR("job", p->sync->job), F_STR("why", error_text(err)));
    (void)reply; /* with the lease lost the run is stopped; nothing more to do here */
    sync_wake(p->sync);
}

void part_record_sent(struct part *p, const char *ts)
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

void part_record_unknown(struct part *p)
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

void part_record_absent(struct part *p)
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

void part_take_stored(struct part *p, const struct job_message *m)
{
    xreplace(&p->ts, m->ts);
    xreplace(&p->hash, m->hash);
    p->state = m->state == MESSAGE_SENT     ? POSTED
               : m->state == MESSAGE_ABSENT ? UNPOSTED
                                            : UNRESOLVED;
    p->lands_until_ms = m->lands_until_ms;
    p->strays_until_ms = p->state == POSTED && !m->hash ? m->lands_until_ms : 0;
}

static void on_intended(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct part *p = user;
    struct thread_sync *s = p->sync;

    p->store_call = NULL;
    if (err) {
        part_retry_later(p);
    } else if ((reply->outcome == STORE_EXISTS || reply->outcome == STORE_UNRESOLVED) &&
               reply->message) {
        part_take_stored(p, reply->message);
        sync_wake(s);
    } else if (reply->outcome == STORE_OK && part_may_send(p)) {
        p->send(p);
    } else if (reply->outcome == STORE_OK) {
        part_retry_later(p);
    }
}

void part_intend(struct part *p, void (*send)(struct part *p))
{
    struct thread_sync *s = p->sync;
    struct error err = ERROR_INIT;

    p->send = send;
    p->store_call = queue_message_intend(s->o.queue, scheduler_ref(s->o.run), part_name(p->id),
                                         s->channel, part_is_reply(p) ? s->thread_ts : NULL,
                                         POST_TIMEOUT_MS, on_intended, p, &err);
    if (!p->store_call)
        on_intended(p, NULL, &err);
    error_clear(&err);
}
