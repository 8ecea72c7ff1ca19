#include "pg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dbconn/base/clock.h"

#define START_MS 30000

/* Not from the range that outgoing connections take theirs of: the port must stay free while the
 * server is down (ip(7), ip_local_port_range begins at 32768). */
static int free_port(void)
{
    for (unsigned tries = 1;; tries++) {
        unsigned port = 16000 + ((unsigned)getpid() * 7919 + tries * 104729) % 16000;
        struct sockaddr_in at = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = { htonl(INADDR_LOOPBACK) } };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            die("no socket: %s", strerror(errno));
        int rc = bind(fd, (struct sockaddr *)&at, sizeof(at));
        close(fd);
        if (rc == 0)
            return (int)port;
    }
}

/* Debian keeps each version in a folder of its own: the newest. */
static char *find_programs(void)
{
    glob_t found = { 0 };
    char *bin;

    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) != 0)
        die("there is no PostgreSQL server on this machine: install postgresql");
    bin = xstrdup(found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    return bin;
}

static pid_t start(struct pg *pg, const char *program, const char *const *args)
{
    char *path = xasprintf("%s/%s", pg->bin, program), *log = xasprintf("%s/log", pg->folder);
    const char *argv[16] = { path };
    struct environment env = { 0 };
    pid_t pid;

    for (size_t i = 0; args[i] && i + 2 < ARRAY_LEN(argv); i++)
        argv[i + 1] = args[i];
    environment_put(&env, "PATH", "/usr/bin:/bin");
    pid = process_start_as(&pg->account, argv, &env, log);
    environment_clear(&env);
    free(path);
    free(log);
    return pid;
}

static int run(struct pg *pg, const char *program, const char *const *args)
{
    int status;

    if (!process_wait(start(pg, program, args), START_MS, &status))
        die("%s does not end: see %s/log", program, pg->folder);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void pg_start(struct pg *pg)
{
    char *port = xasprintf("%d", pg->port), *data = xasprintf("%s/data", pg->folder);
    const char *const server[] = {
        "-D", data, "-p", port, "-k", pg->folder, "-h", "127.0.0.1", NULL
    };
    const char *const ready[] = { "-q", "-t", "1", "-h", "127.0.0.1", "-p", port, NULL };
    int64_t until = clock_mono_ms() + START_MS;

    pg->server = start(pg, "postgres", server);
    while (run(pg, "pg_isready", ready) != 0) {
        if (clock_mono_ms() > until || process_wait(pg->server, 0, NULL))
            die("PostgreSQL does not start: see %s/log", pg->folder);
        sleep_ms(20);
    }
    free(port);
    free(data);
}

void pg_sql(struct pg *pg, const char *sql)
{
    const char *const args[] = { "-q", "-d", pg->url, "-c", sql, NULL };

    if (run(pg, "psql", args) != 0)
        die("PostgreSQL refuses \"%s\": see %s/log", sql, pg->folder);
}

void pg_stop(struct pg *pg, int sig)
{
    if (pg->server > 0) {
        kill(pg->server, sig);
        if (!process_wait(pg->server, START_MS, NULL))
            die("PostgreSQL does not stop: see %s/log", pg->folder);
    }
    pg->server = 0;
}

void pg_open(struct pg *pg)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;

    *pg = (struct pg){ .folder = make_tree("pg"), .bin = find_programs(), .port = free_port() };
    /* PostgreSQL refuses to run as root. */
    pg->account = user ? (struct account){ user->pw_uid, user->pw_gid }
                       : (struct account){ geteuid(), getegid() };
    if (user && chown(pg->folder, user->pw_uid, user->pw_gid) < 0)
        die("%s: %s", pg->folder, strerror(errno));
    pg->url = xasprintf("postgresql://dbconn@127.0.0.1:%d/postgres", pg->port);
    char *data = xasprintf("%s/data", pg->folder);
    const char *const init[] = { "-D", data, "-A",   "trust",      "-U", "dbconn",
                                 "-N", "-E", "UTF8", "--locale=C", NULL };
    if (run(pg, "initdb", init) != 0)
        die("initdb fails: see %s/log", pg->folder);
    free(data);
    pg_start(pg);
}

void pg_close(struct pg *pg)
{
    pg_stop(pg, SIGQUIT);
    remove_tree(pg->folder);
    free(pg->folder);
    free(pg->bin);
    free(pg->url);
    *pg = (struct pg){ 0 };
}
