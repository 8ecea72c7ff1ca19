#include "asked.h"

#include <ctype.h>
#include <sqlite3.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define LEARN_MS 20000

/* ---- counting ---- */

void asked_add(struct asked *a, const char *request, int n)
{
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->rows[i].request, request) == 0) {
            a->rows[i].n += n;
            return;
        }
    }
    struct asked_row *row = VEC_ADD(a->rows, a->n, a->cap);
    row->request = xstrdup(request);
    row->n = n;
}

void asked_add_all(struct asked *a, const struct asked *more)
{
    for (size_t i = 0; i < more->n; i++)
        asked_add(a, more->rows[i].request, more->rows[i].n);
}

void asked_clear(struct asked *a)
{
    for (size_t i = 0; i < a->n; i++)
        free(a->rows[i].request);
    free(a->rows);
    *a = (struct asked){ 0 };
}

static void add_request(struct asked *a, const cJSON *row)
{
    struct buf key = BUF_INIT;

    buf_addf(&key, "%s %s ", json_str_or(row, "service", ""), json_str_or(row, "method", ""));
    for (const char *p = json_str_or(row, "url", ""); *p; p++) {
        bool digit = isdigit((unsigned char)*p) != 0;
        if (!digit || key.data[key.len - 1] != '#')
            buf_addc(&key, digit ? '#' : *p);
    }
    asked_add(a, buf_str(&key), 1);
    buf_clear(&key);
}

void asked_between(struct stage *s, int64_t from_ms, int64_t to_ms, struct asked *ret)
{
    cJSON *log = stage_get(s, "/log");

    *ret = (struct asked){ 0 };
    for (const cJSON *row = json_first(log); row; row = row->next) {
        int64_t at = json_time(row, "at");
        const char *service = json_str(row, "service");
        if (at >= from_ms && at < to_ms && !text_same(service, "slack") &&
            !text_same(service, "control"))
            add_request(ret, row);
    }
    cJSON_Delete(log);
}

static int count_of(const struct asked *a, const char *request)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->rows[i].request, request) == 0)
            return a->rows[i].n;
    return 0;
}

int asked_beyond(const struct asked *a, const struct asked *allowed, struct buf *text)
{
    int beyond = 0;

    for (size_t i = 0; i < a->n; i++) {
        int more = a->rows[i].n - count_of(allowed, a->rows[i].request);
        if (more <= 0)
            continue;
        beyond += more;
        buf_addf(text, "  asked again %d times: %s\n", more, a->rows[i].request);
    }
    return beyond;
}

/* ---- learning ---- */

static void run_sql(struct stage *s, const char *text)
{
    sqlite3 *db;

    if (sqlite3_open(s->store_url + strlen("sqlite:"), &db) != SQLITE_OK ||
        sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        die("%s: %s", text, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void read_steps(struct stage *s, struct job_step_list *ret)
{
    struct store *st = stage_store(s);
    struct job_list jobs = { 0 };

    *ret = (struct job_step_list){ 0 };
    if (st && store_list(st, &(struct store_filter){ .limit = 1 }, &jobs, NULL) == STORE_OK &&
        jobs.n > 0)
        (void)!store_steps(st, jobs.items[0].id, ret, NULL);
    job_list_clear(&jobs);
    store_close(st);
}

static size_t count_steps(struct stage *s)
{
    struct job_step_list steps;

    read_steps(s, &steps);
    size_t n = steps.n;
    job_step_list_clear(&steps);
    return n;
}

/* Until the job has `n` steps in the store; then the bot is killed. */
static void run_until(struct stage *s, size_t n)
{
    int64_t until = clock_mono_ms() + LEARN_MS;

    while (count_steps(s) < n) {
        if (clock_mono_ms() > until)
            die("%zu of %zu steps within %d ms: see %s", count_steps(s), n, LEARN_MS, s->folder);
        sleep_ms(20);
    }
    stage_kill_bot(s, 0);
}

static void learn_step(struct stage *s, const char *step, size_t n_steps, struct asked *ret)
{
    char *sql = xasprintf("DELETE FROM steps WHERE step_id = '%s';"
                          "UPDATE jobs SET state = 'queued', claimable = 1, attempts = 0,"
                          " owner = NULL, lease_until_ms = NULL, finished_ms = NULL,"
                          " next_due_ms = 0",
                          step);
    int64_t from_ms = clock_wall_ms();

    run_sql(s, sql);
    stage_start_bot(s, 0, NULL);
    run_until(s, n_steps);
    asked_between(s, from_ms, INT64_MAX, ret);
    free(sql);
}

void asked_learn(struct stage *s, struct asked_by_step *ret)
{
    char *issue = world_issue(0);
    struct job_step_list steps;

    *ret = (struct asked_by_step){ 0 };
    stage_start_bot(s, 0, NULL);
    stage_wait_connected(s, 1);
    stage_command(s, 0, issue);
    run_until(s, 8);
    read_steps(s, &steps);
    for (size_t i = 0; i < steps.n && i < ASKED_STEPS; i++) {
        ret->step[ret->n] = xstrdup(steps.items[i].step_id);
        learn_step(s, steps.items[i].step_id, steps.n, &ret->asked[ret->n++]);
    }
    job_step_list_clear(&steps);
    free(issue);
}

const struct asked *asked_of_step(const struct asked_by_step *by_step, const char *step)
{
    for (size_t i = 0; i < by_step->n; i++)
        if (strcmp(by_step->step[i], step) == 0)
            return &by_step->asked[i];
    return NULL;
}

void asked_by_step_clear(struct asked_by_step *by_step)
{
    for (size_t i = 0; i < by_step->n; i++) {
        free(by_step->step[i]);
        asked_clear(&by_step->asked[i]);
    }
    *by_step = (struct asked_by_step){ 0 };
}
