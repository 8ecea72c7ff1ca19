/* dbconn replay: evaluates stored evidence with the playbook of today and says what changes. */
#include "command.h"

#include <stdio.h>

#include "case_doc.h"
#include "dbconn/app/config.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/playbook/playbook.h"
#include "dbconn/playbook/run.h"

struct replay {
    struct playbook *playbook;
    bool json;
    cJSON *cases; /* with --json */
    size_t same, different, unreadable;
    size_t judged, before, now; /* cases of which people told the cause; that agree with them */
};

/* ---- one case ---- */

/* The steps' outcomes are evidence too; everything else is found anew. */
static void evaluate(const struct playbook *playbook, struct case_doc *doc, struct casefile *ret)
{
    casefile_init(ret);
    ret->playbook = xstrdup(playbook->id);
    ret->playbook_hash = xstrdup(playbook->hash);
    ret->evaluated_ms = doc->before.evaluated_ms;
    ret->steps = doc->before.steps;
    ret->n_steps = doc->before.n_steps;
    ret->cap_steps = doc->before.cap_steps;
    doc->before.steps = NULL;
    doc->before.n_steps = doc->before.cap_steps = 0;
    run_evaluate(playbook, doc->board, ret->evaluated_ms, ret);
}

struct changes {
    char **items;
    size_t n, cap;
};

static void change(struct changes *list, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void change(struct changes *list, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    *VEC_ADD(list->items, list->n, list->cap) = buf_take(&text);
}

static void changes_clear(struct changes *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
}

static void compare_text(struct changes *list, const char *what, const char *before,
                         const char *now)
{
    if (!text_same(before, now))
        change(list, "%s: %s → %s", what, before ? before : "none", now ? now : "none");
}

static const struct rule_result *rule_of(const struct diagnosis *d, int number)
{
    for (size_t i = 0; i < d->n_rules; i++)
        if (d->rules[i].number == number)
            return &d->rules[i];
    return NULL;
}

static void compare_rules(struct changes *list, const struct diagnosis *before,
                          const struct diagnosis *now)
{
    for (size_t i = 0; i < now->n_rules; i++) {
        const struct rule_result *r = &now->rules[i], *old = rule_of(before, r->number);
        if (!old)
            change(list, "rule %d: new, %s", r->number, rule_outcome_name(r->outcome));
        else if (old->outcome != r->outcome)
            change(list, "rule %d: %s → %s", r->number, rule_outcome_name(old->outcome),
                   rule_outcome_name(r->outcome));
    }
    for (size_t i = 0; i < before->n_rules; i++)
        if (!rule_of(now, before->rules[i].number))
            change(list, "rule %d: gone", before->rules[i].number);
}

static void compare(const struct diagnosis *before, const struct diagnosis *now,
                    struct changes *list)
{
    const struct culprit none = { 0 }, *was = before->culprit ? before->culprit : &none,
                         *is = now->culprit ? now->culprit : &none;

    compare_text(list, "cause", cause_name(before->cause), cause_name(now->cause));
    compare_text(list, "confidence", confidence_name(before->confidence),
                 confidence_name(now->confidence));
    compare_text(list, "release to blame", was->release, is->release);
    compare_text(list, "commit to blame", was->commit, is->commit);
    compare_rules(list, before, now);
}

/* ---- what is said ---- */

static void say(const char *path, const struct case_doc *doc, const struct diagnosis *now,
                const struct changes *list)
{
    struct buf line = BUF_INIT, clean = BUF_INIT;

    buf_addf(&line, "%s (%s): ", path, doc->issue);
    if (list->n == 0)
        buf_addf(&line, "the same, %s (%s)", cause_name(now->cause),
                 confidence_name(now->confidence));
    for (size_t i = 0; i < list->n; i++)
        buf_addf(&line, "%s%s", i ? "; " : "", list->items[i]);
    if (doc->has_truth)
        buf_addf(&line, ". It was %s, as people said: %s", cause_name(doc->truth),
                 now->cause == doc->truth ? "right" : "wrong");
    text_clean(buf_str(&line), true, &clean);
    puts(buf_str(&clean));
    buf_clear(&line);
    buf_clear(&clean);
}

static void put_verdict(cJSON *obj, const char *key, const struct diagnosis *d)
{
    cJSON *verdict = json_put_object(obj, key);

    json_put_str(verdict, "cause", cause_name(d->cause));
    json_put_str(verdict, "confidence", confidence_name(d->confidence));
}

static cJSON *to_json(const char *path, const struct case_doc *doc, const struct diagnosis *now,
                      const struct changes *list)
{
    cJSON *obj = cJSON_CreateObject(), *changes;

    json_put_str(obj, "file", path);
    json_put_str(obj, "issue", doc->issue);
    json_put_bool(obj, "same", list->n == 0);
    put_verdict(obj, "before", &doc->before.diagnosis);
    put_verdict(obj, "now", now);
    json_put_str(obj, "real_cause", doc->has_truth ? cause_name(doc->truth) : NULL);
    changes = json_put_array(obj, "changes");
    for (size_t i = 0; i < list->n; i++)
        cJSON_AddItemToArray(changes, cJSON_CreateString(list->items[i]));
    return obj;
}

static void replay_case(struct replay *r, const char *path, struct case_doc *doc)
{
    struct changes list = { 0 };
    struct casefile now;

    evaluate(r->playbook, doc, &now);
    compare(&doc->before.diagnosis, &now.diagnosis, &list);
    if (list.n)
        r->different++;
    else
        r->same++;
    if (doc->has_truth) {
        r->judged++;
        r->before += doc->before.diagnosis.cause == doc->truth;
        r->now += now.diagnosis.cause == doc->truth;
    }
    if (r->json)
        cJSON_AddItemToArray(r->cases, to_json(path, doc, &now.diagnosis, &list));
    else
        say(path, doc, &now.diagnosis, &list);
    changes_clear(&list);
    casefile_clear(&now);
}

static void replay_file(struct replay *r, const char *path)
{
    struct error err = ERROR_INIT;
    struct case_doc doc;

    if (case_doc_load(path, &doc, &err) < 0) {
        fprintf(stderr, "dbconn replay: %s\n", error_text(&err));
        error_clear(&err);
        r->unreadable++;
        return;
    }
    replay_case(r, path, &doc);
    case_doc_clear(&doc);
}

static void say_total(const struct replay *r)
{
    if (r->same + r->different + r->unreadable > 1)
        printf("%zu the same, %zu different, %zu could not be read.\n", r->same, r->different,
               r->unreadable);
    if (r->judged > 1)
        printf("Of %zu of which people told the cause, %zu were right before and %zu are now.\n",
               r->judged, r->before, r->now);
}

static void print_json(struct replay *r)
{
    cJSON *doc = cJSON_CreateObject();

    json_put_str(doc, "playbook", r->playbook->id);
    json_put_str(doc, "playbook_hash", r->playbook->hash);
    json_put_i64(doc, "same", (int64_t)r->same);
    json_put_i64(doc, "different", (int64_t)r->different);
    json_put_i64(doc, "unreadable", (int64_t)r->unreadable);
    json_put_i64(doc, "judged", (int64_t)r->judged);
    json_put_i64(doc, "right_before", (int64_t)r->before);
    json_put_i64(doc, "right_now", (int64_t)r->now);
    cJSON_AddItemToObject(doc, "cases", r->cases);
    char *text = json_print(doc);
    puts(text);
    cJSON_free(text);
    cJSON_Delete(doc);
}

/* ---- the command ---- */

static int replay(struct replay *r, int n, char **argv)
{
    if (r->json)
        r->cases = cJSON_CreateArray();
    for (int i = 1; i <= n; i++)
        replay_file(r, argv[i]);
    if (r->json)
        print_json(r);
    else
        say_total(r);
    return r->different || r->unreadable ? EXIT_NOT_DONE : EXIT_OK;
}

static int with_playbook(struct replay *r, const char *path, int n, char **argv)
{
    struct error err = ERROR_INIT;
    int exit_code;

    if ((path ? playbook_load(path, &r->playbook, &err) : playbook_builtin(&r->playbook, &err)) < 0)
        return command_failed(&err, r->json, "config");
    exit_code = replay(r, n, argv);
    playbook_unref(r->playbook);
    return exit_code;
}

static int run(int argc, char **argv)
{
    const char *path = NULL;
    struct replay r = { 0 };
    const struct app_option options[] = { { "--json", &r.json, NULL },
                                          { "--playbook", NULL, &path } };
    struct common_options common;
    struct config *config;
    int exit_code, n = common_options_read(&command_replay, argc, argv, &common, &exit_code);

    if (n < 0)
        return exit_code;
    n = app_options_read("replay", options, ARRAY_LEN(options), n + 1, argv, argc);
    if (n == 0)
        fprintf(stderr, "dbconn replay: which files? dbconn feedback --export DIR writes them\n");
    if (n <= 0 || !(config = load_config_quietly(&common)))
        return EXIT_USAGE;
    exit_code = with_playbook(&r, path ? path : config_str(config, "playbook.path"), n, argv);
    config_free(config);
    return exit_code;
}

const struct app_command command_replay = {
    "replay",
    "evaluates stored evidence with the playbook of today",
    "Usage: dbconn replay FILE... [--playbook FILE] [--json] [--config FILE]\n"
    "\n"
    "Weighs cases that dbconn feedback --export wrote once more, and says what is different:\n"
    "cause, confidence, the release and commit to blame, the outcome of the rules. Asks no\n"
    "service. The same evidence and playbook give the same diagnosis, always.\n"
    "\n"
    "  --playbook FILE  a playbook to try (default: playbook.path, else the built-in one)\n"
    "  --json           for scripts\n"
    "  --config FILE    configuration; environment variables override it\n"
    "\n"
    "Exit code: 0 nothing is different, 1 something is, or a file could not be read,\n"
    "2 usage or configuration.\n",
    run,
};
