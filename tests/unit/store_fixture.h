/*
 * store_fixture - stores to test against: a SQLite file in a folder of its own, and a real
 * PostgreSQL server, started on a free loopback port and stopped at the end.
 */
#ifndef DBCONN_TESTS_STORE_FIXTURE_H
#define DBCONN_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dbconn/queue/store.h"

#define T0 INT64_C(1786000000000) /* the tests' "now", 2026 */
#define LEASE INT64_C(15000)

/* ---- folders ---- */

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline void remove_folder(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline char *make_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *path = xasprintf("%s/dbconn-test-XXXXXX", base ? base : "/tmp");

    assert_non_null(mkdtemp(path));
    return path;
}

/* ---- a PostgreSQL server ---- */

struct pg_server {
    char *folder, *bin;
    int port;
    pid_t pid; /* the postmaster: our child; 0: not running */
    uid_t uid;
    gid_t gid;
};

/* PostgreSQL refuses to run as root: then everything of it runs as the user `postgres`. */
static inline void pg_child(const struct pg_server *pg, const char *program,
                            const char *const *args)
{
    char *path = xasprintf("%s/%s", pg->bin, program);
    char *argv[16] = { path };
    int log = open("server.log", O_WRONLY | O_CREAT | O_APPEND, 0644);

    for (int i = 0; i < 14 && args[i]; i++)
        argv[i + 1] = xstrdup(args[i]);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(pg->gid) != 0 || setuid(pg->uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGINT); /* nothing stays behind when a test dies */
    execv(path, argv);
    _exit(127);
}

static inline pid_t pg_spawn(const struct pg_server *pg, const char *program,
                             const char *const *args)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (chdir(pg->folder) != 0)
            _exit(125);
        pg_child(pg, program, args);
    }
    return pid;
}

static inline int pg_run(const struct pg_server *pg, const char *program, const char *const *args)
{
    int status = -1;
    pid_t pid = pg_spawn(pg, program, args);

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Not from the range that outgoing connections take theirs of: the port must stay free while the
 * server is down (ip(7), ip_local_port_range begins at 32768). */
static inline int free_port(void)
{
    static unsigned tries;

    for (;;) {
        int port = 16000 + (int)(((unsigned)getpid() * 7919 + ++tries * 104729) % 16000);
        struct sockaddr_in at = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = { htonl(INADDR_LOOPBACK) } };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        int rc = bind(fd, (struct sockaddr *)&at, sizeof(at));
        close(fd);
        if (rc == 0)
            return port;
    }
}

/* Waits until the server answers; false when it ended instead. */
static inline bool pg_wait(struct pg_server *pg, const char *port)
{
    const char *const ready[] = { "-q", "-t", "1", "-h", "127.0.0.1", "-p", port, NULL };

    for (int i = 0; i < 600; i++) {
        if (pg_run(pg, "pg_isready", ready) == 0)
            return true;
        if (waitpid(pg->pid, NULL, WNOHANG) == pg->pid)
            return false;
        usleep(50000);
    }
    return false;
}

static inline void pg_start(struct pg_server *pg)
{
    char port[16];
    const char *const server[] = { "-D",       "data", "-p",        port, "-k",
                                   pg->folder, "-h",   "127.0.0.1", NULL };

    snprintf(port, sizeof(port), "%d", pg->port);
    for (int i = 0; i < 5; i++) {
        pg->pid = pg_spawn(pg, "postgres", server);
        if (pg_wait(pg, port))
            return;
        usleep(300000); /* somebody has the port: for a moment, as a rule */
    }
    fail_msg("the PostgreSQL server does not start: see %s/server.log", pg->folder);
}

static inline void pg_stop(struct pg_server *pg, int sig)
{
    if (pg->pid) {
        kill(pg->pid, sig);
        while (waitpid(pg->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    pg->pid = 0;
}

static inline bool pg_find(struct pg_server *pg)
{
    glob_t found = { 0 };
    bool any = glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0;

    if (any) {
        pg->bin = xstrdup(found.gl_pathv[found.gl_pathc - 1]);
        *strrchr(pg->bin, '/') = '\0';
    }
    globfree(&found);
    return any;
}

/* false when there is no server program on this machine. */
static inline bool pg_create(struct pg_server *pg)
{
    const char *const init[] = { "-D", "data", "-A",   "trust",      "-U", "dbconn",
                                 "-N", "-E",   "UTF8", "--locale=C", NULL };
    const struct passwd *user = getpwnam("postgres");

    *pg = (struct pg_server){ 0 };
    if (!pg_find(pg))
        return false;
    pg->uid = user ? user->pw_uid : geteuid();
    pg->gid = user ? user->pw_gid : getegid();
    pg->folder = make_folder();
    pg->port = free_port();
    if (geteuid() == 0)
        assert_int_equal(0, chown(pg->folder, pg->uid, pg->gid));
    assert_int_equal(0, pg_run(pg, "initdb", init));
    pg_start(pg);
    return true;
}

static inline void pg_destroy(struct pg_server *pg)
{
    pg_stop(pg, SIGINT);
    if (pg->folder)
        remove_folder(pg->folder);
    free(pg->folder);
    free(pg->bin);
    *pg = (struct pg_server){ 0 };
}

static inline char *pg_url(const struct pg_server *pg)
{
    return xasprintf("postgresql://dbconn@127.0.0.1:%d/postgres", pg->port);
}

/* Starts psql with `text`; the caller waits for the process. */
static inline pid_t pg_sql_start(const struct pg_server *pg, const char *text)
{
    char port[16];
    const char *const args[] = { "-q",     "-X", "-h",       "127.0.0.1", "-p", port, "-U",
                                 "dbconn", "-d", "postgres", "-c",        text, NULL };

    snprintf(port, sizeof(port), "%d", pg->port);
    return pg_spawn(pg, "psql", args);
}

static inline void pg_sql(const struct pg_server *pg, const char *text)
{
    int status = -1;

    assert_true(waitpid(pg_sql_start(pg, text), &status, 0) > 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The postmaster and its children: processes whose parent it is (proc(5)). */
static inline void pg_signal_all(const struct pg_server *pg, int sig)
{
    glob_t found = { 0 };

    kill(pg->pid, sig);
    assert_int_equal(0, glob("/proc/[0-9]*/stat", 0, NULL, &found));
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *in = fopen(found.gl_pathv[i], "r");
        int pid, parent;
        if (in && fscanf(in, "%d (%*[^)]) %*c %d", &pid, &parent) == 2 && parent == pg->pid)
            kill(pid, sig);
        if (in)
            fclose(in);
    }
    globfree(&found);
}

/* ---- stores ---- */

static inline struct store *open_store(const char *url)
{
    struct error err = ERROR_INIT;
    struct store *st = NULL;

    /* The machine may be busy; what is tested for time says so itself. */
    if (store_open(url, &(struct store_options){ .busy_ms = 20000 }, &st, &err) < 0)
        fail_msg("%s", error_text(&err));
    error_clear(&err);
    return st;
}

/* The outcome `expected`, and the error's text when there was one instead. */
#define ASSERT_OUTCOME(expected, call)                                                             \
    do {                                                                                           \
        struct error err = ERROR_INIT;                                                             \
        int outcome_ = (call);                                                                     \
        if (outcome_ < 0)                                                                          \
            fail_msg("%s", error_text(&err));                                                      \
        assert_string_equal(store_outcome_name(expected),                                          \
                            store_outcome_name((enum store_outcome)outcome_));                     \
        error_clear(&err);                                                                         \
    } while (0)

static inline struct job_new simple_job(const char *issue_ref, int priority)
{
    return (struct job_new){ .priority = priority,
                             .source = "slash",
                             .workspace = "T1",
                             .channel = "C1",
                             .requester = "U1",
                             .issue_ref = issue_ref,
                             .evaluated_ms = TIME_UNKNOWN };
}

static inline void add_job(struct store *st, const char *issue_ref, int priority, int64_t now_ms,
                           char *ret_id)
{
    struct job_new job = simple_job(issue_ref, priority);

    ASSERT_OUTCOME(STORE_OK, store_enqueue(st, &job, NULL, 0, 0, now_ms, ret_id, &err));
}

static inline struct job_ref ref_of(const struct job *job)
{
    return (struct job_ref){ job->id, job->fence };
}

#endif
