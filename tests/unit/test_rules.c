#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/diagnosis/rules.h"

/* A small document: "down" speaks for database_down, "net" for network_connectivity. */
static const char document_text[] =
    "{\"weighing\":{\"floor\":40,\"medium\":55,\"high\":80,\"margin\":20},"
    "\"causes\":{"
    "\"deployment_config_change\":{\"summary\":\"c\"},\"deployment_regression\":{\"summary\":\"r\"}"
    ","
    "\"database_down\":{\"summary\":\"The server is "
    "down\",\"requires\":{\"not\":{\"fact\":\"over\"}},"
    "\"without\":\"it is over\",\"next_actions\":[{\"if\":{\"fact\":\"down\"},\"say\":\"Start "
    "it\"},"
    "{\"say\":\"Look\"}]},"
    "\"database_restart\":{\"summary\":\"x\"},\"network_connectivity\":{\"summary\":\"n\"},"
    "\"connection_pool_exhaustion\":{\"summary\":\"p\"},\"regional_network\":{\"summary\":\"g\"},"
    "\"broader_deployment_incident\":{\"summary\":\"b\"},\"inconclusive\":{\"summary\":\"?\"},"
    "\"not_applicable\":{\"summary\":\"no\"}},"
    "\"signals\":["
    "{\"id\":\"down\",\"if\":{\"fact\":\"down\"},\"points\":{\"database_down\":70},"
    "\"say\":\"{down}\",\"cite\":\"down\"},"
    "{\"id\":\"more\",\"if\":{\"fact\":\"more\"},\"points\":{\"database_down\":25},\"say\":"
    "\"more\"},"
    "{\"id\":\"net\",\"if\":{\"fact\":\"net\"},\"points\":{\"network_connectivity\":60,"
    "\"database_down\":-10},\"say\":\"The network complains\"}],"
    "\"rules\":[{\"number\":4,\"supports\":[{\"if\":{\"fact\":\"down\"},\"say\":\"{down}\"}],"
    "\"contradicts\":[{\"if\":{\"fact\":\"down\",\"is\":false},\"say\":\"it works\"}],"
    "\"unknown\":\"no logs\"}],"
    "\"caps\":[{\"if\":{\"not\":{\"known\":\"logs\"}},\"causes\":[\"database_down\"],"
    "\"at\":\"medium\",\"say\":\"No logs.\"}]}";

static struct diagnosis weigh(const char *facts)
{
    struct diagnosis d = { 0 };
    struct evidence *board = evidence_new();
    cJSON *document = cJSON_Parse(document_text);
    struct error err = ERROR_INIT;
    char *list = xstrdup(facts), *save = NULL;

    assert_int_equal(rules_check(document, &err), 0);
    for (char *f = strtok_r(list, " ", &save); f; f = strtok_r(NULL, " ", &save))
        evidence_set_bool(board, "s", f[0] == '-' ? f + 1 : f, f[0] != '-', "It is down", "url");
    rules_weigh(document, board, &d);
    free(list);
    cJSON_Delete(document);
    evidence_free(board);
    return d;
}

static void release(struct diagnosis *d)
{
    struct casefile c;

    casefile_init(&c);
    c.diagnosis = *d;
    casefile_clear(&c);
}

static void the_weights_decide(void **state)
{
    static const struct {
        const char *facts;
        enum cause cause;
        enum confidence confidence;
    } cases[] = {
        { "", CAUSE_INCONCLUSIVE, CONFIDENCE_LOW },
        { "more", CAUSE_INCONCLUSIVE, CONFIDENCE_LOW },
        { "down logs -over", CAUSE_DATABASE_DOWN, CONFIDENCE_MEDIUM },
        { "down more logs -over", CAUSE_DATABASE_DOWN, CONFIDENCE_HIGH },
        { "down more -over", CAUSE_DATABASE_DOWN, CONFIDENCE_MEDIUM },
        { "down net logs -over", CAUSE_DATABASE_DOWN, CONFIDENCE_MEDIUM },
        { "net", CAUSE_NETWORK_CONNECTIVITY, CONFIDENCE_MEDIUM },
        { "down more logs over", CAUSE_INCONCLUSIVE, CONFIDENCE_LOW },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct diagnosis d = weigh(cases[i].facts);
        if (d.cause != cases[i].cause || d.confidence != cases[i].confidence)
            fail_msg("\"%s\" gave %s (%s)", cases[i].facts, cause_name(d.cause),
                     confidence_name(d.confidence));
        release(&d);
    }
}

static void the_strongest_evidence_comes_first_and_cites_its_source(void **state)
{
    struct diagnosis d = weigh("down more net -over logs");

    (void)state;
    assert_int_equal(d.n_evidence, 2);
    assert_string_equal(d.evidence[0].text, "It is down");
    assert_string_equal(d.evidence[0].url, "url");
    assert_string_equal(d.evidence[1].text, "more");
    assert_int_equal(d.n_against, 1);
    assert_string_equal(d.against[0].text, "The network complains");
    release(&d);
}

static void a_cap_says_what_is_missing(void **state)
{
    struct diagnosis d = weigh("down more -over");

    (void)state;
    assert_int_equal(d.n_missing, 1);
    assert_string_equal(d.missing[0], "No logs.");
    release(&d);
}

static void a_rule_supports_contradicts_or_does_not_know(void **state)
{
    static const struct {
        const char *facts;
        enum rule_outcome outcome;
        const char *why;
    } cases[] = {
        { "down", RULE_SUPPORTS, "It is down" },
        { "-down", RULE_CONTRADICTS, "it works" },
        { "", RULE_UNKNOWN, "no logs" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct diagnosis d = weigh(cases[i].facts);
        assert_int_equal(d.n_rules, 1);
        assert_int_equal(d.rules[0].number, 4);
        assert_int_equal(d.rules[0].outcome, cases[i].outcome);
        assert_string_equal(d.rules[0].why, cases[i].why);
        release(&d);
    }
}

static void alternatives_are_ranked_with_the_reason_why_they_lost(void **state)
{
    struct diagnosis d = weigh("down more net logs -over");

    (void)state;
    assert_int_equal(d.alternatives[0].cause, CAUSE_NETWORK_CONNECTIVITY);
    assert_true(d.alternatives[0].score > 0.5);
    release(&d);
    d = weigh("net over down");
    for (size_t i = 0; i < d.n_alternatives; i++)
        if (d.alternatives[i].cause == CAUSE_DATABASE_DOWN)
            assert_string_equal(d.alternatives[i].why_not, "it is over");
    release(&d);
}

static void next_actions_follow_the_evidence(void **state)
{
    struct diagnosis d = weigh("down -over");

    (void)state;
    assert_int_equal(d.n_next_actions, 2);
    assert_string_equal(d.next_actions[0], "Start it");
    release(&d);
}

static void a_wrong_document_is_refused_with_the_place(void **state)
{
    static const struct {
        const char *from, *to, *place;
    } cases[] = {
        { "\"database_down\":70", "\"databse_down\":70", "signals[0]" },
        { "{\"fact\":\"more\"}", "{\"fct\":\"more\"}", "signals[1]" },
        { "\"number\":4,", "", "rules[0]" },
        { "\"summary\":\"g\"", "\"sumary\":\"g\"", "causes.regional_network" },
        { "\"at\":\"medium\",", "", "caps[0]" },
        { "\"at\":\"medium\",", "\"at\":\"Medium\",", "caps[0]: \"at\" must be" },
        { "\"at\":\"medium\",", "\"at\":1,", "caps[0]" },
        { "\"causes\":[\"database_down\"]", "\"causes\":[\"database_dwn\"]",
          "\"database_dwn\" is no cause code" },
        { "\"causes\":[\"database_down\"]", "\"causes\":\"database_down\"", "caps[0]" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *at = strstr(document_text, cases[i].from);
        struct buf text = BUF_INIT;
        struct error err = ERROR_INIT;
        assert_non_null(at);
        buf_add(&text, document_text, (size_t)(at - document_text));
        buf_addf(&text, "%s%s", cases[i].to, at + strlen(cases[i].from));
        cJSON *document = cJSON_Parse(buf_str(&text));
        assert_non_null(document);
        assert_int_equal(rules_check(document, &err), -1);
        assert_non_null(strstr(error_text(&err), cases[i].place));
        cJSON_Delete(document);
        error_clear(&err);
        buf_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_weights_decide),
        cmocka_unit_test(the_strongest_evidence_comes_first_and_cites_its_source),
        cmocka_unit_test(a_cap_says_what_is_missing),
        cmocka_unit_test(a_rule_supports_contradicts_or_does_not_know),
        cmocka_unit_test(alternatives_are_ranked_with_the_reason_why_they_lost),
        cmocka_unit_test(next_actions_follow_the_evidence),
        cmocka_unit_test(a_wrong_document_is_refused_with_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
