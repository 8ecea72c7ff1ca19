/*
 * A run's life here: claimed -> run() -> renewed every third of its lease -> scheduler_done() or
 * scheduler_release(). Looking for work: at a wake-up, when a place gets free, and every poll_ms.
 */
#include "dbconn/queue/scheduler.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "dbconn/base/log.h"
#include "dbconn/net/loop.h"

#define DEFAULT_MAX_RUNNING 20
#define DEFAULT_SETTLING 4 /* times max_running */
#define DEFAULT_LEASE_MS (15 * SECOND_MS)
#define DEFAULT_POLL_MS SECOND_MS
#define DEFAULT_RETENTION_MS (90 * DAY_MS)
#define CLAIMS_AT_ONCE 16
#define WAKE_BEAT_MS 200 /* at most that often do wake-ups look for cancel requests */
#define UPKEEP_MS MINUTE_MS
#define PURGE_AT_ONCE 200
#define PURGE_PAUSE_MS 100

struct claim {
    struct scheduler *s;
    struct queue_call *call; /* NULL: free */
    int64_t asked_mono_ms;
};

struct scheduler_run {
    struct scheduler *s;
    struct scheduler_run *prev, *next;
    struct job job;
    void *data;
    int64_t held_until_ms; /* monotonic; the lease ends then, or later */
    int64_t beat_asked_ms;
    struct queue_call *beat, *release;
    bool settling;
    bool told[SCHEDULER_SHUTDOWN + 1];
};

struct scheduler {
    struct queue *queue;
    struct scheduler_options o;
    char *owner;
    struct scheduler_run *runs;
    struct claim claims[CLAIMS_AT_ONCE];
    int n_running, n_settling, n_claiming, n_releasing; /* n_settling: of n_running */
    bool started, closed, draining;                     /* closed: nothing more is claimed */
    bool dry;                                           /* a claim of this round found nothing */
    bool again;                                         /* news came while a round was under way */
    int64_t beaten_ms;
    struct loop_timer *poll, *beat, *upkeep, *drain;
    struct queue_call *adopt, *purge;
    void (*drained)(void *user);
    void *drained_user;
};

/* ---- runs ---- */

static struct scheduler_run *run_new(struct scheduler *s, const struct job *job, int64_t held_ms)
{
    struct scheduler_run *run = xcalloc(1, sizeof(*run));

    run->s = s;
    job_copy(&run->job, job);
    run->held_until_ms = held_ms;
    run->told[SCHEDULER_CANCELLED] = job->cancel_by != NULL; /* it is in the job */
    run->next = s->runs;
    if (s->runs)
        s->runs->prev = run;
    s->runs = run;
    s->n_running++;
    return run;
}

static void run_free(struct scheduler_run *run)
{
    struct scheduler *s = run->s;

    if (run->prev)
        run->prev->next = run->next;
    else
        s->runs = run->next;
    if (run->next)
        run->next->prev = run->prev;
    queue_cancel_call(run->beat);
    queue_cancel_call(run->release);
    job_clear(&run->job);
    free(run);
}

/* May free the run. */
static void tell(struct scheduler_run *run, enum scheduler_stop why)
{
    if (run->told[why] || run->release)
        return;
    run->told[why] = true;
    run->s->o.stop(run->s->o.user, run, why);
}

struct job_ref scheduler_ref(const struct scheduler_run *run)
{
    return (struct job_ref){ run->job.id, run->job.fence };
}

const struct job *scheduler_job(const struct scheduler_run *run)
{
    return &run->job;
}

void scheduler_set_data(struct scheduler_run *run, void *data)
{
    run->data = data;
}

void *scheduler_data(const struct scheduler_run *run)
{
    return run->data;
}

bool scheduler_may_post(const struct scheduler_run *run, int64_t for_ms)
{
    int64_t margin = run->s->o.lease_ms / 3;

    if (for_ms < margin)
        margin = for_ms;
    return !run->told[SCHEDULER_LEASE_LOST] && clock_mono_ms() + margin <= run->held_until_ms;
}

int scheduler_running(const struct scheduler *s)
{
    return s->n_running;
}

bool scheduler_is_idle(const struct scheduler *s)
{
    return s->n_running == 0 && s->n_claiming == 0 && s->n_releasing == 0;
}

struct scheduler_run *scheduler_find(struct scheduler *s, const char *job_id)
{
    struct scheduler_run *run = s->runs;

    while (run && (run->release || strcmp(run->job.id, job_id) != 0))
        run = run->next;
    return run;
}

/* ---- claiming ---- */

static void look(struct scheduler *s);

static void check_drained(struct scheduler *s)
{
    if (s->drained && scheduler_is_idle(s))
        loop_timer_start(s->drain, 0);
}

static void give_back(struct scheduler *s, struct scheduler_run *run);

static void on_claimed(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct claim *claim = user;
    struct scheduler *s = claim->s;

    claim->call = NULL;
    s->n_claiming--;
    s->dry = s->dry || err || reply->outcome != STORE_OK; /* the queue logs that it is away */
    if (!err && reply->outcome == STORE_OK) {
        struct scheduler_run *run = run_new(s, reply->job, claim->asked_mono_ms + s->o.lease_ms);
        if (s->closed)
            give_back(s, run);
        else
            s->o.run(s->o.user, run, &run->job);
    }
    check_drained(s);
    if (s->n_claiming == 0 && (!s->dry || s->again))
        look(s);
}

static struct claim *free_claim(struct scheduler *s)
{
    for (int i = 0; i < CLAIMS_AT_ONCE; i++) {
        if (!s->claims[i].call)
            return &s->claims[i];
    }
    return NULL;
}

static bool claim_one(struct scheduler *s)
{
    struct error err = ERROR_INIT;
    struct claim *claim = free_claim(s);

    if (!claim)
        return false;
    claim->s = s;
    claim->asked_mono_ms = clock_mono_ms();
    claim->call =
        queue_claim(s->queue, s->owner, s->o.lease_ms, &s->o.retry, on_claimed, claim, &err);
    error_clear(&err); /* the queue is stopping or overloaded: the next look tries again */
    s->n_claiming += claim->call != NULL;
    return claim->call != NULL;
}

static bool has_room(const struct scheduler *s)
{
    int taken = s->n_running + s->n_claiming, settling = s->n_settling;

    if (settling > s->o.max_settling)
        settling = s->o.max_settling;
    return taken - settling < s->o.max_running;
}

/* One round of claims: as many as there is room for. */
static void look(struct scheduler *s)
{
    if (!s->started || s->closed)
        return;
    if (s->n_claiming > 0) {
        s->again = true;
        return;
    }
    s->again = s->dry = false;
    while (has_room(s) && claim_one(s))
        continue;
}

/* ---- leases ---- */

static void on_beat(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct scheduler_run *run = user;

    run->beat = NULL;
    if (err)
        return; /* held_until_ms stays: posting stops by itself, and the next beat may work */
    if (reply->outcome != STORE_OK) {
        run->held_until_ms = INT64_MIN;
        tell(run, SCHEDULER_LEASE_LOST);
        return;
    }
    if (run->beat_asked_ms + run->s->o.lease_ms > run->held_until_ms)
        run->held_until_ms = run->beat_asked_ms + run->s->o.lease_ms;
    if (reply->cancel)
        tell(run, SCHEDULER_CANCELLED);
}

static void beat_all(struct scheduler *s)
{
    struct error err = ERROR_INIT;

    s->beaten_ms = clock_mono_ms();
    for (struct scheduler_run *run = s->runs; run; run = run->next) {
        if (run->beat || run->release)
            continue;
        run->beat_asked_ms = clock_mono_ms();
        run->beat =
            queue_heartbeat(s->queue, scheduler_ref(run), s->o.lease_ms, on_beat, run, &err);
    }
    error_clear(&err);
    loop_timer_start(s->beat, s->o.lease_ms / 3);
}

static void on_beat_timer(void *user)
{
    beat_all(user);
}

static void on_poll_timer(void *user)
{
    struct scheduler *s = user;

    loop_timer_start(s->poll, s->o.poll_ms);
    look(s);
}

void scheduler_wake(struct scheduler *s)
{
    int64_t since = clock_mono_ms() - s->beaten_ms;

    look(s);
    if (!s->started || !s->runs)
        return;
    if (since >= WAKE_BEAT_MS)
        beat_all(s);
    else
        loop_timer_start(s->beat, WAKE_BEAT_MS - since);
}

/* ---- upkeep ---- */

static void on_purged(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct scheduler *s = user;
    bool more = !err && reply->number >= PURGE_AT_ONCE;

    s->purge = NULL;
    loop_timer_start(s->upkeep, more ? PURGE_PAUSE_MS : UPKEEP_MS);
}

static void on_upkeep_timer(void *user)
{
    struct scheduler *s = user;
    struct error err = ERROR_INIT;
    int64_t before_ms = s->o.retention_ms < 0 ? 0 : queue_now_ms(s->queue) - s->o.retention_ms;

    s->purge = queue_purge(s->queue, before_ms, PURGE_AT_ONCE, on_purged, s, &err);
    if (!s->purge)
        loop_timer_start(s->upkeep, UPKEEP_MS);
    error_clear(&err);
}

/* ---- ends of runs ---- */

static void give_up_place(struct scheduler *s, const struct scheduler_run *run)
{
    s->n_running--;
    s->n_settling -= run->settling;
}

void scheduler_settle(struct scheduler_run *run)
{
    struct scheduler *s = run->s;

    if (run->settling || run->release)
        return;
    run->settling = true;
    s->n_settling++;
    look(s);
}

static void leave(struct scheduler *s, struct scheduler_run *run)
{
    give_up_place(s, run);
    run_free(run);
    check_drained(s);
    look(s);
}

void scheduler_done(struct scheduler_run *run)
{
    leave(run->s, run);
}

static void on_released(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct scheduler_run *run = user;
    struct scheduler *s = run->s;

    (void)reply; /* with a lost lease it is in other hands already */
    if (err)
        LOG(WARN, "job.release", F_STR("job", run->job.id), F_STR("error", error_text(err)),
            F_STR("effect", "it goes on when its lease runs out"));
    run->release = NULL;
    run_free(run);
    s->n_releasing--;
    check_drained(s);
}

/* From here on the run is not the application's any more; its place is free. */
static void give_back(struct scheduler *s, struct scheduler_run *run)
{
    struct error err = ERROR_INIT;

    run->release = queue_release(s->queue, scheduler_ref(run), on_released, run, &err);
    if (!run->release) {
        LOG(WARN, "job.release", F_STR("job", run->job.id), F_STR("error", error_text(&err)));
        error_clear(&err);
        leave(s, run);
        return;
    }
    queue_cancel_call(run->beat);
    run->beat = NULL;
    give_up_place(s, run);
    s->n_releasing++;
}

void scheduler_release(struct scheduler_run *run)
{
    struct scheduler *s = run->s;

    give_back(s, run);
    look(s);
}

/* ---- start and end ---- */

static char *make_owner(void)
{
    char host[256] = "?", chance[JOB_ID_LEN + 1];

    (void)gethostname(host, sizeof(host) - 1); /* "?" is good enough: chance makes it unique */
    job_id_make(0, chance);
    return xasprintf("%s:%ld:%s", host, (long)getpid(), chance + JOB_ID_LEN - 6);
}

static void set_limits(struct scheduler *s, const struct scheduler_options *options)
{
    s->o.max_running = options->max_running > 0 ? options->max_running : DEFAULT_MAX_RUNNING;
    s->o.max_settling =
        options->max_settling > 0 ? options->max_settling : DEFAULT_SETTLING * s->o.max_running;
    s->o.retention_ms = options->retention_ms != 0 ? options->retention_ms : DEFAULT_RETENTION_MS;
    s->o.retry = options->retry;
}

static void set_options(struct scheduler *s, const struct scheduler_options *options)
{
    s->o = *options;
    s->owner = options->owner ? xstrdup(options->owner) : make_owner();
    s->o.owner = s->owner;
    set_limits(s, options);
    if (s->o.lease_ms <= 0)
        s->o.lease_ms = DEFAULT_LEASE_MS;
    if (s->o.poll_ms <= 0)
        s->o.poll_ms = DEFAULT_POLL_MS;
}

/* Tells one run after the other; each may end runs, so the search starts anew each time. */
static void on_drain_timer(void *user)
{
    struct scheduler *s = user;
    struct scheduler_run *run = s->runs;

    while (run) {
        bool tells = !run->told[SCHEDULER_SHUTDOWN] && !run->release;
        if (tells)
            tell(run, SCHEDULER_SHUTDOWN);
        run = tells ? s->runs : run->next;
    }
    if (!scheduler_is_idle(s) || !s->drained)
        return;
    void (*drained)(void *user) = s->drained;
    s->drained = NULL;
    drained(s->drained_user); /* last statement: the owner may free `s` in it */
}

struct scheduler *scheduler_new(uv_loop_t *loop, struct queue *queue,
                                const struct scheduler_options *options)
{
    struct scheduler *s = xcalloc(1, sizeof(*s));

    assert(options->run && options->stop);
    s->queue = queue;
    set_options(s, options);
    s->poll = loop_timer_new(loop, on_poll_timer, s);
    s->beat = loop_timer_new(loop, on_beat_timer, s);
    s->upkeep = loop_timer_new(loop, on_upkeep_timer, s);
    s->drain = loop_timer_new(loop, on_drain_timer, s);
    return s;
}

static void on_adopted(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct scheduler *s = user;

    s->adopt = NULL;
    if (err)
        LOG(WARN, "jobs.adopt", F_STR("error", error_text(err)),
            F_STR("effect", "jobs of a process that died go on when their leases run out"));
    else if (reply->outcome == STORE_OK && reply->number > 0)
        LOG(INFO, "jobs.adopted", F_INT("jobs", reply->number));
    else if (reply->outcome == STORE_REFUSED && !queue_is_shared(s->queue))
        LOG(WARN, "jobs.shared",
            F_STR("why", "another process runs jobs from the same SQLite file: with more than "
                         "one, use PostgreSQL"));
    s->started = true;
    on_poll_timer(s);
    loop_timer_start(s->beat, s->o.lease_ms / 3);
    loop_timer_start(s->upkeep, 0);
}

void scheduler_set_limits(struct scheduler *s, const struct scheduler_options *options)
{
    set_limits(s, options);
    look(s); /* there may be room now */
}

void scheduler_start(struct scheduler *s)
{
    struct error err = ERROR_INIT;

    s->adopt = queue_adopt(s->queue, &s->o.retry, on_adopted, s, &err);
    if (!s->adopt)
        on_adopted(s, NULL, &err);
    error_clear(&err);
}

void scheduler_close(struct scheduler *s)
{
    s->closed = true;
    loop_timer_stop(s->poll);
}

void scheduler_drain(struct scheduler *s, void (*drained)(void *user), void *user)
{
    assert(!s->draining);
    s->draining = true;
    scheduler_close(s);
    s->drained = drained;
    s->drained_user = user;
    queue_cancel_call(s->adopt);
    queue_cancel_call(s->purge);
    s->adopt = s->purge = NULL;
    loop_timer_stop(s->upkeep);
    loop_timer_start(s->drain, 0);
}

void scheduler_free(struct scheduler *s)
{
    if (!s)
        return;
    for (int i = 0; i < CLAIMS_AT_ONCE; i++)
        queue_cancel_call(s->claims[i].call);
    while (s->runs)
        run_free(s->runs);
    queue_cancel_call(s->adopt);
    queue_cancel_call(s->purge);
    loop_timer_free(s->poll);
    loop_timer_free(s->beat);
    loop_timer_free(s->upkeep);
    loop_timer_free(s->drain);
    free(s->owner);
    free(s);
}
