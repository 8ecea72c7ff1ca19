#include "dbconn/report/report_json.h"

#include "dbconn/base/json.h"
#include "dbconn/base/redact_json.h"
#include "dbconn/diagnosis/casefile.h"

static cJSON *array_object(cJSON *array)
{
    cJSON *item = cJSON_CreateObject();

    cJSON_AddItemToArray(array, item);
    return item;
}

/* A count or share of which "unknown" is kept as -1. */
static void put_known(cJSON *obj, const char *key, double value)
{
    if (value < 0)
        json_put_null(obj, key);
    else
        cJSON_AddNumberToObject(obj, key, value);
}

static void put_tristate(cJSON *obj, const char *key, enum tristate value)
{
    if (value == UNKNOWN)
        json_put_null(obj, key);
    else
        json_put_bool(obj, key, value == YES);
}

static void put_strings(cJSON *obj, const char *key, char *const *items, size_t n)
{
    cJSON *array = json_put_array(obj, key);

    for (size_t i = 0; i < n; i++)
        cJSON_AddItemToArray(array, cJSON_CreateString(items[i] ? items[i] : ""));
}

static void put_findings(cJSON *obj, const char *key, const struct finding *items, size_t n)
{
    cJSON *array = json_put_array(obj, key);

    for (size_t i = 0; i < n; i++) {
        cJSON *f = array_object(array);
        json_put_str(f, "text", items[i].text ? items[i].text : "");
        json_put_str(f, "url", items[i].url);
    }
}

static void put_issue(cJSON *doc, const struct casefile *c)
{
    cJSON *issue = json_put_object(doc, "issue");

    json_put_str(issue, "id", c->issue.id);
    json_put_str(issue, "short_id", c->issue.short_id);
    json_put_str(issue, "title", c->issue.title);
    json_put_str(issue, "url", c->issue.url);
    json_put_str(issue, "project", c->issue.project);
    json_put_str(issue, "level", c->issue.level);
    json_put_str(issue, "priority", c->issue.priority);
    put_known(issue, "user_count", (double)c->issue.user_count);
    put_known(issue, "event_count", (double)c->issue.event_count);
    json_put_time(issue, "first_seen", c->issue.first_seen_ms);
    json_put_time(issue, "last_seen", c->issue.last_seen_ms);
    json_put_str(issue, "error_line", c->issue.error_line);
}

/* Ports are numbers for those who compare them; what is no plain port number stays as it is. */
static void put_port(cJSON *obj, const char *port)
{
    char *end = NULL;
    long number = port && port[0] >= '1' && port[0] <= '9' ? strtol(port, &end, 10) : 0;

    if (end && *end == '\0' && number <= 65535)
        json_put_i64(obj, "port", number);
    else
        json_put_str(obj, "port", port);
}

static void put_target_members(cJSON *obj, const struct target *t)
{
    json_put_str(obj, "engine", t->engine ? t->engine : "unknown");
    json_put_str(obj, "host", t->host);
    put_port(obj, t->port);
    json_put_str(obj, "database", t->database);
    json_put_str(obj, "user", t->user);
    json_put_str(obj, "failure", t->failure);
}

static void put_targets(cJSON *doc, const struct casefile *c)
{
    put_target_members(json_put_object(doc, "target"), &c->target);
    cJSON *targets = json_put_array(doc, "targets");
    for (size_t i = 0; i < c->n_targets; i++)
        put_target_members(array_object(targets), &c->targets[i]);
    cJSON *failures = json_put_object(doc, "failures");
    for (size_t i = 0; i < c->n_failures; i++)
        json_put_i64(failures, c->failures[i].failure ? c->failures[i].failure : "other",
                     c->failures[i].count);
}

static void put_pattern(cJSON *doc, const struct casefile *c)
{
    cJSON *trend = json_put_object(doc, "trend");
    json_put_str(trend, "kind", trend_kind_name(c->trend.kind));
    json_put_time(trend, "onset", c->trend.onset_ms);
    put_tristate(trend, "ongoing", c->trend.ongoing);

    cJSON *impact = json_put_object(doc, "impact");
    json_put_str(impact, "kind", impact_kind_name(c->impact.kind));
    json_put_str(impact, "tag", c->impact.tag);
    json_put_str(impact, "value", c->impact.value);
    put_known(impact, "share", c->impact.share);
}

static void put_series(cJSON *doc, const struct series *s)
{
    if (s->n_counts == 0) {
        json_put_null(doc, "series");
        return;
    }
    cJSON *obj = json_put_object(doc, "series");
    json_put_time(obj, "start", s->start_ms);
    json_put_i64(obj, "interval_ms", s->interval_ms);
    cJSON *counts = json_put_array(obj, "counts");
    for (size_t i = 0; i < s->n_counts; i++)
        cJSON_AddItemToArray(counts, cJSON_CreateNumber(s->counts[i]));
    cJSON *markers = json_put_array(obj, "markers");
    for (size_t i = 0; i < s->n_markers; i++) {
        cJSON *m = array_object(markers);
        json_put_time(m, "at", s->markers[i].at_ms);
        json_put_str(m, "label", s->markers[i].label ? s->markers[i].label : "");
    }
}

static void put_steps(cJSON *doc, const struct casefile *c)
{
    cJSON *steps = json_put_array(doc, "steps");

    for (size_t i = 0; i < c->n_steps; i++) {
        const struct step_record *s = &c->steps[i];
        cJSON *obj = array_object(steps);
        json_put_i64(obj, "number", s->number);
        json_put_str(obj, "id", s->id ? s->id : "");
        json_put_str(obj, "title", s->title);
        json_put_str(obj, "status", step_status_name(s->status));
        json_put_time(obj, "started_at", s->started_ms);
        json_put_i64(obj, "duration_ms", s->duration_ms);
        json_put_str(obj, "summary", s->summary ? s->summary : "");
        put_findings(obj, "findings", s->findings, s->n_findings);
    }
}

static void put_culprit(cJSON *diagnosis, const struct culprit *c)
{
    if (!c) {
        json_put_null(diagnosis, "culprit");
        return;
    }
    cJSON *obj = json_put_object(diagnosis, "culprit");
    json_put_str(obj, "release", c->release);
    json_put_str(obj, "commit", c->commit);
    json_put_str(obj, "commit_url", c->commit_url);
    if (c->pull_number > 0 || c->pull_url) {
        cJSON *pull = json_put_object(obj, "pull_request");
        put_known(pull, "number", c->pull_number > 0 ? (double)c->pull_number : -1);
        json_put_str(pull, "url", c->pull_url);
        json_put_str(pull, "title", c->pull_title);
        json_put_str(pull, "author", c->pull_author);
    } else {
        json_put_null(obj, "pull_request");
    }
    put_strings(obj, "files", c->files, c->n_files);
    cJSON *changes = json_put_array(obj, "changes");
    for (size_t i = 0; i < c->n_changes; i++) {
        cJSON *change = array_object(changes);
        json_put_str(change, "file", c->changes[i].file);
        put_known(change, "line", c->changes[i].line > 0 ? (double)c->changes[i].line : -1);
        json_put_str(change, "old", c->changes[i].old_value);
        json_put_str(change, "new", c->changes[i].new_value);
    }
}

static void put_reasoning(cJSON *obj, const struct diagnosis *d)
{
    cJSON *rules = json_put_array(obj, "rules");
    for (size_t i = 0; i < d->n_rules; i++) {
        cJSON *rule = array_object(rules);
        json_put_i64(rule, "number", d->rules[i].number);
        json_put_str(rule, "outcome", rule_outcome_name(d->rules[i].outcome));
        json_put_str(rule, "why", d->rules[i].why ? d->rules[i].why : "");
    }
    cJSON *alternatives = json_put_array(obj, "alternatives");
    for (size_t i = 0; i < d->n_alternatives; i++) {
        cJSON *a = array_object(alternatives);
        json_put_str(a, "cause", cause_name(d->alternatives[i].cause));
        cJSON_AddNumberToObject(a, "score", d->alternatives[i].score);
        json_put_str(a, "why_not", d->alternatives[i].why_not ? d->alternatives[i].why_not : "");
    }
}

static void put_diagnosis(cJSON *doc, const struct diagnosis *d)
{
    if (!d->reached) {
        json_put_null(doc, "diagnosis");
        return;
    }
    cJSON *obj = json_put_object(doc, "diagnosis");
    json_put_str(obj, "cause", cause_name(d->cause));
    json_put_str(obj, "confidence", confidence_name(d->confidence));
    json_put_str(obj, "summary", d->summary ? d->summary : "");
    put_findings(obj, "evidence", d->evidence, d->n_evidence);
    put_findings(obj, "against", d->against, d->n_against);
    put_reasoning(obj, d);
    put_strings(obj, "missing_evidence", d->missing, d->n_missing);
    put_culprit(obj, d->culprit);
    put_strings(obj, "next_actions", d->next_actions, d->n_next_actions);
}

cJSON *report_to_json(const struct casefile *c)
{
    cJSON *doc = cJSON_CreateObject();

    json_put_i64(doc, "schema_version", REPORT_SCHEMA_VERSION);
    put_issue(doc, c);
    json_put_str(doc, "playbook", c->playbook);
    json_put_str(doc, "playbook_hash", c->playbook_hash);
    json_put_time(doc, "evaluated_at", c->evaluated_ms);
    put_tristate(doc, "applicable", c->applicable);
    put_targets(doc, c);
    put_pattern(doc, c);
    put_series(doc, &c->series);
    put_steps(doc, c);
    put_diagnosis(doc, &c->diagnosis);
    return doc;
}

char *report_print(const struct casefile *c)
{
    cJSON *doc = report_to_json(c);

    redact_json(doc);
    char *text = json_print(doc);

    cJSON_Delete(doc);
    return text;
}

char *report_error_print(const struct error *why, const char *source)
{
    cJSON *doc = cJSON_CreateObject();
    cJSON *error;
    char *text;

    json_put_i64(doc, "schema_version", REPORT_SCHEMA_VERSION);
    error = json_put_object(doc, "error");
    json_put_str(error, "code", err_code_name(why->code));
    json_put_str(error, "message", error_text(why));
    json_put_str(error, "source", source);
    text = json_print(doc);
    cJSON_Delete(doc);
    return text;
}
