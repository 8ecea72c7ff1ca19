#include "transport.h"

#include <stdlib.h>
#include <string.h>

#include "dbconn/net/http_headers.h"

#define MARK "=== "

struct answer {
    char *fits; /* a part of the URL */
    int status;
    struct http_headers headers;
    char *body;
};

struct http_service {
    struct http *http;
};

struct http_call {
    struct http_call *next;
    struct http *http;
    const struct answer *answer;
    const struct http_filter *filter; /* or NULL */
    const void *filter_arg;
    http_done_fn *done;
    void *user;
};

struct http {
    struct http_service service;
    struct answer *answers;
    size_t n_answers, cap_answers;
    struct http_call *first, **last; /* waiting for their answers */
    int asked;
};

/* "=== /path 200" */
static void read_mark(char *line, struct answer *ret)
{
    char *blank = strrchr(line + strlen(MARK), ' ');

    ret->status = 200;
    if (blank) {
        ret->status = 100 + (int)((unsigned long)strtol(blank + 1, NULL, 10) + 400) % 500;
        *blank = '\0';
    }
    ret->fits = xstrdup(line + strlen(MARK));
}

static void add_line(struct answer *answer, bool *in_head, struct buf *body, const char *line)
{
    if (!*in_head) {
        buf_addf(body, "%s\n", line);
    } else if (!*line) {
        *in_head = false;
    } else {
        (void)http_headers_add_line(&answer->headers, line, strlen(line));
    }
}

struct http *transport_new(struct fuzz_input *in)
{
    struct http *http = xcalloc(1, sizeof(*http));
    struct answer *answer = NULL;
    struct buf body = BUF_INIT;
    bool in_head = false;

    http->service.http = http;
    http->last = &http->first;
    while (in->left) {
        char *line = fuzz_line(in);
        if (strncmp(line, MARK, strlen(MARK)) == 0) {
            if (answer)
                answer->body = xstrdup(buf_str(&body));
            buf_reset(&body);
            answer = VEC_ADD(http->answers, http->n_answers, http->cap_answers);
            read_mark(line, answer);
            in_head = true;
        } else if (answer) {
            add_line(answer, &in_head, &body, line);
        }
        free(line);
    }
    if (answer)
        answer->body = xstrdup(buf_str(&body));
    buf_clear(&body);
    return http;
}

void transport_free(struct http *http)
{
    FUZZ_CHECK(!http->first); /* every call was answered or cancelled */
    for (size_t i = 0; i < http->n_answers; i++) {
        free(http->answers[i].fits);
        free(http->answers[i].body);
        http_headers_clear(&http->answers[i].headers);
    }
    free(http->answers);
    free(http);
}

/* As net/http_body.c does, in two pieces. 1: the filter had enough. */
static int filter_body(const struct http_call *call, struct buf *out, struct error *err)
{
    const struct http_filter *filter = call->filter;
    const char *body = call->answer->body;
    size_t len = strlen(body), half = len / 2;
    void *state = filter->begin(call->filter_arg);
    int rc = filter->feed(state, body, half, out, err);

    if (rc == 0)
        rc = filter->feed(state, body + half, len - half, out, err);
    if (rc == 0)
        rc = filter->end(state, out, err);
    filter->free(state);
    return rc;
}

static void answer_call(struct http_call *call)
{
    struct error failed = ERROR_INIT;
    struct buf kept = BUF_INIT;
    int rc = 0;

    if (!call->answer)
        rc = error_set(&failed, ERR_NETWORK, "the connection was refused");
    else if (call->filter && call->answer->status == 200)
        rc = filter_body(call, &kept, &failed);
    else
        buf_adds(&kept, call->answer->body);
    struct http_reply reply = { .body = buf_str(&kept), .body_len = kept.len, .truncated = rc > 0 };
    if (call->answer) {
        reply.status = call->answer->status;
        reply.headers = &call->answer->headers;
    }
    call->done(call->user, rc < 0 ? NULL : &reply, rc < 0 ? &failed : NULL);
    error_clear(&failed);
    buf_clear(&kept);
}

void transport_run(struct http *http)
{
    struct http_call *call;

    while ((call = http->first)) {
        http->first = call->next;
        if (!http->first)
            http->last = &http->first;
        answer_call(call);
        free(call);
    }
}

struct http_service *http_service(struct http *http, const struct http_service_options *options)
{
    (void)options;
    return &http->service;
}

int http_check(const struct http *http, const struct http_service *service, const char *url,
               struct error *err)
{
    (void)http;
    (void)service;
    (void)url;
    (void)err;
    return 0;
}

struct http_call *http_start(struct http *http, const struct http_request *request,
                             struct error *err)
{
    struct http_call *call;

    if (http->asked++ >= TRANSPORT_MAX_REQUESTS) {
        error_set(err, ERR_NETWORK, "too many requests");
        return NULL;
    }
    call = xcalloc(1, sizeof(*call));
    call->http = http;
    call->filter = request->filter;
    call->filter_arg = request->filter_arg;
    call->done = request->done;
    call->user = request->user;
    for (size_t i = 0; i < http->n_answers && !call->answer; i++)
        if (strstr(request->url, http->answers[i].fits))
            call->answer = &http->answers[i];
    *http->last = call;
    http->last = &call->next;
    return call;
}

void http_cancel(struct http_call *call)
{
    struct http_call **at;

    if (!call)
        return;
    for (at = &call->http->first; *at && *at != call; at = &(*at)->next)
        continue;
    if (!*at)
        return; /* its `done` runs */
    *at = call->next;
    if (!*at)
        call->http->last = at;
    free(call);
}

bool http_call_sent(const struct http_call *call)
{
    (void)call;
    return true;
}

const char *http_reply_header(const struct http_reply *reply, const char *name)
{
    return http_headers_get(reply->headers, name);
}
