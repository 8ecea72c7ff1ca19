#include "log_records.h"

#include "dbconn/base/text.h"

#define MAX_RECORDS 6000

static bool is_known(const struct log_records *r, const struct es_hit *hit)
{
    for (size_t i = 0; hit->id && i < r->n; i++)
        if (r->ids[i] && strcmp(r->ids[i], hit->id) == 0 && text_same(r->indices[i], hit->index))
            return true;
    return false;
}

static int by_time(const void *a, const void *b)
{
    const struct log_record *x = a, *y = b;

    return x->time_ms < y->time_ms ? -1 : x->time_ms > y->time_ms;
}

static struct log_record record_of(const struct es_hit *hit)
{
    return (struct log_record){
        .time_ms = hit->at_ms,
        .message = hit->message,
        .level = hit->level,
        .service = hit->service,
        .host = hit->host,
        .pod = hit->pod,
        .container = hit->container,
        .dataset = hit->dataset,
        .region = hit->region,
        .zone = hit->zone,
        .ips = hit->host_ips,
        .n_ips = hit->n_host_ips,
    };
}

void log_records_add(struct log_records *r, const struct es_result *result)
{
    size_t old = r->n;

    for (size_t i = 0; i < result->n && r->n < MAX_RECORDS; i++) {
        const struct es_hit *hit = &result->hits[i];
        if (!hit->message || is_known(r, hit))
            continue;
        r->ids = vec_grow(r->ids, r->n, &r->cap_ids, sizeof(*r->ids));
        r->indices = vec_grow(r->indices, r->n, &r->cap_indices, sizeof(*r->indices));
        r->ids[r->n] = hit->id;
        r->indices[r->n] = hit->index;
        *VEC_ADD(r->items, r->n, r->cap) = record_of(hit);
    }
    if (r->n > old)
        qsort(r->items, r->n, sizeof(*r->items), by_time);
}

void log_records_clear(struct log_records *r)
{
    free(r->items);
    free(r->ids);
    free(r->indices);
    *r = (struct log_records){ 0 };
}
