/* The Elasticsearch client: credentials, requests, errors. */
#include <openssl/evp.h>
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/net/url.h"
#include "es_private.h"
#include "source_answer.h"
#include "source_filter.h"
#include "source_json.h"
#include "source_mem.h"

/* ---- the client ---- */

static char *base64(const char *text)
{
    size_t len = strlen(text);
    char *out = xmalloc((len + 2) / 3 * 4 + 1);

    EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, (int)len);
    return out;
}

/* "id:key" as the form shows it too; the encoded form has no colon. */
static char *api_key_header(const char *key)
{
    char *encoded = strchr(key, ':') ? base64(key) : xstrdup(key);
    char *header = xconcat_secret("Authorization: ApiKey ", encoded);

    source_wipe(encoded);
    return header;
}

static char *basic_header(const char *user, const char *password)
{
    char *name = xasprintf("%s:", user), *both = xconcat_secret(name, password ? password : "");
    char *encoded = base64(both);
    char *header = xconcat_secret("Authorization: Basic ", encoded);

    free(name);
    source_wipe(both);
    source_wipe(encoded);
    return header;
}

static bool has_line_break(const char *s)
{
    return s && s[strcspn(s, "\r\n")];
}

static int set_credential(struct es *es, const struct es_options *options, struct error *err)
{
    if (has_line_break(options->api_key) || has_line_break(options->bearer))
        return error_set(err, ERR_CONFIG, "the Elasticsearch credential has a line break in it");
    es->credential = "a credential";
    if (options->api_key) {
        es->authorization = api_key_header(options->api_key);
        es->credential = "the API key";
    } else if (options->bearer) {
        es->authorization = xconcat_secret("Authorization: Bearer ", options->bearer);
        es->credential = "the token";
    } else if (options->user) {
        es->authorization = basic_header(options->user, options->password);
        es->credential = "the user or password";
    }
    return 0;
}

static int set_url(struct es *es, const char *text, struct error *err)
{
    struct url url = { 0 };
    size_t len = text ? strlen(text) : 0;

    if (!text)
        return error_set(err, ERR_CONFIG,
                         "no Elasticsearch URL: set elasticsearch.url (ELASTICSEARCH_URL)");
    if (url_parse(text, &url, err) < 0) {
        if (err)
            err->code = ERR_CONFIG;
        return error_context(err, "elasticsearch.url (ELASTICSEARCH_URL)");
    }
    url_clear(&url);
    while (len > 0 && text[len - 1] == '/')
        len--;
    es->base = xstrndup(text, len);
    return 0;
}

static const char *const *copy_names(struct source_mem *mem, const char *const *names,
                                     const char *const *otherwise)
{
    size_t n = 0;

    if (!names)
        return otherwise;
    while (names[n])
        n++;
    const char **copy = source_alloc(mem, (n + 1) * sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = source_str(mem, names[i]);
    return copy;
}

static void copy_fields(struct es *es, const struct es_fields *from)
{
    const struct es_fields *own = es_default_fields(), *f = from ? from : own;
    struct source_mem *mem = es->mem;

    es->fields = (struct es_fields){
        .time = copy_names(mem, f->time, own->time),
        .message = copy_names(mem, f->message, own->message),
        .level = copy_names(mem, f->level, own->level),
        .service = copy_names(mem, f->service, own->service),
        .host = copy_names(mem, f->host, own->host),
        .host_ip = copy_names(mem, f->host_ip, own->host_ip),
        .container = copy_names(mem, f->container, own->container),
        .pod = copy_names(mem, f->pod, own->pod),
        .namespace_ = copy_names(mem, f->namespace_, own->namespace_),
        .dataset = copy_names(mem, f->dataset, own->dataset),
        .region = copy_names(mem, f->region, own->region),
        .zone = copy_names(mem, f->zone, own->zone),
    };
}

int es_new(struct http *http, const struct es_options *options, struct es **ret, struct error *err)
{
    struct es *es = xcalloc(1, sizeof(*es));

    es->mem = source_mem_new();
    if (set_url(es, options->url, err) < 0 || set_credential(es, options, err) < 0) {
        es_free(es);
        return -1;
    }
    es->index = xstrdup(options->index ? options->index : "logs-*");
    es->time_field = xstrdup(options->time_field ? options->time_field : "@timestamp");
    copy_fields(es, options->fields);
    es->max_hits = options->max_hits > 0 ? options->max_hits : ES_MAX_SIZE;
    es->budget_ms = options->budget_ms ? options->budget_ms : 20 * SECOND_MS;
    es->client.http = http;
    es->client.title = "Elasticsearch";
    source_set_limits(&es->client, &options->limits);
    /* A busy cluster says 429 without Retry-After: 1, 2, 4 s. */
    es->client.service =
        http_service(http, &(struct http_service_options){
                               .name = "elasticsearch",
                               .title = "Elasticsearch",
                               .max_in_flight = options->max_in_flight ? options->max_in_flight : 4,
                               .backoff_base_ms = SECOND_MS,
                           });
    *ret = es;
    return 0;
}

void es_free(struct es *es)
{
    if (!es)
        return;
    source_client_clear(&es->client);
    source_wipe(es->authorization);
    source_mem_release(es->mem);
    free(es->base);
    free(es->index);
    free(es->time_field);
    free(es);
}

/* ---- requests ---- */

/* Commas, stars and colons mean something in an index expression and may stand as they are. */
static void add_index(struct buf *out, const char *index)
{
    while (*index) {
        size_t plain = strspn(index, ",*:");
        buf_add(out, index, plain);
        index += plain;
        size_t n = strcspn(index, ",*:");
        char *part = xstrndup(index, n);
        url_add_escaped(out, part);
        free(part);
        index += n;
    }
}

const char *es_url(const struct es *es, struct source_mem *mem, const char *index, const char *rest)
{
    struct buf url = BUF_INIT;
    const char *copy;

    buf_addf(&url, "%s/", es->base);
    if (index) {
        add_index(&url, index);
        buf_addc(&url, '/');
    }
    buf_adds(&url, rest);
    copy = source_str(mem, buf_str(&url));
    buf_clear(&url);
    return copy;
}

int es_send(struct source_call *call, const char *url, const char *body, const char *content_type,
            source_reply_fn *on_reply, struct error *err)
{
    const struct es *es = (const struct es *)call->client;
    char *type = content_type ? xasprintf("Content-Type: %s", content_type) : NULL;
    const char *headers[4] = { "Accept: application/json" };
    size_t n = 1;

    if (es->authorization)
        headers[n++] = es->authorization;
    if (type)
        headers[n++] = type;
    int rc = source_send(call,
                         &(struct http_request){
                             .method = body ? "POST" : "GET",
                             .url = url,
                             .headers = headers,
                             .body = body,
                             .body_len = body ? strlen(body) : 0,
                             .budget_ms = es->budget_ms,
                             .max_bytes = 16 * 1024 * 1024,
                             .idempotent = true, /* a search changes nothing */
                         },
                         on_reply, err);
    free(type);
    return rc;
}

static source_reply_fn on_reply;

static int send_op(struct source_call *call, struct error *err)
{
    const struct es_op *op = call->op;

    call->wanted = op->wanted;
    return es_send(call, op->url, op->body, op->content_type, on_reply, err);
}

struct source_call *es_start(struct source_call *call, struct error *err)
{
    const struct es_op *op = call->op;

    if (send_op(call, err) == 0)
        return call;
    error_context(err, "%s", op->what);
    return source_give_up(call);
}

int es_reply_error(const struct es *es, const char *index, const struct http_reply *reply,
                   struct error *err)
{
    struct buf meaning = BUF_INIT;
    enum err_code code = source_status_code(reply->status);

    if (code == ERR_UNAUTHORIZED && !es->authorization)
        buf_adds(&meaning, "it wants a credential; set elasticsearch.api_key_file "
                           "(ELASTICSEARCH_API_KEY)");
    else if (code == ERR_UNAUTHORIZED)
        buf_addf(&meaning,
                 "%s is wrong or expired; check elasticsearch.api_key_file "
                 "(ELASTICSEARCH_API_KEY)",
                 es->credential);
    else if (code == ERR_FORBIDDEN && !index)
        buf_adds(&meaning, "the credential may not ask for this");
    else if (code == ERR_FORBIDDEN)
        buf_addf(&meaning, "the credential lacks the index privilege read on %.200s", index);
    else if (code == ERR_NOT_FOUND && index)
        buf_addf(&meaning, "no index %.200s there", index);
    else if (code == ERR_RATE_LIMITED)
        buf_adds(&meaning, "it is too busy; try again later");
    source_refused(err, code, "Elasticsearch", reply, meaning.len ? buf_str(&meaning) : NULL);
    if (err && code == ERR_RATE_LIMITED)
        err->retry_after_ms = 10 * SECOND_MS;
    buf_clear(&meaning);
    return -1;
}

static void take(struct source_call *call, const struct http_reply *reply, struct error *err)
{
    struct es_op *op = call->op;

    if (op->take(call, op, reply, err) == 0) {
        ((struct es *)call->client)->worked = true;
        source_finish(call, op->result);
        return;
    }
    error_context(err, "%s", op->what);
    source_fail(call, err);
}

static void on_reply(struct source_call *call, const struct http_reply *reply,
                     const struct error *failure)
{
    const struct es *es = (const struct es *)call->client;
    struct es_op *op = call->op;
    struct error err = ERROR_INIT;
    int rc = -1;

    if (reply && reply->status == 200) {
        take(call, reply, &err);
        return;
    }
    if (failure) {
        error_copy(&err, failure);
    } else if (reply->status == 401 && es->worked && !op->repeated) {
        /* OpenSearch 2.19 refuses good credentials now and then under load
         * (opensearch-project/security issue 5544). */
        op->repeated = true;
        rc = send_op(call, &err);
    } else {
        es_reply_error(es, op->index, reply, &err);
    }
    if (rc < 0) {
        error_context(&err, "%s", op->what);
        source_fail(call, &err);
    }
}

struct es_op *es_op_new(struct es *es, uint64_t owner, const char *index, source_done_fn *done,
                        void *user, struct source_call **ret)
{
    struct source_call *call =
        source_call_new(&es->client, owner, done, user, sizeof(struct es_op));
    struct es_op *op = call->op;

    op->index = source_str(call->mem, index ? index : es->index);
    op->wanted = source_all;
    *ret = call;
    return op;
}
