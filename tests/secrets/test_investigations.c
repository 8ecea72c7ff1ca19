/*
 * Whole investigations over texts full of secrets: in messages, variables, breadcrumbs, tags, log
 * lines, diffs, commits, names and commands. Every output is searched for every secret, byte by
 * byte: what Slack was sent, the store's files, logs, standard output, reports.
 */
#include "../e2e/harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dbconn/base/json.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "forms.h"

#define BATCH 120   /* forms in one stage, */
#define PER_ISSUE 6 /* so many in each place of an issue, */
#define ISSUES (BATCH / PER_ISSUE)
#define IN_SLACK                                                                                   \
    3 /* of these issues are asked for in Slack, which takes its time; all in a terminal */
#define BASE "contrib/sandbox/scenarios/deployment-config-change.json"
#define TARGET "db-shop.lighthouse.example"

struct batch {
    struct secrets secrets;
    const struct forms *forms;
    size_t first, n;
    char *path; /* the scenario's file */
    struct stage stage;
    size_t found, searched; /* secrets; bytes */
};

/* ---- what the services know ---- */

static const char *form(const struct batch *b, size_t i, size_t place)
{
    return b->forms->items[(b->first + i + place * 37) % b->forms->n];
}

/* A form's text at some place of the i-th issue; every place has forms of its own. */
static char *text_at(struct batch *b, size_t i, const char *place)
{
    size_t sum = 0;

    for (const char *p = place; *p; p++)
        sum += (size_t)*p;
    return secrets_fill(&b->secrets, form(b, i, sum), place);
}

static void put(cJSON *obj, const char *key, char *text)
{
    json_put_str(obj, key, text);
    free(text);
}

/* Values that only their name gives away. */
static void put_named(struct batch *b, size_t at, cJSON *obj, const char *place)
{
    static const char *const names[] = { "password",      "DB_PASSWORD", "apiKey",     "token",
                                         "client_secret", "passwd",      "PGPASSWORD", "cookie" };

    for (size_t i = at % 4; i < ARRAY_LEN(names); i += 4)
        put(obj, names[i], secrets_make(&b->secrets, i % 2 ? "pw" : "word", place));
    cJSON *inner = json_put_object(obj, "options");
    put(inner, "secretKey", secrets_make(&b->secrets, "sym", place));
    put(inner, "host", xstrdup(TARGET));
}

static void replace(cJSON *obj, const char *key, cJSON *with)
{
    cJSON_DeleteItemFromObjectCaseSensitive(obj, key);
    cJSON_AddItemToObject(obj, key, with);
}

static void replace_text(cJSON *obj, const char *key, char *text)
{
    replace(obj, key, cJSON_CreateString(text));
    free(text);
}

static void fill_frames(struct batch *b, size_t i, cJSON *exception)
{
    cJSON *frames = cJSON_GetObjectItem(exception, "frames");

    while (cJSON_GetArraySize(frames) > 2)
        cJSON_DeleteItemFromArray(frames, 0);
    for (cJSON *f = frames->child; f; f = f->next) {
        cJSON *more = cJSON_CreateObject(), *vars = json_put_object(more, "vars");
        char *code = text_at(b, i, "a line of code"), *var = text_at(b, i, "a variable");
        put(vars, "dsn", xasprintf("'%s'", var));
        put(vars, "self", text_at(b, i, "another variable"));
        put_named(b, i, vars, "a variable's name");
        cJSON_ReplaceItemInArray(f, 5, cJSON_CreateString(code));
        if (cJSON_GetArraySize(f) > 6)
            cJSON_ReplaceItemInArray(f, 6, more);
        else
            cJSON_AddItemToArray(f, more);
        free(code);
        free(var);
    }
}

static void fill_exceptions(struct batch *b, size_t i, cJSON *trace)
{
    cJSON *chain = cJSON_CreateArray();
    const cJSON *base = json_items(trace, "exceptions");

    for (size_t k = 0; k < PER_ISSUE; k++) {
        cJSON *one = cJSON_Duplicate(base, true);
        char *message = text_at(b, i * PER_ISSUE + k, "the message");
        replace_text(one, "value",
                     xasprintf("%s%s",
                               k + 1 < PER_ISSUE ? ""
                                                 : "connection to server at \"" TARGET
                                                   "\" (10.20.0.15), port 5433 failed: "
                                                   "Connection refused\n",
                               message));
        fill_frames(b, i * PER_ISSUE + k, one);
        cJSON_AddItemToArray(chain, one);
        free(message);
    }
    replace(trace, "exceptions", chain);
}

static void fill_trace(struct batch *b, size_t i, cJSON *trace)
{
    cJSON *crumbs = cJSON_CreateArray(), *extra = json_put_object(trace, "extra");

    fill_exceptions(b, i, trace);
    replace(trace, "breadcrumbs", crumbs);
    for (size_t k = i * PER_ISSUE; k < (i + 1) * PER_ISSUE; k++) {
        cJSON *one = cJSON_CreateObject();
        char *name = xasprintf("dsn%zu", k);
        put(one, "message", text_at(b, k, "a breadcrumb"));
        put(json_put_object(one, "data"), "url", text_at(b, k, "a breadcrumb's URL"));
        put_named(b, k, cJSON_GetObjectItem(one, "data"), "a breadcrumb's data");
        cJSON_AddItemToArray(crumbs, one);
        put(extra, name, text_at(b, k, "extra data"));
        put(json_put_object(cJSON_GetObjectItem(trace, "contexts"), name), "url",
            text_at(b, k, "a context"));
        free(name);
    }
    put_named(b, i, extra, "extra data's name");
}

static cJSON *make_issue(struct batch *b, size_t i, const cJSON *base)
{
    cJSON *issue = cJSON_Duplicate(base, true), *events = cJSON_CreateArray(), *tags;
    size_t n = 0;

    replace_text(issue, "id", xasprintf("5333%06zu", i));
    replace_text(issue, "shortId", xasprintf("SHOP-%zu", i + 1000));
    replace(issue, "variants", cJSON_CreateArray());
    cJSON *variant = cJSON_CreateObject();
    json_put_i64(variant, "trace", (int64_t)i);
    cJSON_AddItemToArray(cJSON_GetObjectItem(issue, "variants"), variant);
    for (const cJSON *e = json_items(base, "events"); e; e = e->next)
        if (n++ % 40 == 0)
            cJSON_AddItemToArray(events, cJSON_Duplicate(e, true));
    replace(issue, "events", events);
    tags = cJSON_GetObjectItem(issue, "baseTags");
    for (size_t k = i * PER_ISSUE; k < (i + 1) * PER_ISSUE; k++) {
        char *name = xasprintf("url%zu", k);
        put(tags, name, text_at(b, k, "a tag"));
        free(name);
    }
    put(tags, "auth_token", secrets_make(&b->secrets, "pw", "a tag's name"));
    char *token = secrets_make(&b->secrets, "pw", "the transaction");
    cJSON *tx = cJSON_CreateArray();
    char *path = xasprintf("/orders/?access_token=%s", token);
    cJSON_AddItemToArray(tx, cJSON_CreateString(path));
    replace(issue, "tx", tx);
    for (cJSON *e = events->child; e; e = e->next)
        cJSON_ReplaceItemInArray(e, 5, cJSON_CreateNumber(0));
    free(path);
    free(token);
    return issue;
}

static void append_to_message(cJSON *commit, char *text)
{
    char *message = xasprintf("%s\n\n%s", json_str(commit, "message"), text);

    replace_text(commit, "message", message);
    free(text);
}

static void fill_sentry(struct batch *b, cJSON *sentry)
{
    cJSON *trace = cJSON_DetachItemFromArray(cJSON_GetObjectItem(sentry, "traces"), 0);
    cJSON *issue = cJSON_DetachItemFromArray(cJSON_GetObjectItem(sentry, "issues"), 0);

    replace(sentry, "traces", cJSON_CreateArray());
    replace(sentry, "issues", cJSON_CreateArray());
    for (size_t i = 0; i < ISSUES; i++) {
        cJSON *one = cJSON_Duplicate(trace, true);
        fill_trace(b, i, one);
        cJSON_AddItemToArray(cJSON_GetObjectItem(sentry, "traces"), one);
        cJSON_AddItemToArray(cJSON_GetObjectItem(sentry, "issues"), make_issue(b, i, issue));
    }
    size_t k = 0;
    for (cJSON *r = cJSON_GetObjectItem(sentry, "releases")->child; r; r = r->next)
        for (cJSON *c = cJSON_GetObjectItem(r, "commits")->child; c; c = c->next)
            append_to_message(c, text_at(b, k++, "a commit that Sentry knows"));
    for (cJSON *p = cJSON_GetObjectItem(sentry, "people")->child; p; p = p->next) {
        char *secret = secrets_make(&b->secrets, "pw", "a person's name");
        replace_text(p, "name", xasprintf("%s password=%s", json_str(p, "name"), secret));
        free(secret);
    }
    cJSON_Delete(trace);
    cJSON_Delete(issue);
}

static void add_patch_lines(char sign, const char *text, struct buf *out)
{
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\n");
        buf_addf(out, "\n%c%.*s", sign, (int)n, at);
        at += n + (at[n] == '\n');
    }
}

/* Adds changed settings to the patch, the old secret and the new one. */
static void fill_patch(struct batch *b, cJSON *file)
{
    struct buf patch = BUF_INIT;

    buf_adds(&patch, json_str(file, "patch"));
    buf_adds(&patch, "\n@@ -20,200 +20,200 @@");
    for (size_t i = 0; i < b->n; i++) {
        char *old = text_at(b, i, "a line that went"), *new = text_at(b, i, "a line that came");
        add_patch_lines('-', old, &patch);
        add_patch_lines('+', new, &patch);
        free(old);
        free(new);
    }
    char *before = secrets_make(&b->secrets, "pw", "an old value"),
         *after = secrets_make(&b->secrets, "pw", "a new value");
    buf_addf(&patch, "\n-DATABASE_URL=postgres://shop:%s@" TARGET ":5432/shop", before);
    buf_addf(&patch, "\n+DATABASE_URL=postgres://shop:%s@" TARGET ":5433/shop", after);
    replace_text(file, "patch", buf_take(&patch));
    free(before);
    free(after);
}

static void fill_github(struct batch *b, cJSON *repo)
{
    size_t k = 0;

    for (cJSON *c = cJSON_GetObjectItem(repo, "commits")->child; c; c = c->next) {
        append_to_message(c, text_at(b, k++, "a commit"));
        for (cJSON *f = cJSON_GetObjectItem(c, "files")->child; f; f = f->next)
            if (json_str(f, "patch") && strstr(json_str(f, "filename"), ".env"))
                fill_patch(b, f);
    }
    for (cJSON *p = cJSON_GetObjectItem(repo, "pulls")->child; p; p = p->next) {
        char *title = text_at(b, k++, "a pull request's title");
        replace_text(p, "title", xasprintf("%s %s", json_str(p, "title"), title));
        replace_text(p, "body", text_at(b, k++, "a pull request's text"));
        free(title);
    }
}

static cJSON *make_log(struct batch *b, size_t i, const char *index)
{
    cJSON *pair = cJSON_CreateArray(), *doc = cJSON_CreateObject();
    char *message = text_at(b, i, "a log line");

    put(doc, "@timestamp", xasprintf("@-49m%zus", i % 50));
    put(doc, "message",
        xasprintf("connection refused by " TARGET ":5433 (10.20.0.15): %s", message));
    json_put_str(json_put_object(doc, "log"), "level", "ERROR");
    json_put_str(json_put_object(doc, "service"), "name", "shop");
    json_put_str(json_put_object(doc, "host"), "name", "shop-web-1");
    put(json_put_object(doc, "error"), "message", text_at(b, i, "a log line's error"));
    put_named(b, i, json_put_object(doc, "labels"), "a log line's labels");
    cJSON_AddItemToArray(pair, cJSON_CreateString(index));
    cJSON_AddItemToArray(pair, doc);
    free(message);
    return pair;
}

static void fill_logs(struct batch *b, cJSON *elasticsearch)
{
    cJSON *docs = cJSON_GetObjectItem(elasticsearch, "docs"), *first = docs->child;
    char *index = xstrdup(cJSON_GetStringValue(first->child));

    for (size_t i = 0; i < b->n; i++)
        cJSON_AddItemToArray(docs, make_log(b, i, index));
    free(index);
}

static cJSON *read_json(const char *path)
{
    struct buf text = BUF_INIT;
    char bytes[65536];
    FILE *file = fopen(path, "rb");
    cJSON *tree;
    size_t n;

    assert_non_null(file);
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buf_add(&text, bytes, n);
    fclose(file);
    tree = cJSON_Parse(buf_str(&text));
    buf_clear(&text);
    assert_non_null(tree);
    return tree;
}

/* The release's name holds one too. */
static char *rename_release(struct batch *b, const char *text)
{
    char *secret = secrets_make(&b->secrets, "pw", "a release's name");
    char *name = xasprintf("shop@2.42.0+password=%s", secret);
    struct buf out = BUF_INIT;

    for (const char *at; (at = strstr(text, "shop@2.42.0")); text = at + strlen("shop@2.42.0")) {
        buf_add(&out, text, (size_t)(at - text));
        buf_adds(&out, name);
    }
    buf_adds(&out, text);
    free(name);
    free(secret);
    return buf_take(&out);
}

static void write_scenario(struct batch *b)
{
    const char *tmp = getenv("TMPDIR");
    cJSON *scenario = read_json(BASE);

    replace_text(scenario, "short_id", xstrdup("SHOP-1000"));
    fill_sentry(b, cJSON_GetObjectItem(scenario, "sentry"));
    fill_github(b, cJSON_GetObjectItem(cJSON_GetObjectItem(scenario, "github"), "repos")->child);
    fill_logs(b, cJSON_GetObjectItem(scenario, "elasticsearch"));
    char *plain = json_print(scenario), *text = rename_release(b, plain);
    b->path = xasprintf("%s/dbconn-secrets-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    int fd = mkstemp(b->path);
    FILE *file = fdopen(fd, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    free(text);
    free(plain);
    cJSON_Delete(scenario);
}

/* ---- searching ---- */

static void search(struct batch *b, const char *where, const char *bytes, size_t len)
{
    b->found += secrets_search(&b->secrets, where, bytes, len);
    b->searched += len;
}

static void search_text(struct batch *b, const char *where, char *text)
{
    search(b, where, text, strlen(text));
    free(text);
}

/* The state directory: the store with its journal, and the logs; not the sandbox's own log. */
static void search_files(struct batch *b, const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    char bytes[65536];
    size_t n;

    while (dir && (entry = readdir(dir))) {
        char *inner = xasprintf("%s/%s", path, entry->d_name);
        FILE *file = entry->d_type == DT_REG && strcmp(entry->d_name, "sandbox.log") != 0
                         ? fopen(inner, "rb")
                         : NULL;
        struct buf all = BUF_INIT;
        while (file && (n = fread(bytes, 1, sizeof(bytes), file)) > 0)
            buf_add(&all, bytes, n);
        if (file)
            fclose(file);
        search(b, entry->d_name, buf_str(&all), all.len);
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            search_files(b, inner);
        buf_clear(&all);
        free(inner);
    }
    if (dir)
        closedir(dir);
}

static void search_slack(struct batch *b)
{
    static const char *const paths[] = { "/state", "/calls", "/envelopes", "/views" };

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        char *text = control_text(&b->stage, paths[i]);
        /* What people typed and the bot did not repeat is Slack's. */
        if (strcmp(paths[i], "/envelopes") != 0)
            search(b, paths[i], text, strlen(text));
        free(text);
    }
}

static void search_command(struct batch *b, const char *a, const char *arg, const char *c)
{
    const char *args[] = { a, arg, c, NULL };
    int code;

    search_text(b, a, stage_run(&b->stage, args, &code));
    if (code != 0)
        fail_msg("dbconn %s %s %s ended with %d", a, arg, c ? c : "", code);
}

/* ---- the run ---- */

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

static bool all_is_done(struct stage *s, const void *arg)
{
    char *log = stage_bot_log(s);
    (void)arg;
    size_t taken = count(log, "event=job.enqueued "), ended = count(log, "event=job.end ");
    char *envelopes = control_text(s, "/envelopes");
    bool answered = !strstr(envelopes, "\"acknowledged\":false");

    free(envelopes);
    free(log);
    return answered && taken >= IN_SLACK && ended >= taken;
}

static void ask_in_slack(struct batch *b)
{
    static const char *const channels[IN_SLACK] = { INCIDENTS, "C0SECRET01", "D0RAINER01" };

    for (size_t i = 0; i < IN_SLACK; i++) {
        char *issue = xasprintf("SHOP-%zu", i * ISSUES / IN_SLACK + 1000);
        free(type_command(&b->stage, channels[i], issue));
        free(issue);
    }
    for (size_t i = 0; i < b->n; i += 20) { /* pasted by mistake */
        char *text = text_at(b, i, "a command");
        for (char *p = text; *p; p++)
            *p = *p < ' ' && *p > 0 ? ' ' : *p;
        free(type_command(&b->stage, "C0SECRET01", text));
        free(text);
    }
}

static void show_jobs(struct batch *b)
{
    char *log = stage_bot_log(&b->stage);
    size_t shown = 0;

    for (const char *at = log; (at = strstr(at, "event=job.enqueued job=")) && shown < 8; shown++) {
        const char *id = strchr(at, '=') + 1;
        id = strstr(at, "job=\"");
        id = id ? id + 5 : at;
        char *job = xstrndup(id, strcspn(id, "\" \n"));
        search_command(b, "jobs", "show", job);
        free(job);
        at++;
    }
    free(log);
    assert_true(shown > 0);
}

static void run_all(struct batch *b)
{
    for (size_t i = 0; i < ISSUES; i++) {
        char *issue = xasprintf("SHOP-%zu", i + 1000);
        search_command(b, "run", issue, "--json");
        if (i % 4 == 0)
            search_command(b, "run", issue, NULL);
        free(issue);
    }
}

static void remember_tokens(struct batch *b)
{
    static const char *const names[] = { "SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "SENTRY_AUTH_TOKEN",
                                         "GITHUB_TOKEN", "ELASTICSEARCH_API_KEY" };

    /* What comes before the last dash names the app and the workspace. */
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *token = json_str(json_get(b->stage.start, "env"), names[i]);
        const char *dash = strrchr(token, '-');
        secrets_add(&b->secrets, dash ? dash + 1 : token, names[i]);
    }
}

/* The address of a changed setting can be read, its old secret and its new one cannot. */
static void check_diff(struct batch *b)
{
    const char *args[] = { "run", "SHOP-1000", "--json", NULL };
    int code;
    char *report = stage_run(&b->stage, args, &code);

    if (!strstr(report, "5433") || !strstr(report, "5432") || !strstr(report, REDACTED))
        fail_msg("the report does not show what changed: %s", report);
    free(report);
}

static void run_batch(struct batch *b)
{
    static const char *const env[] = { "DBCONN_LOG_LEVEL=debug", NULL };
    static const char *const args[] = { "--lift-limits", NULL };
    struct stage_options options = { .sandbox_args = args, .bot_env = env };

    write_scenario(b);
    options.scenario = b->path;
    stage_open(&b->stage, &options);
    unlink(b->path);
    remember_tokens(b);
    ask_in_slack(b);
    wait_until(&b->stage, all_is_done, NULL, "the end of all jobs");
    search_slack(b);
    search_files(b, b->stage.dir);
    show_jobs(b);
    search_command(b, "jobs", "list", NULL);
    run_all(b);
    check_diff(b);
    stage_stop_bot(&b->stage);
    search_files(b, b->stage.dir);
    stage_close(&b->stage);
}

static void no_secret_comes_out_anywhere(void **state)
{
    struct forms forms;
    size_t found = 0, secrets = 0, searched = 0;

    (void)state;
    forms_load(&forms);
    for (size_t first = 0; first < forms.n; first += BATCH) {
        size_t n = forms.n - first < BATCH ? forms.n - first : BATCH;
        struct batch b = {
            .secrets = { .random = first }, .forms = &forms, .first = first, .n = n
        };
        run_batch(&b);
        found += b.found;
        searched += b.searched;
        secrets += b.secrets.n;
        secrets_clear(&b.secrets);
        free(b.path);
    }
    print_message(
        "%zu forms, %zu secrets in investigations, %zu bytes of output searched: %zu found\n",
        forms.n, secrets, searched, found);
    forms_clear(&forms);
    assert_int_equal(found, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_secret_comes_out_anywhere),
    };

    return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
