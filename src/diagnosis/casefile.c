#include "dbconn/diagnosis/casefile.h"

#include "dbconn/base/alloc.h"

#define X(name, text) [CAUSE_##name] = (text),
static const char *const cause_names[] = { CAUSE_LIST(X) };
#undef X

static const char *const confidence_names[] = { "low", "medium", "high" };
static const char *const status_names[] = {
    [STEP_PENDING] = "pending", [STEP_RUNNING] = "running", [STEP_COMPLETE] = "complete",
    [STEP_PARTIAL] = "partial", [STEP_FAILED] = "failed",   [STEP_SKIPPED] = "skipped",
};
static const char *const outcome_names[] = {
    [RULE_UNKNOWN] = "unknown",
    [RULE_SUPPORTS] = "supports",
    [RULE_CONTRADICTS] = "contradicts",
};
static const char *const trend_names[] = {
    [TREND_UNKNOWN] = "unknown",
    [TREND_CONSTANT] = "constant",
    [TREND_SPIKE] = "spike",
    [TREND_GRADUAL_INCREASE] = "gradual_increase",
    [TREND_INTERMITTENT] = "intermittent",
    [TREND_BOUNDED] = "bounded",
};
static const char *const impact_names[] = {
    [IMPACT_UNKNOWN] = "unknown",
    [IMPACT_ALL] = "all",
    [IMPACT_SEGMENT] = "segment",
};

const char *cause_name(enum cause c)
{
    return cause_names[c];
}

/* The index of `name` among `names`, or -1. */
static int find_name(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; name && i < n; i++) {
        if (strcmp(name, names[i]) == 0)
            return (int)i;
    }
    return -1;
}

bool cause_parse(const char *name, enum cause *ret)
{
    int i = find_name(cause_names, ARRAY_LEN(cause_names), name);

    if (i >= 0)
        *ret = (enum cause)i;
    return i >= 0;
}

const char *confidence_name(enum confidence c)
{
    return confidence_names[c];
}

const char *step_status_name(enum step_status s)
{
    return status_names[s];
}

const char *rule_outcome_name(enum rule_outcome o)
{
    return outcome_names[o];
}

const char *trend_kind_name(enum trend_kind t)
{
    return trend_names[t];
}

const char *impact_kind_name(enum impact_kind k)
{
    return impact_names[k];
}

bool confidence_from_name(const char *name, enum confidence *ret)
{
    int i = find_name(confidence_names, ARRAY_LEN(confidence_names), name);

    if (i >= 0)
        *ret = (enum confidence)i;
    return i >= 0;
}

bool step_status_from_name(const char *name, enum step_status *ret)
{
    int i = find_name(status_names, ARRAY_LEN(status_names), name);

    if (i >= 0)
        *ret = (enum step_status)i;
    return i >= 0;
}

bool rule_outcome_from_name(const char *name, enum rule_outcome *ret)
{
    int i = find_name(outcome_names, ARRAY_LEN(outcome_names), name);

    if (i >= 0)
        *ret = (enum rule_outcome)i;
    return i >= 0;
}

bool trend_kind_from_name(const char *name, enum trend_kind *ret)
{
    int i = find_name(trend_names, ARRAY_LEN(trend_names), name);

    if (i >= 0)
        *ret = (enum trend_kind)i;
    return i >= 0;
}

bool impact_kind_from_name(const char *name, enum impact_kind *ret)
{
    int i = find_name(impact_names, ARRAY_LEN(impact_names), name);

    if (i >= 0)
        *ret = (enum impact_kind)i;
    return i >= 0;
}

void finding_add(struct finding **items, size_t *n, size_t *cap, const char *text, const char *url)
{
    struct finding *f = VEC_ADD(*items, *n, *cap);

    f->text = xstrdup(text);
    f->url = xstrdup(url);
}

void string_add(char ***items, size_t *n, size_t *cap, const char *text)
{
    *VEC_ADD(*items, *n, *cap) = xstrdup(text);
}

static void findings_clear(struct finding *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(items[i].text);
        free(items[i].url);
    }
    free(items);
}

static void strings_clear(char **items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(items[i]);
    free(items);
}

void target_clear(struct target *t)
{
    free(t->engine);
    free(t->host);
    free(t->port);
    free(t->database);
    free(t->user);
    free(t->failure);
    *t = (struct target){ 0 };
}

void culprit_free(struct culprit *c)
{
    if (!c)
        return;
    free(c->release);
    free(c->commit);
    free(c->commit_url);
    free(c->pull_url);
    free(c->pull_title);
    free(c->pull_author);
    strings_clear(c->files, c->n_files);
    for (size_t i = 0; i < c->n_changes; i++) {
        free(c->changes[i].file);
        free(c->changes[i].old_value);
        free(c->changes[i].new_value);
    }
    free(c->changes);
    free(c);
}

static void diagnosis_clear(struct diagnosis *d)
{
    free(d->summary);
    findings_clear(d->evidence, d->n_evidence);
    findings_clear(d->against, d->n_against);
    for (size_t i = 0; i < d->n_rules; i++)
        free(d->rules[i].why);
    free(d->rules);
    for (size_t i = 0; i < d->n_alternatives; i++)
        free(d->alternatives[i].why_not);
    free(d->alternatives);
    strings_clear(d->missing, d->n_missing);
    culprit_free(d->culprit);
    strings_clear(d->next_actions, d->n_next_actions);
}

void casefile_init(struct casefile *c)
{
    *c = (struct casefile){ 0 };
    c->evaluated_ms = TIME_UNKNOWN;
    c->issue.user_count = -1;
    c->issue.event_count = -1;
    c->issue.first_seen_ms = TIME_UNKNOWN;
    c->issue.last_seen_ms = TIME_UNKNOWN;
    c->trend.onset_ms = TIME_UNKNOWN;
    c->impact.share = -1;
    c->diagnosis.cause = CAUSE_INCONCLUSIVE;
}

void series_copy(struct series *to, const struct series *from)
{
    *to = (struct series){ .start_ms = from->start_ms, .interval_ms = from->interval_ms };
    for (size_t i = 0; i < from->n_counts; i++)
        *VEC_ADD(to->counts, to->n_counts, to->cap_counts) = from->counts[i];
    for (size_t i = 0; i < from->n_markers; i++) {
        struct series_marker *m = VEC_ADD(to->markers, to->n_markers, to->cap_markers);
        m->at_ms = from->markers[i].at_ms;
        m->label = xstrdup(from->markers[i].label);
    }
}

void series_clear(struct series *s)
{
    free(s->counts);
    for (size_t i = 0; i < s->n_markers; i++)
        free(s->markers[i].label);
    free(s->markers);
    *s = (struct series){ 0 };
}

void casefile_clear(struct casefile *c)
{
    free(c->playbook);
    free(c->playbook_hash);
    free(c->issue.id);
    free(c->issue.short_id);
    free(c->issue.title);
    free(c->issue.url);
    free(c->issue.project);
    free(c->issue.level);
    free(c->issue.priority);
    free(c->issue.error_line);
    target_clear(&c->target);
    for (size_t i = 0; i < c->n_targets; i++)
        target_clear(&c->targets[i]);
    free(c->targets);
    for (size_t i = 0; i < c->n_failures; i++)
        free(c->failures[i].failure);
    free(c->failures);
    free(c->impact.tag);
    free(c->impact.value);
    series_clear(&c->series);
    for (size_t i = 0; i < c->n_steps; i++) {
        free(c->steps[i].id);
        free(c->steps[i].title);
        free(c->steps[i].summary);
        findings_clear(c->steps[i].findings, c->steps[i].n_findings);
    }
    free(c->steps);
    diagnosis_clear(&c->diagnosis);
    casefile_init(c);
}
