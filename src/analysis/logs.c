#include "dbconn/analysis/logs.h"

#include <string.h>

#include "dbconn/base/text.h"
#include "logs_reading.h"

#define OTHER_LEAD_MS (30 * MINUTE_MS) /* how long before the onset another restart confuses */

/* ---- order and tallies ---- */

struct by_time {
    int64_t at;
    size_t record;
};

static int compare_times(const void *x, const void *y)
{
    const struct by_time *a = x, *b = y;

    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->record < b->record ? -1 : a->record > b->record;
}

static size_t *order_by_time(const struct log_record *records, size_t n)
{
    struct by_time *times = xcalloc(n + 1, sizeof(*times));
    size_t *order = xcalloc(n + 1, sizeof(*order));

    for (size_t i = 0; i < n; i++)
        times[i] = (struct by_time){ records[i].time_ms, i };
    qsort(times, n, sizeof(*times), compare_times);
    for (size_t i = 0; i < n; i++)
        order[i] = times[i].record;
    free(times);
    return order;
}

int64_t reading_time(const struct reading *r, size_t record)
{
    return r->a.records[record].time_ms;
}

bool reading_within(const struct reading *r, size_t record)
{
    int64_t at = reading_time(r, record);

    return at != TIME_UNKNOWN && at >= r->from && at <= r->to;
}

void reading_count(const struct reading *r, struct log_tally *t, size_t record)
{
    int64_t at = reading_time(r, record);
    bool first = t->n++ == 0;

    if (first || (!reading_within(r, t->example) && reading_within(r, record)))
        t->example = record;
    if (at == TIME_UNKNOWN)
        return;
    if (t->first_ms == TIME_UNKNOWN || at < t->first_ms)
        t->first_ms = at;
    if (t->last_ms == TIME_UNKNOWN || at > t->last_ms)
        t->last_ms = at;
}

static void init_tally(struct log_tally *t)
{
    *t = (struct log_tally){ 0, TIME_UNKNOWN, TIME_UNKNOWN, LOGS_NONE };
}

static void init_findings(struct log_findings *f, size_t n)
{
    memset(f, 0, sizeof(*f));
    f->n_records = n;
    for (size_t i = 0; i < LOG_KIND_COUNT; i++) {
        init_tally(&f->own[i]);
        init_tally(&f->others[i]);
        init_tally(&f->rest[i]);
    }
    init_tally(&f->work_during);
    init_tally(&f->slots_during);
    init_tally(&f->network_during);
    init_tally(&f->network_target);
    init_tally(&f->unserved);
    init_tally(&f->complaints);
    init_tally(&f->successes);
    f->tie_record = f->down_record = f->up_record = LOGS_NONE;
    f->other_record = f->policy_record = LOGS_NONE;
    f->down_ms = f->up_ms = f->policy_ms = TIME_UNKNOWN;
    f->down_kind = LOG_OTHER_EVENT;
}

bool reading_is_other_database(const struct reading *r, size_t record)
{
    size_t m = r->a.machine_of[record];

    return m != LOGS_NONE && r->a.machines[m].database && r->a.events[record].own;
}

static void count_kinds(struct reading *r)
{
    for (size_t i = 0; i < r->a.n; i++) {
        enum log_kind kind = r->a.events[i].kind;
        if (is_about_machine(&r->a, i))
            reading_count(r, &r->f->own[kind], i);
        else if (reading_is_other_database(r, i))
            reading_count(r, &r->f->others[kind], i);
        else
            reading_count(r, &r->f->rest[kind], i);
    }
}

static void find_other_restart(struct reading *r)
{
    const struct log_window *w = r->a.window;

    if (r->f->tie == TIE_UNKNOWN)
        return;
    for (size_t k = 0; k < r->a.n && !r->f->other_restart; k++) {
        size_t i = r->a.order[k];
        enum log_kind kind = r->a.events[i].kind;
        struct name name;
        if (!reading_is_other_database(r, i) || is_about_machine(&r->a, i) ||
            !(kind == LOG_SERVER_STOPPED_EVENT || kind == LOG_SERVER_CRASH_EVENT ||
              kind == LOG_SERVER_START_EVENT || kind == LOG_SERVER_READY_EVENT ||
              kind == LOG_SERVER_SHUTDOWN_EVENT || kind == LOG_MACHINE_REBOOT_EVENT) ||
            reading_time(r, i) < w->onset_ms - OTHER_LEAD_MS || reading_time(r, i) > r->to)
            continue;
        name = r->a.machines[r->a.machine_of[i]].name;
        r->f->other_restart = true;
        r->f->other_machine = xstrndup(name.text, name.len);
        r->f->other_record = i;
    }
}

/* A window with unknown ends is as long as what is known of it. */
static struct log_window known_window(const struct log_window *w)
{
    struct log_window known = *w;

    if (known.now_ms == TIME_UNKNOWN)
        known.now_ms = known.end_ms != TIME_UNKNOWN ? known.end_ms : 0;
    if (known.end_ms == TIME_UNKNOWN)
        known.end_ms = known.now_ms;
    if (known.onset_ms == TIME_UNKNOWN)
        known.onset_ms = known.end_ms;
    return known;
}

void logs_read(const struct log_record *records, size_t n, const struct log_target *target,
               const struct log_window *window, struct log_findings *ret)
{
    struct log_event *events = xcalloc(n + 1, sizeof(*events));
    size_t *order = order_by_time(records, n);
    struct log_window known = known_window(window);
    struct reading r = { .a = { .records = records,
                                .events = events,
                                .n = n,
                                .order = order,
                                .target = target,
                                .window = &known },
                         .f = ret,
                         .from = known.onset_ms - LOGS_CLOCK_SKEW_MS,
                         .to = known.end_ms + LOGS_CLOCK_SKEW_MS };

    init_findings(ret, n);
    for (size_t i = 0; i < n; i++)
        logline_read(&records[i], &events[i]);
    attribute(&r.a);
    ret->tie = r.a.tie;
    ret->tie_record = r.a.tie_record;
    ret->tie_reason = xstrdup(r.a.reason);
    ret->machine = r.a.machine.len > 0 ? xstrndup(r.a.machine.text, r.a.machine.len) : NULL;
    count_kinds(&r);
    reading_life(&r);
    find_other_restart(&r);
    reading_network(&r);
    reading_clients(&r);
    attribution_clear(&r.a);
    free(events);
    free(order);
}

void log_findings_clear(struct log_findings *f)
{
    free(f->machine);
    free(f->tie_reason);
    free(f->other_machine);
    free(f->regions);
    free(f->hosts);
    memset(f, 0, sizeof(*f));
}
