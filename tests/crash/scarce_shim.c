/*
 * scarce - loaded into the bot with LD_PRELOAD: memory that is not there, a name server that does
 * not answer.
 *
 * SCARCE_COUNT=FILE   on exit, the number of the program's own allocations so far
 * SCARCE_AT=N         the program's Nth allocation fails
 * SCARCE_OVER=BYTES   its allocations of more than this fail, each
 * SCARCE_NAMES=FILE   while FILE is there, no name is resolved
 *
 * Only what the program itself allocates counts (by where the call comes from), not its libraries:
 * these have their own ways.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static atomic_long seen;
static uintptr_t own_start, own_end; /* the program's code; 0 until it is known */
static long fail_at;
static size_t fail_over = SIZE_MAX;
static pid_t started; /* children that were forked are not counted */

static int look(struct dl_phdr_info *info, size_t size, void *user)
{
    (void)size;
    (void)user;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        own_start = (uintptr_t)(info->dlpi_addr + part->p_vaddr);
        own_end = own_start + part->p_memsz;
    }
    return 1; /* the first one is the program */
}

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("SCARCE_AT"), *over = getenv("SCARCE_OVER");

    fail_at = at ? strtol(at, NULL, 10) : 0;
    if (over)
        fail_over = strtoul(over, NULL, 10);
    started = getpid();
    dl_iterate_phdr(look, NULL);
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("SCARCE_COUNT");
    char text[32];
    int fd = path && getpid() == started
                 ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
                 : -1;

    if (fd < 0)
        return;
    int n = snprintf(text, sizeof(text), "%ld", (long)atomic_load(&seen));
    (void)!write(fd, text, (size_t)n);
    close(fd);
}

static bool is_there(const void *caller, size_t size)
{
    if ((uintptr_t)caller < own_start || (uintptr_t)caller >= own_end)
        return true;
    long number = atomic_fetch_add(&seen, 1) + 1;
    if (number != fail_at && size <= fail_over)
        return true;
    errno = ENOMEM;
    return false;
}

void *malloc(size_t size)
{
    return is_there(__builtin_return_address(0), size) ? __libc_malloc(size) : NULL;
}

void *calloc(size_t n, size_t size)
{
    return is_there(__builtin_return_address(0), size ? n * size : 0) ? __libc_calloc(n, size)
                                                                      : NULL;
}

void *realloc(void *p, size_t size)
{
    return is_there(__builtin_return_address(0), size) ? __libc_realloc(p, size) : NULL;
}

typedef int resolve_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
    const char *silent = getenv("SCARCE_NAMES");
    const struct timespec moment = { 0, 50000000 };
    void *found = dlsym(RTLD_NEXT, "getaddrinfo");
    resolve_fn *next;

    unsigned char address[16];

    memcpy(&next, &found, sizeof(next));
    if (!node || inet_pton(AF_INET, node, address) == 1)
        silent = NULL; /* no name */
    while (silent && access(silent, F_OK) == 0)
        nanosleep(&moment, NULL);
    return next(node, service, hints, ret);
}
