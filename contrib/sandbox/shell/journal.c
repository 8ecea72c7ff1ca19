#include "shell/journal.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"

#define BODY_SHOWN 2000
#define SLOTS 4096 /* a load test asks for tens of thousands of different paths */

struct count {
    char *key;
    int64_t n;
    struct count *next; /* of the same slot */
};

struct tally {
    char *service;
    int64_t total;
    int under_way, most;
    struct count *paths[SLOTS];
};

struct journal {
    cJSON *entries; /* array of what journal_entries() shows */
    int64_t n, sequence;
    struct tally **tallies;
    size_t n_tallies, cap_tallies;
};

struct journal *journal_new(void)
{
    struct journal *journal = xcalloc(1, sizeof(*journal));

    journal->entries = cJSON_CreateArray();
    return journal;
}

static void clear_tally(struct tally *tally)
{
    for (size_t i = 0; i < SLOTS; i++) {
        while (tally->paths[i]) {
            struct count *count = tally->paths[i];
            tally->paths[i] = count->next;
            free(count->key);
            free(count);
        }
    }
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
    for (size_t i = 0; i < journal->n_tallies; i++) {
        clear_tally(journal->tallies[i]);
        free(journal->tallies[i]->service);
        free(journal->tallies[i]);
    }
    free(journal->tallies);
    cJSON_Delete(journal->entries);
    free(journal);
}

void journal_reset(struct journal *journal)
{
    cJSON_Delete(journal->entries);
    journal->entries = cJSON_CreateArray();
    journal->n = 0;
    for (size_t i = 0; i < journal->n_tallies; i++) {
        struct tally *tally = journal->tallies[i];
        clear_tally(tally);
        tally->total = 0;
        tally->most = tally->under_way;
    }
}

static struct tally *tally_of(struct journal *journal, const char *service)
{
    for (size_t i = 0; i < journal->n_tallies; i++)
        if (strcmp(journal->tallies[i]->service, service) == 0)
            return journal->tallies[i];
    struct tally *tally = xcalloc(1, sizeof(*tally));
    tally->service = xstrdup(service);
    *VEC_ADD(journal->tallies, journal->n_tallies, journal->cap_tallies) = tally;
    return tally;
}

int journal_begin(struct journal *journal, const char *service)
{
    struct tally *tally = tally_of(journal, service);

    tally->total++;
    if (++tally->under_way > tally->most)
        tally->most = tally->under_way;
    return tally->under_way;
}

/* FNV-1a */
static size_t slot_of(const char *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
    return (size_t)(hash % SLOTS);
}

static void count_path(struct tally *tally, const char *method, const char *path)
{
    char *key = xasprintf("%s %s", method, path);
    struct count **slot = &tally->paths[slot_of(key)];
    struct count *count = *slot;

    while (count && strcmp(count->key, key) != 0)
        count = count->next;
    if (!count) {
        count = xcalloc(1, sizeof(*count));
        count->key = xstrdup(key);
        count->next = *slot;
        *slot = count;
    }
    count->n++;
    free(key);
}

void journal_end(struct journal *journal, const struct journal_entry *entry)
{
    struct tally *tally = tally_of(journal, entry->service);
    cJSON *row = cJSON_CreateObject();

    tally->under_way--;
    count_path(tally, entry->method, entry->path);
    json_put_i64(row, "seq", ++journal->sequence);
    json_put_time(row, "at", entry->at_ms);
    json_put_str(row, "service", entry->service);
    json_put_str(row, "method", entry->method);
    json_put_str(row, "url", entry->url);
    json_put_i64(row, "status", entry->status);
    json_put_i64(row, "ms", entry->took_ms);
    json_put_i64(row, "concurrent", entry->concurrent);
    json_put_str(row, "user_agent", entry->user_agent);
    if (entry->body && entry->body[0]) {
        char *shown = xstrndup(entry->body, text_cut(entry->body, BODY_SHOWN));
        json_put_str(row, "body", shown);
        free(shown);
    }
    cJSON_AddItemToArray(journal->entries, row);
    if (++journal->n > JOURNAL_MAX) {
        cJSON_DeleteItemFromArray(journal->entries, 0);
        journal->n--;
    }
}

cJSON *journal_entries(const struct journal *journal, const char *service, int64_t since)
{
    cJSON *out = cJSON_CreateArray();

    for (const cJSON *row = json_first(journal->entries); row; row = row->next) {
        int64_t seq = 0;
        (void)json_i64(row, "seq", &seq);
        if (seq > since && (!service || strcmp(json_str_or(row, "service", ""), service) == 0))
            cJSON_AddItemToArray(out, cJSON_Duplicate(row, true));
    }
    return out;
}

cJSON *journal_counts(const struct journal *journal)
{
    cJSON *out = cJSON_CreateObject();

    for (size_t i = 0; i < journal->n_tallies; i++) {
        const struct tally *tally = journal->tallies[i];
        cJSON *one = json_put_object(out, tally->service);
        json_put_i64(one, "total", tally->total);
        json_put_i64(one, "under_way", tally->under_way);
        json_put_i64(one, "max_concurrent", tally->most);
        cJSON *paths = json_put_object(one, "by_path");
        for (size_t k = 0; k < SLOTS; k++)
            for (const struct count *c = tally->paths[k]; c; c = c->next)
                json_put_i64(paths, c->key, c->n);
    }
    return out;
}
