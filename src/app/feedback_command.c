/* dbconn feedback: how often each cause was right, as people said; and the cases as files. */
#include "jobs.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "case_doc.h"
#include "dbconn/app/state_dir.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/diagnosis/casefile.h"
#include "table.h"

#define LEVELS (CONFIDENCE_HIGH + 1)
#define PAGE 200

/* What people said about one job. */
struct judged {
    const char *job;
    enum cause cause;
    bool has_cause;
    enum confidence confidence;
    size_t right, wrong;
    const char *real_cause; /* the last one named */
};

struct judged_list {
    struct judged *items;
    size_t n, cap;
};

struct score {
    size_t judged, right, wrong, disputed;
    size_t real[CAUSE_COUNT]; /* when it was wrong: what it really was */
};

struct scores {
    struct score by_cause[CAUSE_COUNT], by_level[LEVELS], total;
};

/* ---- counting ---- */

static struct judged *entry_of(struct judged_list *list, const struct job_feedback *f)
{
    for (size_t i = 0; i < list->n; i++)
        if (text_same(list->items[i].job, f->job_id))
            return &list->items[i];
    struct judged *entry = VEC_ADD(list->items, list->n, list->cap);
    entry->job = f->job_id;
    return entry;
}

/* One entry for each job that people judged since `since_ms`; strings are lent by `feedback`. */
static void judge(const struct job_feedback_list *feedback, int64_t since_ms,
                  struct judged_list *ret)
{
    for (size_t i = 0; i < feedback->n; i++) {
        const struct job_feedback *f = &feedback->items[i];
        if (f->at_ms < since_ms)
            continue;
        struct judged *entry = entry_of(ret, f);
        entry->has_cause = cause_parse(f->cause, &entry->cause);
        (void)confidence_from_name(f->confidence, &entry->confidence);
        entry->right += text_same(f->verdict, "right");
        entry->wrong += !text_same(f->verdict, "right");
        if (f->real_cause)
            entry->real_cause = f->real_cause;
    }
}

static void add_score(struct score *s, const struct judged *j)
{
    enum cause real;

    s->judged++;
    s->right += j->right && !j->wrong;
    s->wrong += j->wrong && !j->right;
    s->disputed += j->right && j->wrong;
    if (j->wrong && cause_parse(j->real_cause, &real))
        s->real[real]++;
}

static void count(const struct judged_list *list, struct scores *ret)
{
    *ret = (struct scores){ 0 };
    for (size_t i = 0; i < list->n; i++) {
        const struct judged *j = &list->items[i];
        if (!j->has_cause)
            continue; /* it ended without a diagnosis: nothing to be right about */
        add_score(&ret->by_cause[j->cause], j);
        add_score(&ret->by_level[j->confidence], j);
        add_score(&ret->total, j);
    }
}

/* ---- showing ---- */

static void add_row(struct table *t, const char *name, const struct score *s)
{
    struct buf real = BUF_INIT;

    for (int c = 0; c < CAUSE_COUNT; c++)
        if (s->real[c])
            buf_addf(&real, "%s%s %zu", real.len ? ", " : "", cause_name((enum cause)c),
                     s->real[c]);
    table_cell(t, name);
    table_cellf(t, "%zu", s->judged);
    table_cellf(t, "%zu", s->right);
    table_cellf(t, "%zu", s->wrong);
    table_cellf(t, "%zu", s->disputed);
    if (s->judged)
        table_cellf(t, "%.0f %%", 100.0 * (double)s->right / (double)s->judged);
    else
        table_cell(t, "-");
    table_cell(t, buf_str(&real));
    buf_clear(&real);
}

static void add_heads(struct table *t, const char *first)
{
    static const char *const heads[] = { "JUDGED",   "RIGHT",     "WRONG",
                                         "DISPUTED", "RIGHT (%)", "IT REALLY WAS" };

    table_cell(t, first);
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        table_cell(t, heads[i]);
}

static void print_scores(const struct scores *s)
{
    struct table t = { .n_columns = 7 };
    struct buf text = BUF_INIT;

    if (s->total.judged == 0) {
        puts("Nobody has judged a diagnosis yet.");
        return;
    }
    add_heads(&t, "CAUSE");
    for (int c = 0; c < CAUSE_COUNT; c++)
        if (s->by_cause[c].judged)
            add_row(&t, cause_name((enum cause)c), &s->by_cause[c]);
    add_row(&t, "all", &s->total);
    table_print(&t, (size_t)terminal_width(), &text);
    table_clear(&t);
    buf_addc(&text, '\n');
    add_heads(&t, "CONFIDENCE");
    for (int l = LEVELS - 1; l >= 0; l--)
        add_row(&t, confidence_name((enum confidence)l), &s->by_level[l]);
    table_print(&t, (size_t)terminal_width(), &text);
    fputs(buf_str(&text), stdout);
    table_clear(&t);
    buf_clear(&text);
}

static void put_score(cJSON *obj, const char *name, const struct score *s)
{
    cJSON *entry = json_put_object(obj, name);

    json_put_i64(entry, "judged", (int64_t)s->judged);
    json_put_i64(entry, "right", (int64_t)s->right);
    json_put_i64(entry, "wrong", (int64_t)s->wrong);
    json_put_i64(entry, "disputed", (int64_t)s->disputed);
    cJSON *real = json_put_object(entry, "real_causes");
    for (int c = 0; c < CAUSE_COUNT; c++)
        if (s->real[c])
            json_put_i64(real, cause_name((enum cause)c), (int64_t)s->real[c]);
}

static void print_json(cJSON *doc)
{
    char *text = json_print(doc);

    puts(text);
    cJSON_free(text);
    cJSON_Delete(doc);
}

static void print_scores_json(const struct scores *s)
{
    cJSON *doc = cJSON_CreateObject();
    cJSON *causes = json_put_object(doc, "causes"), *levels;

    for (int c = 0; c < CAUSE_COUNT; c++)
        put_score(causes, cause_name((enum cause)c), &s->by_cause[c]);
    levels = json_put_object(doc, "confidence");
    for (int l = 0; l < LEVELS; l++)
        put_score(levels, confidence_name((enum confidence)l), &s->by_level[l]);
    put_score(doc, "all", &s->total);
    print_json(doc);
}

/* ---- the export ---- */

struct export
{
    struct jobs *jobs;
    const struct job_feedback_list *feedback;
    const char *dir;
    size_t written, gone, without; /* removed from the store; without a diagnosis */
};

/* Written beside and moved over, so that a file is either whole or the old one. */
static int write_file(const char *path, const char *text, struct error *err)
{
    char *part = xasprintf("%s.part", path);
    FILE *f = NULL;
    int rc = -1;

    (void)unlink(part);
    mode_t mask = umask(077);
    f = fopen(part, "wx");
    (void)umask(mask);
    bool ok = f && fputs(text, f) >= 0 && fputc('\n', f) != EOF && fflush(f) == 0;
    if (f && fclose(f) != 0)
        ok = false;
    if (ok && rename(part, path) == 0)
        rc = 0;
    else
        error_set(err, ERR_CONFIG, "cannot write %s: %s", path, strerror(errno));
    free(part);
    return rc;
}

static int write_case(struct export *x, const struct job *job, cJSON *doc)
{
    char *path = xasprintf("%s/%s.json", x->dir, job->id), *text = cJSON_Print(doc);
    int rc = write_file(path, text, &x->jobs->err);

    cJSON_free(text);
    free(path);
    x->written += rc == 0;
    return rc;
}

/* Exports one job with all that was said about it. 0, or -1 with the error. */
static int export_job(struct export *x, const struct job *job)
{
    const struct job_feedback **said = xcalloc(x->feedback->n + 1, sizeof(*said));
    char *report = NULL, *evidence = NULL;
    size_t n = 0;
    int rc = -1;

    for (size_t i = 0; i < x->feedback->n; i++)
        if (text_same(x->feedback->items[i].job_id, job->id))
            said[n++] = &x->feedback->items[i];
    if (store_report(x->jobs->store, job->id, &report, &evidence, &x->jobs->err) >= 0) {
        cJSON *doc = case_doc_make(job, report, evidence, said, n, &x->jobs->err);
        rc = doc ? write_case(x, job, doc) : x->jobs->err.code == ERR_NONE ? 0 : -1;
        x->without += !doc && rc == 0;
        cJSON_Delete(doc);
    }
    free(report);
    free(evidence);
    free(said);
    return rc < 0 ? error_context(&x->jobs->err, "job %s", job->id) : 0;
}

static int export_judged(struct export *x, const struct judged_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        struct job job = { 0 };
        int outcome = store_get(x->jobs->store, list->items[i].job, &job, &x->jobs->err);
        int rc = outcome == STORE_OK ? export_job(x, &job) : outcome == STORE_NONE ? 0 : -1;
        x->gone += outcome == STORE_NONE;
        job_clear(&job);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int export_all(struct export *x, int64_t since_ms)
{
    struct store_filter filter = { .states = 1u << JOB_DONE, .limit = PAGE };
    size_t n;
    int rc = 0;

    do {
        struct job_list list = { 0 };
        if (store_list(x->jobs->store, &filter, &list, &x->jobs->err) < 0)
            return -1;
        n = list.n;
        for (size_t i = 0; i < n && rc == 0; i++) {
            filter.before_seq = list.items[i].seq;
            if (list.items[i].created_ms >= since_ms)
                rc = export_job(x, &list.items[i]);
        }
        job_list_clear(&list);
    } while (rc == 0 && n == PAGE);
    return rc;
}

static void say_exported(const struct export *x)
{
    if (x->jobs->json) {
        cJSON *doc = cJSON_CreateObject();
        json_put_i64(doc, "written", (int64_t)x->written);
        json_put_i64(doc, "gone", (int64_t)x->gone);
        json_put_i64(doc, "without_diagnosis", (int64_t)x->without);
        print_json(doc);
        return;
    }
    printf("Wrote %zu %s to %s.\n", x->written, x->written == 1 ? "case" : "cases", x->dir);
    if (x->gone)
        printf("%zu of the judged jobs are no longer in the store (queue.retention_days).\n",
               x->gone);
    if (x->without)
        printf("%zu ended without a diagnosis: there is nothing to replay.\n", x->without);
}

static int export_cases(struct jobs *j, const char *dir, bool all, int64_t since_ms,
                        const struct judged_list *list, const struct job_feedback_list *feedback)
{
    struct export x = { .jobs = j, .feedback = feedback, .dir = dir };

    if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
        error_set(&j->err, ERR_CONFIG, "cannot make %s: %s", dir, strerror(errno));
        return jobs_failed(j);
    }
    if ((all ? export_all(&x, since_ms) : export_judged(&x, list)) < 0)
        return jobs_failed(j);
    say_exported(&x);
    return EXIT_OK;
}

/* ---- the command ---- */

struct feedback_options {
    const char *dir;
    bool json, all;
    int64_t since_ms;
};

static int feedback(struct jobs *j, const struct feedback_options *o)
{
    struct job_feedback_list list = { 0 };
    struct judged_list judged = { 0 };
    struct scores scores;
    int exit_code = EXIT_OK;

    if (store_feedback_list(j->store, NULL, &list, &j->err) < 0)
        return jobs_failed(j);
    judge(&list, o->since_ms, &judged);
    count(&judged, &scores);
    if (o->dir)
        exit_code = export_cases(j, o->dir, o->all, o->since_ms, &judged, &list);
    else if (o->json)
        print_scores_json(&scores);
    else
        print_scores(&scores);
    free(judged.items);
    job_feedback_list_clear(&list);
    return exit_code;
}

static int read_options(int argc, char **argv, struct feedback_options *o)
{
    const char *since = NULL;
    const struct app_option options[] = { { "--json", &o->json, NULL },
                                          { "--export", NULL, &o->dir },
                                          { "--all", &o->all, NULL },
                                          { "--since", NULL, &since } };
    int64_t age_ms;

    if (app_options_read("feedback", options, ARRAY_LEN(options), argc, argv, 0) < 0)
        return -1;
    if (o->all && !o->dir) {
        fprintf(stderr, "dbconn feedback: --all goes with --export; see dbconn feedback --help\n");
        return -1;
    }
    if (!since)
        return 0;
    if (!age_parse(since, &age_ms)) {
        fprintf(stderr, "dbconn feedback: --since must be an age such as 36h or 90d, not \"%s\"\n",
                since);
        return -1;
    }
    o->since_ms = clock_wall_ms() - age_ms;
    return 0;
}

static int run(int argc, char **argv)
{
    struct feedback_options o = { .since_ms = INT64_MIN };
    struct common_options common;
    struct jobs j;
    int exit_code, n = common_options_read(&command_feedback, argc, argv, &common, &exit_code);

    if (n < 0)
        return exit_code;
    if (read_options(n + 1, argv, &o) < 0)
        return EXIT_USAGE;
    exit_code = jobs_open(&common, o.json, &j);
    if (j.store)
        exit_code = feedback(&j, &o);
    jobs_close(&j);
    return exit_code;
}

const struct app_command command_feedback = {
    "feedback",
    "how often each cause was right, and the cases as files",
    "Usage: dbconn feedback [--since AGE] [--json]\n"
    "       dbconn feedback --export DIR [--all] [--since AGE] [--json]\n"
    "\n"
    "Counts what people pressed under the diagnoses (Right, Wrong, The real cause was...),\n"
    "per cause and per confidence. A diagnosis about which people disagree is disputed.\n"
    "\n"
    "  --since AGE    only what was judged (with --all: asked) in the last 36h, 90d, ...\n"
    "  --export DIR   writes each judged case that the store still has to DIR/JOB.json: the\n"
    "                 evidence, the report and what people said, without their names,\n"
    "                 redacted once more. dbconn replay reads these files\n"
    "  --all          every case with a diagnosis, judged or not\n"
    "  --json         for scripts\n"
    "  --config FILE  configuration; environment variables override it\n"
    "\n"
    "Exit code: 0 done, 1 the store does not work, 2 usage or configuration.\n",
    run,
};
