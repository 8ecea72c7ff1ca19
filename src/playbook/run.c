#include "dbconn/playbook/run.h"

#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/diagnosis/condition.h"
#include "dbconn/net/loop.h"
#include "dbconn/sources/sentry.h"

#include "assess.h"

#define DEFAULT_BUDGET_MS (2 * MINUTE_MS)

/* The time of one step that runs. */
struct step_time {
    struct run *run;
    size_t i;
    struct loop_timer *timer;
};

struct run {
    struct run_options o;
    char *issue, *event;
    struct source_call *lookup; /* of the event's issue */
    struct casefile casefile;
    struct evidence *board;
    struct collect *collects[PLAYBOOK_MAX_STEPS];
    int64_t started_mono_ms[PLAYBOOK_MAX_STEPS];
    struct step_time times[PLAYBOOK_MAX_STEPS];
    unsigned ended; /* bit i: step i has an outcome */
    struct loop_timer *budget;
    struct loop_timer *tidy; /* lets go of what ended steps held */
    bool advancing, done;
};

static bool has_outcome(const struct step_record *s)
{
    return s->status != STEP_PENDING && s->status != STEP_RUNNING;
}

struct run *run_new(const struct run_options *options)
{
    struct run *run = xcalloc(1, sizeof(*run));
    const struct playbook *p = options->playbook;

    run->o = *options;
    run->o.playbook = playbook_ref(options->playbook);
    run->issue = xstrdup(options->issue);
    run->event = xstrdup(options->event);
    run->board = evidence_new();
    casefile_init(&run->casefile);
    run->casefile.playbook = xstrdup(p->id);
    run->casefile.playbook_hash = xstrdup(p->hash);
    run->casefile.evaluated_ms = options->now_ms;
    for (size_t i = 0; i < p->n_steps; i++) {
        struct step_record *s =
            VEC_ADD(run->casefile.steps, run->casefile.n_steps, run->casefile.cap_steps);
        s->number = p->steps[i].number;
        s->id = xstrdup(p->steps[i].id);
        s->title = xstrdup(p->steps[i].title);
        s->started_ms = TIME_UNKNOWN;
    }
    return run;
}

void run_free(struct run *run)
{
    if (!run)
        return;
    for (size_t i = 0; i < PLAYBOOK_MAX_STEPS; i++) {
        collect_free(run->collects[i]);
        loop_timer_free(run->times[i].timer);
    }
    source_cancel(run->lookup);
    loop_timer_free(run->budget);
    loop_timer_free(run->tidy);
    casefile_clear(&run->casefile);
    evidence_free(run->board);
    playbook_unref(run->o.playbook);
    free(run->issue);
    free(run->event);
    free(run);
}

const struct casefile *run_casefile(const struct run *run)
{
    return &run->casefile;
}

const struct evidence *run_evidence(const struct run *run)
{
    return run->board;
}

static void tell(struct run *run, const struct step_record *s)
{
    if (run->o.on_step)
        run->o.on_step(run, s, run->o.user);
}

static void step_ended(struct run *run, size_t i)
{
    struct step_record *s = &run->casefile.steps[i];

    s->duration_ms = clock_mono_ms() - run->started_mono_ms[i];
    loop_timer_free(run->times[i].timer);
    run->times[i].timer = NULL;
    run->ended |= 1u << i;
    casefile_from_board(&run->casefile, run->board);
    LOG(DEBUG, "step.end", F_STR("job", run->o.job), F_STR("step", s->id),
        F_STR("status", step_status_name(s->status)), F_INT("duration_ms", s->duration_ms),
        F_STR("summary", s->summary));
    tell(run, s);
}

static void advance(struct run *run);

static void drop(struct run *run, size_t i)
{
    collect_free(run->collects[i]);
    run->collects[i] = NULL;
}

/* An ended step's answers are not needed any more: what it found is on the board. */
static void on_tidy(void *user)
{
    struct run *run = user;

    for (size_t i = 0; i < run->casefile.n_steps; i++) {
        if (run->ended & 1u << i)
            drop(run, i);
    }
}

static void on_collected(struct collect *c, void *user)
{
    struct run *run = user;

    loop_timer_start(run->tidy, 0); /* the step is still inside its own functions */
    step_ended(run, (size_t)(collect_record(c) - run->casefile.steps));
    if (!run->advancing)
        advance(run); /* last statement: the owner may free the run in it */
}

static void skip(struct run *run, size_t i)
{
    const struct playbook_step *step = &run->o.playbook->steps[i];
    struct step_record *s = &run->casefile.steps[i];
    struct buf text = BUF_INIT;

    drop(run, i);
    sentence_fill(step->skipped ? step->skipped : "Not needed.", run->board, &text);
    s->status = STEP_SKIPPED;
    s->summary = buf_take(&text);
    step_ended(run, i);
}

/* What the step still asks for fails; it goes on to its end with what it has. */
static void on_step_time(void *user)
{
    struct step_time *t = user;

    LOG(INFO, "step.over_time", F_STR("job", t->run->o.job),
        F_STR("step", t->run->casefile.steps[t->i].id), F_INT("limit_ms", t->run->o.step_ms));
    collect_expire(t->run->collects[t->i], t->run->o.step_ms); /* last: the run may be gone */
}

static void watch_step(struct run *run, size_t i)
{
    if (run->o.step_ms <= 0 || has_outcome(&run->casefile.steps[i]))
        return;
    run->times[i] = (struct step_time){ .run = run, .i = i };
    run->times[i].timer = loop_timer_new(run->o.loop, on_step_time, &run->times[i]);
    loop_timer_start_awake(run->times[i].timer, run->o.step_ms);
}

static struct collect *new_collect(struct run *run, size_t i)
{
    const struct playbook_step *step = &run->o.playbook->steps[i];
    struct collect_request request = { .collector = collector_find(step->collector),
                                       .step = step->id,
                                       .issue = run->issue,
                                       .settings = playbook_settings(run->o.playbook),
                                       .sources = run->o.sources,
                                       .now_ms = run->o.now_ms,
                                       .owner = run->o.owner,
                                       .board = run->board,
                                       .record = &run->casefile.steps[i],
                                       .done = on_collected,
                                       .user = run,
                                       .may_name = run->o.may_name,
                                       .may_name_user = run->o.user };

    return collect_new(&request);
}

static bool is_unwanted(const struct run *run, size_t i)
{
    const cJSON *when = run->o.playbook->steps[i].when;

    return when && condition_holds(when, run->board) == NO;
}

static void start_step(struct run *run, size_t i)
{
    struct step_record *s = &run->casefile.steps[i];

    run->started_mono_ms[i] = clock_mono_ms();
    s->started_ms = clock_wall_ms();
    if (is_unwanted(run, i)) {
        skip(run, i);
        return;
    }
    s->status = STEP_RUNNING;
    tell(run, s);
    if (!run->collects[i])
        run->collects[i] = new_collect(run, i);
    collect_start(run->collects[i]);
    watch_step(run, i);
}

/* Steps that still wait for others may ask what they know to be needed: an answer that comes in the
 * meantime is a round trip less at their turn. What it says is looked at then, so that nothing
 * depends on which answer came first. */
static void ask_ahead(struct run *run)
{
    bool known = has_outcome(&run->casefile.steps[0]);

    for (size_t i = 1; i < run->o.playbook->n_steps; i++) {
        const struct collector *collector = collector_find(run->o.playbook->steps[i].collector);
        if (!collector->ahead || !(known || collector->ahead_at_once) ||
            run->casefile.steps[i].status != STEP_PENDING || run->collects[i] ||
            is_unwanted(run, i))
            continue;
        run->collects[i] = new_collect(run, i);
        collector->ahead(run->collects[i]);
    }
}

static void finish(struct run *run, const struct error *err)
{
    run->done = true;
    loop_timer_free(run->budget);
    run->budget = NULL;
    if (!err)
        run_evaluate(run->o.playbook, run->board, run->o.now_ms, &run->casefile);
    run->o.on_done(run, err, run->o.user); /* last statement: the owner may free the run */
}

/* Starts every step whose needs are met; a step that ends at once may free the next ones. */
static void advance(struct run *run)
{
    const struct playbook *p = run->o.playbook;
    bool moved;

    if (run->done)
        return;
    run->advancing = true;
    do {
        moved = false;
        for (size_t i = 0; i < p->n_steps; i++) {
            if (run->casefile.steps[i].status != STEP_PENDING ||
                (p->steps[i].needs & ~run->ended) != 0)
                continue;
            if (run->casefile.steps[0].status == STEP_FAILED)
                break;
            start_step(run, i);
            moved = true;
        }
    } while (moved);
    if (run->casefile.steps[0].status != STEP_FAILED)
        ask_ahead(run);
    run->advancing = false;
    if (run->casefile.steps[0].status == STEP_FAILED && run->collects[0])
        finish(run, collect_error(run->collects[0]));
    else if (run->ended == (1u << p->n_steps) - 1)
        finish(run, NULL);
}

/* The time is up: what still runs is shown as failed, and what there is gets weighed. */
static void on_budget(void *user)
{
    struct run *run = user;

    for (size_t i = 0; i < run->o.playbook->n_steps; i++) {
        struct step_record *s = &run->casefile.steps[i];
        if (has_outcome(s))
            continue;
        drop(run, i);
        s->status = STEP_FAILED;
        free(s->summary);
        s->summary =
            xasprintf("It did not answer within the %lld s that an investigation may take.",
                      (long long)(run->o.budget_ms / 1000));
        step_ended(run, i);
    }
    if (evidence_str(run->board, "issue.id")) {
        finish(run, NULL);
        return;
    }
    struct error err = ERROR_INIT;
    error_set(&err, ERR_TIMEOUT, "Sentry did not answer within %lld s",
              (long long)(run->o.budget_ms / 1000));
    finish(run, &err);
    error_clear(&err);
}

static void on_event_found(void *user, const void *result, const struct error *err)
{
    struct run *run = user;
    const struct sentry_event_id *found = result;

    run->lookup = NULL;
    if (found && found->issue_id) {
        run->issue = xstrdup(found->issue_id);
        advance(run);
        return;
    }
    struct error why = ERROR_INIT;
    if (err)
        error_copy(&why, err);
    else
        error_set(&why, ERR_NOT_FOUND, "Sentry names no issue for this event");
    error_context(&why, "find the issue of event %s", run->event);
    finish(run, &why);
    error_clear(&why);
}

void run_start(struct run *run)
{
    struct error err = ERROR_INIT;

    if (run->o.budget_ms <= 0)
        run->o.budget_ms = DEFAULT_BUDGET_MS;
    run->budget = loop_timer_new(run->o.loop, on_budget, run);
    run->tidy = loop_timer_new(run->o.loop, on_tidy, run);
    loop_timer_start_awake(run->budget, run->o.budget_ms);
    if (run->issue) {
        advance(run);
        return;
    }
    run->lookup = sentry_find_event(run->o.sources->sentry, run->o.owner, run->event,
                                    on_event_found, run, &err);
    if (!run->lookup)
        on_event_found(run, NULL, &err);
    error_clear(&err);
}

void run_abort(struct run *run, const char *why)
{
    run->done = true;
    loop_timer_free(run->budget);
    run->budget = NULL;
    source_cancel(run->lookup);
    run->lookup = NULL;
    for (size_t i = 0; i < run->casefile.n_steps; i++) {
        struct step_record *s = &run->casefile.steps[i];
        drop(run, i);
        loop_timer_free(run->times[i].timer);
        run->times[i].timer = NULL;
        if (has_outcome(s))
            continue;
        s->status = STEP_SKIPPED;
        xreplace(&s->summary, why);
    }
}

/* ---- checkpoints ---- */

static cJSON *findings_to_json(const struct step_record *s)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < s->n_findings; i++) {
        cJSON *item = cJSON_CreateObject();
        json_put_str(item, "text", s->findings[i].text);
        json_put_str(item, "url", s->findings[i].url);
        cJSON_AddItemToArray(list, item);
    }
    return list;
}

cJSON *run_checkpoint(const struct run *run, const struct step_record *s)
{
    cJSON *doc = cJSON_CreateObject();

    json_put_str(doc, "step", s->id);
    json_put_str(doc, "status", step_status_name(s->status));
    json_put_i64(doc, "started", s->started_ms);
    json_put_i64(doc, "duration_ms", s->duration_ms);
    json_put_str(doc, "summary", s->summary);
    cJSON_AddItemToObject(doc, "findings", findings_to_json(s));
    cJSON_AddItemToObject(doc, "facts", evidence_to_json(run->board, s->id));
    return doc;
}

static bool parse_status(const char *name, enum step_status *ret)
{
    for (int s = STEP_COMPLETE; s <= STEP_SKIPPED; s++) {
        if (text_same(name, step_status_name((enum step_status)s))) {
            *ret = (enum step_status)s;
            return true;
        }
    }
    return false;
}

void run_restore(struct run *run, const cJSON *doc)
{
    const cJSON *item;

    for (size_t i = 0; i < run->casefile.n_steps; i++) {
        struct step_record *s = &run->casefile.steps[i];
        if (!text_same(s->id, json_str(doc, "step")) ||
            !parse_status(json_str(doc, "status"), &s->status))
            continue;
        (void)json_i64(doc, "started", &s->started_ms);
        (void)json_i64(doc, "duration_ms", &s->duration_ms);
        xreplace(&s->summary, json_str(doc, "summary"));
        cJSON_ArrayForEach (item, json_get(doc, "findings")) {
            finding_add(&s->findings, &s->n_findings, &s->cap_findings,
                        json_str_or(item, "text", ""), json_str(item, "url"));
        }
        evidence_add_json(run->board, json_get(doc, "facts"));
        run->ended |= 1u << i;
    }
    casefile_from_board(&run->casefile, run->board);
}
