#include "source_call.h"

#include <stdarg.h>
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"
#include "source_budget.h"
#include "source_mem.h"
#include "source_share.h"

struct source_call *source_call_new(struct source_client *client, uint64_t owner,
                                    source_done_fn *done, void *user, size_t op_size)
{
    struct source_call *call = xcalloc(1, sizeof(*call));

    call->client = client;
    call->mem = source_mem_new();
    source_mem_charge(call->mem, source_account_open(client->budget, owner));
    call->op = source_alloc(call->mem, op_size);
    call->owner = owner;
    call->done = done;
    call->user = user;
    call->next = client->calls;
    if (call->next)
        call->next->prev = call;
    client->calls = call;
    return call;
}

/* Off the client's list; from then on cancelling it, as a careless `done` may, does nothing. */
static void detach(struct source_call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else
        call->client->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    source_share_leave(call);
    call->client = NULL;
}

void source_cancel(struct source_call *call)
{
    if (!call || !call->client)
        return;
    detach(call);
    source_mem_release(call->mem);
    free(call);
}

struct source_call *source_give_up(struct source_call *call)
{
    source_cancel(call);
    return NULL;
}

void source_client_clear(struct source_client *client)
{
    while (client->calls)
        source_cancel(client->calls);
    source_share_clear(client);
}

static void finish(struct source_call *call, const void *result, const struct error *err)
{
    detach(call);
    call->done(call->user, result, err);
    source_mem_release(call->mem);
    free(call);
}

void source_finish(struct source_call *call, const void *result)
{
    finish(call, result, NULL);
}

void source_fail(struct source_call *call, struct error *err)
{
    finish(call, NULL, err);
    error_clear(err);
}

void source_set_limits(struct source_client *client, const struct source_limits *limits)
{
    client->json.depth = limits->json_depth;
    client->json.values = limits->json_values;
    client->budget = limits->budget;
}

bool source_is_full(const struct source_mem *mem)
{
    return source_account_is_full(source_mem_account(mem));
}

static size_t limit_mb(const struct source_mem *mem)
{
    return source_account_limit(source_mem_account(mem)) / (1024 * 1024);
}

void source_partial_full(struct source_result *meta)
{
    source_partial(meta,
                   "it was not read to its end: the answers that this investigation holds take "
                   "%zu MiB, as much as limits.job_memory_mb allows",
                   limit_mb(meta->mem));
}

int source_send(struct source_call *call, struct http_request *request, source_reply_fn *on_reply,
                struct error *err)
{
    if (source_is_full(call->mem))
        return error_set(err, ERR_TOO_LARGE,
                         "not asked: the answers that this investigation holds take %zu MiB, as "
                         "much as limits.job_memory_mb allows",
                         limit_mb(call->mem));
    request->owner = call->owner;
    request->patient = true; /* the job's time and the step's bound the wait */
    call->on_reply = on_reply;
    return source_share_send(call, request, err);
}

void source_partial(struct source_result *meta, const char *fmt, ...)
{
    struct buf why = BUF_INIT;
    va_list ap;

    if (meta->why)
        buf_addf(&why, "%s; ", meta->why);
    va_start(ap, fmt);
    buf_vaddf(&why, fmt, ap);
    va_end(ap);
    meta->partial = true;
    meta->why = source_str(meta->mem, buf_str(&why));
    buf_clear(&why);
}

void source_partial_pages(struct source_result *meta, int pages)
{
    if (pages == 1)
        source_partial(meta, "only the first page was read; there are more");
    else
        source_partial(meta, "only the first %d pages were read; there are more", pages);
}

void source_end_early(struct source_call *call, const char *what, int pages_done,
                      struct source_result *result, struct error *err)
{
    if (pages_done == 0) {
        error_context(err, "%s", what);
        source_fail(call, err);
        return;
    }
    source_partial(result, "page %d could not be read: %s", pages_done + 1, error_text(err));
    error_clear(err);
    source_finish(call, result);
}

const char *source_describe(struct source_mem *mem, const char *verb, const char *thing)
{
    struct buf text = BUF_INIT, valid = BUF_INIT, clean = BUF_INIT;
    const char *copy;

    thing = thing ? thing : "";
    text_repair_utf8(thing, strlen(thing), &valid);
    text_clean(buf_str(&valid), true, &clean);
    buf_addf(&text, "%s ", verb);
    text_add_cut(&text, buf_str(&clean), 80);
    copy = source_str(mem, buf_str(&text));
    buf_clear(&text);
    buf_clear(&valid);
    buf_clear(&clean);
    return copy;
}

void *source_result_new(struct source_mem *mem, size_t size)
{
    struct source_result *result = source_alloc(mem, size);

    result->mem = mem;
    return result;
}

void source_wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}
