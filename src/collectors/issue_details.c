/* Step 1: the issue itself: what it says, how grave it is, and whether it looks like a database
 * that refuses connections. */
#include "collect.h"
#include "steps.h"

#include "dbconn/analysis/failure.h"
#include "dbconn/base/json.h"
#include "dbconn/collectors/dossier.h"
#include "dbconn/sources/sentry.h"

#define LINE_BYTES 400

static void put_identity(struct collect *c, const struct sentry_issue *issue)
{
    put_str(c, "issue.id", issue->id);
    put_str(c, "issue.short_id", issue->short_id);
    put_str(c, "issue.title", issue->title);
    put_str(c, "issue.url", issue->permalink);
    put_str(c, "issue.project", issue->project.slug);
    put_str(c, "issue.project_id", issue->project.id);
    put_str(c, "issue.platform", issue->platform);
    put_str(c, "issue.level", issue->level);
    put_str(c, "issue.priority", issue->priority);
    put_str(c, "issue.status", issue->status);
    put_str(c, "issue.substatus", issue->substatus);
    put_time(c, "issue.first_seen", issue->first_seen_ms);
    put_time(c, "issue.last_seen", issue->last_seen_ms);
    if (issue->count >= 0)
        put_num(c, "issue.events", (double)issue->count);
    if (issue->user_count >= 0)
        put_num(c, "issue.users", (double)issue->user_count);
}

static void put_error(struct collect *c, const struct sentry_issue *issue)
{
    const char *value = issue->error_value ? issue->error_value : issue->title;
    char *line = issue->error_type ? xasprintf("%s: %s", issue->error_type, value ? value : "")
                                   : xstrdup(value);
    char *shown = presentable(line, LINE_BYTES);

    put_str(c, "issue.error_type", issue->error_type);
    put_str(c, "issue.error_value", value);
    put_str(c, "issue.error_line", shown);
    put_str(c, "issue.filename", issue->filename);
    free(line);
    free(shown);
}

static void put_releases(struct collect *c, const struct sentry_issue *issue)
{
    const struct sentry_release *first = issue->first_release;

    put_str(c, "issue.first_release", first ? first->version : NULL);
    put_str(c, "issue.last_release", issue->last_release ? issue->last_release->version : NULL);
    put_str(c, "issue.package", first ? first->package : NULL);
}

static void put_stats(struct collect *c, const struct sentry_issue *issue)
{
    cJSON *list = cJSON_CreateArray();

    collect_add_series(list, issue->stats_24h);
    collect_add_series(list, issue->stats_30d);
    dossier_put(c->board, c->step, "issue.series", list);
}

/* What the message alone says. Step 3 looks at the whole event and may know better. */
static void read_message(struct collect *c, const struct sentry_issue *issue,
                         struct failure *failure)
{
    const char *value = issue->error_value ? issue->error_value : issue->title;

    failure_read(c->sources->reader,
                 &(struct failure_exception){ .type = issue->error_type, .value = value }, failure);
    (void)failure_add_layer(issue->filename, failure);
    put_str(c, "issue.failure", failure_kind_name(failure->kind));
    evidence_set_tri(c->board, c->step, "issue.database", failure->is_database, NULL,
                     issue->permalink, "the message does not say what refused");
}

static const char *verdict(const struct failure *f)
{
    switch (failure_is_applicable(f)) {
    case YES:
        return "a database connection that could not be made";
    case NO:
        return f->is_database == NO ? "not about a database" : "not a refused connection";
    case UNKNOWN:
        break;
    }
    return "a failed connection; the event has to tell whether it is a database's";
}

static void got_issue(struct collect *c, const void *result, const struct error *err, size_t tag)
{
    const struct sentry_issue *issue = result;
    struct failure failure;

    (void)tag;
    if (!issue) {
        error_copy(&c->error, err);
        return;
    }
    put_identity(c, issue);
    put_error(c, issue);
    put_releases(c, issue);
    put_stats(c, issue);
    read_message(c, issue, &failure);
    collect_finding(c, issue->permalink, "%s", evidence_str(c->board, "issue.error_line"));
    if (issue->merged)
        collect_finding(c, issue->permalink, "%s was merged into %s, which is looked at instead.",
                        c->issue, issue->short_id ? issue->short_id : issue->id);
    struct buf facts = BUF_INIT;
    if (issue->priority)
        buf_addf(&facts, ", priority %s", issue->priority);
    if (issue->count >= 0)
        buf_addf(&facts, ", %lld events", (long long)issue->count);
    if (issue->user_count > 0)
        buf_addf(&facts, ", %lld users", (long long)issue->user_count);
    c->state = xasprintf("%s in %s: %s%s", failure_title(&failure),
                         issue->project.slug ? issue->project.slug : "an unknown project",
                         verdict(&failure), buf_str(&facts));
    buf_clear(&facts);
    failure_clear(&failure);
}

static void finish(struct collect *c)
{
    if (c->error.code != ERR_NONE)
        collect_fail(c, NULL);
    else
        collect_complete(c, "%s.", (const char *)c->state);
}

static void start(struct collect *c)
{
    struct error err = ERROR_INIT;
    struct collect_call *call = collect_call(c, got_issue, 0);

    collect_sent(
        call,
        sentry_get_issue(c->sources->sentry, c->owner, c->issue, collect_received, call, &err),
        &err);
    collect_wait(c, finish);
}

static void clear(struct collect *c)
{
    free(c->state);
}

const struct collector collector_issue_details = { .name = "issue_details",
                                                   .start = start,
                                                   .clear = clear };
