#include "dbconn/net/retry.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#define MAX_WAIT_MS INT64_C(1000000000000) /* 31 years: a wait without an end */
#define MAX_DATE_S INT64_C(100000000000)   /* the year 5138 */

int64_t retry_backoff_ms(int64_t base_ms, int64_t cap_ms, int attempt, uint32_t chance)
{
    int64_t ceiling = base_ms > 0 ? base_ms : 0;

    while (attempt-- > 0 && ceiling < cap_ms)
        ceiling *= 2;
    if (ceiling > cap_ms)
        ceiling = cap_ms;
    /* 32 bits of chance times a ceiling of days stay below 63 bits. */
    return (int64_t)(((uint64_t)(ceiling + 1) * chance) >> 32);
}

/* RFC 9110 15.6: the gateway's trouble, or a wish to come back later. 500 is not among them: it
 * tends to be the answer to this very request. */
static bool status_passes(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

int64_t retry_delay_ms(const struct retry_policy *policy, const struct retry_outcome *outcome,
                       uint32_t chance)
{
    /* GitHub says 403 where others say 429; without a limit a 403 is final. */
    bool limited =
        outcome->limit_ms > 0 && (outcome->status == 403 || status_passes(outcome->status));

    if (!outcome->idempotent || outcome->attempts >= policy->max_attempts)
        return -1;
    if (!outcome->fault && !limited && !status_passes(outcome->status))
        return -1;

    int64_t delay;
    if (limited) /* as asked, and not all at the same moment */
        delay = outcome->limit_ms + retry_backoff_ms(policy->base_ms, policy->base_ms, 0, chance);
    else
        delay = retry_backoff_ms(policy->base_ms, policy->cap_ms, outcome->attempts - 1, chance);
    if (limited && outcome->limit_ms > policy->max_wait_ms)
        return -1;
    return delay < outcome->left_ms ? delay : -1;
}

uint32_t retry_chance(void)
{
    uint32_t chance = 0;

    (void)uv_random(NULL, NULL, &chance, sizeof(chance), 0, NULL); /* 0 is a chance like others */
    return chance;
}

int64_t retry_after_ms(const char *value, int64_t now_wall_ms)
{
    char *end;

    if (!value)
        return -1;
    if (isdigit((unsigned char)*value)) {
        errno = 0;
        long long seconds = strtoll(value, &end, 10);
        while (*end == ' ')
            end++;
        if (*end == '\0')
            return errno || seconds > MAX_WAIT_MS / 1000 ? MAX_WAIT_MS : (int64_t)seconds * 1000;
    }
    time_t date = curl_getdate(value, NULL);
    if (date == (time_t)-1)
        return -1;
    if (date > MAX_DATE_S) /* would not fit into milliseconds */
        return MAX_WAIT_MS;
    int64_t wait = (int64_t)date * 1000 - now_wall_ms;
    return wait > 0 ? wait : 0;
}
