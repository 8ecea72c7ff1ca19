/* process - programs that a test starts and ends. None outlives the test, however that ends. */
#ifndef DBCONN_CRASH_PROCESS_H
#define DBCONN_CRASH_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "dbconn/base/alloc.h"

/* What a test cannot go on without: says it and ends this process. */
_Noreturn void die(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A list of "NAME=value", as execve() takes it. */
struct environment {
    char **items; /* ends in NULL once anything was put */
    size_t n, cap;
};
void environment_put(struct environment *env, const char *name, const char *value);
void environment_copy(struct environment *to, const struct environment *from);
void environment_clear(struct environment *env);

/* Starts argv[0] with its output appended to `log`; `out` (may be NULL) gets a pipe from its
 * standard output instead. */
pid_t process_start(const char *const *argv, const struct environment *env, const char *log,
                    int *out);
/* The same as another user, when we may become that; in the root folder. */
struct account {
    uid_t uid;
    gid_t gid;
};
pid_t process_start_as(const struct account *who, const char *const *argv,
                       const struct environment *env, const char *log);
/* Has it ended within the time? Then it is gone, with how in *ret_status (may be NULL). */
bool process_wait(pid_t pid, int64_t timeout_ms, int *ret_status);
void process_kill(pid_t pid); /* SIGKILL, and waits; 0: nothing */

void sleep_ms(int64_t ms);
void remove_tree(const char *path);
char *make_tree(const char *name); /* a new folder under TMPDIR; heap */

/* splitmix64 (Vigna): the same seed gives the same choices. */
uint64_t random_next(uint64_t *state);
int64_t random_below(uint64_t *state, int64_t n); /* 0 ... n - 1; 0 when n < 1 */

#endif
