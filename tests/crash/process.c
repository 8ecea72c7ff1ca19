#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dbconn/base/clock.h"

_Noreturn void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

/* ---- the environment ---- */

void environment_put(struct environment *env, const char *name, const char *value)
{
    char *entry = xasprintf("%s=%s", name, value);
    size_t len = strlen(name) + 1;

    for (size_t i = 0; i + 1 < env->n; i++) {
        if (strncmp(env->items[i], entry, len) == 0) {
            free(env->items[i]);
            env->items[i] = entry;
            return;
        }
    }
    if (env->n > 0)
        env->n--; /* the NULL at the end */
    *VEC_ADD(env->items, env->n, env->cap) = entry;
    *VEC_ADD(env->items, env->n, env->cap) = NULL;
}

void environment_copy(struct environment *to, const struct environment *from)
{
    *to = (struct environment){ 0 };
    for (size_t i = 0; i + 1 < from->n; i++)
        *VEC_ADD(to->items, to->n, to->cap) = xstrdup(from->items[i]);
    *VEC_ADD(to->items, to->n, to->cap) = NULL;
}

void environment_clear(struct environment *env)
{
    for (size_t i = 0; i < env->n; i++)
        free(env->items[i]);
    free(env->items);
    *env = (struct environment){ 0 };
}

/* ---- processes ---- */

static void redirect(const char *log, int out)
{
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (fd < 0 || dup2(out >= 0 ? out : fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(126);
}

static void become(const struct account *who)
{
    if (who->uid != geteuid() &&
        (setgroups(0, NULL) < 0 || setgid(who->gid) < 0 || setuid(who->uid) < 0))
        _exit(124);
    if (chdir("/") < 0)
        _exit(126);
}

static pid_t spawn(const struct account *who, const char *const *argv,
                   const struct environment *env, const char *log, int out)
{
    pid_t parent = getpid(), pid = fork();

    if (pid < 0)
        die("fork: %s", strerror(errno));
    if (pid > 0)
        return pid;
    redirect(log, out);
    if (who)
        become(who);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* setuid() would have taken it back */
    if (getppid() != parent)
        _exit(125);
    execve(argv[0], (char *const *)(uintptr_t)argv, env->items);
    _exit(127);
}

pid_t process_start(const char *const *argv, const struct environment *env, const char *log,
                    int *out)
{
    int ends[2] = { -1, -1 };
    pid_t pid;

    if (out && pipe2(ends, O_CLOEXEC) < 0)
        die("pipe: %s", strerror(errno));
    pid = spawn(NULL, argv, env, log, ends[1]);
    if (out) {
        close(ends[1]);
        *out = ends[0];
    }
    return pid;
}

pid_t process_start_as(const struct account *who, const char *const *argv,
                       const struct environment *env, const char *log)
{
    return spawn(who, argv, env, log, -1);
}

bool process_wait(pid_t pid, int64_t timeout_ms, int *ret_status)
{
    int64_t until = clock_mono_ms() + timeout_ms;
    int status = 0;
    pid_t got;

    while ((got = waitpid(pid, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
        if (clock_mono_ms() >= until)
            return false;
        sleep_ms(2);
    }
    if (ret_status)
        *ret_status = status;
    return true;
}

void process_kill(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* ---- small things ---- */

void sleep_ms(int64_t ms)
{
    struct timespec left = { ms / 1000, (long)(ms % 1000) * 1000000 };

    while (ms > 0 && nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void remove_tree(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

char *make_tree(const char *name)
{
    const char *base = getenv("TMPDIR");
    char *path = xasprintf("%s/dbconn-%s-XXXXXX", base ? base : "/tmp", name);

    if (!mkdtemp(path))
        die("%s: %s", path, strerror(errno));
    return path;
}

uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

int64_t random_below(uint64_t *state, int64_t n)
{
    return n > 0 ? (int64_t)(random_next(state) % (uint64_t)n) : 0;
}
