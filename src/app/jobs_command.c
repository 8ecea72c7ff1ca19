/* dbconn jobs: what the bot has kept, looked at and steered from a terminal. Works on the store
 * itself, also while `dbconn serve` runs on it. */
#include "jobs.h"
#include "jobs_audit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dbconn/app/state_dir.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define PURGE_AT_ONCE 200

int jobs_open(const struct common_options *common, bool json, struct jobs *ret)
{
    *ret = (struct jobs){ .json = json, .err = ERROR_INIT };
    ret->config = load_config_quietly(common);
    if (!ret->config)
        return EXIT_USAGE;
    return state_dir_open_store(ret->config, &ret->store, &ret->err) < 0 ? jobs_failed(ret)
                                                                         : EXIT_OK;
}

void jobs_close(struct jobs *j)
{
    store_close(j->store);
    config_free(j->config);
    error_clear(&j->err);
}

int jobs_failed(struct jobs *j)
{
    return command_failed(&j->err, j->json, "store");
}

/* ---- requeue and cancel: each of several jobs, and what became of it ---- */

/* `outcome` of the store, or -1 with j->err. */
typedef int steer_fn(struct jobs *j, const char *id, int64_t now_ms, const void *user);

struct steering {
    const char *who;     /* "jobs cancel" */
    const char *what;    /* "cancel", in the audit log */
    const char *done;    /* "will be cancelled" */
    const char *refused; /* why a job may not be steered so */
    steer_fn *steer;
    const void *user;
};

static void say(const struct jobs *j, const char *id, bool ok, const char *what)
{
    cJSON *doc;
    char *text;

    if (!j->json) {
        fprintf(ok ? stdout : stderr, "%s %s\n", id, what);
        return;
    }
    doc = cJSON_CreateObject();
    json_put_str(doc, "id", id);
    json_put_bool(doc, "ok", ok);
    json_put_str(doc, "what", what);
    text = json_print(doc);
    puts(text);
    cJSON_free(text);
    cJSON_Delete(doc);
}

static bool is_done(int outcome)
{
    return outcome == STORE_OK || outcome == STORE_EXISTS;
}

/* The act and its entry are one commit: neither stands without the other. */
static int steer_and_note(struct jobs_audit *a, const struct steering *s, const char *id)
{
    struct jobs *j = a->jobs;
    int outcome = -1;

    if (store_begin(j->store, true, &j->err) < 0)
        return -1;
    outcome = s->steer(j, id, clock_wall_ms(), s->user);
    if (outcome >= 0 &&
        jobs_audit_note(a, s->what, id, NULL, is_done(outcome) ? "done" : "refused") == 0 &&
        store_commit(j->store, &j->err) == 0)
        return outcome;
    store_rollback(j->store);
    return -1;
}

/* false when it could not be done. */
static bool steer_one(struct jobs_audit *a, const struct steering *s, const char *id)
{
    struct jobs *j = a->jobs;
    int outcome = steer_and_note(a, s, id);

    if (outcome < 0) {
        say(j, id, false, error_text(&j->err));
        error_clear(&j->err);
        return false;
    }
    if (outcome == STORE_NONE)
        say(j, id, false, "is not in the store; dbconn jobs list shows what is");
    else if (outcome == STORE_REFUSED)
        say(j, id, false, s->refused);
    else
        say(j, id, true, s->done);
    return is_done(outcome);
}

static int steer_all(struct jobs *j, const struct steering *s, int n, char **argv)
{
    struct jobs_audit audit;
    int exit_code = EXIT_OK;

    if (jobs_audit_open(j, &audit) < 0) {
        exit_code = jobs_failed(j);
    } else {
        for (int i = 1; i <= n; i++)
            if (!steer_one(&audit, s, argv[i]))
                exit_code = EXIT_NOT_DONE;
    }
    jobs_audit_close(&audit);
    return exit_code;
}

static int steer(const struct common_options *common, const struct steering *s, bool json, int n,
                 char **argv)
{
    struct jobs j;
    int exit_code;

    if (n == 0) {
        fprintf(stderr, "dbconn %s: which job? dbconn jobs list shows their ids\n", s->who);
        return EXIT_USAGE;
    }
    for (int i = 1; i <= n; i++) {
        if (job_id_is_valid(argv[i]))
            continue;
        fprintf(stderr,
                "dbconn %s: \"%s\" is no job id (%d letters and digits); dbconn jobs list shows "
                "them\n",
                s->who, argv[i], JOB_ID_LEN);
        return EXIT_USAGE;
    }
    exit_code = jobs_open(common, json, &j);
    if (j.store)
        exit_code = steer_all(&j, s, n, argv);
    jobs_close(&j);
    return exit_code;
}

static int requeue_one(struct jobs *j, const char *id, int64_t now_ms, const void *user)
{
    return store_requeue(j->store, id, *(const enum requeue_steps *)user, now_ms, &j->err);
}

static int jobs_requeue(const struct common_options *common, int argc, char **argv)
{
    bool json = false, fresh = false, failed = false;
    const struct app_option options[] = { { "--json", &json, NULL },
                                          { "--fresh", &fresh, NULL },
                                          { "--failed", &failed, NULL } };
    int n = app_options_read("jobs requeue", options, ARRAY_LEN(options), argc, argv, argc);

    if (n >= 0 && fresh && failed) {
        fprintf(stderr,
                "dbconn jobs requeue: either --fresh or --failed; see dbconn jobs --help\n");
        n = -1;
    }
    if (n < 0)
        return EXIT_USAGE;
    enum requeue_steps steps = fresh    ? REQUEUE_FRESH
                               : failed ? REQUEUE_KEEP_GOOD
                                        : REQUEUE_KEEP_ALL;
    struct steering s = { .who = "jobs requeue",
                          .what = "requeue",
                          .done = "waits again; dbconn serve takes it when there is room",
                          .refused = "has not ended: it waits or runs already",
                          .steer = requeue_one,
                          .user = &steps };
    return steer(common, &s, json, n, argv);
}

static int cancel_one(struct jobs *j, const char *id, int64_t now_ms, const void *user)
{
    return store_cancel(j->store, id, user, now_ms, &j->err);
}

static int jobs_cancel(const struct common_options *common, int argc, char **argv)
{
    bool json = false;
    const struct app_option options[] = { { "--json", &json, NULL } };
    int n = app_options_read("jobs cancel", options, ARRAY_LEN(options), argc, argv, argc);

    if (n < 0)
        return EXIT_USAGE;
    char *person = jobs_person(), *who = xasprintf("%s at a terminal", person);
    struct steering s = { .who = "jobs cancel",
                          .what = "cancel",
                          .done = "is cancelled; dbconn serve says so in its thread",
                          .refused = "has ended already",
                          .steer = cancel_one,
                          .user = who };
    int exit_code = steer(common, &s, json, n, argv);
    free(who);
    free(person);
    return exit_code;
}

/* ---- upkeep ---- */

static int say_number(struct jobs *j, const char *key, int64_t n, const char *sentence)
{
    cJSON *doc;
    char *text;

    if (!j->json) {
        puts(sentence);
        return EXIT_OK;
    }
    doc = cJSON_CreateObject();
    json_put_i64(doc, key, n);
    text = json_print(doc);
    puts(text);
    cJSON_free(text);
    cJSON_Delete(doc);
    return EXIT_OK;
}

/* Removes them in pieces, so that a bot at work is not held up. */
static int purge_all(struct jobs *j, int64_t before_ms, int64_t *ret_total)
{
    int64_t n;

    *ret_total = 0;
    do {
        if (store_purge(j->store, before_ms, PURGE_AT_ONCE, clock_wall_ms(), &n, &j->err) < 0)
            return -1;
        *ret_total += n;
    } while (n == PURGE_AT_ONCE);
    return 0;
}

/* Noted before and after: one that is interrupted leaves the first entry. */
static int purge_and_note(struct jobs *j, int64_t before_ms, int64_t *ret_total)
{
    struct jobs_audit audit;
    cJSON *detail = cJSON_CreateObject();
    int rc = -1;

    json_put_time(detail, "ended_before", before_ms);
    if (jobs_audit_open(j, &audit) == 0 &&
        jobs_audit_note(&audit, "purge", NULL, detail, "taken") == 0 &&
        purge_all(j, before_ms, ret_total) == 0) {
        json_put_i64(detail, "removed", *ret_total);
        rc = jobs_audit_note(&audit, "purge", NULL, detail, "done");
    }
    jobs_audit_close(&audit);
    cJSON_Delete(detail);
    return rc;
}

static int purge(struct jobs *j, int64_t age_ms)
{
    int64_t before_ms = clock_wall_ms() - age_ms, total;
    struct buf text = BUF_INIT;

    if (purge_and_note(j, before_ms, &total) < 0)
        return jobs_failed(j);
    buf_addf(&text, "Removed %lld %s that ended before ", (long long)total,
             total == 1 ? "job" : "jobs");
    time_format_minute(before_ms, &text);
    buf_adds(&text, ".");
    int exit_code = say_number(j, "removed", total, buf_str(&text));
    buf_clear(&text);
    return exit_code;
}

static int jobs_purge(const struct common_options *common, int argc, char **argv)
{
    const char *older = NULL;
    bool json = false;
    const struct app_option options[] = { { "--json", &json, NULL },
                                          { "--older-than", NULL, &older } };
    int64_t age_ms = 0;
    struct jobs j;

    if (app_options_read("jobs purge", options, ARRAY_LEN(options), argc, argv, 0) < 0)
        return EXIT_USAGE;
    if (older && !age_parse(older, &age_ms)) {
        fprintf(stderr,
                "dbconn jobs purge: --older-than must be an age such as 90m, 36h or 30d, not "
                "\"%s\"\n",
                older);
        return EXIT_USAGE;
    }
    int exit_code = jobs_open(common, json, &j);
    if (!older && j.config)
        age_ms = config_num(j.config, "queue.retention_days") * DAY_MS;
    if (j.store && age_ms == 0) {
        error_set(&j.err, ERR_USAGE, "queue.retention_days is 0: say with --older-than which jobs");
        exit_code = jobs_failed(&j);
    } else if (j.store) {
        exit_code = purge(&j, age_ms);
    }
    jobs_close(&j);
    return exit_code;
}

static int backup(struct jobs *j, const char *path)
{
    struct stat st;

    if (store_backup(j->store, path, &j->err) < 0)
        return jobs_failed(j);
    int64_t bytes = stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
    char *sentence = xasprintf("Wrote %s (%lld KiB).", path, (long long)(bytes + 1023) / 1024);
    int exit_code = say_number(j, "bytes", bytes, sentence);
    free(sentence);
    return exit_code;
}

static int jobs_backup(const struct common_options *common, int argc, char **argv)
{
    bool json = false;
    const struct app_option options[] = { { "--json", &json, NULL } };
    int n = app_options_read("jobs backup", options, ARRAY_LEN(options), argc, argv, 1);
    struct jobs j;

    if (n == 0)
        fprintf(stderr, "dbconn jobs backup: where to? For instance: dbconn jobs backup "
                        "/var/backups/dbconn.db\n");
    if (n <= 0)
        return EXIT_USAGE;
    int exit_code = jobs_open(common, json, &j);
    if (j.store)
        exit_code = backup(&j, argv[1]);
    jobs_close(&j);
    return exit_code;
}

static int jobs_verify(const struct common_options *common, int argc, char **argv)
{
    bool json = false;
    const struct app_option options[] = { { "--json", &json, NULL } };
    struct store_counts counts = { 0 };
    struct jobs j;

    if (app_options_read("jobs verify", options, ARRAY_LEN(options), argc, argv, 0) < 0)
        return EXIT_USAGE;
    int exit_code = jobs_open(common, json, &j);
    if (j.store && (store_check(j.store, &j.err) < 0 || store_counts(j.store, &counts, &j.err) < 0))
        exit_code = jobs_failed(&j);
    if (exit_code == EXIT_OK) {
        int64_t n = 0;
        for (int s = 0; s < JOB_STATE_COUNT; s++)
            n += counts.by_state[s];
        char *sentence = xasprintf("The store was read in full and is sound; it holds %lld %s.",
                                   (long long)n, n == 1 ? "job" : "jobs");
        exit_code = say_number(&j, "jobs", n, sentence);
        free(sentence);
    }
    jobs_close(&j);
    return exit_code;
}

static int run(int argc, char **argv)
{
    static const struct app_subcommand subcommands[] = {
        { "list", jobs_list },     { "show", jobs_show },   { "requeue", jobs_requeue },
        { "cancel", jobs_cancel }, { "purge", jobs_purge }, { "backup", jobs_backup },
        { "verify", jobs_verify },
    };

    return subcommand_run(&command_jobs, subcommands, ARRAY_LEN(subcommands), argc, argv);
}

const struct app_command command_jobs = {
    "jobs",
    "what the bot has kept: list, show, requeue, cancel, purge, back up",
    "Usage: dbconn jobs list [--state STATES] [--issue ISSUE] [--host HOST] [--limit N]\n"
    "                        [--before SEQ] [--json]\n"
    "       dbconn jobs show JOB|ISSUE [--record] [--json]\n"
    "       dbconn jobs requeue JOB... [--fresh | --failed] [--json]\n"
    "       dbconn jobs cancel JOB... [--json]\n"
    "       dbconn jobs purge [--older-than AGE] [--json]\n"
    "       dbconn jobs backup FILE [--json]\n"
    "       dbconn jobs verify [--json]\n"
    "\n"
    "Looks at and steers the investigations in the store (database.url), also while\n"
    "dbconn serve runs on it. Needs no network.\n"
    "\n"
    "  list           newest first; waiting jobs alone in the order in which they will run\n"
    "    --state STATES   only these: queued, running, done, failed, cancelled, dead\n"
    "                     (separated by commas)\n"
    "    --issue ISSUE    only of this issue: short id, number or link\n"
    "    --host HOST      only with this database host as target\n"
    "    --limit N        at most N, up to 1000 (default 50)\n"
    "    --before SEQ     go on behind an earlier list\n"
    "  show           the report as dbconn run prints it, then what the queue knows about it:\n"
    "                 attempts, messages, feedback. An ISSUE stands for its newest job\n"
    "    --record         only what the queue knows\n"
    "    --json           the report document as it was stored (with --record: that)\n"
    "  requeue        an ended job once more. It goes on where it stopped; with\n"
    "    --failed         steps that failed or got only a part are asked again\n"
    "    --fresh          all steps are asked again\n"
    "  cancel         a waiting or running job\n"
    "  purge          removes ended jobs with their evidence; feedback is kept, without names\n"
    "    --older-than AGE ended longer ago than 90m, 36h, 30d (default: queue.retention_days);\n"
    "                     what ended in the last 15 minutes always stays\n"
    "  backup         a consistent copy of a SQLite store, while others go on writing\n"
    "  verify         reads the whole store and says whether it is damaged\n"
    "\n"
    "Requeue, cancel and purge are noted in the audit log (dbconn audit), with who did it.\n"
    "\n"
    "  --json         for scripts\n"
    "  --config FILE  configuration; environment variables override it\n"
    "\n"
    "Exit code: 0 done, 1 it could not be done (no such job, the store does not work),\n"
    "2 usage or configuration.\n",
    run,
};
