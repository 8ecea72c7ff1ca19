/*
 * die_at_write - loaded into the bot with LD_PRELOAD: kills it at a chosen write of its store, or
 * makes its disk slow.
 *
 * CRASH_COUNT=FILE    adds one byte to FILE for each write
 * CRASH_AT_WRITE=N    SIGKILL at the Nth write: before it, in its middle, or after it
 * CRASH_HOW=before|torn|after
 * CRASH_SYNC_MS=N     a fdatasync() takes so long
 *
 * A write is a pwrite() or a fdatasync() on a file, which is how SQLite writes.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at);
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at);
int fdatasync(int fd);

typedef ssize_t pwrite_fn(int fd, const void *bytes, size_t n, off64_t at);
typedef int sync_fn(int fd);

static atomic_int seen;

static void die_here(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void count(void)
{
    const char *path = getenv("CRASH_COUNT");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

    if (fd < 0)
        return;
    (void)!write(fd, ".", 1);
    close(fd);
}

/* Is this the write to die at? */
static int is_it(void)
{
    const char *at = getenv("CRASH_AT_WRITE");
    int number = atomic_fetch_add(&seen, 1) + 1;

    count();
    return at && number == (int)strtol(at, NULL, 10);
}

static int how_is(const char *name)
{
    const char *how = getenv("CRASH_HOW");

    return how && strcmp(how, name) == 0;
}

static void be_slow(void)
{
    const char *text = getenv("CRASH_SYNC_MS");
    long ms = text ? strtol(text, NULL, 10) : 0;
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

    while (ms > 0 && nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

static void *next_one(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    return found;
}

static ssize_t write_at(int fd, const void *bytes, size_t n, off64_t at)
{
    static pwrite_fn *next;
    int now = is_it();
    ssize_t done;

    if (!next) {
        void *found = next_one("pwrite64");
        memcpy(&next, &found, sizeof(next));
    }
    if (now && how_is("before"))
        die_here();
    if (now && how_is("torn"))
        n = (n + 1) / 2;
    done = next(fd, bytes, n, at);
    if (now)
        die_here();
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    return write_at(fd, bytes, n, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return write_at(fd, bytes, n, at);
}

int fdatasync(int fd)
{
    static sync_fn *next;
    int now = is_it(), done;

    if (!next) {
        void *found = next_one("fdatasync");
        memcpy(&next, &found, sizeof(next));
    }
    be_slow();
    if (now && !how_is("after"))
        die_here();
    done = next(fd);
    if (now)
        die_here();
    return done;
}
