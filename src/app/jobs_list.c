/* dbconn jobs list */
#include "jobs.h"

#include <stdio.h>

#include "dbconn/analysis/issue_ref.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "table.h"

const char *job_issue_name(const struct job *job)
{
    return job->issue_short_id ? job->issue_short_id : job->issue_ref;
}

static void put_issue(cJSON *obj, const struct job *job)
{
    cJSON *issue;

    json_put_str(obj, "issue_ref", job->issue_ref);
    if (!job->issue_id) {
        json_put_null(obj, "issue");
        return;
    }
    issue = json_put_object(obj, "issue");
    json_put_str(issue, "organization", job->issue_org);
    json_put_str(issue, "id", job->issue_id);
    json_put_str(issue, "short_id", job->issue_short_id);
    json_put_str(issue, "title", job->issue_title);
    json_put_str(issue, "url", job->issue_url);
}

static void put_result(cJSON *obj, const struct job *job)
{
    json_put_str(obj, "cause", job->cause);
    json_put_str(obj, "confidence", job->confidence);
    json_put_str(obj, "summary", job->summary);
    json_put_str(obj, "target_host", job->target_host);
    json_put_str(obj, "target_port", job->target_port);
    json_put_str(obj, "error", job->error);
}

cJSON *job_to_json(const struct job *job)
{
    cJSON *obj = cJSON_CreateObject();

    json_put_str(obj, "id", job->id);
    json_put_i64(obj, "seq", job->seq);
    json_put_str(obj, "state", job_state_name(job->state));
    json_put_i64(obj, "priority", job->priority);
    json_put_str(obj, "source", job->source);
    json_put_str(obj, "workspace", job->workspace);
    json_put_str(obj, "channel", job->channel);
    json_put_str(obj, "requester", job->requester);
    json_put_str(obj, "thread_ts", job->thread_ts);
    put_issue(obj, job);
    json_put_str(obj, "playbook", job->playbook);
    json_put_str(obj, "playbook_hash", job->playbook_hash);
    json_put_time(obj, "evaluated_at", job->evaluated_ms);
    json_put_str(obj, "parent", job->parent_id);
    put_result(obj, job);
    json_put_time(obj, "created_at", job->created_ms);
    json_put_time(obj, "next_due_at", job->next_due_ms);
    json_put_time(obj, "started_at", job->started_ms);
    json_put_time(obj, "finished_at", job->finished_ms);
    json_put_i64(obj, "attempts", job->attempts);
    json_put_i64(obj, "attempts_total", job->attempts_total);
    json_put_str(obj, "owner", job->owner);
    json_put_time(obj, "lease_until", job->lease_until_ms);
    json_put_str(obj, "cancel_by", job->cancel_by);
    return obj;
}

/* ---- the filter ---- */

/* "queued,running" */
static bool parse_states(const char *text, unsigned *ret)
{
    while (*text) {
        size_t len = strcspn(text, ",");
        char *name = xstrndup(text, len);
        enum job_state state;
        bool ok = job_state_parse(name, &state);
        free(name);
        if (!ok)
            return false;
        *ret |= 1u << state;
        text += len + (text[len] == ',');
    }
    return *ret != 0;
}

struct list_options {
    const char *states, *issue, *host, *limit, *before;
    bool json;
};

static int wrong(const char *option, const char *expected, const char *got)
{
    fprintf(stderr, "dbconn jobs list: %s must be %s, not \"%s\"\n", option, expected, got);
    return -1;
}

static int read_options(int argc, char **argv, struct list_options *o, struct store_filter *filter)
{
    const struct app_option options[] = {
        { "--state", NULL, &o->states },  { "--issue", NULL, &o->issue },
        { "--host", NULL, &o->host },     { "--limit", NULL, &o->limit },
        { "--before", NULL, &o->before }, { "--json", &o->json, NULL },
    };

    if (app_options_read("jobs list", options, ARRAY_LEN(options), argc, argv, 0) < 0)
        return -1;
    filter->host = o->host;
    filter->limit = 50;
    if (o->states && !parse_states(o->states, &filter->states))
        return wrong("--state", "some of queued, running, done, failed, cancelled, dead",
                     o->states);
    if (o->limit && (!count_parse(o->limit, &filter->limit) || filter->limit > 1000))
        return wrong("--limit", "a number from 1 to 1000", o->limit);
    if (o->before && !count_parse(o->before, &filter->before_seq))
        return wrong("--before", "the number that an earlier list ended with", o->before);
    return 0;
}

/* ---- what is shown ---- */

static void print_json(const struct job_list *list)
{
    cJSON *doc = cJSON_CreateObject();
    cJSON *jobs = json_put_array(doc, "jobs");

    for (size_t i = 0; i < list->n; i++)
        cJSON_AddItemToArray(jobs, job_to_json(&list->items[i]));
    char *text = json_print(doc);
    puts(text);
    cJSON_free(text);
    cJSON_Delete(doc);
}

static void add_outcome(struct table *t, const struct job *job)
{
    if (job->error)
        table_cell(t, job->error);
    else if (job->cause)
        table_cellf(t, "%s (%s)", job->cause, job->confidence ? job->confidence : "?");
    else if (job->cancel_by)
        table_cellf(t, "cancelled by %s", job->cancel_by);
    else
        table_cell(t, job->owner ? job->owner : "");
}

static void print_table(const struct job_list *list)
{
    static const char *const heads[] = { "JOB", "STATE", "ISSUE", "ASKED", "OUTCOME" };
    struct table t = { .n_columns = ARRAY_LEN(heads) };
    struct buf text = BUF_INIT;

    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        table_cell(&t, heads[i]);
    for (size_t i = 0; i < list->n; i++) {
        const struct job *job = &list->items[i];
        buf_reset(&text);
        time_format_minute(job->created_ms, &text);
        table_cell(&t, job->id);
        table_cell(&t, job_state_name(job->state));
        table_cell(&t, job_issue_name(job));
        table_cell(&t, buf_str(&text));
        add_outcome(&t, job);
    }
    buf_reset(&text);
    table_print(&t, (size_t)terminal_width(), &text);
    fputs(buf_str(&text), stdout);
    buf_clear(&text);
    table_clear(&t);
}

/* "In the store: 2 queued, 130 done." */
static int print_counts(struct jobs *j)
{
    struct store_counts counts;
    struct buf text = BUF_INIT;

    if (store_counts(j->store, &counts, &j->err) < 0)
        return jobs_failed(j);
    for (int s = 0; s < JOB_STATE_COUNT; s++)
        if (counts.by_state[s])
            buf_addf(&text, "%s%lld %s", text.len ? ", " : "", (long long)counts.by_state[s],
                     job_state_name((enum job_state)s));
    if (counts.oldest_queued_ms != TIME_UNKNOWN) {
        buf_adds(&text, "; the oldest has waited for ");
        time_format_duration(clock_wall_ms() - counts.oldest_queued_ms, &text);
    }
    printf("In the store: %s.\n", text.len ? buf_str(&text) : "no jobs");
    buf_clear(&text);
    return EXIT_OK;
}

static int print_list(struct jobs *j, const struct store_filter *filter)
{
    struct job_list list = { 0 };
    int exit_code = EXIT_OK;

    if (store_list(j->store, filter, &list, &j->err) < 0)
        return jobs_failed(j);
    if (j->json) {
        print_json(&list);
    } else {
        if (list.n)
            print_table(&list);
        else
            puts("No job fits.");
        if ((int64_t)list.n == filter->limit && filter->states != 1u << JOB_QUEUED)
            printf("There may be more: the same with --before %lld\n",
                   (long long)list.items[list.n - 1].seq);
        exit_code = print_counts(j);
    }
    job_list_clear(&list);
    return exit_code;
}

int jobs_list(const struct common_options *common, int argc, char **argv)
{
    struct list_options o = { 0 };
    struct store_filter filter = { 0 };
    struct issue_ref ref = { 0 };
    struct jobs j;
    int exit_code;

    if (read_options(argc, argv, &o, &filter) < 0)
        return EXIT_USAGE;
    exit_code = jobs_open(common, o.json, &j);
    if (j.store && o.issue &&
        issue_ref_parse(o.issue, config_str(j.config, "sentry.url"),
                        config_str(j.config, "sentry.organization"), &ref, &j.err) < 0) {
        error_context(&j.err, "--issue");
        exit_code = command_failed(&j.err, o.json, "command");
    } else if (j.store) {
        filter.issue = ref.issue;
        exit_code = print_list(&j, &filter);
    }
    issue_ref_clear(&ref);
    jobs_close(&j);
    return exit_code;
}
