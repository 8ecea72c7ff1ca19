#include "source_share.h"

#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "dbconn/net/http_headers.h"
#include "dbconn/net/loop.h"
#include "source_filter.h"

/* A request on its way, or an answer that is about to be given again. */
struct source_fetch {
    struct source_client *client;
    struct source_fetch *next;
    char *key; /* NULL: not to be shared */
    struct source_filter filter;
    struct http_call *request;
    struct source_kept *kept; /* held: what is given again */
    struct loop_timer *soon;  /* ... from the loop */
    struct source_call *waiting, **last;
};

/* An answer that was given. */
struct source_kept {
    struct source_kept *next; /* an older one */
    int holders;
    int64_t until_ms; /* monotonic */
    char *key, *body;
    size_t len;
    struct http_headers headers;
};

/* ---- answers that are kept ---- */

static void kept_release(struct source_kept *kept)
{
    if (!kept || --kept->holders > 0)
        return;
    http_headers_clear(&kept->headers);
    free(kept->key);
    free(kept->body);
    free(kept);
}

static size_t kept_size(const struct source_kept *kept)
{
    return sizeof(*kept) + kept->len + kept->headers.bytes;
}

/* Lets go what is too old, and of the oldest what is too much. They are in order of age. */
static void trim(struct source_client *client)
{
    int64_t now = clock_mono_ms();
    struct source_kept **at = &client->kept;
    size_t bytes = 0;

    for (; *at && (*at)->until_ms > now; at = &(*at)->next) {
        bytes += kept_size(*at);
        if (bytes > SOURCE_KEEP_BYTES)
            break;
    }
    while (*at) {
        struct source_kept *gone = *at;
        *at = gone->next;
        kept_release(gone);
    }
}

static void on_stale(void *user)
{
    struct source_client *client = user;

    trim(client);
    if (client->kept)
        loop_timer_start(client->stale, client->keep_ms);
}

static struct source_kept *find_kept(struct source_client *client, const char *key)
{
    trim(client);
    for (struct source_kept *kept = client->kept; kept; kept = kept->next)
        if (text_same(kept->key, key))
            return kept;
    return NULL;
}

static void keep(struct source_client *client, const char *key, const struct http_reply *reply)
{
    if (!client->keep_ms || reply->status != 200 || reply->truncated ||
        reply->body_len > SOURCE_KEEP_BYTES / 4)
        return;
    struct source_kept *kept = xcalloc(1, sizeof(*kept));
    kept->holders = 1;
    kept->until_ms = clock_mono_ms() + client->keep_ms;
    kept->key = xstrdup(key);
    kept->body = xstrndup(reply->body, reply->body_len);
    kept->len = reply->body_len;
    for (size_t i = 0; i < reply->headers->n; i++)
        (void)http_headers_add(&kept->headers, reply->headers->items[i].name,
                               reply->headers->items[i].value);
    kept->next = client->kept;
    client->kept = kept;
    trim(client);
    if (!client->stale) {
        client->stale = loop_timer_new(http_loop(client->http), on_stale, client);
        loop_timer_unref(client->stale);
    }
    if (!loop_timer_active(client->stale))
        loop_timer_start(client->stale, client->keep_ms);
}

void source_share_clear(struct source_client *client)
{
    for (struct source_kept *kept = client->kept, *next; kept; kept = next) {
        next = kept->next;
        kept_release(kept);
    }
    client->kept = NULL;
    loop_timer_free(client->stale);
    client->stale = NULL;
}

/* ---- fetches ---- */

static void unlink_fetch(struct source_fetch *fetch)
{
    struct source_fetch **at = &fetch->client->fetches;

    while (*at && *at != fetch)
        at = &(*at)->next;
    if (*at)
        *at = fetch->next;
    fetch->client = NULL;
}

static void fetch_free(struct source_fetch *fetch)
{
    http_cancel(fetch->request);
    loop_timer_free(fetch->soon);
    kept_release(fetch->kept);
    free(fetch->key);
    free(fetch);
}

static void add_waiting(struct source_fetch *fetch, struct source_call *call)
{
    call->fetch = fetch;
    call->next_waiting = NULL;
    *fetch->last = call;
    fetch->last = &call->next_waiting;
}

static void remove_waiting(struct source_fetch *fetch, const struct source_call *call)
{
    struct source_call **at = &fetch->waiting;

    while (*at != call)
        at = &(*at)->next_waiting;
    *at = call->next_waiting;
    if (!*at)
        fetch->last = at;
}

void source_share_leave(struct source_call *call)
{
    struct source_fetch *fetch = call->fetch;

    if (!fetch)
        return;
    call->fetch = NULL;
    remove_waiting(fetch, call);
    if (fetch->waiting || !fetch->client) /* others wait; or deliver() is at it and frees it */
        return;
    unlink_fetch(fetch);
    fetch_free(fetch);
}

/* Each of them may cancel others, or end the client: nothing of it is touched afterwards. */
static void deliver(struct source_fetch *fetch, const struct http_reply *reply,
                    const struct error *err)
{
    struct source_call *call;

    unlink_fetch(fetch);
    while ((call = fetch->waiting)) {
        remove_waiting(fetch, call);
        call->fetch = NULL;
        call->on_reply(call, reply, err);
    }
    fetch_free(fetch);
}

static void on_http_done(void *user, const struct http_reply *reply, const struct error *err)
{
    struct source_fetch *fetch = user;

    fetch->request = NULL;
    if (fetch->key && reply)
        keep(fetch->client, fetch->key, reply);
    deliver(fetch, reply, err);
}

static void on_soon(void *user)
{
    struct source_fetch *fetch = user;
    struct http_reply reply = { .status = 200,
                                .body = fetch->kept->body,
                                .body_len = fetch->kept->len,
                                .headers = &fetch->kept->headers };

    deliver(fetch, &reply, NULL);
}

/* ---- sending ---- */

/* All that the answer may depend on; the credential is the client's own. NULL for what may change
 * something. */
static char *key_of(const struct http_request *request, const char *const *wanted)
{
    struct buf key = BUF_INIT;

    if (request->method || request->body || !request->idempotent)
        return NULL;
    buf_addf(&key, "%zu %p %s", request->max_bytes, (const void *)wanted, request->url);
    for (const char *const *line = request->headers; line && *line; line++) {
        if (!text_istarts(*line, "Authorization:")) {
            buf_addc(&key, '\n');
            buf_adds(&key, *line);
        }
    }
    return buf_take(&key);
}

static struct source_fetch *find_fetch(const struct source_client *client, const char *key)
{
    struct source_fetch *fetch = client->fetches;

    while (fetch && !(key && fetch->key && text_same(fetch->key, key)))
        fetch = fetch->next;
    return fetch;
}

static struct source_fetch *fetch_new(struct source_client *client, char *key,
                                      const char *const *wanted)
{
    struct source_fetch *fetch = xcalloc(1, sizeof(*fetch));

    fetch->client = client;
    fetch->key = key;
    fetch->filter = (struct source_filter){ wanted, client->title, client->json };
    fetch->last = &fetch->waiting;
    fetch->next = client->fetches;
    client->fetches = fetch;
    return fetch;
}

static int begin(struct source_fetch *fetch, struct http_request *request, struct error *err)
{
    struct source_client *client = fetch->client;
    struct source_kept *kept = fetch->key ? find_kept(client, fetch->key) : NULL;

    if (kept) {
        kept->holders++;
        fetch->kept = kept;
        fetch->soon = loop_timer_new(http_loop(client->http), on_soon, fetch);
        loop_timer_start(fetch->soon, 0);
        return 0;
    }
    if (fetch->filter.wanted) {
        request->filter = &source_filter;
        request->filter_arg = &fetch->filter;
    }
    request->service = client->service;
    request->done = on_http_done;
    request->user = fetch;
    fetch->request = http_start(client->http, request, err);
    return fetch->request ? 0 : -1;
}

int source_share_send(struct source_call *call, struct http_request *request, struct error *err)
{
    struct source_client *client = call->client;
    char *key = key_of(request, call->wanted);
    struct source_fetch *fetch = find_fetch(client, key);

    if (fetch) {
        free(key);
    } else {
        fetch = fetch_new(client, key, call->wanted);
        if (begin(fetch, request, err) < 0) {
            unlink_fetch(fetch);
            fetch_free(fetch);
            return -1;
        }
    }
    add_waiting(fetch, call);
    return 0;
}
