#include "elastic/elastic.h"

#include <openssl/evp.h>
#include <strings.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "elastic/filter_path.h"
#include "elastic/search.h"
#include "world/ids.h"

struct elastic {
    struct docs docs;
    struct service *service;
    char *api_key; /* as Elasticsearch hands it out: base64 of id:key */
};

struct visit {
    struct elastic *elastic;
    const struct request *req;
    struct reply *reply;
    struct path_parts path;
    struct es_error *err;
};

/* ---- errors ---- */

static cJSON *shape_error(const struct es_error *err)
{
    cJSON *body = cJSON_CreateObject(), *error = json_put_object(body, "error");
    cJSON *cause = cJSON_CreateObject();

    json_put_str(cause, "type", err->type);
    json_put_str(cause, "reason", buf_str(&err->reason));
    for (const cJSON *m = err->extra ? err->extra->child : NULL; m; m = m->next)
        cJSON_AddItemToObject(cause, m->string, cJSON_Duplicate(m, true));
    cJSON_AddItemToArray(json_put_array(error, "root_cause"), cJSON_Duplicate(cause, true));
    for (const cJSON *m = cause->child; m; m = m->next)
        cJSON_AddItemToObject(error, m->string, cJSON_Duplicate(m, true));
    json_put_i64(body, "status", err->status);
    cJSON_Delete(cause);
    return body;
}

/* Some errors are a bare string where others are an object. */
static void reply_plain_error(struct visit *v, int status, char *message)
{
    cJSON *body = cJSON_CreateObject();

    json_put_str(body, "error", message);
    json_put_i64(body, "status", status);
    reply_json(v->reply, status, body);
    free(message);
}

/* ---- requests ---- */

/* Parameters that the paths understand; another one is refused. */
static bool knows_parameters(struct visit *v)
{
    static const char *const known[] = {
        "ignore_unavailable",
        "allow_no_indices",
        "expand_wildcards",
        "timeout",
        "track_total_hits",
        "allow_partial_search_results",
        "request_cache",
        "preference",
        "rest_total_hits_as_int",
        "filter_path",
        "typed_keys",
        "terminate_after",
        "q",
        "size",
        "from",
        "sort",
        "_source",
        "default_operator",
        "fields",
        "include_unmapped",
        "pretty",
        "human",
        "error_trace",
        "format",
        "h",
        "s",
        "v",
        "max_concurrent_searches",
        "ignore_throttled",
        "types",
        "filters",
        "search_type",
        "routing",
    };

    for (size_t i = 0; i < v->req->query.n; i++) {
        bool ok = false;
        for (size_t k = 0; k < ARRAY_LEN(known); k++)
            ok |= strcmp(known[k], v->req->query.items[i].name) == 0;
        if (!ok) {
            es_fail(v->err, 400, "illegal_argument_exception",
                    "request [%s] contains unrecognized parameter: [%s]", v->req->path,
                    v->req->query.items[i].name);
            return false;
        }
    }
    return true;
}

static cJSON *read_json(struct visit *v, const char *text, size_t len)
{
    cJSON *tree = NULL;

    if (len == 0)
        return cJSON_CreateObject();
    if (json_parse(text, len, "body", &tree, NULL) < 0) {
        es_fail(v->err, 400, "x_content_parse_exception",
                "[1:1] Unexpected character in the request body");
        return NULL;
    }
    return tree;
}

static void put_url_sort(cJSON *body, const char *text)
{
    cJSON *list = json_put_array(body, "sort");

    while (*text) {
        size_t n = strcspn(text, ",");
        char *one = xstrndup(text, n), *colon = strrchr(one, ':');
        cJSON *key = cJSON_CreateObject();
        if (colon)
            *colon++ = '\0';
        json_put_str(json_put_object(key, one), "order", colon ? colon : "asc");
        cJSON_AddItemToArray(list, key);
        free(one);
        text += n + (text[n] == ',');
    }
}

/* What the URL says beside the body: q, size, from, sort. */
static void add_url_parts(cJSON *body, const struct params *query)
{
    static const char *const numbers[] = { "size", "from" };

    if (params_has(query, "q")) {
        cJSON *q = cJSON_CreateObject();
        json_put_str(json_put_object(q, "query_string"), "query", params_get(query, "q"));
        cJSON_DeleteItemFromObjectCaseSensitive(body, "query");
        cJSON_AddItemToObject(body, "query", q);
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (params_has(query, numbers[i])) {
            cJSON_DeleteItemFromObjectCaseSensitive(body, numbers[i]);
            json_put_i64(body, numbers[i], params_i64(query, numbers[i], 0));
        }
    }
    if (params_has(query, "sort") && !json_get(body, "sort"))
        put_url_sort(body, params_get(query, "sort"));
}

static const char *index_part(const struct visit *v)
{
    const char *first = path_at(&v->path, 0);

    return first[0] == '_' ? "" : first;
}

static cJSON *run_search(struct visit *v)
{
    cJSON *body = read_json(v, buf_str(&v->req->body), v->req->body.len), *out = NULL;

    if (body) {
        add_url_parts(body, &v->req->query);
        out = search_run(&v->elastic->docs, index_part(v), body, &v->req->query, v->err);
    }
    cJSON_Delete(body);
    return out;
}

/* The header line of one search: its members as if they were the URL's. */
static char *read_header(const cJSON *header, const char *fallback, struct params *ret)
{
    struct buf indices = BUF_INIT;
    const cJSON *index = json_get(header, "index");

    for (const cJSON *m = header->child; m; m = m->next) {
        char *text = value_text(m);
        params_add(ret, m->string, text);
        free(text);
    }
    for (const cJSON *i = cJSON_IsArray(index) ? index->child : index; i;
         i = cJSON_IsArray(index) ? i->next : NULL)
        if (cJSON_IsString(i))
            buf_addf(&indices, "%s%s", indices.len ? "," : "", i->valuestring);
    if (indices.len == 0)
        buf_adds(&indices, fallback);
    return buf_take(&indices);
}

static cJSON *run_one_of_many(struct visit *v, const cJSON *header, const cJSON *body)
{
    struct params params = PARAMS_INIT;
    struct es_error err = { 0 };
    char *indices = read_header(header, index_part(v), &params);
    cJSON *out = search_run(&v->elastic->docs, indices, body, &params, &err);

    if (out)
        json_put_i64(out, "status", 200);
    else
        out = shape_error(&err);
    es_error_clear(&err);
    params_clear(&params);
    free(indices);
    return out;
}

static cJSON *next_line(struct visit *v, const char **p)
{
    size_t n;

    while (**p == '\n')
        (*p)++;
    n = strcspn(*p, "\n");
    if (n == 0)
        return NULL;
    cJSON *tree = read_json(v, *p, n);
    *p += n;
    return tree;
}

static cJSON *run_many(struct visit *v)
{
    const char *p = buf_str(&v->req->body);
    size_t len = v->req->body.len;
    cJSON *out = cJSON_CreateObject(), *responses;

    if (len == 0 || p[len - 1] != '\n')
        es_fail(v->err, 400, "illegal_argument_exception",
                "The msearch request must be terminated by a newline [\\n]");
    json_put_i64(out, "took", 7);
    responses = json_put_array(out, "responses");
    while (*p && !v->err->status) {
        cJSON *header = next_line(v, &p), *body = header ? next_line(v, &p) : NULL;
        if (header && body)
            cJSON_AddItemToArray(responses, run_one_of_many(v, header, body));
        cJSON_Delete(header);
        cJSON_Delete(body);
        if (!header)
            break;
    }
    if (!v->err->status)
        return out;
    cJSON_Delete(out);
    return NULL;
}

static cJSON *run_count(struct visit *v)
{
    cJSON *found, *out;
    int64_t n = 0;

    found = run_search(v);
    if (!found)
        return NULL;
    (void)json_i64(json_path(found, "hits", "total", NULL), "value", &n);
    out = cJSON_CreateObject();
    json_put_i64(out, "count", n);
    cJSON_AddItemToObject(out, "_shards", cJSON_DetachItemFromObject(found, "_shards"));
    cJSON_Delete(found);
    return out;
}

/* ---- what there is ---- */

static void put_capability(cJSON *fields, const char *name, enum field_type type)
{
    cJSON *field = cJSON_GetObjectItemCaseSensitive(fields, name), *one;

    if (!field)
        field = json_put_object(fields, name);
    if (cJSON_GetObjectItemCaseSensitive(field, type_name(type)))
        return;
    one = json_put_object(field, type_name(type));
    json_put_str(one, "type", type_name(type));
    json_put_bool(one, "metadata_field", false);
    json_put_bool(one, "searchable", true);
    json_put_bool(one, "aggregatable", type != TYPE_TEXT);
}

static bool is_asked_field(const char *list, const char *name)
{
    while (list && *list) {
        size_t n = strcspn(list, ",");
        char *pattern = xstrndup(list, n);
        bool yes = wildcard_fits(pattern, name, false);
        free(pattern);
        if (yes)
            return true;
        list += n + (list[n] == ',');
    }
    return list == NULL;
}

static void put_field_capabilities(cJSON *fields, const struct doc *doc, const char *asked)
{
    for (size_t i = 0; i < doc->n; i++) {
        const struct field *f = &doc->fields[i];
        char *keyword = xasprintf("%s.keyword", f->name);
        if (is_asked_field(asked, f->name))
            put_capability(fields, f->name, f->type);
        if (doc->is_dynamic && f->type == TYPE_TEXT && is_asked_field(asked, keyword))
            put_capability(fields, keyword, TYPE_KEYWORD);
        free(keyword);
    }
}

static cJSON *run_field_caps(struct visit *v)
{
    const char *asked = params_get(&v->req->query, "fields");
    struct index_set set;
    cJSON *out, *indices, *fields;

    if (!search_indices(&v->elastic->docs, index_part(v), &v->req->query, &set, v->err))
        return NULL;
    out = cJSON_CreateObject();
    indices = json_put_array(out, "indices");
    for (size_t i = 0; i < set.n; i++)
        cJSON_AddItemToArray(indices, cJSON_CreateString(set.names[i]));
    fields = json_put_object(out, "fields");
    for (size_t i = 0; i < v->elastic->docs.n; i++)
        if (index_set_has(&set, v->elastic->docs.items[i].index))
            put_field_capabilities(fields, &v->elastic->docs.items[i], asked);
    free(set.names);
    return out;
}

static void put_stream(cJSON *streams, const char *stream, const char *index)
{
    for (cJSON *s = streams->child; s; s = s->next) {
        if (text_same(json_str(s, "name"), stream)) {
            cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(s, "backing_indices"),
                                 cJSON_CreateString(index));
            return;
        }
    }
    cJSON *one = cJSON_CreateObject();
    json_put_str(one, "name", stream);
    cJSON_AddItemToArray(json_put_array(one, "backing_indices"), cJSON_CreateString(index));
    json_put_str(one, "timestamp_field", "@timestamp");
    cJSON_AddItemToArray(streams, one);
}

static cJSON *run_resolve(struct visit *v)
{
    struct index_set set;
    cJSON *out, *indices, *streams;

    if (!search_indices(&v->elastic->docs, path_at(&v->path, 2), &v->req->query, &set, v->err))
        return NULL;
    out = cJSON_CreateObject();
    indices = json_put_array(out, "indices");
    (void)json_put_array(out, "aliases");
    streams = json_put_array(out, "data_streams");
    for (size_t i = 0; i < set.n; i++) {
        char *stream = index_stream(set.names[i]);
        cJSON *one = cJSON_CreateObject();
        json_put_str(one, "name", set.names[i]);
        cJSON_AddItemToArray(json_put_array(one, "attributes"), cJSON_CreateString("open"));
        if (stream) {
            json_put_str(one, "data_stream", stream);
            put_stream(streams, stream, set.names[i]);
        }
        cJSON_AddItemToArray(indices, one);
        free(stream);
    }
    free(set.names);
    return out;
}

static cJSON *run_info(struct visit *v)
{
    cJSON *out = cJSON_CreateObject(), *version;

    (void)v;
    json_put_str(out, "name", "es-data-0");
    json_put_str(out, "cluster_name", "logging");
    json_put_str(out, "cluster_uuid", "Kx3mT0aVQx6w2d8mC1yQfA");
    version = json_put_object(out, "version");
    json_put_str(version, "number", "8.15.3");
    json_put_str(version, "build_flavor", "default");
    json_put_str(version, "build_type", "docker");
    json_put_bool(version, "build_snapshot", false);
    json_put_str(version, "lucene_version", "9.11.1");
    json_put_str(version, "minimum_wire_compatibility_version", "7.17.0");
    json_put_str(version, "minimum_index_compatibility_version", "7.0.0");
    json_put_str(out, "tagline", "You Know, for Search");
    return out;
}

static cJSON *run_authenticate(struct visit *v)
{
    cJSON *out = cJSON_CreateObject(), *key;

    (void)v;
    json_put_str(out, "username", "elastic");
    (void)json_put_array(out, "roles");
    json_put_bool(out, "enabled", true);
    json_put_str(out, "authentication_type", "api_key");
    key = json_put_object(out, "api_key");
    json_put_str(key, "id", "k1");
    json_put_str(key, "name", "dbconn");
    return out;
}

/* ---- routes ---- */

typedef cJSON *run_fn(struct visit *v);

static run_fn *find_route(const struct visit *v)
{
    static const struct {
        const char *name;
        run_fn *run;
    } operations[] = {
        { "_search", run_search },
        { "_msearch", run_many },
        { "_count", run_count },
        { "_field_caps", run_field_caps },
    };
    const char *first = path_at(&v->path, 0);
    const char *operation = first[0] == '_' ? first : path_at(&v->path, 1);

    if (v->path.n == 0)
        return run_info;
    if (strcmp(first, "_security") == 0 && path_is(&v->path, 1, "_authenticate"))
        return run_authenticate;
    if (strcmp(first, "_resolve") == 0 && path_is(&v->path, 1, "index"))
        return run_resolve;
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        if (strcmp(operations[i].name, operation) == 0)
            return operations[i].run;
    return NULL;
}

static void route(struct visit *v)
{
    run_fn *run = find_route(v);
    cJSON *out;

    if (!run) {
        reply_plain_error(v, 400,
                          xasprintf("no handler found for uri [%s] and method [%s]", v->req->path,
                                    v->req->method));
        return;
    }
    out = knows_parameters(v) ? run(v) : NULL;
    if (out)
        reply_json(v->reply, 200, filter_path(params_get(&v->req->query, "filter_path"), out));
    else
        reply_json(v->reply, v->err->status, shape_error(v->err));
}

static bool may_enter(struct visit *v)
{
    const char *key = request_credential(v->req, "ApiKey");

    if (key && strcmp(key, v->elastic->api_key) == 0)
        return true;
    if (!v->req->authorization)
        es_fail(v->err, 401, "security_exception",
                "missing authentication credentials for REST request [%s]", v->req->path);
    else
        es_fail(v->err, 401, "security_exception",
                "unable to authenticate with provided credentials and anonymous access is not "
                "allowed for this request");
    reply_header(v->reply, "www-authenticate", "ApiKey");
    reply_json(v->reply, 401, shape_error(v->err));
    return false;
}

/* libcurl's default type for a body is a form: refused here as it is there. */
static bool has_json_type(struct visit *v)
{
    const char *type = v->req->content_type;

    if (v->req->body.len == 0 || (type && strcasestr(type, "json")))
        return true;
    reply_plain_error(v, 406,
                      xasprintf("Content-Type header [%s] is not supported", type ? type : ""));
    return false;
}

static void handle(void *user, const struct request *req, struct reply *reply)
{
    struct es_error err = { 0 };
    struct visit v = { .elastic = user, .req = req, .reply = reply, .err = &err };

    reply_header(reply, "content-type", "application/json");
    reply_header(reply, "x-elastic-product", "Elasticsearch");
    path_split(req->path, &v.path);
    if (may_enter(&v) && has_json_type(&v))
        route(&v);
    path_clear(&v.path);
    es_error_clear(&err);
}

static void refuse(void *user, const struct fault_effect *effect, struct reply *reply)
{
    static const struct {
        int status;
        const char *type, *reason;
    } words[] = {
        { 401, "security_exception",
          "unable to authenticate with provided credentials and anonymous access is not allowed "
          "for this request" },
        { 403, "security_exception",
          "action [indices:data/read/search] is unauthorized for API key id [k1] of user [elastic] "
          "on indices [logs-*], this action is granted by the index privileges [read,all]" },
        { 429, "es_rejected_execution_exception",
          "rejected execution of org.elasticsearch.action.search on "
          "QueueResizingEsThreadPoolExecutor[name = node-1/search, queue capacity = 1000]" },
        { 500, "search_phase_execution_exception", "all shards failed" },
        { 503, "cluster_block_exception",
          "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];" },
    };
    struct es_error err = { 0 };

    (void)user;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].status == effect->status)
            es_fail(&err, effect->status, words[i].type, "%s", words[i].reason);
    es_fail(&err, effect->status, "exception", "error");
    reply_header(reply, "x-elastic-product", "Elasticsearch");
    reply_json(reply, effect->status, shape_error(&err));
    es_error_clear(&err);
}

/* No hits, but the shape of an answer. */
static void empty_one(cJSON *answer)
{
    cJSON *hits = cJSON_GetObjectItemCaseSensitive(answer, "hits"), *total;

    if (!hits)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(answer, "aggregations");
    cJSON_DeleteItemFromObjectCaseSensitive(hits, "total");
    cJSON_DeleteItemFromObjectCaseSensitive(hits, "hits");
    total = json_put_object(hits, "total");
    json_put_i64(total, "value", 0);
    json_put_str(total, "relation", "eq");
    (void)json_put_array(hits, "hits");
}

static void empty(void *user, struct reply *reply)
{
    cJSON *tree = NULL, *responses;

    (void)user;
    if (json_parse(buf_str(&reply->body), reply->body.len, "reply", &tree, NULL) < 0)
        return;
    empty_one(tree);
    responses = cJSON_GetObjectItemCaseSensitive(tree, "responses");
    for (cJSON *r = responses ? responses->child : NULL; r; r = r->next)
        empty_one(r);
    reply_json(reply, 200, tree);
}

static char *new_api_key(void)
{
    char *hex = id_random_hex(32), *pair = xasprintf("k1sandbox:%s", hex);
    char *out = xcalloc(1, 4 * strlen(pair) / 3 + 5);

    EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)pair, (int)strlen(pair));
    free(hex);
    free(pair);
    return out;
}

struct elastic *elastic_new(struct shell *shell, const struct world *world, int port,
                            struct error *err)
{
    static const struct service_ops ops = {
        .name = "elasticsearch", .handle = handle, .refuse = refuse, .empty = empty
    };
    struct elastic *elastic = xcalloc(1, sizeof(*elastic));

    docs_init(&elastic->docs, world);
    elastic->api_key = new_api_key();
    elastic->service = shell_listen(shell, &ops, elastic, port, err);
    if (elastic->service)
        return elastic;
    elastic_free(elastic);
    return NULL;
}

void elastic_free(struct elastic *elastic)
{
    if (!elastic)
        return;
    docs_clear(&elastic->docs);
    free(elastic->api_key);
    free(elastic);
}

struct service *elastic_service(const struct elastic *elastic)
{
    return elastic->service;
}

const char *elastic_api_key(const struct elastic *elastic)
{
    return elastic->api_key;
}
