/*
 * The life of a request here: WAITING -> TAKEN into a group -> the group commits -> ANSWERED.
 *
 * A group that collided with another writer is done again. A request that cannot be stored is
 * answered with its error and the rest of its group done again without it. When the store itself
 * cannot work, the group goes back to the front of what waits, and is tried again until the loop
 * gives the requests up.
 */
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dbconn/base/log.h"

#define GROUP_MAX 512
#define COLLISIONS_MAX 5
#define AWAY_PAUSE_MS 100
#define JOIN_TIMEOUT_NS (UINT64_C(5) * 1000 * 1000 * 1000)

const double queue_commit_bounds_ms[QUEUE_COMMIT_BUCKETS] = { 0.5, 1,  2,   5,   10,
                                                              20,  50, 100, 500, 2000 };

/* ---- one group ---- */

static bool has_write(const struct call_list *group)
{
    for (const struct queue_call *c = group->first; c; c = c->queue.next) {
        if (c->op->write)
            return true;
    }
    return false;
}

/* Runs the group in one transaction. NULL and *ret_ok: committed, or the store could not; else the
 * call that cannot be stored, with its error in `err`. */
static struct queue_call *try_group(struct worker *w, struct call_list *group, bool *ret_ok,
                                    struct error *err)
{
    *ret_ok = false;
    if (store_begin(w->store, has_write(group), err) < 0)
        return NULL;
    for (struct queue_call *c = group->first; c; c = c->queue.next) {
        call_result_clear(&c->out);
        c->outcome = c->op->run(w->store, c, err);
        if (c->outcome >= 0)
            continue;
        store_rollback(w->store);
        return store_last_fault(w->store) == STORE_FAULT_REQUEST ? c : NULL;
    }
    *ret_ok = store_commit(w->store, err) == 0;
    return NULL;
}

/* Nobody waits for it any more. */
static void drop(struct worker *w, struct queue_call *c)
{
    if (c->op->undo && c->outcome == STORE_OK)
        c->op->undo(w->store, c);
    call_free(c);
}

/* `err`: why it could not be stored, or NULL. */
static void hand_back(struct worker *w, struct queue_call *c, const struct error *err)
{
    uv_mutex_lock(&w->lock);
    if (err)
        error_copy(&c->err, err);
    if (c->forgotten) {
        uv_mutex_unlock(&w->lock);
        drop(w, c);
        return;
    }
    c->state = CALL_ANSWERED;
    calls_add(&w->answered, c);
    w->stats.calls++;
    w->stats.failures += c->outcome < 0;
    uv_mutex_unlock(&w->lock);
}

static void count_commit(struct worker *w, size_t n, uint64_t took_ns)
{
    double took_ms = (double)took_ns / 1e6;

    uv_mutex_lock(&w->lock);
    w->stats.commits++;
    w->stats.commit_seconds_sum += took_ms / 1e3;
    if (n > w->stats.largest_group)
        w->stats.largest_group = n;
    for (int i = 0; i < QUEUE_COMMIT_BUCKETS; i++) {
        if (took_ms <= queue_commit_bounds_ms[i]) {
            w->stats.commit_buckets[i]++;
            break;
        }
    }
    uv_mutex_unlock(&w->lock);
}

/* The whole group waits again, in its place; each call remembers why, for when it is given up. */
static void put_back(struct worker *w, struct call_list *group, const struct error *err)
{
    struct queue_call *c, *next;

    uv_mutex_lock(&w->lock);
    for (c = group->first; c; c = next) {
        next = c->queue.next;
        if (c->forgotten) {
            calls_remove(group, c);
            call_free(c);
            continue;
        }
        c->state = CALL_WAITING;
        error_copy(&c->err, err);
    }
    calls_prepend(&w->waiting, group);
    uv_mutex_unlock(&w->lock);
}

static void set_away(struct worker *w, bool away, const char *why)
{
    int64_t now = clock_wall_ms();

    uv_mutex_lock(&w->lock);
    int64_t since = w->stats.away_since_ms;
    if (away != (since != TIME_UNKNOWN))
        w->stats.away_since_ms = away ? now : TIME_UNKNOWN;
    uv_mutex_unlock(&w->lock);
    if (away && since == TIME_UNKNOWN)
        LOG(ERROR, "store.away", F_STR("error", why));
    else if (!away && since != TIME_UNKNOWN)
        LOG(INFO, "store.back", F_INT("away_ms", now - since));
}

/* Carries the group out and empties it. false: the store is away, and the group waits again. */
static bool carry_out(struct worker *w, struct call_list *group)
{
    bool writes = has_write(group), ok = false;
    int collisions = 0;

    while (group->first && !ok) {
        struct error err = ERROR_INIT;
        uint64_t began = uv_hrtime();
        struct queue_call *bad = try_group(w, group, &ok, &err);
        if (ok) {
            count_commit(w, group->n, uv_hrtime() - began);
        } else if (bad) {
            calls_remove(group, bad);
            hand_back(w, bad, &err);
        } else if (store_last_fault(w->store) != STORE_FAULT_CONFLICT ||
                   ++collisions > COLLISIONS_MAX) {
            put_back(w, group, &err);
            set_away(w, true, error_text(&err));
            error_clear(&err);
            return false;
        }
        error_clear(&err);
    }
    if (ok && writes)
        set_away(w, false, NULL);
    for (struct queue_call *c; (c = calls_shift(group));)
        hand_back(w, c, NULL);
    return true;
}

/* ---- the thread ---- */

/* Takes what comes first; while writing has to pause, only what reads. */
static void take_group(struct worker *w, bool only_reads, struct call_list *group)
{
    struct queue_call *c, *next;

    uv_mutex_lock(&w->lock);
    for (c = w->waiting.first; c && group->n < GROUP_MAX; c = next) {
        next = c->queue.next;
        if (only_reads && c->op->write)
            continue;
        calls_remove(&w->waiting, c);
        c->state = CALL_TAKEN;
        calls_add(group, c);
    }
    uv_mutex_unlock(&w->lock);
}

static bool should_quit(struct worker *w)
{
    uv_mutex_lock(&w->lock);
    bool quit = w->quit;
    uv_mutex_unlock(&w->lock);
    return quit;
}

static void tell_loop(struct worker *w, bool news)
{
    uv_mutex_lock(&w->lock);
    w->news = w->news || news;
    bool any = !w->quit && (w->news || w->answered.first);
    uv_mutex_unlock(&w->lock);
    if (any)
        w->ready(w->user);
}

/* Sleeps until the loop has something, another process has news, or the time is over. */
static void rest(struct worker *w, int64_t timeout_ms)
{
    struct pollfd fds[] = { { w->wake_fd, POLLIN, 0 }, { store_wait_fd(w->store), POLLIN, 0 } };
    uint64_t count;

    if (poll(fds, ARRAY_LEN(fds), (int)timeout_ms) > 0 && (fds[0].revents & POLLIN))
        (void)!read(w->wake_fd, &count, sizeof(count)); /* only resets the counter */
}

static void thread_main(void *user)
{
    struct worker *w = user;
    int64_t paused_until_ms = 0;

    while (!should_quit(w)) {
        struct call_list group = { 0 };
        int64_t now = clock_mono_ms(), pause = paused_until_ms - now;
        bool news = false;
        take_group(w, pause > 0, &group);
        bool busy = group.first != NULL, writes = has_write(&group);
        if (busy && !carry_out(w, &group)) {
            paused_until_ms = clock_mono_ms() + AWAY_PAUSE_MS;
            pause = AWAY_PAUSE_MS;
            busy = writes; /* what only reads may work all the same: at once, by itself */
        }
        int64_t idle = store_idle(w->store, clock_mono_ms(), &news);
        tell_loop(w, store_take_news(w->store) || news);
        if (!busy)
            rest(w, pause > 0 && (idle < 0 || pause < idle) ? pause : idle);
    }
    uv_mutex_lock(&w->lock);
    w->ended = true;
    uv_cond_signal(&w->ended_cond);
    uv_mutex_unlock(&w->lock);
}

/* Signals are for the loop's thread; and SIGXFSZ, sent to whoever writes past a file-size limit,
 * is to be an error of that write and not the end of the process. */
static int start_deaf(struct worker *w)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = uv_thread_create(&w->thread, thread_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int worker_start(struct worker *w, struct error *err)
{
    w->stats.away_since_ms = TIME_UNKNOWN;
    w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->wake_fd < 0)
        return error_set(err, ERR_STORE, "cannot start the store's thread (%s)", strerror(errno));
    uv_mutex_init(&w->lock);
    uv_cond_init(&w->ended_cond);
    int rc = start_deaf(w);
    if (rc == 0)
        return 0;
    uv_cond_destroy(&w->ended_cond);
    uv_mutex_destroy(&w->lock);
    close(w->wake_fd);
    return error_set(err, ERR_STORE, "cannot start the store's thread (%s)", uv_strerror(rc));
}

static void nudge(struct worker *w)
{
    uint64_t one = 1;

    (void)!write(w->wake_fd, &one, sizeof(one)); /* fails only when it is readable anyway */
}

bool worker_stop(struct worker *w)
{
    int rc = 0;

    uv_mutex_lock(&w->lock);
    w->quit = true;
    nudge(w);
    while (!w->ended && rc == 0)
        rc = uv_cond_timedwait(&w->ended_cond, &w->lock, JOIN_TIMEOUT_NS);
    bool ended = w->ended;
    uv_mutex_unlock(&w->lock);
    if (!ended)
        return false;
    uv_thread_join(&w->thread);
    uv_cond_destroy(&w->ended_cond);
    uv_mutex_destroy(&w->lock);
    close(w->wake_fd);
    return true;
}

void worker_submit(struct worker *w, struct queue_call *c)
{
    bool writes = c->op->write; /* once it is added, the thread may be done with it */

    uv_mutex_lock(&w->lock);
    bool first = w->waiting.first == NULL;
    calls_add(&w->waiting, c);
    uv_mutex_unlock(&w->lock);
    if (first || !writes)
        nudge(w);
}

void worker_count_given_up(struct worker *w)
{
    uv_mutex_lock(&w->lock);
    w->stats.calls++;
    w->stats.failures++;
    uv_mutex_unlock(&w->lock);
}
