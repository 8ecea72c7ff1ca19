/* dbconn jobs show: the report, then what the queue knows about the job. */
#include "jobs.h"

#include <stdio.h>
#include <unistd.h>

#include "dbconn/analysis/issue_ref.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/report/report_json.h"
#include "dbconn/report/terminal.h"

struct record {
    struct job job;
    struct job_attempt_list attempts;
    struct job_message_list messages;
    struct job_step_list steps;
    struct job_feedback_list feedback;
    char *report, *evidence; /* as stored, or NULL */
};

static void record_clear(struct record *r)
{
    job_clear(&r->job);
    job_attempt_list_clear(&r->attempts);
    job_message_list_clear(&r->messages);
    job_step_list_clear(&r->steps);
    job_feedback_list_clear(&r->feedback);
    free(r->report);
    free(r->evidence);
}

/* ---- loading ---- */

static int find_by_issue(struct jobs *j, const char *text, struct job *ret)
{
    struct store_filter filter = { .limit = 1 };
    struct job_list list = { 0 };
    struct issue_ref ref = { 0 };
    int rc = -1;

    if (issue_ref_parse(text, config_str(j->config, "sentry.url"),
                        config_str(j->config, "sentry.organization"), &ref, &j->err) < 0)
        return error_context(&j->err, "neither a job's id nor an issue");
    filter.issue = ref.issue;
    if (!ref.issue || store_list(j->store, &filter, &list, &j->err) < 0)
        goto out;
    if (list.n)
        job_copy(ret, &list.items[0]);
    rc = list.n ? STORE_OK : STORE_NONE;
out:
    job_list_clear(&list);
    issue_ref_clear(&ref);
    return rc;
}

/* 0, or -1 with j->err. */
static int load(struct jobs *j, const char *which, struct record *r)
{
    int outcome = job_id_is_valid(which) ? store_get(j->store, which, &r->job, &j->err)
                                         : find_by_issue(j, which, &r->job);

    if (outcome == STORE_NONE)
        return error_set(&j->err, ERR_NOT_FOUND,
                         "%s is not in the store; dbconn jobs list shows what is", which);
    if (outcome < 0 || store_attempts(j->store, r->job.id, &r->attempts, &j->err) < 0 ||
        store_messages(j->store, r->job.id, &r->messages, &j->err) < 0 ||
        store_steps(j->store, r->job.id, &r->steps, &j->err) < 0 ||
        store_feedback_list(j->store, r->job.id, &r->feedback, &j->err) < 0)
        return -1;
    return store_report(j->store, r->job.id, &r->report, &r->evidence, &j->err) < 0 ? -1 : 0;
}

/* ---- the record as JSON ---- */

static cJSON *array_object(cJSON *array)
{
    cJSON *item = cJSON_CreateObject();

    cJSON_AddItemToArray(array, item);
    return item;
}

static void put_attempts(cJSON *doc, const struct job_attempt_list *list)
{
    cJSON *array = json_put_array(doc, "attempt_list");

    for (size_t i = 0; i < list->n; i++) {
        const struct job_attempt *a = &list->items[i];
        cJSON *obj = array_object(array);
        json_put_i64(obj, "number", a->number);
        json_put_str(obj, "owner", a->owner);
        json_put_time(obj, "started_at", a->started_ms);
        json_put_time(obj, "ended_at", a->ended_ms);
        json_put_str(obj, "outcome", a->outcome);
        json_put_str(obj, "note", a->note);
    }
}

static void put_messages(cJSON *doc, const struct job_message_list *list)
{
    cJSON *array = json_put_array(doc, "messages");

    for (size_t i = 0; i < list->n; i++) {
        const struct job_message *m = &list->items[i];
        cJSON *obj = array_object(array);
        json_put_str(obj, "part", m->part);
        json_put_str(obj, "state", message_state_name(m->state));
        json_put_str(obj, "channel", m->channel);
        json_put_str(obj, "thread_ts", m->thread_ts);
        json_put_str(obj, "ts", m->ts);
        json_put_time(obj, "intended_at", m->intended_ms);
        json_put_time(obj, "sent_at", m->sent_ms);
    }
}

static void put_steps(cJSON *doc, const struct job_step_list *list)
{
    cJSON *array = json_put_array(doc, "steps");

    for (size_t i = 0; i < list->n; i++) {
        cJSON *obj = array_object(array);
        json_put_i64(obj, "number", list->items[i].number);
        json_put_str(obj, "id", list->items[i].step_id);
        json_put_str(obj, "status", list->items[i].status);
        json_put_time(obj, "saved_at", list->items[i].saved_ms);
    }
}

static void put_feedback(cJSON *doc, const struct job_feedback_list *list)
{
    cJSON *array = json_put_array(doc, "feedback");

    for (size_t i = 0; i < list->n; i++) {
        const struct job_feedback *f = &list->items[i];
        cJSON *obj = array_object(array);
        json_put_str(obj, "person", f->person);
        json_put_str(obj, "verdict", f->verdict);
        json_put_str(obj, "real_cause", f->real_cause);
        json_put_str(obj, "note", f->note);
        json_put_time(obj, "at", f->at_ms);
    }
}

static void print_record_json(const struct record *r)
{
    cJSON *doc = job_to_json(&r->job);

    put_attempts(doc, &r->attempts);
    put_messages(doc, &r->messages);
    put_steps(doc, &r->steps);
    put_feedback(doc, &r->feedback);
    char *text = json_print(doc);
    puts(text);
    cJSON_free(text);
    cJSON_Delete(doc);
}

/* ---- the record for people ---- */

/* One "  label: text" line; what came from outside is cleaned. */
static void line(struct buf *out, const char *label, const char *text)
{
    struct buf clean = BUF_INIT;

    if (!text || !*text)
        return;
    text_clean(text, true, &clean);
    buf_addf(out, "  %-11s %s\n", label, buf_str(&clean));
    buf_clear(&clean);
}

static void linef(struct buf *out, const char *label, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void linef(struct buf *out, const char *label, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    line(out, label, buf_str(&text));
    buf_clear(&text);
}

static char *minute(int64_t ms)
{
    struct buf text = BUF_INIT;

    if (ms == TIME_UNKNOWN)
        buf_adds(&text, "not yet");
    else
        time_format_minute(ms, &text);
    return buf_take(&text);
}

static void add_job(const struct job *job, struct buf *out)
{
    char *asked = minute(job->created_ms), *due = minute(job->next_due_ms),
         *ended = minute(job->finished_ms);

    line(out, "State:", job_state_name(job->state));
    line(out, "Error:", job->error);
    linef(out, "Asked:", "%s, \"%s\" (%s) by %s in %s", asked, job->issue_ref, job->source,
          job->requester ? job->requester : "nobody", job->channel ? job->channel : "no channel");
    if (job->state == JOB_QUEUED)
        linef(out, "Due:", "%s", due);
    if (job_state_is_final(job->state))
        linef(out, "Ended:", "%s", ended);
    if (job->owner)
        linef(out, "Runs at:", "%s", job->owner);
    line(out, "Cancelled:", job->cancel_by);
    if (job->thread_ts)
        linef(out, "Thread:", "%s, ts %s", job->channel, job->thread_ts);
    if (job->playbook)
        linef(out, "Playbook:", "%s %.12s", job->playbook,
              job->playbook_hash ? job->playbook_hash : "");
    free(asked);
    free(due);
    free(ended);
}

static void add_attempts(const struct job_attempt_list *list, struct buf *out)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct job_attempt *a = &list->items[i];
        char *label = xasprintf("Attempt %lld:", (long long)a->number), *at = minute(a->started_ms);
        struct buf took = BUF_INIT;
        if (a->ended_ms != TIME_UNKNOWN)
            time_format_duration(a->ended_ms - a->started_ms, &took);
        linef(out, label, "%s, %s%s%s, at %s%s%s", at, a->outcome ? a->outcome : "runs",
              took.len ? " after " : "", buf_str(&took), a->owner, a->note ? ": " : "",
              a->note ? a->note : "");
        buf_clear(&took);
        free(label);
        free(at);
    }
}

static void add_messages(const struct job_message_list *list, struct buf *out)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct job_message *m = &list->items[i];
        linef(out, "Message:", "%s: %s, %s%s%s", m->part, message_state_name(m->state),
              m->channel ? m->channel : "no channel", m->ts ? ", ts " : "", m->ts ? m->ts : "");
    }
}

static void add_steps(const struct job_step_list *list, struct buf *out)
{
    struct buf text = BUF_INIT;

    for (size_t i = 0; i < list->n; i++)
        buf_addf(&text, "%s%s %s", i ? ", " : "", list->items[i].step_id, list->items[i].status);
    line(out, "Steps kept:", buf_str(&text));
    buf_clear(&text);
}

static void add_feedback(const struct job_feedback_list *list, struct buf *out)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct job_feedback *f = &list->items[i];
        char *at = minute(f->at_ms);
        linef(out, "Feedback:", "%s says %s%s%s%s%s", f->person ? f->person : "somebody",
              f->verdict, f->real_cause ? ", it was " : "", f->real_cause ? f->real_cause : "",
              f->note ? ": " : "", f->note ? f->note : "");
        free(at);
    }
}

static void add_record(const struct record *r, struct buf *out)
{
    buf_addf(out, "Job %s\n", r->job.id);
    add_job(&r->job, out);
    add_attempts(&r->attempts, out);
    add_steps(&r->steps, out);
    add_messages(&r->messages, out);
    add_feedback(&r->feedback, out);
}

/* ---- the report ---- */

static int add_report(struct jobs *j, const struct record *r, struct buf *out)
{
    struct terminal_options view = { .width = terminal_width(),
                                     .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
                                     .now_ms = TIME_UNKNOWN };
    struct casefile c;

    if (!r->report)
        return 0;
    if (report_parse(r->report, strlen(r->report), &c, &j->err) < 0)
        return error_context(&j->err, "the stored report of job %s", r->job.id);
    terminal_report(&c, &view, out);
    buf_addc(out, '\n');
    casefile_clear(&c);
    return 0;
}

static int print_report_json(struct jobs *j, const struct record *r)
{
    if (r->report) {
        puts(r->report);
        return EXIT_OK;
    }
    error_set(&j->err, ERR_NOT_FOUND, "job %s has no report: it is %s%s%s", r->job.id,
              job_state_name(r->job.state), r->job.error ? ": " : "",
              r->job.error ? r->job.error : "");
    return jobs_failed(j);
}

static int print_text(struct jobs *j, const struct record *r, bool record_only)
{
    struct buf text = BUF_INIT;
    int exit_code = EXIT_OK;

    if (!record_only && add_report(j, r, &text) < 0)
        exit_code = jobs_failed(j);
    add_record(r, &text);
    fputs(buf_str(&text), stdout);
    buf_clear(&text);
    return exit_code;
}

int jobs_show(const struct common_options *common, int argc, char **argv)
{
    bool json = false, record_only = false;
    const struct app_option options[] = { { "--json", &json, NULL },
                                          { "--record", &record_only, NULL } };
    int n = app_options_read("jobs show", options, ARRAY_LEN(options), argc, argv, 1);
    struct record r = { 0 };
    struct jobs j;

    if (n == 0)
        fprintf(stderr, "dbconn jobs show: which? Name a job (dbconn jobs list) or an issue\n");
    if (n <= 0)
        return EXIT_USAGE;
    int exit_code = jobs_open(common, json, &j);
    if (j.store && load(&j, argv[1], &r) < 0) {
        exit_code = jobs_failed(&j);
    } else if (j.store && json && record_only) {
        print_record_json(&r);
    } else if (j.store) {
        exit_code = json ? print_report_json(&j, &r) : print_text(&j, &r, record_only);
    }
    record_clear(&r);
    jobs_close(&j);
    return exit_code;
}
