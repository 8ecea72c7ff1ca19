/*
 * retry - whether and when something is tried again. Pure: chance and time are arguments.
 */
#ifndef DBCONN_NET_RETRY_H
#define DBCONN_NET_RETRY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Exponential backoff with full jitter: a uniformly chosen delay in [0, min(cap, base * 2^attempt)]
 * for attempt 0, 1, ... (AWS Architecture Blog, "Exponential Backoff And Jitter"). `chance` is any
 * 32-bit random number.
 */
int64_t retry_backoff_ms(int64_t base_ms, int64_t cap_ms, int attempt, uint32_t chance);

struct retry_policy {
    int max_attempts;    /* the first one included */
    int64_t base_ms;     /* of the backoff */
    int64_t cap_ms;      /* of the backoff */
    int64_t max_wait_ms; /* a service's wish for more is not waited for */
};

struct retry_outcome {
    bool idempotent;  /* the request may be repeated */
    bool fault;       /* no answer: refused, reset, timed out */
    int status;       /* the answer's status when there was one */
    int64_t limit_ms; /* what the service asked to wait; <= 0: nothing */
    int attempts;     /* made so far */
    int64_t left_ms;  /* of the request's total budget */
};

/* How long to wait before the next attempt, or -1 when this outcome is the last word. */
int64_t retry_delay_ms(const struct retry_policy *policy, const struct retry_outcome *outcome,
                       uint32_t chance);

/* A random number for the two above. */
uint32_t retry_chance(void);

/* Reads a Retry-After value, seconds or an HTTP date (RFC 9110 10.2.3); -1 for none or nonsense. */
int64_t retry_after_ms(const char *value, int64_t now_wall_ms);

#endif
