#include "source_budget.h"

#include "dbconn/base/alloc.h"

#define BUCKETS 256

struct source_account {
    struct source_budget *budget; /* NULL: it is gone */
    struct source_account *next;  /* of the same bucket */
    uint64_t owner;
    size_t bytes, max_bytes;
    int holders;
};

struct source_budget {
    size_t max_bytes;
    struct source_account *buckets[BUCKETS];
};

struct source_budget *source_budget_new(size_t max_bytes)
{
    struct source_budget *budget = xcalloc(1, sizeof(*budget));

    budget->max_bytes = max_bytes;
    return budget;
}

/* Results may be held longer than that. */
void source_budget_free(struct source_budget *budget)
{
    for (size_t i = 0; budget && i < BUCKETS; i++)
        for (struct source_account *a = budget->buckets[i]; a; a = a->next)
            a->budget = NULL;
    free(budget);
}

struct source_account *source_account_open(struct source_budget *budget, uint64_t owner)
{
    if (!budget || !owner)
        return NULL;
    struct source_account **bucket = &budget->buckets[owner % BUCKETS], *account = *bucket;
    while (account && account->owner != owner)
        account = account->next;
    if (!account) {
        account = xcalloc(1, sizeof(*account));
        *account = (struct source_account){
            .budget = budget, .next = *bucket, .owner = owner, .max_bytes = budget->max_bytes
        };
        *bucket = account;
    }
    account->holders++;
    return account;
}

void source_account_release(struct source_account *account)
{
    if (!account || --account->holders > 0)
        return;
    if (account->budget) {
        struct source_account **at = &account->budget->buckets[account->owner % BUCKETS];
        while (*at != account)
            at = &(*at)->next;
        *at = account->next;
    }
    free(account);
}

void source_account_add(struct source_account *account, size_t bytes)
{
    if (account)
        account->bytes += bytes;
}

void source_account_take(struct source_account *account, size_t bytes)
{
    if (account)
        account->bytes -= bytes;
}

bool source_account_is_full(const struct source_account *account)
{
    return account && account->bytes > account->max_bytes;
}

size_t source_account_limit(const struct source_account *account)
{
    return account->max_bytes;
}
