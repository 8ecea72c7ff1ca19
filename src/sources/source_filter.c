#include "source_filter.h"

#include "dbconn/base/alloc.h"
#include "source_answer.h"

const char *const source_all[] = { "", NULL };

struct reading {
    const struct source_filter *filter;
    struct json_stream *json;
    bool begun; /* something but space came */
};

static void *begin(const void *arg)
{
    struct reading *r = xcalloc(1, sizeof(*r));

    r->filter = arg;
    r->json = json_stream_new(r->filter->wanted, &r->filter->limits, "the answer");
    return r;
}

/* "Sentry: the answer is ..." */
static int told(const struct reading *r, int rc, struct error *err)
{
    return rc < 0 ? error_context(err, "%s", r->filter->title) : rc;
}

static int feed(void *state, const char *bytes, size_t n, struct buf *out, struct error *err)
{
    struct reading *r = state;

    for (size_t i = 0; i < n && !r->begun; i++) {
        if (bytes[i] == '<')
            return source_not_json(r->filter->title, 200, err);
        r->begun = bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r' && bytes[i] != '\n';
    }
    return told(r, json_stream_feed(r->json, bytes, n, out, err), err);
}

static int end(void *state, struct buf *out, struct error *err)
{
    struct reading *r = state;

    if (!r->begun)
        return source_empty(r->filter->title, 200, err);
    return told(r, json_stream_end(r->json, out, err), err);
}

static void finish(void *state)
{
    struct reading *r = state;

    json_stream_free(r->json);
    free(r);
}

const struct http_filter source_filter = { begin, feed, end, finish };
