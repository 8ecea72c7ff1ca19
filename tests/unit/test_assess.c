/* What the diffs of releases say about the errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/playbook/assess.h"
#include "dbconn/base/alloc.h"
#include "dbconn/collectors/dossier.h"

/* A release whose diff sets the refused address in `file`, and in `other` unless that is NULL. */
static cJSON *release_that_changes(const char *file, const char *other)
{
    const char *files[] = { file, other };
    cJSON *table = cJSON_CreateArray(), *release = cJSON_CreateObject();
    cJSON *commit = cJSON_CreateObject(), *list = cJSON_CreateArray();

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        cJSON *setting = cJSON_CreateObject();
        if (files[i]) {
            cJSON_AddStringToObject(setting, "file", files[i]);
            cJSON_AddBoolToObject(setting, "new_is_target", true);
            cJSON_AddBoolToObject(setting, "old_is_target", false);
        }
        cJSON_AddItemToArray(list, setting);
    }
    cJSON_AddItemToObject(commit, "settings", list);
    list = cJSON_CreateArray();
    cJSON_AddItemToArray(list, commit);
    cJSON_AddStringToObject(release, "version", "shop@2");
    cJSON_AddItemToObject(release, "commits", list);
    cJSON_AddItemToArray(table, release);
    return table;
}

static const struct {
    const char *place, *class, *file, *other;
    bool here;
} cases[] = {
    { "syd", "infrastructure", "helm/shop/values-syd.yaml", NULL, true },
    { "eu-west-1", "infrastructure", "deploy/eu_west_1/db.env", NULL, true },
    { "EU-West-1", "infrastructure", "deploy/shop.eu-west-1.env", NULL, true },
    { "syd", "infrastructure", "helm/shop/values.yaml", NULL, false },
    { "syd", "infrastructure", "sydney/values.yaml", NULL, false },
    { "eu-west-1", "infrastructure", "deploy/eu-west-12/db.env", NULL, false },
    { "eu-west-1", "infrastructure", "deploy/eu-west/db.env", NULL, false },
    { "a", "infrastructure", "zones/a/db.env", NULL, false },
    { "syd", "usage", "helm/shop/values-syd.yaml", NULL, false },
    { "syd", "infrastructure", "helm/shop/values-syd.yaml", "helm/shop/values-lon.yaml", false },
};

static void an_address_in_files_of_the_failing_place_alone_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct evidence *board = evidence_new();
        struct rollout_release release = { .version = "shop@2" };

        evidence_set_str(board, "s", "impact.kind", "segment", NULL, NULL);
        evidence_set_str(board, "s", "impact.class", cases[i].class, NULL, NULL);
        evidence_set_str(board, "s", "impact.value", cases[i].place, NULL, NULL);
        dossier_put(board, "s", "change.releases",
                    release_that_changes(cases[i].file, cases[i].other));
        assess_ties(board, &release, 1);
        assert_true(release.sets_target);
        if (release.one_place != cases[i].here)
            fail_msg("%s in %s: %d", cases[i].place, cases[i].file, (int)release.one_place);
        evidence_free(board);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_in_files_of_the_failing_place_alone_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
