/*
 * impact: what a tag names. Teams call things what they like, so names are only the first hint;
 * structure decides for the rest: what is fixed for a host says where it runs, what changes from
 * one request to the next on the same host says what it is used for.
 */
#include "impact_internal.h"

#include <ctype.h>
#include <string.h>

#include "dbconn/base/alloc.h"

static const char *const neutral_words[] = {
    "level",    "handled",  "mechanism", "release",   "dist",  "runtime",      "os",
    "browser",  "device",   "sdk",       "user",      "url",   "uri",          "trace",
    "span",     "request",  "session",   "ip",        "email", "env",          "environment",
    "logger",   "culprit",  "version",   "commit",    "sha",   "revision",     "build",
    "image",    "platform", "locale",    "language",  "db",    "database",     "country",
    "city",     "client",   "thread",    "timestamp", "title", "error",        "exception",
    "severity", "arch",     "kernel",    "python",    "ruby",  "node_version", "php",
    "java",     "dotnet",   "go",
};
static const char *const usage_words[] = {
    "tenant",    "customer",    "account",  "org",     "organization", "organisation", "workspace",
    "plan",      "tier",        "queue",    "job",     "task",         "cron",         "topic",
    "partition", "transaction", "endpoint", "route",   "operation",    "command",      "channel",
    "merchant",  "store",       "shop",     "brand",   "market",       "feature",      "cohort",
    "shard",     "method",      "worker",   "handler", "controller",   "company",      "team",
};
static const char *const infra_words[] = {
    "region", "zone",    "az",      "dc",       "datacenter", "datacentre",   "site",      "pop",
    "rack",   "cluster", "cell",    "cloud",    "location",   "availability", "edge",      "colo",
    "vpc",    "subnet",  "network", "nodepool", "nodegroup",  "farm",         "placement", "vlan",
};
static const char *const host_words[] = {
    "server",    "host",    "hostname", "pod",  "instance", "node",
    "container", "machine", "vm",       "dyno", "pid",      "process",
};

static bool among(const char *word, size_t len, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(words[i]) == len && strncasecmp(word, words[i], len) == 0)
            return true;
    }
    return false;
}

/* Calls `each` for the words of "cloud.zone", "server_name", "tenantId". */
static void each_word(const char *key, void (*each)(void *user, const char *word, size_t len),
                      void *user)
{
    const char *p = key;

    while (*p) {
        size_t len = 0;

        while (*p && !isalnum((unsigned char)*p))
            p++;
        while (isalnum((unsigned char)p[len]) &&
               !(len && isupper((unsigned char)p[len]) && islower((unsigned char)p[len - 1])))
            len++;
        if (len)
            each(user, p, len);
        p += len;
    }
}

/* Versions ("3.11.4", "v2"), hashes and the like: the digits say it is no place and no customer. */
static bool looks_like_version_or_hash(const char *v)
{
    size_t digits = 0, dots = 0, hex = 0, len = strlen(v);

    for (size_t i = 0; i < len; i++) {
        digits += isdigit((unsigned char)v[i]) != 0;
        hex += isxdigit((unsigned char)v[i]) || v[i] == '-';
        dots += v[i] == '.';
    }
    return (dots && digits + dots + 1 >= len) || (hex == len && len >= 12 && digits >= 4);
}

static const char *const health_words[] = { "health",    "healthz",  "healthcheck", "livez",
                                            "readyz",    "liveness", "readiness",   "ping",
                                            "heartbeat", "probe",    "metrics" };

static void note_health_word(void *user, const char *word, size_t len)
{
    bool *found = user;

    *found |= among(word, len, health_words, ARRAY_LEN(health_words));
}

bool impact_is_health_check(const char *value)
{
    bool found = false;

    each_word(value, note_health_word, &found);
    return found;
}

static bool all_versions(const char *const *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!looks_like_version_or_hash(values[i]))
            return false;
    }
    return n > 0;
}

/* "eu-west-1", "us-east-1b", "europe-west4-a", "fra1": letters and a small number at the end. */
static bool looks_like_place(const char *v)
{
    size_t letters = 0, digits = 0, len = strlen(v);

    for (size_t i = 0; i < len; i++) {
        letters += isalpha((unsigned char)v[i]) != 0;
        digits += isdigit((unsigned char)v[i]) != 0;
        if (!isalnum((unsigned char)v[i]) && v[i] != '-' && v[i] != '_')
            return false;
    }
    return len <= 24 && letters >= 3 && digits >= 1 && digits <= 2;
}

static bool all_places(const char *const *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!looks_like_place(values[i]))
            return false;
    }
    return n > 0;
}

struct naming {
    bool known;
    enum impact_class class;
};

static void note_word(void *user, const char *word, size_t len)
{
    static const struct {
        const char *const *words;
        size_t n;
        enum impact_class class;
    } lists[] = {
        { neutral_words, ARRAY_LEN(neutral_words), IMPACT_CLASS_NEUTRAL },
        { usage_words, ARRAY_LEN(usage_words), IMPACT_CLASS_USAGE },
        { infra_words, ARRAY_LEN(infra_words), IMPACT_CLASS_INFRASTRUCTURE },
        { host_words, ARRAY_LEN(host_words), IMPACT_CLASS_HOST },
    };
    struct naming *naming = user;

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (!among(word, len, lists[i].words, lists[i].n))
            continue;
        if (!naming->known || naming->class != IMPACT_CLASS_NEUTRAL)
            *naming = (struct naming){ true, lists[i].class };
        return;
    }
}

/* By its name alone; false when the name says nothing. Of several words the last one says what it
 * is: a store_cluster is a cluster, a job_queue a queue. But a user.region stays the user's. */
static bool class_by_name(const char *key, enum impact_class *ret)
{
    struct naming naming = { 0 };

    each_word(key, note_word, &naming);
    if (naming.known)
        *ret = naming.class;
    return naming.known;
}

enum impact_class impact_classify_tag(const char *key, const char *const *values, size_t n_values)
{
    enum impact_class class;

    if (!values)
        n_values = 0;
    if (class_by_name(key, &class))
        return class;
    if (all_versions(values, n_values))
        return IMPACT_CLASS_NEUTRAL;
    return all_places(values, n_values) ? IMPACT_CLASS_INFRASTRUCTURE : IMPACT_CLASS_USAGE;
}

const char *impact_class_name(enum impact_class c)
{
    switch (c) {
    case IMPACT_CLASS_INFRASTRUCTURE:
        return "infrastructure";
    case IMPACT_CLASS_USAGE:
        return "usage";
    case IMPACT_CLASS_HOST:
        return "host";
    case IMPACT_CLASS_NEUTRAL:
        return "neutral";
    }
    return "";
}

struct pairing {
    const char *host, *value;
};

/*
 * How a key goes with the hosts: pairs counts the events of hosts already seen, same those that
 * repeat the value which the host had at first.
 */
static void pair_rows(const char *key, const struct event_row *rows, size_t n,
                      struct pairing **seen, size_t *n_seen, size_t *cap, double *pairs,
                      double *same)
{
    for (size_t i = 0; i < n; i++) {
        const char *host = event_row_tag(&rows[i], "server_name");
        const char *value = event_row_tag(&rows[i], key);
        size_t j = 0;

        if (!host || !value)
            continue;
        while (j < *n_seen && strcmp((*seen)[j].host, host) != 0)
            j++;
        if (j < *n_seen) {
            *pairs += 1;
            *same += strcmp((*seen)[j].value, value) == 0;
        } else if (*n_seen < 200) {
            struct pairing *p = VEC_ADD(*seen, *n_seen, *cap);
            *p = (struct pairing){ host, value };
        }
    }
}

/* Whether `k` is fixed for a host, and how many hosts there are for each of its values; false when
 * there are too few events to say. */
static bool goes_with_hosts(const struct impact_work *w, const struct impact_key *k,
                            bool *ret_fixed, double *ret_hosts_each)
{
    struct pairing *seen = NULL;
    size_t n_seen = 0, cap = 0;
    double pairs = 0, same = 0;

    pair_rows(k->name, w->in->events, w->in->n_events, &seen, &n_seen, &cap, &pairs, &same);
    pair_rows(k->name, w->in->baseline, w->in->n_baseline, &seen, &n_seen, &cap, &pairs, &same);
    free(seen);
    *ret_fixed = same >= 0.95 * pairs;
    *ret_hosts_each = k->n_cells ? (double)n_seen / (double)k->n_cells : 0;
    return n_seen >= 2 && pairs >= 20;
}

/* What the name leaves open, the structure decides. */
static enum impact_class class_by_structure(const struct impact_work *w, const struct impact_key *k,
                                            bool named, enum impact_class otherwise)
{
    double hosts_each;
    bool fixed;

    if (strcmp(k->name, "server_name") == 0 || !goes_with_hosts(w, k, &fixed, &hosts_each))
        return otherwise;
    if (named) /* as a host, but a "pod" or "node" of several machines is a place */
        return fixed && hosts_each >= 1.5 ? IMPACT_CLASS_INFRASTRUCTURE : otherwise;
    return fixed ? IMPACT_CLASS_INFRASTRUCTURE : IMPACT_CLASS_USAGE;
}

void impact_classify_keys(struct impact_work *w)
{
    for (size_t i = 0; i < w->n_keys; i++) {
        struct impact_key *k = &w->keys[i];
        const char *values[16];
        size_t n = 0;
        bool named;

        for (; n < k->n_cells && n < ARRAY_LEN(values); n++)
            values[n] = k->cells[n].value;
        k->class = impact_classify_tag(k->name, values, n);
        named = class_by_name(k->name, &k->class);
        k->is_id |= k->events >= 20 && (double)k->n_cells > w->o->max_id_ratio * k->events;
        if (k->is_id && k->class != IMPACT_CLASS_HOST)
            k->class = IMPACT_CLASS_NEUTRAL;
        else if (k->class == IMPACT_CLASS_HOST || (!named && k->class != IMPACT_CLASS_NEUTRAL))
            k->class = class_by_structure(w, k, named, k->class);
    }
}
