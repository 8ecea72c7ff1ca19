/* The way back of report_json.h: from the report document to a casefile. */
#include "dbconn/report/report_json.h"

#include "dbconn/base/json.h"
#include "dbconn/diagnosis/casefile.h"

static char *take_str(const cJSON *obj, const char *key)
{
    return xstrdup(json_str(obj, key));
}

static int64_t known_i64(const cJSON *obj, const char *key, int64_t otherwise)
{
    int64_t value = otherwise;

    (void)json_i64(obj, key, &value);
    return value;
}

static enum tristate take_tristate(const cJSON *obj, const char *key)
{
    bool value;

    if (!json_bool(obj, key, &value))
        return UNKNOWN;
    return value ? YES : NO;
}

static void take_findings(const cJSON *obj, const char *key, struct finding **items, size_t *n,
                          size_t *cap)
{
    for (const cJSON *f = json_items(obj, key); f; f = f->next)
        finding_add(items, n, cap, json_str_or(f, "text", ""), json_str(f, "url"));
}

static void take_strings(const cJSON *obj, const char *key, char ***items, size_t *n, size_t *cap)
{
    for (const cJSON *s = json_items(obj, key); s; s = s->next) {
        if (cJSON_IsString(s))
            string_add(items, n, cap, s->valuestring);
    }
}

static void take_issue(const cJSON *issue, struct casefile *c)
{
    c->issue.id = json_id(issue, "id");
    c->issue.short_id = take_str(issue, "short_id");
    c->issue.title = take_str(issue, "title");
    c->issue.url = take_str(issue, "url");
    c->issue.project = take_str(issue, "project");
    c->issue.level = take_str(issue, "level");
    c->issue.priority = take_str(issue, "priority");
    c->issue.user_count = known_i64(issue, "user_count", -1);
    c->issue.event_count = known_i64(issue, "event_count", -1);
    c->issue.first_seen_ms = json_time(issue, "first_seen");
    c->issue.last_seen_ms = json_time(issue, "last_seen");
    c->issue.error_line = take_str(issue, "error_line");
}

static void take_target(const cJSON *obj, struct target *t)
{
    t->engine = take_str(obj, "engine");
    t->host = take_str(obj, "host");
    t->port = json_id(obj, "port");
    t->database = take_str(obj, "database");
    t->user = take_str(obj, "user");
    t->failure = take_str(obj, "failure");
}

static void take_targets(const cJSON *doc, struct casefile *c)
{
    take_target(json_get(doc, "target"), &c->target);
    for (const cJSON *t = json_items(doc, "targets"); t; t = t->next)
        take_target(t, VEC_ADD(c->targets, c->n_targets, c->cap_targets));
    const cJSON *failures = json_get(doc, "failures");
    for (const cJSON *f = cJSON_IsObject(failures) ? failures->child : NULL; f; f = f->next) {
        struct failure_count *count = VEC_ADD(c->failures, c->n_failures, c->cap_failures);
        count->failure = xstrdup(f->string);
        count->count = known_i64(failures, f->string, 0);
    }
}

static void take_pattern(const cJSON *doc, struct casefile *c)
{
    const cJSON *trend = json_get(doc, "trend"), *impact = json_get(doc, "impact");

    (void)trend_kind_from_name(json_str(trend, "kind"), &c->trend.kind);
    c->trend.onset_ms = json_time(trend, "onset");
    c->trend.ongoing = take_tristate(trend, "ongoing");
    (void)impact_kind_from_name(json_str(impact, "kind"), &c->impact.kind);
    c->impact.tag = take_str(impact, "tag");
    c->impact.value = take_str(impact, "value");
    (void)json_num(impact, "share", &c->impact.share);
}

static void take_series(const cJSON *obj, struct series *s)
{
    if (!obj)
        return;
    s->start_ms = json_time(obj, "start");
    s->interval_ms = known_i64(obj, "interval_ms", 0);
    for (const cJSON *n = json_items(obj, "counts"); n; n = n->next) {
        if (cJSON_IsNumber(n))
            *VEC_ADD(s->counts, s->n_counts, s->cap_counts) = n->valuedouble;
    }
    for (const cJSON *m = json_items(obj, "markers"); m; m = m->next) {
        struct series_marker *marker = VEC_ADD(s->markers, s->n_markers, s->cap_markers);
        marker->at_ms = json_time(m, "at");
        marker->label = xstrdup(json_str_or(m, "label", ""));
    }
}

static int take_step(const cJSON *obj, struct casefile *c, struct error *err)
{
    struct step_record *s = VEC_ADD(c->steps, c->n_steps, c->cap_steps);
    const char *status = json_str(obj, "status");

    s->number = (int)known_i64(obj, "number", (int64_t)c->n_steps);
    s->id = xstrdup(json_str_or(obj, "id", ""));
    s->title = take_str(obj, "title");
    if (!step_status_from_name(status, &s->status))
        return error_set(err, ERR_INVALID, "the report's step %d has the unknown status \"%s\"",
                         s->number, status ? status : "");
    s->started_ms = json_time(obj, "started_at");
    s->duration_ms = known_i64(obj, "duration_ms", 0);
    s->summary = xstrdup(json_str_or(obj, "summary", ""));
    take_findings(obj, "findings", &s->findings, &s->n_findings, &s->cap_findings);
    return 0;
}

static void take_changes(const cJSON *obj, struct culprit *c)
{
    for (const cJSON *change = json_items(obj, "changes"); change; change = change->next) {
        struct changed_setting *s = VEC_ADD(c->changes, c->n_changes, c->cap_changes);
        s->file = take_str(change, "file");
        s->line = known_i64(change, "line", 0);
        s->old_value = take_str(change, "old");
        s->new_value = take_str(change, "new");
    }
}

static struct culprit *take_culprit(const cJSON *obj)
{
    if (!cJSON_IsObject(obj))
        return NULL;
    struct culprit *c = xcalloc(1, sizeof(*c));
    const cJSON *pull = json_get(obj, "pull_request");
    c->release = take_str(obj, "release");
    c->commit = take_str(obj, "commit");
    c->commit_url = take_str(obj, "commit_url");
    c->pull_number = known_i64(pull, "number", 0);
    c->pull_url = take_str(pull, "url");
    c->pull_title = take_str(pull, "title");
    c->pull_author = take_str(pull, "author");
    take_strings(obj, "files", &c->files, &c->n_files, &c->cap_files);
    take_changes(obj, c);
    return c;
}

static void take_rules(const cJSON *obj, struct diagnosis *d)
{
    for (const cJSON *r = json_items(obj, "rules"); r; r = r->next) {
        struct rule_result *rule = VEC_ADD(d->rules, d->n_rules, d->cap_rules);
        rule->number = (int)known_i64(r, "number", (int64_t)d->n_rules);
        (void)rule_outcome_from_name(json_str(r, "outcome"), &rule->outcome);
        rule->why = xstrdup(json_str_or(r, "why", ""));
    }
}

static int take_alternatives(const cJSON *obj, struct diagnosis *d, struct error *err)
{
    for (const cJSON *a = json_items(obj, "alternatives"); a; a = a->next) {
        struct alternative *alt = VEC_ADD(d->alternatives, d->n_alternatives, d->cap_alternatives);
        if (!cause_parse(json_str(a, "cause"), &alt->cause))
            return error_set(err, ERR_INVALID, "the report has an alternative of unknown cause");
        (void)json_num(a, "score", &alt->score);
        alt->why_not = xstrdup(json_str_or(a, "why_not", ""));
    }
    return 0;
}

/* A cause that this version does not know is refused: reading it as another would be a lie. */
static int take_diagnosis(const cJSON *obj, struct diagnosis *d, struct error *err)
{
    const char *cause = json_str(obj, "cause"), *confidence = json_str(obj, "confidence");

    if (!obj)
        return 0;
    if (!cause_parse(cause, &d->cause))
        return error_set(err, ERR_INVALID, "the report has the unknown cause \"%s\"",
                         cause ? cause : "");
    if (!confidence_from_name(confidence, &d->confidence))
        return error_set(err, ERR_INVALID, "the report has the unknown confidence \"%s\"",
                         confidence ? confidence : "");
    d->reached = true;
    d->summary = xstrdup(json_str_or(obj, "summary", ""));
    take_findings(obj, "evidence", &d->evidence, &d->n_evidence, &d->cap_evidence);
    take_findings(obj, "against", &d->against, &d->n_against, &d->cap_against);
    take_rules(obj, d);
    take_strings(obj, "missing_evidence", &d->missing, &d->n_missing, &d->cap_missing);
    d->culprit = take_culprit(json_get(obj, "culprit"));
    take_strings(obj, "next_actions", &d->next_actions, &d->n_next_actions, &d->cap_next_actions);
    return take_alternatives(obj, d, err);
}

static int check_kind(const cJSON *doc, struct error *err)
{
    int64_t version = 0;

    if (!cJSON_IsObject(doc))
        return error_set(err, ERR_INVALID, "the report is not a JSON object");
    if (!json_i64(doc, "schema_version", &version) || version != REPORT_SCHEMA_VERSION)
        return error_set(err, ERR_INVALID, "the report has schema_version %lld; this reads %d",
                         (long long)version, REPORT_SCHEMA_VERSION);
    if (json_get(doc, "error"))
        return error_set(err, ERR_INVALID, "the report says that there was no investigation: %s",
                         json_str_or(json_get(doc, "error"), "message", "no reason given"));
    return 0;
}

static int take_document(const cJSON *doc, struct casefile *c, struct error *err)
{
    if (check_kind(doc, err) < 0)
        return -1;
    c->playbook = take_str(doc, "playbook");
    c->playbook_hash = take_str(doc, "playbook_hash");
    c->evaluated_ms = json_time(doc, "evaluated_at");
    take_issue(json_get(doc, "issue"), c);
    c->applicable = take_tristate(doc, "applicable");
    take_targets(doc, c);
    take_pattern(doc, c);
    take_series(json_get(doc, "series"), &c->series);
    for (const cJSON *s = json_items(doc, "steps"); s; s = s->next) {
        if (take_step(s, c, err) < 0)
            return -1;
    }
    return take_diagnosis(json_get(doc, "diagnosis"), &c->diagnosis, err);
}

int report_from_json(const cJSON *doc, struct casefile *ret, struct error *err)
{
    casefile_init(ret);
    if (take_document(doc, ret, err) < 0) {
        casefile_clear(ret);
        return -1;
    }
    return 0;
}

int report_parse(const char *text, size_t len, struct casefile *ret, struct error *err)
{
    cJSON *doc;
    int rc;

    casefile_init(ret);
    if (json_parse(text, len, "the report", &doc, err) < 0)
        return -1;
    rc = report_from_json(doc, ret, err);
    cJSON_Delete(doc);
    return rc;
}
