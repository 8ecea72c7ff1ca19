/* A wall clock that jumps: three seconds after the start an hour ahead, or back when JUMP_S says
 * so. To be preloaded; the monotonic clock goes on as ever. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

#define AFTER_S 1

static int real(clockid_t id, struct timespec *ret)
{
    static int (*next)(clockid_t, struct timespec *);

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
    return next(id, ret);
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    static time_t start;
    const char *jump = getenv("JUMP_S");
    int rc = real(id, ret);

    if (rc != 0 || id != CLOCK_REALTIME || !jump)
        return rc;
    if (!start)
        start = ret->tv_sec;
    if (ret->tv_sec >= start + AFTER_S)
        ret->tv_sec += atol(jump);
    return rc;
}
