/* HTTP/2 on one side (nghttp2), HTTP/1.1 to the sandbox on the other, one request after the other.
 * https://nghttp2.org/documentation/, RFC 9113. */
#include <curl/curl.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/buf.h"
#include "dbconn/base/text.h"
#include "front_internal.h"

struct field {
    char *name, *value;
};

struct stream {
    char *method, *path;
    struct curl_slist *headers;
    struct buf body;
    /* the answer */
    char status[16];
    struct field *fields;
    size_t n_fields, cap_fields;
    struct buf reply;
    size_t sent, sendable;
};

struct connection {
    SSL *ssl;
    const struct front_options *options;
    nghttp2_session *h2;
    CURL *curl;
    bool last; /* GOAWAY was said */
    bool over; /* after what is left to send */
};

/* ---- to the sandbox ---- */

static size_t take_body(char *bytes, size_t size, size_t n, void *user)
{
    buf_add(&((struct stream *)user)->reply, bytes, size * n);
    return size * n;
}

/* Lower case, and none that speaks of the connection (RFC 9113, 8.2.2). */
static size_t take_header(char *line, size_t size, size_t n, void *user)
{
    static const char *const hop[] = { "connection", "keep-alive", "transfer-encoding",
                                       "content-length" };
    struct stream *stream = user;
    const char *colon = memchr(line, ':', size * n);
    size_t len = colon ? (size_t)(colon - line) : 0, value = len + 1, end = size * n;

    while (end > value && (line[end - 1] == '\r' || line[end - 1] == '\n'))
        end--;
    while (value < end && line[value] == ' ')
        value++;
    if (!len)
        return size * n;
    char *name = xstrndup(line, len);
    for (char *p = name; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    for (size_t i = 0; i < ARRAY_LEN(hop); i++)
        len = strcmp(name, hop[i]) == 0 ? 0 : len;
    if (len)
        *VEC_ADD(stream->fields, stream->n_fields, stream->cap_fields) =
            (struct field){ name, xstrndup(line + value, end - value) };
    else
        free(name);
    return size * n;
}

static char *rewritten(const char *text, const struct front_rewrite *rewrites)
{
    char *now = xstrdup(text);

    for (size_t i = 0; i < 2 && rewrites[i].from; i++) {
        struct buf out = BUF_INIT;
        const char *p = now, *found;
        for (; (found = strstr(p, rewrites[i].from)); p = found + strlen(rewrites[i].from)) {
            buf_add(&out, p, (size_t)(found - p));
            buf_adds(&out, rewrites[i].to);
        }
        buf_adds(&out, p);
        free(now);
        now = buf_take(&out);
    }
    return now;
}

static void rewrite(struct stream *stream, const struct front_rewrite *rewrites)
{
    if (!rewrites[0].from)
        return;
    for (size_t i = 0; i < stream->n_fields; i++) {
        char *value = rewritten(stream->fields[i].value, rewrites);
        free(stream->fields[i].value);
        stream->fields[i].value = value;
    }
    char *body = rewritten(buf_str(&stream->reply), rewrites);
    buf_reset(&stream->reply);
    buf_adds(&stream->reply, body);
    free(body);
}

static void fetch(struct connection *c, struct stream *stream)
{
    char *url = xasprintf("%s%s", c->options->to, stream->path);
    long status = 502;

    curl_easy_reset(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, stream->method);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, stream->headers);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, stream);
    curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, stream);
    if (strcmp(stream->method, "GET") != 0) {
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, buf_str(&stream->body));
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)stream->body.len);
    }
    if (curl_easy_perform(c->curl) == CURLE_OK)
        curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    snprintf(stream->status, sizeof(stream->status), "%ld", status);
    rewrite(stream, c->options->rewrites);
    stream->sendable = stream->reply.len;
    free(url);
}

/* ---- to the client ---- */

static nghttp2_nv pair(const char *name, const char *value)
{
    return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name,
                         .value = (uint8_t *)(uintptr_t)value,
                         .namelen = strlen(name),
                         .valuelen = strlen(value) };
}

static ssize_t give_body(nghttp2_session *h2, int32_t id, uint8_t *to, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    struct stream *stream = source->ptr;
    size_t n = stream->sendable - stream->sent;

    (void)h2, (void)id, (void)user;
    n = n < room ? n : room;
    if (n)
        memcpy(to, stream->reply.data + stream->sent, n);
    stream->sent += n;
    if (stream->sent == stream->reply.len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    else if (n == 0)
        return NGHTTP2_ERR_DEFERRED; /* for ever */
    return (ssize_t)n;
}

static void answer(struct connection *c, int32_t id, struct stream *stream)
{
    nghttp2_nv *fields = xcalloc(stream->n_fields + 1, sizeof(*fields));
    const nghttp2_data_provider body = { { .ptr = stream }, give_body };

    fields[0] = pair(":status", stream->status);
    for (size_t i = 0; i < stream->n_fields; i++)
        fields[i + 1] = pair(stream->fields[i].name, stream->fields[i].value);
    nghttp2_submit_response(c->h2, id, fields, stream->n_fields + 1, &body);
    free(fields);
}

static void go_away(struct connection *c, int32_t last, uint32_t code)
{
    c->last = true;
    nghttp2_submit_goaway(c->h2, NGHTTP2_FLAG_NONE, last, code, NULL, 0);
}

static void serve(struct connection *c, int32_t id, struct stream *stream)
{
    switch (c->options->kind) {
    case FRONT_GOAWAY_FIRST:
        go_away(c, 0, NGHTTP2_ENHANCE_YOUR_CALM);
        c->over = true;
        return;
    case FRONT_GOAWAY_SILENCE:
        go_away(c, id, NGHTTP2_NO_ERROR);
        return;
    case FRONT_GOAWAY_MIDDLE:
        fetch(c, stream);
        stream->sendable /= 2;
        answer(c, id, stream);
        nghttp2_session_send(c->h2);
        go_away(c, id, NGHTTP2_INTERNAL_ERROR);
        c->over = true;
        return;
    case FRONT_GOAWAY_AFTER:
        go_away(c, id, NGHTTP2_NO_ERROR);
        break;
    case FRONT_BYTES:
    case FRONT_HTTP2:
        break;
    }
    fetch(c, stream);
    answer(c, id, stream);
}

/* ---- what comes ---- */

static int on_begin(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
    (void)user;
    if (frame->hd.type == NGHTTP2_HEADERS)
        nghttp2_session_set_stream_user_data(h2, frame->hd.stream_id,
                                             xcalloc(1, sizeof(struct stream)));
    return 0;
}

static int on_field(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
                    size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                    void *user)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
    char *key = xstrndup((const char *)name, name_len);
    char *text = xstrndup((const char *)value, value_len);

    (void)flags, (void)user;
    if (stream && strcmp(key, ":method") == 0) {
        xreplace(&stream->method, text);
    } else if (stream && strcmp(key, ":path") == 0) {
        xreplace(&stream->path, text);
    } else if (stream && key[0] != ':' && strcmp(key, "accept-encoding") != 0) {
        char *line = xasprintf("%s: %s", key, text);
        stream->headers = curl_slist_append(stream->headers, line);
        free(line);
    }
    free(key);
    free(text);
    return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len,
                   void *user)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(h2, id);

    (void)flags, (void)user;
    if (stream)
        buf_add(&stream->body, bytes, len);
    return 0;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
    struct connection *c = user;

    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) && stream && !c->last)
        serve(c, frame->hd.stream_id, stream);
    return 0;
}

static int on_end(nghttp2_session *h2, int32_t id, uint32_t code, void *user)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(h2, id);
    struct connection *c = user;

    (void)code;
    if (!stream)
        return 0;
    free(stream->method);
    free(stream->path);
    curl_slist_free_all(stream->headers);
    for (size_t i = 0; i < stream->n_fields; i++) {
        free(stream->fields[i].name);
        free(stream->fields[i].value);
    }
    free(stream->fields);
    buf_clear(&stream->body);
    buf_clear(&stream->reply);
    free(stream);
    c->over |= c->last && c->options->kind == FRONT_GOAWAY_AFTER;
    return 0;
}

static ssize_t send_bytes(nghttp2_session *h2, const uint8_t *bytes, size_t len, int flags,
                          void *user)
{
    int n = SSL_write(((struct connection *)user)->ssl, bytes, (int)len);

    (void)h2, (void)flags;
    return n > 0 ? n : NGHTTP2_ERR_CALLBACK_FAILURE;
}

void front_http2(SSL *ssl, const struct front_options *options)
{
    struct connection c = { .ssl = ssl, .options = options, .curl = curl_easy_init() };
    nghttp2_session_callbacks *callbacks;
    unsigned char bytes[16384];
    int n;

    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_send_callback(callbacks, send_bytes);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_field);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_end);
    nghttp2_session_server_new(&c.h2, callbacks, &c);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(c.h2, NGHTTP2_FLAG_NONE, NULL, 0);
    while (nghttp2_session_send(c.h2) == 0 && !c.over &&
           (n = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
        if (nghttp2_session_mem_recv(c.h2, bytes, (size_t)n) < 0)
            break;
    nghttp2_session_del(c.h2);
    curl_easy_cleanup(c.curl);
}
