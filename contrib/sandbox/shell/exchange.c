/*
 * exchange - the life of one request.
 *
 *   READING ── whole ──► WAITING ── latency over ──► SENDING ──► done, or the connection is cut
 *
 * The service is asked when the latency is over, also when the client has gone by then: a request
 * in flight when its sender was killed can still land, and so it does here.
 */
#include <signal.h>
#include <sys/socket.h>

#include "dbconn/base/clock.h"
#include "shell/bend.h"
#include "shell/internal.h"

#define SLICE 32768

enum state { READING, WAITING, SENDING };

struct exchange {
    struct service *service;
    struct session *session; /* NULL once the connection is gone */
    struct lws *wsi;
    enum state state;
    struct request req;
    struct reply reply;
    char *url; /* path?query as it is logged and matched */
    struct fault_effect effect;
    struct timer timer;
    int64_t at_ms, started_ms;
    size_t sent, stop_at; /* of the body */
    int concurrent;
    bool headers_sent, cut;
    struct exchange *prev, *next; /* among the shell's orphans */
    bool is_orphan;
};

static void adopt(struct exchange *x)
{
    struct exchange **first = &x->service->shell->orphans;

    x->is_orphan = true;
    x->next = *first;
    if (x->next)
        x->next->prev = x;
    *first = x;
}

static void leave_orphans(struct exchange *x)
{
    if (!x->is_orphan)
        return;
    if (x->prev)
        x->prev->next = x->next;
    else
        x->service->shell->orphans = x->next;
    if (x->next)
        x->next->prev = x->prev;
}

static void exchange_free(struct exchange *x)
{
    timer_cancel(&x->timer);
    leave_orphans(x);
    if (x->session)
        x->session->exchange = NULL;
    request_clear(&x->req);
    reply_clear(&x->reply);
    free(x->url);
    free(x);
}

/* Writes the journal entry and ends the exchange. */
static void finish(struct exchange *x)
{
    struct journal_entry entry = {
        .service = x->service->ops.name,
        .method = x->req.method,
        .url = x->url,
        .path = x->req.path,
        .user_agent = x->req.user_agent,
        .body = buf_str(&x->req.body),
        .at_ms = x->at_ms,
        .took_ms = clock_mono_ms() - x->started_ms,
        .status = x->cut ? 0 : x->reply.status,
        .concurrent = x->concurrent,
    };

    journal_end(x->service->shell->journal, &entry);
    exchange_free(x);
}

static char *copy_header(struct lws *wsi, enum lws_token_indexes token)
{
    int len = lws_hdr_total_length(wsi, token);

    if (len <= 0)
        return NULL;
    char *value = xcalloc(1, (size_t)len + 1);
    if (lws_hdr_copy(wsi, value, len + 1, token) < 0)
        value[0] = '\0';
    return value;
}

static void read_query(struct lws *wsi, struct params *query)
{
    int len;

    for (int i = 0; (len = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i)) > 0; i++) {
        char *pair = xcalloc(1, (size_t)len + 1);
        if (lws_hdr_copy_fragment(wsi, pair, len + 1, WSI_TOKEN_HTTP_URI_ARGS, i) > 0)
            params_add_pair(query, pair);
        free(pair);
    }
}

void exchange_read_head(struct service *service, struct lws *wsi, struct request *ret)
{
    static const struct {
        enum lws_token_indexes token;
        const char *method;
    } methods[] = {
        { WSI_TOKEN_GET_URI, "GET" },         { WSI_TOKEN_POST_URI, "POST" },
        { WSI_TOKEN_PUT_URI, "PUT" },         { WSI_TOKEN_DELETE_URI, "DELETE" },
        { WSI_TOKEN_PATCH_URI, "PATCH" },     { WSI_TOKEN_HEAD_URI, "HEAD" },
        { WSI_TOKEN_OPTIONS_URI, "OPTIONS" },
    };

    ret->method = "?";
    for (size_t i = 0; i < ARRAY_LEN(methods) && !ret->path; i++) {
        ret->path = copy_header(wsi, methods[i].token);
        if (ret->path)
            ret->method = methods[i].method;
    }
    if (!ret->path)
        ret->path = xstrdup("/");
    read_query(wsi, &ret->query);
    ret->authorization = copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
    ret->content_type = copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE);
    ret->accept = copy_header(wsi, WSI_TOKEN_HTTP_ACCEPT);
    ret->user_agent = copy_header(wsi, WSI_TOKEN_HTTP_USER_AGENT);
    ret->if_none_match = copy_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH);
    ret->base = service->url;
}

static char *url_of(const struct request *req)
{
    struct buf url = BUF_INIT;

    buf_adds(&url, req->path);
    if (req->query.n > 0) {
        buf_addc(&url, '?');
        params_encode(&req->query, NULL, &url);
    }
    return buf_take(&url);
}

static int64_t announced_length(struct lws *wsi)
{
    char *text = copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    int64_t n = text ? strtoll(text, NULL, 10) : 0;

    free(text);
    return n;
}

/* The whole body once more, with `n` bytes of padding that keep it valid JSON. */
static void pad(struct reply *reply, int64_t n)
{
    struct buf out = BUF_INIT;
    const char *body = buf_str(&reply->body);
    char *filling = xmalloc((size_t)n + 1);

    memset(filling, 'x', (size_t)n);
    filling[n] = '\0';
    if (body[0] == '{')
        buf_addf(&out, "{\"_padding\":\"%s\"%s%s", filling, body[1] == '}' ? "" : ",", body + 1);
    else if (body[0] == '[')
        buf_addf(&out, "[{\"_padding\":\"%s\"}%s%s", filling, body[1] == ']' ? "" : ",", body + 1);
    else
        buf_addf(&out, "%s%s", body, filling);
    free(filling);
    buf_clear(&reply->body);
    reply->body = out;
}

static void break_json(struct reply *reply)
{
    static const char junk[] = { '\0', '}', '{', '"', ']' };
    size_t middle = reply->body.len / 2;

    for (size_t i = 0; i < sizeof(junk) && middle + i < reply->body.len; i++)
        reply->body.data[middle + i] = junk[i];
}

static void make_empty(struct exchange *x)
{
    const char *body = buf_str(&x->reply.body);

    if (x->reply.status != 200)
        return;
    if (x->service->ops.empty) {
        x->service->ops.empty(x->service->user, &x->reply);
        return;
    }
    const char *nothing = body[0] == '[' ? "[]" : body[0] == '{' ? "{}" : "";
    buf_reset(&x->reply.body);
    buf_adds(&x->reply.body, nothing);
}

static void refuse_as_proxy(struct reply *reply, int status)
{
    char *page = xasprintf("<html>\r\n<head><title>%d</title></head>\r\n<body>\r\n<center><h1>%d"
                           "</h1></center>\r\n</body>\r\n</html>\r\n",
                           status, status);

    reply_text(reply, status, "text/html", page);
    free(page);
}

static void kill_client(const struct exchange *x, bool now_after)
{
    if (x->effect.kill > 1 && x->effect.after == now_after && x->service->shell->allow_kill)
        kill((pid_t)x->effect.kill, SIGKILL);
}

/* Asks the service, unless a fault answers instead of it, and bends the answer. */
static void answer(struct exchange *x)
{
    const struct fault_effect *effect = &x->effect;
    bool replaced = effect->status || effect->error[0];

    kill_client(x, false);
    if ((!replaced && !effect->drop) || effect->after)
        x->service->ops.handle(x->service->user, &x->req, &x->reply);
    kill_client(x, true);
    if (replaced) {
        reply_clear(&x->reply);
        if (effect->html)
            refuse_as_proxy(&x->reply, effect->status ? effect->status : 200);
        else
            x->service->ops.refuse(x->service->user, effect, &x->reply);
        if (effect->retry_after >= 0)
            reply_header(&x->reply, "retry-after", "%lld", (long long)effect->retry_after);
    }
    if (effect->empty)
        make_empty(x);
    if (effect->huge > 0)
        pad(&x->reply, effect->huge);
    if (effect->malformed)
        break_json(&x->reply);
    if (effect->bend[0] && !replaced)
        bend(effect->bend, &x->reply);
    x->cut = effect->drop || (effect->reset && !effect->truncate);
    x->stop_at = effect->truncate ? x->reply.body.len * 6 / 10 : x->reply.body.len;
}

static void on_time(void *user)
{
    struct exchange *x = user;

    if (x->state == WAITING)
        answer(x);
    x->state = SENDING;
    if (!x->wsi) {
        finish(x);
        return;
    }
    lws_set_timeout(x->wsi, NO_PENDING_TIMEOUT, 0);
    lws_callback_on_writable(x->wsi);
}

static void request_is_whole(struct exchange *x)
{
    x->state = WAITING;
    lws_set_timeout(x->wsi, NO_PENDING_TIMEOUT, 0);
    faults_match(x->service->faults, x->req.method, x->url, x->at_ms, &x->effect);
    if (x->effect.latency_ms > 0)
        timer_start(x->service->shell, &x->timer, x->effect.latency_ms, on_time, x);
    else
        on_time(x);
}

int exchange_request(struct service *service, struct session *session, struct lws *wsi)
{
    struct exchange *x = xcalloc(1, sizeof(*x));
    int64_t length = announced_length(wsi);

    exchange_gone(session);
    session->exchange = x;
    x->session = session;
    x->service = service;
    x->wsi = wsi;
    x->reply = (struct reply)REPLY_INIT;
    x->at_ms = clock_wall_ms();
    x->started_ms = clock_mono_ms();
    exchange_read_head(service, wsi, &x->req);
    x->url = url_of(&x->req);
    x->concurrent = journal_begin(service->shell->journal, service->ops.name);
    if (length > MAX_BODY_BYTES)
        return -1;
    if (length <= 0)
        request_is_whole(x);
    return 0;
}

int exchange_body(struct session *session, const void *bytes, size_t len)
{
    struct exchange *x = session->exchange;

    if (!x || x->state != READING)
        return 0;
    return buf_add_capped(&x->req.body, bytes, len, MAX_BODY_BYTES) ? 0 : -1;
}

int exchange_body_end(struct session *session)
{
    struct exchange *x = session->exchange;

    if (x && x->state == READING)
        request_is_whole(x);
    return 0;
}

static bool has_no_body(const struct exchange *x)
{
    return x->reply.status == 304 || x->reply.status == 204 || strcmp(x->req.method, "HEAD") == 0;
}

static int send_headers(struct exchange *x, struct lws *wsi)
{
    unsigned char space[LWS_PRE + 60000], *p = space + LWS_PRE, *end = space + sizeof(space) - 1;
    unsigned char *start = p;

    x->headers_sent = true;
    if (lws_add_http_header_status(wsi, (unsigned)x->reply.status, &p, end))
        return -1;
    for (size_t i = 0; i < x->reply.headers.n; i++) {
        const struct param *h = &x->reply.headers.items[i];
        char *name = xasprintf("%s:", h->name);
        int rc = lws_add_http_header_by_name(wsi, (unsigned char *)name, (unsigned char *)h->value,
                                             (int)strlen(h->value), &p, end);
        free(name);
        if (rc)
            return -1;
    }
    if (!has_no_body(x) && lws_add_http_header_content_length(wsi, x->reply.body.len, &p, end))
        return -1;
    return lws_finalize_write_http_header(wsi, start, &p, end) ? -1 : 0;
}

/* The reply is out: the connection may take its next request. */
static int complete(struct exchange *x, struct lws *wsi)
{
    finish(x);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* What was not read yet is lost: the peer gets RST instead of the end. */
static int end_with_reset(struct lws *wsi)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };

    (void)setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    return -1;
}

static int send_slice(struct exchange *x, struct lws *wsi)
{
    unsigned char space[LWS_PRE + SLICE];
    size_t n = x->stop_at - x->sent, most = SLICE;

    if (x->effect.drip_ms && (size_t)x->effect.drip_bytes < most)
        most = (size_t)x->effect.drip_bytes;
    if (n > most)
        n = most;
    memcpy(space + LWS_PRE, x->reply.body.data + x->sent, n);
    x->sent += n;
    bool last = x->sent == x->reply.body.len;
    if (lws_write(wsi, space + LWS_PRE, n, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
        return -1;
    if (last)
        return complete(x, wsi);
    if (x->sent == x->stop_at && x->effect.reset)
        return end_with_reset(wsi);
    if (x->sent == x->stop_at)
        return -1; /* truncated: the rest never comes */
    if (x->effect.drip_ms)
        timer_start(x->service->shell, &x->timer, x->effect.drip_ms, on_time, x);
    else
        lws_callback_on_writable(wsi);
    return 0;
}

int exchange_writeable(struct session *session, struct lws *wsi)
{
    struct exchange *x = session ? session->exchange : NULL;

    if (!x || x->state != SENDING)
        return 0;
    if (x->cut)
        return x->effect.reset ? end_with_reset(wsi) : -1;
    if (!x->headers_sent) {
        if (send_headers(x, wsi) < 0)
            return -1;
        if (has_no_body(x) || x->reply.body.len == 0)
            return complete(x, wsi);
        if (x->stop_at == 0)
            return -1;
        lws_callback_on_writable(wsi);
        return 0;
    }
    return send_slice(x, wsi);
}

void exchange_gone(struct session *session)
{
    struct exchange *x = session->exchange;

    if (!x)
        return;
    session->exchange = NULL;
    x->session = NULL;
    x->wsi = NULL;
    if (x->state == WAITING && !x->service->shell->stopping) {
        adopt(x);
        return; /* it still takes effect, when its time comes */
    }
    x->cut = x->cut || x->state != SENDING || x->sent < x->reply.body.len;
    finish(x);
}

void exchange_forget_orphans(struct shell *shell)
{
    while (shell->orphans)
        exchange_free(shell->orphans);
}
