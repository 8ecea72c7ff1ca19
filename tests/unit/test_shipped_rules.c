/* The document that is built in, weighed on facts: rows are incidents in short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dbconn/base/alloc.h"
#include "dbconn/diagnosis/rules.h"
#include "dbconn/playbook/playbook.h"

static void put(struct evidence *board, char *fact)
{
    char *value = strchr(fact, '='), *end;
    double number;

    assert_non_null(value);
    *value++ = '\0';
    number = strtod(value, &end);
    if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)
        evidence_set_bool(board, "s", fact, value[0] == 'y', NULL, NULL);
    else if (*end == '\0')
        evidence_set_num(board, "s", fact, number, NULL, NULL);
    else
        evidence_set_str(board, "s", fact, value, NULL, NULL);
}

static struct diagnosis weigh(const struct playbook *p, const char *facts)
{
    struct diagnosis d = { 0 };
    struct evidence *board = evidence_new();
    char *list = xstrdup(facts), *save = NULL;

    evidence_set_bool(board, "s", "failure.applicable", true, NULL, NULL);
    evidence_set_str(board, "s", "failure.kind", "connection_refused", NULL, NULL);
    for (char *f = strtok_r(list, " ", &save); f; f = strtok_r(NULL, " ", &save))
        put(board, f);
    rules_weigh(p->tree, board, &d);
    free(list);
    evidence_free(board);
    return d;
}

#define HOURLY "trend.kind=intermittent network.faults=0 server.healthy=yes impact.kind=all "
#define STEADY "trend.kind=constant trend.ongoing=yes impact.kind=all release.strength=none "
#define CHANGED "release.suspect=shop@2 release.strength=weak change.inspected=yes "
#define PLACE                                                                                      \
    "trend.kind=constant trend.ongoing=yes impact.kind=segment impact.class=infrastructure "       \
    "impact.tag=site impact.value=syd release.suspect=shop@2 release.strength=weak "               \
    "change.inspected=yes change.setting=yes change.matches=yes server.healthy=yes "

static const struct {
    const char *facts;
    enum cause cause;
} cases[] = {
    /* The server works: who refuses is a riddle, unless a release brought in the address. */
    { HOURLY, CAUSE_INCONCLUSIVE },
    { HOURLY CHANGED "change.setting=no change.matches=no", CAUSE_INCONCLUSIVE },
    { HOURLY CHANGED "change.setting=yes change.matches=yes", CAUSE_DEPLOYMENT_CONFIG_CHANGE },
    /* One place alone fails: its network, unless its own file alone names the address. */
    { PLACE "change.place=no", CAUSE_REGIONAL_NETWORK },
    { PLACE "change.place=yes", CAUSE_DEPLOYMENT_CONFIG_CHANGE },
    /* The database refuses everybody, but not where hosts without the release work. */
    { STEADY "release.others_healthy=no", CAUSE_DATABASE_DOWN },
    { STEADY "release.others_healthy=yes", CAUSE_INCONCLUSIVE },
    /* What the server's own log says is worth more than hosts that show no failure. */
    { STEADY "release.others_healthy=yes server.down=yes server.back=no "
             "logs.tie=certain",
      CAUSE_DATABASE_DOWN },
    /* Nothing ready behind the Service: for everybody it is the database, in one place the place's;
     * and not where a release brought in a Service that nothing stands behind. */
    { STEADY "network.faults=0 service.unserved=9", CAUSE_DATABASE_DOWN },
    { "service.unserved=9 impact.kind=all release.strength=none "
      "trend.kind=bounded trend.ongoing=no",
      CAUSE_DATABASE_RESTART },
    { "service.unserved=9 " PLACE "change.place=no", CAUSE_REGIONAL_NETWORK },
    { STEADY CHANGED "service.unserved=9 change.setting=yes change.matches=yes",
      CAUSE_DEPLOYMENT_CONFIG_CHANGE },
};

static void the_facts_give_the_cause(void **state)
{
    struct playbook *p;
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(playbook_builtin(&p, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct casefile c;

        casefile_init(&c);
        c.diagnosis = weigh(p, cases[i].facts);
        if (c.diagnosis.cause != cases[i].cause)
            fail_msg("%s gave %s, not %s", cases[i].facts, cause_name(c.diagnosis.cause),
                     cause_name(cases[i].cause));
        casefile_clear(&c);
    }
    playbook_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_facts_give_the_cause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
