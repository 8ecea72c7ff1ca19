/*
 * What may go wrong outside, at each service: the program ends in time, in order, with what it
 * could find out, never sure of a wrong cause, and gives no token away.
 *
 * The short form takes one incident and the faults that do not take long. FAULTS=all: every
 * incident of the sandbox, every fault (make faults).
 */
#include "../e2e/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define SCENARIOS "contrib/sandbox/scenarios/"
#define ISSUE_BUDGET_S 8 /* limits.job_seconds of a trial */
#define SIGNALLED 128    /* exit codes from here on: ended by a signal */
#define HUNG 142         /* SIGALRM */

static const struct fault {
    const char *name;
    const char *fault; /* of the sandbox; NULL: `url` instead of the service's */
    const char *url;
    bool shows; /* nothing came: a step must say so */
    bool slow;  /* takes the whole budget */
} faults[] = {
    { "refused", NULL, "http://127.0.0.1:9", true, false },
    { "no such name", NULL, "https://nowhere.invalid", true, false },
    { "cut", "{\"drop\":true}", NULL, true, false },
    { "reset", "{\"reset\":true}", NULL, true, false },
    { "reset in the middle", "{\"reset\":true,\"truncate\":true}", NULL, true, false },
    { "half-open", "{\"latency_ms\":3600000}", NULL, true, true },
    { "slow drip", "{\"drip_ms\":200,\"drip_bytes\":16}", NULL, false, true },
    { "30 s late", "{\"latency_ms\":30000}", NULL, true, true },
    { "429 with Retry-After", "{\"status\":429,\"retry_after\":1}", NULL, true, true },
    { "429 with Retry-After of an hour", "{\"status\":429,\"retry_after\":3600}", NULL, true,
      false },
    { "429 without", "{\"status\":429}", NULL, true, true },
    { "500", "{\"status\":500}", NULL, true, true },
    { "502 as HTML", "{\"status\":502,\"html\":true}", NULL, true, true },
    { "503", "{\"status\":503}", NULL, true, true },
    { "401", "{\"status\":401}", NULL, true, false },
    { "403", "{\"status\":403}", NULL, true, false },
    { "HTML for JSON", "{\"status\":200,\"html\":true}", NULL, true, false },
    { "truncated", "{\"truncate\":true}", NULL, true, false },
    { "malformed", "{\"malformed\":true}", NULL, true, false },
    { "wrong types", "{\"bend\":\"types\"}", NULL, false, false },
    { "nulls", "{\"bend\":\"nulls\"}", NULL, false, false },
    { "50 MB", "{\"huge\":52428800}", NULL, true, false },
    { "deep nesting", "{\"bend\":\"deep\"}", NULL, true, false },
    { "duplicate keys", "{\"bend\":\"duplicate\"}", NULL, false, false },
    { "gzip bomb", "{\"bend\":\"gzip\"}", NULL, true, false },
    { "empty", "{\"empty\":true}", NULL, false, false },
};

static const struct service {
    const char *name, *variable;
} services[] = {
    { "sentry", "SENTRY_URL" },
    { "github", "GITHUB_API_URL" },
    { "elasticsearch", "ELASTICSEARCH_URL" },
};

static const char *const incidents[] = {
    "deployment-config-change",
    "database-restart",
    "connection-pool-exhaustion",
    "database-down",
    "deployment-regression",
    "broader-deployment-incident",
    "inconclusive",
    "network-connectivity",
    "not-applicable",
    "regional-network",
};

struct figures {
    int trials, crashes, hangs, confident_wrong, lost, silent, leaks;
};

static bool everything(void)
{
    const char *which = getenv("FAULTS");

    return which && strcmp(which, "all") == 0;
}

/* ---- one trial ---- */

static void set_faults(struct stage *s, const char *service, const char *fault)
{
    char *body = service
                     ? xasprintf("{\"%s\":[%s]}", service, fault)
                     : xstrdup("{\"sentry\":[],\"github\":[],\"elasticsearch\":[],\"slack\":[]}");

    cJSON_Delete(control(s, "/faults", body));
    free(body);
}

static void set_url(struct stage *s, const char *variable, const char *url)
{
    cJSON_ReplaceItemInObjectCaseSensitive(s->env, variable, cJSON_CreateString(url));
}

static bool has_token(struct stage *s, const char *text)
{
    static const char *const names[] = { "SENTRY_AUTH_TOKEN", "GITHUB_TOKEN",
                                         "ELASTICSEARCH_API_KEY" };
    bool has = false;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        has |= strstr(text, json_str(json_get(s->start, "env"), names[i])) != NULL;
    return has;
}

static bool says_what_is_missing(const cJSON *report)
{
    for (const cJSON *step = json_items(report, "steps"); step; step = step->next)
        if (text_same(json_str(step, "status"), "failed") ||
            text_same(json_str(step, "status"), "partial"))
            return true;
    return json_get(report, "error") != NULL;
}

struct outcome {
    int code;
    bool right, high, told, leaked, report;
    char *cause;
};

static void run_once(struct stage *s, const char *config, const char *expected, struct outcome *ret)
{
    const char *args[] = { "run", s->short_id, "--json", "--config", config, NULL };
    char *out = stage_run(s, args, &ret->code);
    cJSON *report = cJSON_Parse(out);
    const cJSON *diagnosis = json_get(report, "diagnosis");

    ret->report = report != NULL;
    ret->cause = xstrdup(json_str_or(diagnosis, "cause", "none"));
    ret->right = text_same(ret->cause, expected);
    ret->high = text_same(json_str(diagnosis, "confidence"), "high");
    ret->told = says_what_is_missing(report);
    ret->leaked = has_token(s, out);
    cJSON_Delete(report);
    free(out);
}

static void note(struct figures *f, const char *incident, const char *service,
                 const struct fault *fault, const struct outcome *o, bool kept)
{
    bool hung = o->code == HUNG || o->code < 0, crashed = !hung && (o->code > 1 || !o->report);
    bool wrong = o->high && !o->right, lost = kept && !o->right && !fault->slow;
    bool silent = fault->shows && !o->told;

    f->trials++;
    f->hangs += hung;
    f->crashes += crashed;
    f->confident_wrong += wrong;
    f->lost += lost;
    f->silent += silent;
    f->leaks += o->leaked;
    if (hung || crashed || wrong || lost || silent || o->leaked)
        print_message("%s, %s: %s: exit code %d, cause %s%s%s%s%s%s\n", incident, service,
                      fault->name, o->code, o->cause, hung ? ", hung" : "",
                      wrong ? ", sure of it" : "", lost ? ", lost" : "",
                      silent ? ", says nothing of it" : "", o->leaked ? ", a token" : "");
}

/* Is the service asked about this incident at all? */
static bool is_asked(struct stage *s, const struct service *service, const char *config,
                     const char *expected)
{
    struct outcome o = { 0 };

    run_once(s, config, expected, &o);
    free(o.cause);
    return count_requests(s, service->name) > 0;
}

/* Does the right cause stay when this service does not answer? Then no fault of it may cost it. */
static bool stays_without(struct stage *s, const struct service *service, const char *config,
                          const char *expected)
{
    char *url = xstrdup(json_str(s->env, service->variable));
    struct outcome o = { 0 };

    set_url(s, service->variable, faults[0].url);
    run_once(s, config, expected, &o);
    set_url(s, service->variable, url);
    free(o.cause);
    free(url);
    return o.right;
}

static void try_service(struct stage *s, const char *incident, const struct service *service,
                        const char *config, const char *expected, struct figures *f)
{
    bool asked = is_asked(s, service, config, expected);
    bool kept = stays_without(s, service, config, expected);

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        char *url = xstrdup(json_str(s->env, service->variable));
        struct outcome o = { 0 };
        if (faults[i].slow && !everything()) {
            free(url);
            continue;
        }
        if (faults[i].fault)
            set_faults(s, service->name, faults[i].fault);
        else
            set_url(s, service->variable, faults[i].url);
        int64_t began = clock_mono_ms();
        run_once(s, config, expected, &o);
        if (getenv("FAULTS_TIMES"))
            print_message("%s, %s: %s: %lld ms\n", incident, service->name, faults[i].name,
                          (long long)(clock_mono_ms() - began));
        o.told = o.told || !asked;
        note(f, incident, service->name, &faults[i], &o, kept);
        set_faults(s, NULL, NULL);
        set_url(s, service->variable, url);
        free(o.cause);
        free(url);
    }
}

static char *write_config(struct stage *s)
{
    char *path = xasprintf("%s/dbconn.json", s->dir);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fprintf(file, "{\"limits\":{\"job_seconds\":%d}}", ISSUE_BUDGET_S);
    fclose(file);
    return path;
}

/* A stage for each service, since the incident ages while it is looked at. */
static void try_incident(const char *incident, const struct service *service, struct figures *f)
{
    struct stage_options options = { .scenario = incident, .no_bot = true };
    struct stage s;

    stage_open(&s, &options);
    char *config = write_config(&s), *expected = xstrdup(incident);
    for (char *p = expected; *p; p++)
        *p = *p == '-' ? '_' : *p;
    try_service(&s, incident, service, config, expected, f);
    assert_no_secret(&s);
    free(expected);
    free(config);
    stage_close(&s);
}

static void each_service_in_each_fault(void **state)
{
    struct figures f = { 0 };
    size_t n = everything() ? ARRAY_LEN(incidents) : 1;

    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < ARRAY_LEN(services); k++)
            try_incident(incidents[i], &services[k], &f);
    print_message("%d trials of %zu faults at %zu services: crashes %d, hangs %d, confident wrong "
                  "causes %d, causes lost %d, silent %d, tokens leaked %d\n",
                  f.trials, ARRAY_LEN(faults), ARRAY_LEN(services), f.crashes, f.hangs,
                  f.confident_wrong, f.lost, f.silent, f.leaks);
    assert_int_equal(f.crashes + f.hangs + f.confident_wrong + f.leaks + f.silent, 0);
    assert_true(f.lost * 20 <= f.trials);
}

/* ---- the bot ---- */

static void one_that_hangs_does_not_hold_up_the_others(void **state)
{
    struct stage_options options = { .scenario = "database-down" };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    set_faults(&s, "sentry", "{\"path\":\"5354168643|ORDERS-7F\",\"latency_ms\":3600000}");
    free(type_command(&s, INCIDENTS, "ORDERS-7F"));
    free(type_command(&s, INCIDENTS, "ORDERS-2Q"));
    wait_until(&s, job_has_ended, NULL, "the end of the other job");
    assert_true(stage_log_has(&s, "event=job.start"));
    assert_no_secret(&s);
    stage_kill_bot(&s);
    stage_close(&s);
}

/* Slack fails in every way for a while; what was asked then is answered in the end, once. */
static void whatever_slack_does_the_answer_comes_when_it_is_over(void **state)
{
    size_t tried = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct stage_options options = { .scenario = "database-down" };
        struct stage s;
        if (!faults[i].fault || strstr(faults[i].name, "hour") || (!everything() && tried >= 2) ||
            (faults[i].slow && !everything()))
            continue;
        struct buf fault = BUF_INIT;
        buf_addf(&fault, "{\"path\":\"/chat\\\\.\",\"first\":3,%s", faults[i].fault + 1);
        stage_open(&s, &options);
        set_faults(&s, "slack", buf_str(&fault));
        char *id = type_command(&s, INCIDENTS, s.short_id);
        wait_until(&s, is_acknowledged, id, "the acknowledgement");
        wait_until(&s, diagnosis_is_reached, NULL, "the diagnosis");
        wait_until(&s, job_has_ended, NULL, faults[i].name);
        assert_shows(&s, "db-orders.lighthouse.example");
        assert_no_secret(&s);
        stage_close(&s);
        free(id);
        buf_clear(&fault);
        tried++;
    }
    print_message("%zu faults of Slack: every job was answered\n", tried);
}

/* ---- the clock ---- */

static void a_clock_that_jumps_changes_nothing(void **state)
{
    static const char *const jumps[] = { "3600", "-3600" };
    const char *shim = getenv("CLOCK_JUMP"); /* empty: none */

    (void)state;
    if (!shim || !*shim)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
        struct stage_options options = { .scenario = "deployment-config-change", .no_bot = true };
        struct stage s;
        struct outcome o = { 0 };
        stage_open(&s, &options);
        char *config = write_config(&s);
        cJSON_AddItemToObject(s.env, "LD_PRELOAD", cJSON_CreateString(shim));
        cJSON_AddItemToObject(s.env, "JUMP_S", cJSON_CreateString(jumps[i]));
        set_faults(&s, "elasticsearch", "{\"latency_ms\":1500}"); /* it jumps in the middle */
        run_once(&s, config, "deployment_config_change", &o);
        assert_int_equal(o.code, 0);
        assert_true(o.right);
        free(o.cause);
        free(config);
        stage_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_service_in_each_fault),
        cmocka_unit_test(one_that_hangs_does_not_hold_up_the_others),
        cmocka_unit_test(whatever_slack_does_the_answer_comes_when_it_is_over),
        cmocka_unit_test(a_clock_that_jumps_changes_nothing),
    };

    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
