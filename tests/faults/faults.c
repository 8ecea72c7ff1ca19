/*
 * What may go wrong outside, at each service: the program ends in time, in order, with what it
 * could find out, never sure of a wrong cause, and gives no token away.
 *
 * The short form takes one incident and the faults that do not take long. FAULTS=all: every
 * incident of the sandbox, every fault (make faults).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "list.h"

#define LIMITS ",\"limits\":{\"job_seconds\":8}"
#define HUNG 142 /* SIGALRM */

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
    int trials, crashes, hangs, confident_wrong, silent, leaks;
    int undecided, kept; /* the service does not decide: trials, and the cause stayed right */
    int undecided_slow, kept_slow;
};

/* ---- one trial ---- */

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
    bool wrong = o->high && !o->right, lost = kept && !o->right;
    bool silent = fault->shows && !o->told;

    f->trials++;
    f->hangs += hung;
    f->crashes += crashed;
    f->confident_wrong += wrong;
    *(fault->slow ? &f->undecided_slow : &f->undecided) += kept;
    *(fault->slow ? &f->kept_slow : &f->kept) += kept && o->right;
    f->silent += silent;
    f->leaks += o->leaked;
    if (hung || crashed || wrong || lost || silent || o->leaked)
        print_message("%s, %s: %s: exit code %d, cause %s%s%s%s%s%s\n", incident, service,
                      fault->name, o->code, o->cause, hung ? ", hung" : "",
                      wrong ? ", sure of it" : "", lost ? ", lost" : "",
                      silent ? ", says nothing of it" : "", o->leaked ? ", a token" : "");
}

/* What the service is to this incident. */
struct role {
    bool asked; /* at all */
    bool right; /* the cause, when it answers */
    bool kept;  /* and when it does not: then no fault of it may cost it */
};

static struct role role_of(struct stage *s, const struct service *service, const char *config,
                           const char *expected)
{
    char *url = xstrdup(json_str(s->env, service->variable));
    struct outcome with = { 0 }, without = { 0 };

    run_once(s, config, expected, &with);
    bool asked = count_requests(s, service->name) > 0;
    set_variable(s, service->variable, faults[0].url);
    run_once(s, config, expected, &without);
    set_variable(s, service->variable, url);
    free(with.cause);
    free(without.cause);
    free(url);
    return (struct role){ .asked = asked, .right = with.right, .kept = without.right };
}

static void try_fault(struct stage *s, const struct fault *fault, const struct front *front,
                      const struct service *service, const char *config, const char *expected,
                      struct outcome *ret)
{
    char *url = xstrdup(json_str(s->env, service->variable));

    if (fault->fault)
        set_faults(s, service->name, fault->fault);
    else
        set_variable(s, service->variable, fault->front ? front->url : fault->url);
    run_once(s, config, expected, ret);
    set_faults(s, NULL, NULL);
    set_variable(s, service->variable, url);
    free(url);
}

static void try_service(struct stage *s, const char *incident, const struct service *service,
                        const struct front *fronts, const char *config, const char *expected,
                        struct figures *f)
{
    struct role role = role_of(s, service, config, expected);

    for (size_t i = 0; i < n_faults; i++) {
        struct outcome o = { 0 };
        if (faults[i].slow && !everything())
            continue;
        int64_t began = clock_mono_ms();
        try_fault(s, &faults[i], &fronts[i], service, config, expected, &o);
        if (getenv("FAULTS_TIMES"))
            print_message("%s, %s: %s: %lld ms\n", incident, service->name, faults[i].name,
                          (long long)(clock_mono_ms() - began));
        o.told = o.told || !role.asked;
        note(f, incident, service->name, &faults[i], &o, faults[i].serves ? role.right : role.kept);
        free(o.cause);
    }
}

/* One for each fault that needs one. */
static struct front *start_fronts(const char *to)
{
    struct front *fronts = xcalloc(n_faults, sizeof(*fronts));

    for (size_t i = 0; i < n_faults; i++) {
        if (!faults[i].front)
            continue;
        struct front_options options = *faults[i].front;
        options.to = to;
        front_start(&fronts[i], &options);
    }
    return fronts;
}

static void stop_fronts(struct front *fronts)
{
    for (size_t i = 0; i < n_faults; i++)
        front_stop(&fronts[i]);
    free(fronts);
}

/* A stage for each service, since the incident ages while it is looked at. */
static void try_incident(const char *incident, const struct service *service, struct figures *f)
{
    struct stage_options options = { .scenario = incident, .no_bot = true };
    struct stage s;

    stage_open(&s, &options);
    char *config = write_config(&s, NULL, LIMITS), *expected = xstrdup(incident);
    struct front *fronts = start_fronts(json_str(s.env, service->variable));
    for (char *p = expected; *p; p++)
        *p = *p == '-' ? '_' : *p;
    try_service(&s, incident, service, fronts, config, expected, f);
    assert_no_secret(&s);
    stop_fronts(fronts);
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
                  "causes %d, silent %d, tokens leaked %d\n",
                  f.trials, n_faults, ARRAY_LEN(services), f.crashes, f.hangs, f.confident_wrong,
                  f.silent, f.leaks);
    print_message("where the service does not decide, the cause stayed right in %d of %d, and in "
                  "%d of %d when the fault took the whole time\n",
                  f.kept, f.undecided, f.kept_slow, f.undecided_slow);
    assert_int_equal(f.crashes + f.hangs + f.confident_wrong + f.leaks + f.silent, 0);
    /* At most 5 points lost; a fault that takes the whole time leaves none for the others. */
    assert_true((f.undecided - f.kept) * 20 <= f.undecided);
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
        char *config = write_config(&s, NULL, LIMITS);
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
        cmocka_unit_test(a_clock_that_jumps_changes_nothing),
    };

    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
