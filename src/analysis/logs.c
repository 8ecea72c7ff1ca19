#include "dbconn/analysis/logs.h"

#include <string.h>
#include <strings.h>

#include "dbconn/base/text.h"
#include "logs_tie.h"

#define POLICY_LEAD_MS (30 * MINUTE_MS) /* how long before the onset a policy change matters */
#define OTHER_LEAD_MS (30 * MINUTE_MS)  /* and another machine's restart confuses */
#define NAMED_LEAD_MS (10 * MINUTE_MS)  /* a fault that names the target */
#define SAME_OUTAGE_MS MINUTE_MS        /* what belongs to one way of going down */
#define STEADY_LINES 6                  /* lines in the hour before that make silence tell */
#define PLACES_MAX 100

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

/* All that logs_read() works on. */
struct reading {
    struct attribution a;
    struct log_findings *f;
    int64_t from, to; /* the errors, widened by the clock skew */
};

static int64_t time_of(const struct reading *r, size_t record)
{
    return r->a.records[record].time_ms;
}

static bool within(const struct reading *r, size_t record)
{
    int64_t at = time_of(r, record);

    return at != TIME_UNKNOWN && at >= r->from && at <= r->to;
}

static void count(const struct reading *r, struct log_tally *t, size_t record)
{
    int64_t at = time_of(r, record);
    bool first = t->n++ == 0;

    if (first || (!within(r, t->example) && within(r, record)))
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
    init_tally(&f->complaints);
    init_tally(&f->successes);
    f->tie_record = f->down_record = f->up_record = LOGS_NONE;
    f->other_record = f->policy_record = LOGS_NONE;
    f->down_ms = f->up_ms = f->policy_ms = TIME_UNKNOWN;
    f->down_kind = LOG_OTHER_EVENT;
}

static bool is_other_database(const struct reading *r, size_t record)
{
    size_t m = r->a.machine_of[record];

    return m != LOGS_NONE && r->a.machines[m].database && r->a.events[record].own;
}

static void count_kinds(struct reading *r)
{
    for (size_t i = 0; i < r->a.n; i++) {
        enum log_kind kind = r->a.events[i].kind;
        if (is_about_machine(&r->a, i))
            count(r, &r->f->own[kind], i);
        else if (is_other_database(r, i))
            count(r, &r->f->others[kind], i);
        else
            count(r, &r->f->rest[kind], i);
    }
}

/* ---- the machine's life ---- */

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
    return k == LOG_SERVER_READY_EVENT || k == LOG_PROMOTION_EVENT;
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
    int64_t disk_full_ms;
    size_t disk_full_record;
};

static struct log_outage *new_outage(struct log_findings *f)
{
    struct log_outage *o;

    if (f->n_outages == LOGS_MAX_OUTAGES) /* a crash loop: one long outage in the end */
        return &f->outages[LOGS_MAX_OUTAGES - 1];
    o = &f->outages[f->n_outages++];
    *o = (struct log_outage){ .down_ms = TIME_UNKNOWN,
                              .up_ms = TIME_UNKNOWN,
                              .down_kind = LOG_OTHER_EVENT,
                              .down_record = LOGS_NONE,
                              .up_record = LOGS_NONE };
    return o;
}

static void take_down(struct reading *r, struct life *life, size_t record)
{
    enum log_kind kind = r->a.events[record].kind;
    int64_t at = time_of(r, record);

    if (!life->open) {
        life->open = new_outage(r->f);
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

static void live(struct reading *r, struct life *life, size_t record)
{
    enum log_kind kind = r->a.events[record].kind;
    int64_t at = time_of(r, record);

    if (kind == LOG_SERVER_DISK_FULL_EVENT) {
        life->disk_full_ms = at;
        life->disk_full_record = record;
        if (life->open && life->open->down_ms != TIME_UNKNOWN)
            take_down(r, life, record);
    } else if (goes_down(kind)) {
        take_down(r, life, record);
    } else if (comes_up(kind)) {
        if (!life->open)
            life->open = new_outage(r->f);
    } else if (is_up(kind)) {
        take_up(life, at, record);
    } else if (kind == LOG_ORDINARY_WORK_EVENT && life->open && work_ends_outage(life, at)) {
        take_up(life, at, record);
    }
    if (goes_down(kind) || comes_up(kind)) {
        life->last_event_ms = at;
        life->last_kind = kind;
    }
}

static void read_life(struct reading *r)
{
    struct life life = { NULL, TIME_UNKNOWN, LOG_OTHER_EVENT, TIME_UNKNOWN, LOGS_NONE };

    for (size_t k = 0; k < r->a.n; k++) {
        size_t i = r->a.order[k];
        if (time_of(r, i) != TIME_UNKNOWN && is_about_machine(&r->a, i))
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
    int64_t down = start_of(o);

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

/* The last time at which anything but the machine itself logged: logs still come in until then. */
static int64_t last_seen_elsewhere(const struct reading *r)
{
    int64_t last = TIME_UNKNOWN;

    for (size_t i = 0; i < r->a.n; i++)
        if (!is_about_machine(&r->a, i) && time_of(r, i) > last)
            last = time_of(r, i);
    return last;
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
    /* Not back, or not seen to be back because the logs end there? */
    if (f->came_back == NO && f->down_ms != TIME_UNKNOWN &&
        last_seen_elsewhere(r) < f->down_ms + 2 * MINUTE_MS &&
        r->a.window->end_ms < f->down_ms + 2 * MINUTE_MS)
        f->came_back = UNKNOWN;
}

static void look_for_failed_start(struct reading *r)
{
    for (size_t i = 0; i < r->a.n; i++) {
        enum log_kind kind = r->a.events[i].kind;
        int64_t at = time_of(r, i);
        if ((kind == LOG_SERVER_START_FAILED_EVENT || kind == LOG_BIND_FAILED_EVENT) &&
            is_about_machine(&r->a, i) && at >= r->from - POLICY_LEAD_MS &&
            at <= r->a.window->now_ms)
            r->f->start_failed = true;
    }
}

/* ---- did it work on? ---- */

struct silence {
    size_t before; /* lines of its own in the hour before the onset */
    size_t alive;  /* lines that only a running server writes, within the errors */
    bool after_onset;
};

static bool is_alive(enum log_kind k)
{
    return k == LOG_ORDINARY_WORK_EVENT || k == LOG_SLOTS_EXHAUSTED_EVENT ||
           k == LOG_AUTH_REJECTED_EVENT;
}

static struct silence read_silence(const struct reading *r)
{
    struct silence s = { 0, 0, false };

    for (size_t i = 0; i < r->a.n; i++) {
        int64_t at = time_of(r, i), onset = r->a.window->onset_ms;
        if (!is_about_machine(&r->a, i))
            continue;
        s.before += at < onset && at >= onset - HOUR_MS;
        s.after_onset = s.after_onset || at > onset + LOGS_CLOCK_SKEW_MS;
        s.alive += is_alive(r->a.events[i].kind) && at >= onset && at <= r->to;
    }
    return s;
}

static void judge_health(struct reading *r)
{
    struct log_findings *f = r->f;
    const struct log_window *w = r->a.window;
    struct silence s = read_silence(r);
    bool inside = false;
    int64_t seen = last_seen_elsewhere(r), watched = 0;

    if (seen != TIME_UNKNOWN)
        watched = (w->now_ms > seen ? seen : w->now_ms) - w->onset_ms;
    for (size_t i = 0; i < f->n_outages; i++)
        inside = inside || f->outages[i].inside;
    for (size_t i = 0; i < r->a.n; i++) {
        int64_t at = time_of(r, i);
        if (r->a.events[i].kind == LOG_ORDINARY_WORK_EVENT && is_about_machine(&r->a, i) &&
            at >= w->onset_ms && at <= w->end_ms)
            count(r, &f->work_during, i);
    }
    if (inside)
        f->healthy = NO;
    else if (f->work_during.n > 0)
        f->healthy = YES;
    if (f->went_down == UNKNOWN && (s.alive > 0 || (s.after_onset && s.before > 0)))
        f->went_down = NO;
    f->silent = s.after_onset ? NO : UNKNOWN;
    /* As many lines as in the hour before would be due: silence then tells something. */
    if (s.before >= STEADY_LINES && !s.after_onset && watched > 3 * HOUR_MS / (int64_t)s.before &&
        watched > 5 * MINUTE_MS)
        f->silent = YES;
}

/* ---- other machines, network, clients ---- */

static void find_other_restart(struct reading *r)
{
    const struct log_window *w = r->a.window;

    if (r->f->tie == TIE_UNKNOWN)
        return;
    for (size_t k = 0; k < r->a.n && !r->f->other_restart; k++) {
        size_t i = r->a.order[k];
        enum log_kind kind = r->a.events[i].kind;
        struct name name;
        if (!is_other_database(r, i) || is_about_machine(&r->a, i) ||
            !(kind == LOG_SERVER_STOPPED_EVENT || kind == LOG_SERVER_CRASH_EVENT ||
              kind == LOG_SERVER_START_EVENT || kind == LOG_SERVER_READY_EVENT ||
              kind == LOG_SERVER_SHUTDOWN_EVENT || kind == LOG_MACHINE_REBOOT_EVENT) ||
            time_of(r, i) < w->onset_ms - OTHER_LEAD_MS || time_of(r, i) > r->to)
            continue;
        name = r->a.machines[r->a.machine_of[i]].name;
        r->f->other_restart = true;
        r->f->other_machine = xstrndup(name.text, name.len);
        r->f->other_record = i;
    }
}

static int read_port(const char *s)
{
    int port = 0;

    for (; *s >= '0' && *s <= '9' && port < 100000; s++)
        port = port * 10 + (*s - '0');
    return port;
}

/* The target's port, or its engine's usual one. */
static int target_port(const struct log_target *t)
{
    static const struct {
        const char *engine;
        int port;
    } usual[] = { { "postgresql", 5432 }, { "mysql", 3306 },    { "mariadb", 3306 },
                  { "sqlserver", 1433 },  { "oracle", 1521 },   { "mongodb", 27017 },
                  { "redis", 6379 },      { "cassandra", 9042 } };

    if (t->port && *t->port)
        return read_port(t->port);
    for (size_t i = 0; t->engine && i < ARRAY_LEN(usual); i++)
        if (strcmp(t->engine, usual[i].engine) == 0)
            return usual[i].port;
    return 0;
}

/* Could this address be the target's? Only while none of it is known, and by the port. */
static bool may_be_target(const struct reading *r, const struct log_mention *m)
{
    return !r->a.knows_address && m->port > 0 && m->port == target_port(r->a.target);
}

/* Does the line name a server's address or host that is not the target's? */
static bool names_another_server(const struct reading *r, const struct log_event *e)
{
    for (size_t i = 0; i < e->n_mentions; i++) {
        const struct log_mention *m = &e->mentions[i];
        if (m->role != MENTION_CLIENT && (m->address || memchr(m->text, '.', m->len)) &&
            !is_alias(&r->a, m) && !may_be_target(r, m))
            return true;
    }
    return false;
}

static bool names_machine(const struct reading *r, const struct log_event *e)
{
    for (size_t i = 0; i < e->n_mentions; i++)
        if (r->a.machine.len > 0 &&
            names_are_same((struct name){ e->mentions[i].text, e->mentions[i].len }, r->a.machine))
            return true;
    for (size_t i = 0; i < e->n_mentions; i++)
        if (e->mentions[i].address && may_be_target(r, &e->mentions[i]))
            return true;
    return mentions_alias(&r->a, e);
}

static bool near_burst(const struct reading *r, int64_t at, size_t *ret_burst)
{
    const struct log_window *w = r->a.window;

    if (w->n_bursts == 0)
        return at >= r->from && at <= r->to;
    for (size_t i = 0; i < w->n_bursts; i++) {
        if (at >= w->bursts[i].start_ms - LOGS_CLOCK_SKEW_MS &&
            at <= w->bursts[i].end_ms + LOGS_CLOCK_SKEW_MS) {
            *ret_burst = i;
            return true;
        }
    }
    return false;
}

static bool is_network_fault(const struct reading *r, size_t i)
{
    const struct log_event *e = &r->a.events[i];

    if (e->kind == LOG_SERVICE_NO_ENDPOINTS_EVENT)
        return mentions_alias(&r->a, e) && r->f->went_down != YES;
    if (e->kind == LOG_NETWORK_POLICY_CHANGE_EVENT) /* connections die while rules are reloaded */
        return strcasestr(r->a.records[i].message, "reload") != NULL;
    return e->kind == LOG_NETWORK_FAULT_EVENT;
}

/* Faults that name nobody (a full table, a link that flaps) also come by chance: they count when
 * they come with the errors and not as often without them. */
static bool unnamed_faults_are_noise(const struct reading *r)
{
    size_t near = 0, apart = 0, burst;

    for (size_t i = 0; i < r->a.n; i++) {
        if (!is_network_fault(r, i) || names_machine(r, &r->a.events[i]) ||
            names_another_server(r, &r->a.events[i]))
            continue;
        near += near_burst(r, time_of(r, i), &burst);
        apart += !near_burst(r, time_of(r, i), &burst);
    }
    return apart > near;
}

static void note_region(struct reading *r, size_t record, bool *mixed)
{
    const char *region = r->a.records[record].region;

    if (!region || *mixed)
        return;
    if (r->f->network_region && !text_isame(r->f->network_region, region)) {
        *mixed = true;
        r->f->network_region = NULL;
    } else {
        r->f->network_region = region;
    }
}

/* A fault that names the target may come a little before the first error is noticed. */
static bool around(const struct reading *r, size_t record)
{
    int64_t at = time_of(r, record);

    return at >= r->from - NAMED_LEAD_MS && at <= r->to;
}

static void read_network(struct reading *r)
{
    bool *hit = xcalloc(r->a.window->n_bursts + 1, sizeof(*hit));
    bool noise = unnamed_faults_are_noise(r), mixed = false;

    for (size_t i = 0; i < r->a.n; i++) {
        bool named = names_machine(r, &r->a.events[i]);
        size_t burst = r->a.window->n_bursts;
        bool near;
        if (!is_network_fault(r, i))
            continue;
        near = near_burst(r, time_of(r, i), &burst);
        if (named ? !near && !around(r, i)
                  : !near || noise || names_another_server(r, &r->a.events[i]))
            continue;
        count(r, &r->f->network_during, i);
        if (named)
            count(r, &r->f->network_target, i);
        note_region(r, i, &mixed);
        r->f->bursts_with_network += near && !hit[burst] && r->a.window->n_bursts > 0;
        hit[burst] = hit[burst] || near;
    }
    free(hit);
}

static void find_policy_change(struct reading *r)
{
    for (size_t k = 0; k < r->a.n; k++) {
        size_t i = r->a.order[k];
        if (r->a.events[i].kind != LOG_NETWORK_POLICY_CHANGE_EVENT ||
            time_of(r, i) < r->a.window->onset_ms - POLICY_LEAD_MS ||
            time_of(r, i) > r->a.window->onset_ms + LOGS_CLOCK_SKEW_MS)
            continue;
        r->f->policy_record = i;
        r->f->policy_ms = time_of(r, i);
    }
}

static bool is_complaint(enum log_kind k)
{
    switch (k) {
    case LOG_CLIENT_REFUSED_EVENT:
    case LOG_CLIENT_TIMEOUT_EVENT:
    case LOG_CLIENT_RESET_EVENT:
    case LOG_CLIENT_UNREACHABLE_EVENT:
    case LOG_CLIENT_DNS_EVENT:
    case LOG_CLIENT_POOL_EMPTY_EVENT:
    case LOG_CLIENT_OTHER_EVENT:
    case LOG_SLOTS_EXHAUSTED_EVENT:
    case LOG_REJECTED_STARTING_UP_EVENT:
        return true;
    default:
        return false;
    }
}

static bool is_own_service(const struct reading *r, size_t record)
{
    const struct log_target *t = r->a.target;
    const char *service = r->a.records[record].service;

    for (size_t i = 0; i < t->n_services; i++)
        if (service && text_isame(service, t->services[i]))
            return true;
    return t->n_services == 0;
}

/* Is the client's line about the target? By the address it names, else by the database, else by
 * the service it comes from. */
static bool concerns_target(const struct reading *r, size_t i)
{
    const struct log_event *e = &r->a.events[i];
    const struct log_target *t = r->a.target;
    const char *engine = t->engine && strcmp(t->engine, "mariadb") == 0 ? "mysql" : t->engine;

    if (mentions_alias(&r->a, e))
        return true;
    if (names_another_server(r, e) ||
        (e->engine && engine && strcmp(engine, "unknown") != 0 && strcmp(e->engine, engine) != 0))
        return false;
    if (e->database && t->database)
        return e->database_len == strlen(t->database) &&
               strncasecmp(e->database, t->database, e->database_len) == 0;
    return is_own_service(r, i) &&
           (e->engine || e->database || strcasestr(r->a.records[i].message, "database") != NULL);
}

static void note_place(struct log_place **places, size_t *n, size_t *cap, const char *name,
                       size_t record, bool complaint)
{
    struct log_place *p = NULL;

    if (!name || !*name)
        return;
    for (size_t i = 0; i < *n && !p; i++)
        if (text_isame((*places)[i].name, name))
            p = &(*places)[i];
    if (!p && *n >= PLACES_MAX)
        return;
    if (!p) {
        p = VEC_ADD(*places, *n, *cap);
        p->name = name;
        p->complaint_record = p->success_record = LOGS_NONE;
    }
    if (complaint && p->complaints++ == 0)
        p->complaint_record = record;
    if (!complaint && p->successes++ == 0)
        p->success_record = record;
}

static void read_clients(struct reading *r)
{
    struct log_findings *f = r->f;

    for (size_t i = 0; i < r->a.n; i++) {
        const struct log_event *e = &r->a.events[i];
        bool complaint = is_complaint(e->kind);
        if (e->own || !within(r, i) || !(complaint || e->kind == LOG_CLIENT_OK_EVENT) ||
            !concerns_target(r, i))
            continue;
        count(r, complaint ? &f->complaints : &f->successes, i);
        if (e->kind == LOG_SLOTS_EXHAUSTED_EVENT)
            count(r, &f->slots_during, i);
        note_place(&f->regions, &f->n_regions, &f->cap_regions, r->a.records[i].region, i,
                   complaint);
        if (!text_isame(r->a.records[i].zone, r->a.records[i].region))
            note_place(&f->regions, &f->n_regions, &f->cap_regions, r->a.records[i].zone, i,
                       complaint);
        note_place(&f->hosts, &f->n_hosts, &f->cap_hosts, log_record_machine(&r->a.records[i]), i,
                   complaint);
    }
}

/* "No more connections", said by the machine itself or by a monitor that counts its connections. */
static void read_slots(struct reading *r)
{
    for (size_t i = 0; i < r->a.n; i++) {
        const struct log_event *e = &r->a.events[i];
        bool said = e->kind == LOG_SLOTS_EXHAUSTED_EVENT && is_about_machine(&r->a, i);
        bool counted = e->kind == LOG_SLOTS_REPORT_EVENT && names_machine(r, e) && e->in_use >= 0 &&
                       (int64_t)e->in_use * 100 >= (int64_t)e->limit * 95;
        if (within(r, i) && (said || counted))
            count(r, &r->f->slots_during, i);
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
    read_life(&r);
    explain_outage(&r);
    look_for_failed_start(&r);
    judge_health(&r);
    find_other_restart(&r);
    read_network(&r);
    find_policy_change(&r);
    read_clients(&r);
    read_slots(&r);
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
