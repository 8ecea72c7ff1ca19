#include <string.h>
#include <strings.h>

#include "logs_reading.h"

#define START_LEAD_MS (30 * MINUTE_MS) /* how long before the onset a start may have failed */
#define SAME_OUTAGE_MS MINUTE_MS       /* what belongs to one way of going down */
#define SAME_START_MS (5 * MINUTE_MS)  /* several programs tell of one start */

static bool goes_down(enum log_kind k)
{
    switch (k) {
    case LOG_SERVER_SHUTDOWN_EVENT:
    case LOG_SERVER_STOPPED_EVENT:
    case LOG_SERVER_CRASH_EVENT:
    case LOG_SERVER_OOM_KILLED_EVENT:
    case LOG_SERVER_START_FAILED_EVENT:
    case LOG_BIND_FAILED_EVENT:
    case LOG_MACHINE_REBOOT_EVENT:
    case LOG_DEMOTION_EVENT:
    case LOG_FAILOVER_EVENT:
    case LOG_POOLER_DOWN_EVENT:
    case LOG_BALANCER_BACKEND_DOWN_EVENT:
    case LOG_SERVICE_NO_ENDPOINTS_EVENT:
        return true;
    default:
        return false;
    }
}

static bool comes_up(enum log_kind k)
{
    return k == LOG_SERVER_START_EVENT || k == LOG_SERVER_RECOVERY_EVENT ||
           k == LOG_REJECTED_STARTING_UP_EVENT;
}

static bool is_up(enum log_kind k)
{
    return k == LOG_SERVER_READY_EVENT || k == LOG_PROMOTION_EVENT || k == LOG_POOLER_UP_EVENT ||
           k == LOG_BALANCER_BACKEND_UP_EVENT || k == LOG_SERVICE_ENDPOINTS_EVENT;
}

static bool is_alive(enum log_kind k)
{
    return k == LOG_ORDINARY_WORK_EVENT || k == LOG_SLOTS_EXHAUSTED_EVENT ||
           k == LOG_AUTH_REJECTED_EVENT;
}

/* Names the cause better than the shutdown that it leads to. */
static bool tells_more(enum log_kind k, enum log_kind than)
{
    return (k == LOG_SERVER_OOM_KILLED_EVENT || k == LOG_MACHINE_REBOOT_EVENT ||
            k == LOG_SERVER_DISK_FULL_EVENT || k == LOG_FAILOVER_EVENT) &&
           (than == LOG_SERVER_SHUTDOWN_EVENT || than == LOG_SERVER_STOPPED_EVENT ||
            than == LOG_SERVER_CRASH_EVENT);
}

/* Where the server stands while its lines are read in order. */
struct life {
    struct log_outage *open; /* NULL: it is up, as far as known */
    int64_t last_event_ms;   /* of going down or coming up */
    enum log_kind last_kind;
    int64_t last_up_ms, last_alive_ms;
    int64_t disk_full_ms;
    size_t disk_full_record;
};

static struct log_outage *new_outage(struct log_findings *f, const struct life *life)
{
    struct log_outage *o;

    if (f->n_outages == LOGS_MAX_OUTAGES) /* a crash loop: one long outage in the end */
        return &f->outages[LOGS_MAX_OUTAGES - 1];
    o = &f->outages[f->n_outages++];
    *o = (struct log_outage){ .down_ms = TIME_UNKNOWN,
                              .up_ms = TIME_UNKNOWN,
                              .alive_ms = life->last_alive_ms,
                              .down_kind = LOG_OTHER_EVENT,
                              .down_record = LOGS_NONE,
                              .up_record = LOGS_NONE };
    return o;
}

static void take_down(struct reading *r, struct life *life, size_t record)
{
    enum log_kind kind = r->a.events[record].kind;
    int64_t at = reading_time(r, record);

    if (!life->open) {
        life->open = new_outage(r->f, life);
        life->open->up_ms = TIME_UNKNOWN;
        life->open->up_record = LOGS_NONE;
        if (life->disk_full_ms != TIME_UNKNOWN && at - life->disk_full_ms <= 5 * MINUTE_MS) {
            kind = LOG_SERVER_DISK_FULL_EVENT;
            record = life->disk_full_record;
        }
    }
    if (life->open->down_ms == TIME_UNKNOWN && life->open->down_record == LOGS_NONE) {
        life->open->down_ms = at;
        life->open->down_kind = kind;
        life->open->down_record = record;
    } else if (tells_more(kind, life->open->down_kind) &&
               at - life->open->down_ms <= SAME_OUTAGE_MS) {
        life->open->down_kind = kind;
        life->open->down_record = record;
    }
}

static void take_up(struct life *life, int64_t at, size_t record)
{
    life->last_up_ms = at;
    if (!life->open)
        return;
    life->open->up_ms = at;
    life->open->up_record = record;
    life->open = NULL;
}

/* Ordinary work ends an outage whose end was not logged, but not while the server still shuts down
 * (its last checkpoint) or replays its log. */
static bool work_ends_outage(const struct life *life, int64_t at)
{
    if (life->last_kind == LOG_SERVER_SHUTDOWN_EVENT)
        return at - life->last_event_ms > 10 * MINUTE_MS;
    return at - life->last_event_ms > (comes_up(life->last_kind) ? 30 * SECOND_MS : MINUTE_MS);
}

/* A full disk ends the server, and not only a statement. */
static bool is_fatal(const char *message)
{
    return strstr(message, "PANIC") || strstr(message, "<Fatal>") ||
           strstr(message, "Received signal") || strstr(message, "RDS-EVENT-0221");
}

static void live(struct reading *r, struct life *life, size_t record)
{
    enum log_kind kind = r->a.events[record].kind;
    int64_t at = reading_time(r, record);

    if (kind == LOG_SERVER_DISK_FULL_EVENT) {
        life->disk_full_ms = at;
        life->disk_full_record = record;
        if (is_fatal(r->a.records[record].message) ||
            (life->open && life->open->down_ms != TIME_UNKNOWN))
            take_down(r, life, record);
    } else if (goes_down(kind)) {
        take_down(r, life, record);
    } else if (comes_up(kind)) {
        if (!life->open)
            life->open = new_outage(r->f, life);
    } else if (is_up(kind)) {
        /* Ready without any line about going down or starting: those are not in the records. */
        if (!life->open && kind == LOG_SERVER_READY_EVENT &&
            (life->last_up_ms == TIME_UNKNOWN || at - life->last_up_ms > SAME_START_MS))
            life->open = new_outage(r->f, life);
        take_up(life, at, record);
    } else if (kind == LOG_ORDINARY_WORK_EVENT && life->open && work_ends_outage(life, at)) {
        take_up(life, at, record);
    }
    if (goes_down(kind) || comes_up(kind)) {
        life->last_event_ms = at;
        life->last_kind = kind;
    }
    if (is_alive(kind))
        life->last_alive_ms = at;
}

/* Does the machine's own log reach into the time of the errors? */
static bool speaks_for_itself(const struct reading *r)
{
    for (size_t i = 0; i < r->a.n; i++)
        if (is_about_machine(&r->a, i) && reading_time(r, i) >= r->from - HOUR_MS &&
            reading_time(r, i) <= r->to + HOUR_MS)
            return true;
    return false;
}

/* A balancer's check, or the Service's endpoints, tell of a machine whose own log is not there. A
 * refused check says that its process is gone; a check that times out may be the network's fault.
 */
static bool others_tell(const struct reading *r, size_t record)
{
    const struct log_event *e = &r->a.events[record];
    const char *message = r->a.records[record].message;

    if (r->a.machine.len == 0 || !reading_names_machine(r, e))
        return false;
    if (e->kind == LOG_BALANCER_BACKEND_DOWN_EVENT)
        return strcasestr(message, "refused") != NULL;
    return e->kind == LOG_BALANCER_BACKEND_UP_EVENT || e->kind == LOG_SERVICE_NO_ENDPOINTS_EVENT ||
           e->kind == LOG_SERVICE_ENDPOINTS_EVENT;
}

static void read_outages(struct reading *r)
{
    bool others = !speaks_for_itself(r);
    struct life life = { NULL,         TIME_UNKNOWN, LOG_OTHER_EVENT, TIME_UNKNOWN,
                         TIME_UNKNOWN, TIME_UNKNOWN, LOGS_NONE };

    for (size_t k = 0; k < r->a.n; k++) {
        size_t i = r->a.order[k];
        if (reading_time(r, i) != TIME_UNKNOWN &&
            (is_about_machine(&r->a, i) || (others && others_tell(r, i))))
            live(r, &life, i);
    }
}

static int64_t start_of(const struct log_outage *o)
{
    return o->down_ms != TIME_UNKNOWN ? o->down_ms : o->up_ms;
}

/* Do errors begin with it? Either the first ones, or a burst's. */
static bool begins_errors(const struct reading *r, const struct log_outage *o)
{
    const struct log_window *w = r->a.window;
    /* Where the log does not say when it went down, it was after the last sign of life. */
    int64_t down = o->down_ms != TIME_UNKNOWN ? o->down_ms : o->alive_ms;

    if (down == TIME_UNKNOWN || down <= w->onset_ms + LOGS_CLOCK_SKEW_MS)
        return true;
    for (size_t i = 0; i < w->n_bursts; i++)
        if (down >= w->bursts[i].start_ms - LOGS_CLOCK_SKEW_MS &&
            down <= w->bursts[i].start_ms + LOGS_CLOCK_SKEW_MS)
            return true;
    return false;
}

static bool overlaps_errors(const struct reading *r, const struct log_outage *o)
{
    int64_t down = start_of(o), up = o->up_ms;

    if (down == TIME_UNKNOWN && up == TIME_UNKNOWN)
        return false;
    return (down == TIME_UNKNOWN || down <= r->to) && (up == TIME_UNKNOWN || up >= r->from);
}

/* Its own log does not tell that it came back; a balancer, or a client that gets through after the
 * last error, may. */
static void find_return(struct reading *r)
{
    for (size_t k = 0; k < r->a.n && r->f->came_back == NO; k++) {
        size_t i = r->a.order[k];
        enum log_kind kind = r->a.events[i].kind;
        bool client = kind == LOG_CLIENT_OK_EVENT && reading_concerns_target(r, i);
        bool told = kind == LOG_BALANCER_BACKEND_UP_EVENT || kind == LOG_SERVICE_ENDPOINTS_EVENT;
        if (reading_time(r, i) < r->a.window->end_ms - (told ? LOGS_CLOCK_SKEW_MS : 0) ||
            !(client || (told && reading_names_machine(r, &r->a.events[i]))))
            continue;
        r->f->came_back = YES;
        r->f->up_ms = reading_time(r, i);
        r->f->up_record = i;
    }
}

static void explain_outage(struct reading *r)
{
    struct log_findings *f = r->f;

    for (size_t i = 0; i < f->n_outages; i++) {
        struct log_outage *o = &f->outages[i];
        o->inside = overlaps_errors(r, o);
        /* The second of two outages of one incident need not begin a burst that was told. */
        if (!o->inside || (f->went_down != YES && !begins_errors(r, o)))
            continue;
        if (f->went_down != YES) {
            f->went_down = YES;
            f->down_ms = o->down_ms;
            f->down_kind = o->down_kind;
            f->down_record = o->down_record;
        }
        f->up_ms = o->up_ms;
        f->up_record = o->up_record;
        f->came_back = o->up_ms != TIME_UNKNOWN ? YES : NO;
    }
    if (f->came_back == NO)
        find_return(r);
    /* Not back, or not seen to be back because the logs end there? */
    if (f->came_back == NO && f->down_ms != TIME_UNKNOWN &&
        reading_last_elsewhere(r) < f->down_ms + 2 * MINUTE_MS &&
        r->a.window->end_ms < f->down_ms + 2 * MINUTE_MS)
        f->came_back = UNKNOWN;
}

static bool restarts_at(const struct log_outage *o, const struct log_burst *burst)
{
    return o->down_ms != TIME_UNKNOWN && o->up_ms != TIME_UNKNOWN &&
           o->down_ms >= burst->start_ms - LOGS_CLOCK_SKEW_MS &&
           o->down_ms <= burst->end_ms + LOGS_CLOCK_SKEW_MS;
}

static void count_restarts(struct reading *r)
{
    struct log_findings *f = r->f;
    const struct log_window *w = r->a.window;

    for (size_t b = 0; b < w->n_bursts; b++) {
        size_t i = 0;
        while (i < f->n_outages && !restarts_at(&f->outages[i], &w->bursts[b]))
            i++;
        f->bursts_with_restart += i < f->n_outages;
    }
}

static void look_for_failed_start(struct reading *r)
{
    for (size_t i = 0; i < r->a.n; i++) {
        enum log_kind kind = r->a.events[i].kind;
        int64_t at = reading_time(r, i);
        if ((kind == LOG_SERVER_START_FAILED_EVENT || kind == LOG_BIND_FAILED_EVENT) &&
            is_about_machine(&r->a, i) && at >= r->from - START_LEAD_MS &&
            at <= r->a.window->now_ms)
            r->f->start_failed = true;
    }
}

void reading_life(struct reading *r)
{
    read_outages(r);
    explain_outage(r);
    count_restarts(r);
    look_for_failed_start(r);
    reading_health(r);
}
