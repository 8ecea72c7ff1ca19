/* Every form of the corpus, as it is and as JSON and URLs carry it, loses its secrets and keeps the
 * address; and the search finds what it is there to find. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/redact.h"
#include "forms.h"

static char *as_it_is(const char *text)
{
    return xstrdup(text);
}

static char *in_json(const char *text)
{
    cJSON *tree = cJSON_CreateObject();

    json_put_str(tree, "log", text);
    char *out = json_print(tree);
    cJSON_Delete(tree);
    return out;
}

static char *in_json_in_json(const char *text)
{
    char *inner = in_json(text), *outer = in_json(inner);

    free(inner);
    return outer;
}

static char *in_a_log_line(const char *text)
{
    return xasprintf("2026-03-01T10:00:00.123Z ERROR [web-1] shop.db - %s (attempt 3)", text);
}

static char *in_repr(const char *text)
{
    return xasprintf("'%s'", text);
}

static const struct {
    const char *name;
    char *(*dress)(const char *text);
} dresses[] = {
    { "text", as_it_is },
    { "JSON", in_json },
    { "JSON in JSON", in_json_in_json },
    { "a log line", in_a_log_line },
    { "repr", in_repr },
};

static void no_form_keeps_its_secret(void **state)
{
    struct forms forms;
    size_t found = 0;

    (void)state;
    forms_load(&forms);
    for (size_t d = 0; d < sizeof(dresses) / sizeof(dresses[0]); d++) {
        for (size_t i = 0; i < forms.n; i++) {
            struct secrets secrets = { .random = d * 1000 + i };
            char *text = secrets_fill(&secrets, forms.items[i], dresses[d].name);
            char *dressed = dresses[d].dress(text), *safe = redact_dup(dressed);
            found += secrets_search(&secrets, "redacted text", safe, strlen(safe));
            free(safe);
            free(dressed);
            free(text);
            secrets_clear(&secrets);
        }
    }
    print_message("%zu forms in %zu dresses\n", forms.n, sizeof(dresses) / sizeof(dresses[0]));
    forms_clear(&forms);
    assert_int_equal(found, 0);
}

static void the_search_finds_every_spelling(void **state)
{
    static const char *const spellings[] = {
        "x=pq7$kV9/ZtLm2",
        "x=pq7%24kV9%2FZtLm2",
        "x=pq7%24kV9%2fZtLm2",
        "{\"x\":\"pq7$kV9\\/ZtLm2\"}",
        "eD1wcTckeCIsInBxNyRrVjkvWnRMbTIi",
        "cHE3JGtWOS9adExtMg==",
        "LXBxNyRrVjkvWnRMbTI=",
        "a piece: kV9/ZtLm",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        struct secrets s = { 0 };
        secrets_add(&s, "pq7$kV9/ZtLm2", "here");
        if (secrets_search(&s, "spelling", spellings[i], strlen(spellings[i])) != 1)
            fail_msg("not found in %s", spellings[i]);
        assert_int_equal(secrets_search(&s, "nothing", "pq7$kV9 and ZtLm2", 17), 0);
        secrets_clear(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_finds_every_spelling),
        cmocka_unit_test(no_form_keeps_its_secret),
    };

    return cmocka_run_group_tests_name("secret forms", tests, NULL, NULL);
}
