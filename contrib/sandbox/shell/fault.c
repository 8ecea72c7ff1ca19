#include "shell/fault.h"

#include "shell/bend.h"

#include <regex.h>
#include <stdio.h>

struct fault {
    bool has_path;
    regex_t path;
    char *method;
    int64_t skip, first; /* first: -1 for all */
    int64_t limit, jitter_ms;
    double p;
    struct fault_effect effect;
    int64_t seen;      /* matching requests so far */
    int64_t second;    /* the second the limiter counts, and */
    int64_t in_second; /* how many it saw in it */
};

struct faults {
    struct fault *items;
    size_t n, cap;
    uint64_t random; /* splitmix64: the same faults hit the same requests in every run */
};

struct faults *faults_new(void)
{
    struct faults *faults = xcalloc(1, sizeof(*faults));

    faults->random = 7;
    return faults;
}

static void forget(struct faults *faults)
{
    for (size_t i = 0; i < faults->n; i++) {
        if (faults->items[i].has_path)
            regfree(&faults->items[i].path);
        free(faults->items[i].method);
    }
    free(faults->items);
    faults->items = NULL;
    faults->n = faults->cap = 0;
}

void faults_free(struct faults *faults)
{
    if (!faults)
        return;
    forget(faults);
    free(faults);
}

static double next_random(struct faults *faults)
{
    uint64_t z = faults->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static int64_t i64_or(const cJSON *obj, const char *key, int64_t fallback)
{
    int64_t value = fallback;

    (void)json_i64(obj, key, &value);
    return value;
}

static bool is_true(const cJSON *obj, const char *key)
{
    bool value = false;

    (void)json_bool(obj, key, &value);
    return value;
}

static bool is_known(const char *key)
{
    static const char *const known[] = {
        "path",       "method",      "skip",         "first", "p",    "limit",
        "latency_ms", "jitter_ms",   "status",       "after", "drop", "truncate",
        "huge",       "retry_after", "drip_bytes",   "empty", "kill", "error",
        "malformed",  "drip_ms",     "rate_limited", "html",  "bend", "reset",
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i], key) == 0)
            return true;
    return false;
}

static void read_effect(const cJSON *obj, struct fault_effect *ret)
{
    *ret = (struct fault_effect){
        .latency_ms = i64_or(obj, "latency_ms", 0),
        .status = (int)i64_or(obj, "status", 0),
        .retry_after = i64_or(obj, "retry_after", -1),
        .huge = i64_or(obj, "huge", 0),
        .drip_ms = i64_or(obj, "drip_ms", 0),
        .drip_bytes = i64_or(obj, "drip_bytes", 64),
        .kill = i64_or(obj, "kill", 0),
        .rate_limited = is_true(obj, "rate_limited"),
        .html = is_true(obj, "html"),
        .after = is_true(obj, "after"),
        .drop = is_true(obj, "drop"),
        .truncate = is_true(obj, "truncate"),
        .malformed = is_true(obj, "malformed"),
        .empty = is_true(obj, "empty"),
        .reset = is_true(obj, "reset"),
    };
    snprintf(ret->bend, sizeof(ret->bend), "%s", json_str_or(obj, "bend", ""));
    snprintf(ret->error, sizeof(ret->error), "%s", json_str_or(obj, "error", ""));
    if (ret->rate_limited && ret->status == 0)
        ret->status = 403;
    if (i64_or(obj, "limit", 0) > 0 && ret->status == 0)
        ret->status = 429;
}

static int add_fault(struct faults *faults, const cJSON *obj, struct error *err)
{
    const char *path = json_str(obj, "path");
    struct fault fault = { .first = i64_or(obj, "first", -1), .p = 1 };

    if (!cJSON_IsObject(obj))
        return error_set(err, ERR_INVALID, "a fault must be an object");
    for (const cJSON *member = obj->child; member; member = member->next)
        if (!is_known(member->string))
            return error_set(err, ERR_INVALID, "a fault has no member \"%s\"", member->string);
    if (json_str(obj, "bend") && !bend_is_known(json_str(obj, "bend")))
        return error_set(err, ERR_INVALID, "an answer cannot be bent to \"%s\"",
                         json_str(obj, "bend"));
    if (path && regcomp(&fault.path, path, REG_EXTENDED | REG_NOSUB) != 0)
        return error_set(err, ERR_INVALID, "\"%s\" is no regular expression", path);
    fault.has_path = path != NULL;
    fault.method = xstrdup(json_str(obj, "method"));
    fault.skip = i64_or(obj, "skip", 0);
    fault.limit = i64_or(obj, "limit", 0);
    fault.jitter_ms = i64_or(obj, "jitter_ms", 0);
    (void)json_num(obj, "p", &fault.p);
    read_effect(obj, &fault.effect);
    *VEC_ADD(faults->items, faults->n, faults->cap) = fault;
    return 0;
}

int faults_set(struct faults *faults, const cJSON *array, struct error *err)
{
    forget(faults);
    if (cJSON_IsObject(array))
        return add_fault(faults, array, err);
    for (const cJSON *item = json_first(array); item; item = item->next)
        if (add_fault(faults, item, err) < 0)
            return -1;
    return 0;
}

static bool concerns(const struct fault *fault, const char *method, const char *url)
{
    if (fault->method && strcmp(fault->method, method) != 0)
        return false;
    return !fault->has_path || regexec(&fault->path, url, 0, NULL, 0) == 0;
}

/* Counts one matching request; does it hit? */
static bool hits(struct faults *faults, struct fault *fault, int64_t now_ms)
{
    int64_t index = fault->seen++;

    if (fault->limit > 0) {
        if (fault->second != now_ms / 1000)
            fault->in_second = 0;
        fault->second = now_ms / 1000;
        if (++fault->in_second <= fault->limit)
            return false;
    }
    if (index < fault->skip || (fault->first >= 0 && index >= fault->skip + fault->first))
        return false;
    return fault->p >= 1 || next_random(faults) < fault->p;
}

static void combine(struct fault_effect *sum, const struct fault_effect *one)
{
    sum->latency_ms += one->latency_ms;
    sum->status = one->status ? one->status : sum->status;
    sum->retry_after = one->retry_after != -1 ? one->retry_after : sum->retry_after;
    sum->huge += one->huge;
    if (one->drip_ms) {
        sum->drip_ms = one->drip_ms;
        sum->drip_bytes = one->drip_bytes > 0 ? one->drip_bytes : 64;
    }
    sum->kill = one->kill ? one->kill : sum->kill;
    sum->rate_limited |= one->rate_limited;
    sum->html |= one->html;
    sum->after |= one->after;
    sum->drop |= one->drop;
    sum->truncate |= one->truncate;
    sum->malformed |= one->malformed;
    sum->empty |= one->empty;
    sum->reset |= one->reset;
    if (one->bend[0])
        memcpy(sum->bend, one->bend, sizeof(sum->bend));
    if (one->error[0])
        memcpy(sum->error, one->error, sizeof(sum->error));
}

void faults_match(struct faults *faults, const char *method, const char *url, int64_t now_ms,
                  struct fault_effect *ret)
{
    *ret = (struct fault_effect){ .retry_after = -1 };
    for (size_t i = 0; i < faults->n; i++) {
        struct fault *fault = &faults->items[i];
        if (!concerns(fault, method, url) || !hits(faults, fault, now_ms))
            continue;
        combine(ret, &fault->effect);
        ret->latency_ms += (int64_t)(next_random(faults) * (double)fault->jitter_ms);
    }
}
