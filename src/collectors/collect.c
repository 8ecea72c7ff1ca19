#include "collect.h"

#include <ctype.h>
#include <math.h>

#include "dbconn/base/json.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "dbconn/collectors/dossier.h"

#define FINDING_MAX_BYTES 600
#define MAX_SETTING 1e9 /* of a playbook; no limit, share or number of minutes is larger */

struct collect_call {
    struct collect *c;
    struct source_call *handle;
    collect_result_fn *fn;
    size_t tag;
    struct collect_call *next;
};

struct collect *collect_new(const struct collect_request *r)
{
    struct collect *c = xcalloc(1, sizeof(*c));

    c->collector = r->collector;
    c->step = r->step;
    c->issue = r->issue;
    c->settings = r->settings;
    c->sources = r->sources;
    c->now_ms = r->now_ms;
    c->owner = r->owner;
    c->board = r->board;
    c->record = r->record;
    c->done = r->done;
    c->user = r->user;
    c->may_name = r->may_name;
    c->may_name_user = r->may_name_user;
    c->error = (struct error)ERROR_INIT;
    return c;
}

void collect_start(struct collect *c)
{
    c->collector->start(c); /* last statement: the owner may free `c` in it */
}

void collect_free(struct collect *c)
{
    if (!c)
        return;
    while (c->calls) {
        struct collect_call *call = c->calls;
        c->calls = call->next;
        source_cancel(call->handle);
        free(call);
    }
    if (c->collector->clear)
        c->collector->clear(c);
    buf_clear(&c->losses);
    error_clear(&c->error);
    free(c);
}

struct step_record *collect_record(struct collect *c)
{
    return c->record;
}

const struct error *collect_error(const struct collect *c)
{
    return &c->error;
}

struct collect_call *collect_call(struct collect *c, collect_result_fn *fn, size_t tag)
{
    struct collect_call *call = xcalloc(1, sizeof(*call));

    *call = (struct collect_call){ .c = c, .fn = fn, .tag = tag, .next = c->calls };
    c->calls = call;
    return call;
}

static void unlink_call(struct collect_call *call)
{
    struct collect_call **at = &call->c->calls;

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    free(call);
}

/* The call has no answer. */
static void give_up(struct collect_call *call, const struct error *err)
{
    struct collect *c = call->c;
    collect_result_fn *fn = call->fn;
    size_t tag = call->tag;

    unlink_call(call);
    fn(c, NULL, err, tag);
}

static void set_over(const struct collect *c, struct error *err)
{
    (void)error_set(err, ERR_TIMEOUT, "no answer within the %.6g s that a step may take",
                    (double)c->over_ms / SECOND_MS);
}

void collect_sent(struct collect_call *call, struct source_call *handle, struct error *err)
{
    call->handle = handle;
    if (handle && !call->c->over_ms)
        return;
    if (handle) {
        source_cancel(handle);
        set_over(call->c, err);
    }
    give_up(call, err);
    error_clear(err);
}

static void go_on(struct collect *c)
{
    collect_next_fn *next = c->next;

    if (c->calls || !next)
        return;
    c->next = NULL;
    next(c); /* last statement: the collector may end in it, and its owner free `c` */
}

void collect_expire(struct collect *c, int64_t limit_ms)
{
    struct error err = ERROR_INIT;

    c->over_ms = limit_ms;
    set_over(c, &err);
    while (c->calls) {
        source_cancel(c->calls->handle);
        give_up(c->calls, &err);
    }
    error_clear(&err);
    go_on(c); /* last statement */
}

void collect_received(void *user, const void *result, const struct error *err)
{
    struct collect_call *call = user;
    struct collect *c = call->c;
    collect_result_fn *fn = call->fn;
    size_t tag = call->tag;

    unlink_call(call);
    fn(c, result, err, tag);
    go_on(c);
}

void collect_wait(struct collect *c, collect_next_fn *next)
{
    c->next = next;
    go_on(c);
}

static void add_sentence(struct buf *out, const char *fmt, va_list ap)
{
    struct buf text = BUF_INIT, safe = BUF_INIT;

    buf_vaddf(&text, fmt, ap);
    redact(buf_str(&text), &safe);
    buf_reset(&text);
    text_clean(buf_str(&safe), true, &text);
    text_add_cut(out, buf_str(&text), FINDING_MAX_BYTES);
    buf_clear(&text);
    buf_clear(&safe);
}

void collect_lost(struct collect *c, const char *fmt, ...)
{
    va_list ap;

    c->lost++;
    if (c->losses.len)
        buf_addc(&c->losses, ' ');
    va_start(ap, fmt);
    add_sentence(&c->losses, fmt, ap);
    va_end(ap);
    if (c->losses.data[c->losses.len - 1] != '.')
        buf_addc(&c->losses, '.');
}

bool collect_usable(struct collect *c, const void *result, const struct error *err,
                    const char *what)
{
    const struct source_result *meta = result;

    if (!meta)
        collect_lost(c, "Could not read %s: %s", what, err ? error_text(err) : "no answer");
    else if (meta->partial)
        collect_lost(c, "Read only a part of %s: %s", what,
                     meta->why ? meta->why : "more is there");
    return meta != NULL;
}

void collect_finding(struct collect *c, const char *url, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    add_sentence(&text, fmt, ap);
    va_end(ap);
    finding_add(&c->record->findings, &c->record->n_findings, &c->record->cap_findings,
                buf_str(&text), url);
    buf_clear(&text);
}

static void end(struct collect *c, enum step_status status, struct buf *summary)
{
    if (summary->len && islower((unsigned char)summary->data[0]))
        summary->data[0] = (char)toupper((unsigned char)summary->data[0]);
    c->record->status = status;
    free(c->record->summary);
    c->record->summary = buf_take(summary);
    c->ended = true;
    c->done(c, c->user);
}

void collect_complete(struct collect *c, const char *fmt, ...)
{
    struct buf summary = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    add_sentence(&summary, fmt, ap);
    va_end(ap);
    if (c->lost)
        buf_addf(&summary, " %s", buf_str(&c->losses));
    end(c, c->lost ? STEP_PARTIAL : STEP_COMPLETE, &summary);
}

void collect_skip(struct collect *c, const char *fmt, ...)
{
    struct buf summary = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    add_sentence(&summary, fmt, ap);
    va_end(ap);
    end(c, STEP_SKIPPED, &summary);
}

void collect_fail(struct collect *c, const struct error *err)
{
    struct buf summary = BUF_INIT;
    char *safe = redact_dup(error_text(err ? err : &c->error));

    if (err)
        error_copy(&c->error, err);
    buf_adds(&summary, safe);
    free(safe);
    end(c, STEP_FAILED, &summary);
}

double collect_number(const struct collect *c, const char *dotted, double fallback)
{
    const cJSON *value = json_dotted(c->settings, dotted);

    return cJSON_IsNumber(value) ? fmax(0, fmin(MAX_SETTING, value->valuedouble)) : fallback;
}

int64_t collect_ms(const struct collect *c, const char *dotted_minutes, double fallback_minutes)
{
    return (int64_t)(collect_number(c, dotted_minutes, fallback_minutes) * (double)MINUTE_MS);
}

char *presentable(const char *text, size_t max)
{
    struct buf safe = BUF_INIT, clean = BUF_INIT, out = BUF_INIT;

    if (!text)
        return NULL;
    redact(text, &safe);
    text_clean(buf_str(&safe), true, &clean);
    text_add_cut(&out, buf_str(&clean), max);
    buf_clear(&safe);
    buf_clear(&clean);
    return buf_take(&out);
}

void put_str(struct collect *c, const char *name, const char *value)
{
    char *safe = presentable(value, 2048);

    if (safe)
        evidence_set_str(c->board, c->step, name, safe, NULL, NULL);
    else
        evidence_set_unknown(c->board, c->step, name, "the source did not tell");
    free(safe);
}

void put_num(struct collect *c, const char *name, double value)
{
    evidence_set_num(c->board, c->step, name, value, NULL, NULL);
}

void put_time(struct collect *c, const char *name, int64_t ms)
{
    if (ms == TIME_UNKNOWN)
        evidence_set_unknown(c->board, c->step, name, "the source did not tell");
    else
        put_num(c, name, (double)ms);
}

void put_bool(struct collect *c, const char *name, bool value)
{
    evidence_set_bool(c->board, c->step, name, value, NULL, NULL);
}

void collect_add_series(cJSON *list, const struct source_series *s)
{
    if (!s || s->n_points == 0 || s->interval_ms <= 0)
        return;
    double *counts = xcalloc(s->n_points, sizeof(*counts));
    for (size_t i = 0; i < s->n_points; i++)
        counts[i] = s->points[i].value;
    cJSON_AddItemToArray(list,
                         series_to_json(s->points[0].at_ms, s->interval_ms, counts, s->n_points));
    free(counts);
}
