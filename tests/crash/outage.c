/*
 * outage - the store cannot be written while the bot runs: no room (in two ways), a locked file, a
 * PostgreSQL server that became read-only or is gone.
 *
 * In each: a job is under way, and was asked for twice; who asks meanwhile is told within 3 s, the
 * log says why, the process lives; when the store is back, the job ends, a new one is taken and
 * ends, and the file is whole.
 */
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "pg.h"
#include "picture.h"

#define ANSWER_MS 3000
#define END_MS 90000
#define SLOW_SENTRY "{\"sentry\":[{\"latency_ms\":700}]}"

struct outage {
    struct stage stage;
    struct pg pg;
    sqlite3 *locker;
    char *mounted; /* a file system of the test's own */
};

struct trouble {
    const char *name;
    bool postgres, own_mount;
    void (*begin)(struct outage *o);
    void (*end)(struct outage *o);
};

/* ---- the troubles ---- */

static void limit_files(struct outage *o, rlim_t bytes)
{
    struct rlimit limit;

    if (prlimit(o->stage.bots[0], RLIMIT_FSIZE, NULL, &limit) < 0)
        die("prlimit: %s", strerror(errno));
    limit.rlim_cur = bytes;
    if (prlimit(o->stage.bots[0], RLIMIT_FSIZE, &limit, NULL) < 0)
        die("prlimit: %s", strerror(errno));
}

/* Less than the store's log has already, and enough for the bot's. */
static void no_room(struct outage *o)
{
    limit_files(o, 16384);
}

static void room_again(struct outage *o)
{
    limit_files(o, RLIM_INFINITY);
}

static void lock_file(struct outage *o)
{
    const char *path = o->stage.store_url + strlen("sqlite:");

    if (sqlite3_open(path, &o->locker) != SQLITE_OK)
        die("%s: %s", path, sqlite3_errmsg(o->locker));
    sqlite3_busy_timeout(o->locker, 2000);
    if (sqlite3_exec(o->locker, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        die("%s: %s", path, sqlite3_errmsg(o->locker));
}

static void unlock_file(struct outage *o)
{
    sqlite3_exec(o->locker, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(o->locker);
    o->locker = NULL;
}

static void full_mount(struct outage *o)
{
    char *path = xasprintf("%s/filler", o->mounted), block[4096] = { 0 };
    FILE *out = fopen(path, "wb");

    while (out && fwrite(block, 1, sizeof(block), out) == sizeof(block) && fflush(out) == 0)
        continue;
    if (out)
        fclose(out);
    free(path);
}

static void empty_mount(struct outage *o)
{
    char *path = xasprintf("%s/filler", o->mounted);

    unlink(path);
    free(path);
}

static void stop_server(struct outage *o)
{
    pg_stop(&o->pg, SIGINT);
}

static void start_server(struct outage *o)
{
    pg_start(&o->pg);
}

static void make_read_only(struct outage *o)
{
    pg_sql(&o->pg, "ALTER SYSTEM SET default_transaction_read_only = on");
    pg_sql(&o->pg, "SELECT pg_reload_conf()");
    sleep_ms(500); /* a reload is taken up a little later */
}

static void make_writable(struct outage *o)
{
    pg_sql(&o->pg, "ALTER SYSTEM RESET default_transaction_read_only");
    pg_sql(&o->pg, "SELECT pg_reload_conf()");
}

static const struct trouble troubles[] = {
    { "no room (a limit on the size of files)", false, false, no_room, room_again },
    { "no room (a small file system)", false, true, full_mount, empty_mount },
    { "the file is locked", false, false, lock_file, unlock_file },
    { "the PostgreSQL server is read-only", true, false, make_read_only, make_writable },
    { "the PostgreSQL server is gone", true, false, stop_server, start_server },
};

/* ---- looking ---- */

static bool log_says(struct outage *o, const char *what)
{
    char *path = xasprintf("%s/bot-0.log", o->stage.folder), line[4096];
    FILE *log = fopen(path, "r");
    bool found = false;

    while (log && !found && fgets(line, sizeof(line), log))
        found = strstr(line, what) != NULL;
    if (log)
        fclose(log);
    free(path);
    return found;
}

/* Of the command given last: was it answered in time that nothing was kept? */
static bool was_refused(struct outage *o, int64_t *ret_ms)
{
    cJSON *list = stage_get(&o->stage, "/envelopes");
    const cJSON *last = cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1);
    char *answer = json_print(json_get(last, "answer"));
    bool refused = json_i64(last, "ack_ms", ret_ms) && *ret_ms <= ANSWER_MS && answer &&
                   strstr(answer, "Nothing was started");

    if (!refused)
        printf("  answered after %lld ms: %s\n", (long long)*ret_ms, answer ? answer : "nothing");
    cJSON_free(answer);
    cJSON_Delete(list);
    return refused;
}

static void wait_for_log(struct outage *o, const char *what)
{
    int64_t until = clock_mono_ms() + END_MS;

    while (!log_says(o, what)) {
        if (clock_mono_ms() > until)
            die("the log does not say \"%s\": see %s", what, o->stage.folder);
        sleep_ms(20);
    }
}

static size_t parts_in(struct outage *o, size_t channel)
{
    struct picture p;
    size_t n;

    picture_take(&o->stage, channel, &p);
    n = p.n;
    picture_clear(&p);
    return n;
}

static bool file_is_whole(struct outage *o)
{
    struct store *st = stage_store(&o->stage);
    struct error err = ERROR_INIT;
    bool whole = st && store_check(st, &err) == STORE_OK;

    if (!whole)
        printf("  the store: %s\n", error_text(&err));
    store_close(st);
    error_clear(&err);
    return whole;
}

/* ---- one trouble ---- */

static void give(struct outage *o, size_t channel)
{
    char *issue = world_issue(channel);

    stage_command(&o->stage, channel, issue);
    free(issue);
    stage_wait_acknowledged(&o->stage);
}

static int count(const char *what, bool good)
{
    if (!good)
        printf("  WRONG: %s\n", what);
    return !good;
}

static int play(struct outage *o, const struct trouble *t)
{
    int64_t ms = -1;
    int wrong = 0;

    stage_start_bot(&o->stage, 0, NULL);
    stage_wait_connected(&o->stage, 1);
    stage_faults(&o->stage, SLOW_SENTRY);
    give(o, 0);
    give(o, 0); /* the store is asked whether it is the same only when it is away */
    wait_for_log(o, "event=job.start ");
    t->begin(o);
    give(o, 1);
    wrong += count("who asked was told within 3 s", was_refused(o, &ms));
    sleep_ms(2000); /* the job under way wants to store something too */
    wrong += count("the process lives", !stage_bot_died(&o->stage, 0));
    t->end(o);
    stage_faults(&o->stage, "{}");
    wait_for_log(o, "event=job.end ");
    give(o, 2);
    wrong += count("the log says why", log_says(o, "event=job.enqueue "));
    wrong += count("all jobs end", stage_wait_ended(&o->stage, 3, END_MS));
    stage_wait_landed(&o->stage);
    wrong += count("the first thread is whole, and the only one", parts_in(o, 0) == 4);
    wrong += count("nothing is shown of what was refused", parts_in(o, 1) == 0);
    wrong += count("the last thread is whole", parts_in(o, 2) == 4);
    wrong += count("the file is whole", file_is_whole(o));
    printf("%s: told after %lld ms, %s\n", t->name, (long long)ms, wrong ? "WRONG" : "good");
    return wrong;
}

/* A small file system for the store, which takes the right to mount. */
static bool mount_own(struct outage *o, char **ret_url)
{
    o->mounted = make_tree("outage");
    if (mount("tmpfs", o->mounted, "tmpfs", 0, "size=8m,mode=0700") < 0) {
        printf("not tried, since this user may not mount: %s\n", strerror(errno));
        remove_tree(o->mounted);
        free(o->mounted);
        o->mounted = NULL;
        return false;
    }
    *ret_url = xasprintf("sqlite:%s/queue.db", o->mounted);
    return true;
}

static void unmount_own(struct outage *o)
{
    if (!o->mounted)
        return;
    (void)umount2(o->mounted, MNT_DETACH);
    remove_tree(o->mounted);
    free(o->mounted);
}

static int try_trouble(const struct trouble *t)
{
    struct outage o = { 0 };
    struct stage_options options = { .world = { .issues = 3, .channels = 3, .events = 20 },
                                     .lift_limits = true };
    char *url = NULL;
    int wrong = 0;

    if (t->own_mount && !mount_own(&o, &url))
        return 0;
    if (t->postgres)
        pg_open(&o.pg);
    options.store_url = t->postgres ? o.pg.url : url;
    stage_open(&o.stage, &options);
    wrong = play(&o, t);
    if (wrong)
        printf("see %s\n", o.stage.folder);
    stage_close(&o.stage, wrong > 0);
    if (t->postgres)
        pg_close(&o.pg);
    unmount_own(&o);
    free(url);
    return wrong;
}

int main(void)
{
    int wrong = 0;

    setlinebuf(stdout);
    umask(077);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    for (size_t i = 0; i < ARRAY_LEN(troubles); i++)
        wrong += try_trouble(&troubles[i]);
    return wrong ? 1 : 0;
}
