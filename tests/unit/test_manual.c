/* Reads the sources of the manual pages and holds them to the program: commands, options, keys of
 * the configuration, members of a playbook. */
#include "cli_fixture.h"

#include <ctype.h>

#include "dbconn/app/config.h"
#include "dbconn/base/json.h"

/* What a pipeline prints, as docs/man/render.sh runs it. */
static char *output_of(const char *pipeline)
{
    struct buf text = BUF_INIT;
    char chunk[4096];
    size_t n;
    FILE *p = popen(pipeline, "r");

    assert_non_null(p);
    while ((n = fread(chunk, 1, sizeof(chunk), p)) > 0)
        buf_add(&text, chunk, n);
    assert_int_equal(pclose(p), 0);
    return buf_take(&text);
}

static void assert_page_says(const char *page, const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("%s does not say \"%s\"", page, wanted);
}

/* ---- dbconn(1) ---- */

#define PROGRAM_PAGE "docs/man/dbconn.1.scd"

/* Each --option of a help stands in the page. */
static void assert_options(const char *page, const char *help)
{
    for (const char *at = help; (at = strstr(at, "--")); at += 2) {
        size_t len = 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");
        char *bold = xasprintf("*%.*s*", (int)len, at);
        if (len > 3)
            assert_page_says(PROGRAM_PAGE, page, bold);
        free(bold);
    }
}

/* Each subcommand of a help, which are what its usage names in small letters. */
static void assert_subcommands(const char *page, const char *help, const char *command)
{
    char *lead = xasprintf("dbconn %s ", command);

    for (const char *at = help; (at = strstr(at, lead)) && at < strstr(help, "\n\n"); at++) {
        const char *name = at + strlen(lead);
        char *bold = xasprintf("*%.*s*", (int)strspn(name, "abcdefghijklmnopqrstuvwxyz"), name);
        if (islower((unsigned char)*name))
            assert_page_says(PROGRAM_PAGE, page, bold);
        free(bold);
    }
    free(lead);
}

/* Each *--option* of the page is one of some help. */
static void assert_no_other_options(const char *page, const char *helps)
{
    for (const char *at = page; (at = strstr(at, "*--")); at += 3) {
        size_t len = strcspn(at + 1, "* ");
        char *option = xstrndup(at + 1, len);
        if (!strstr(helps, option))
            fail_msg(PROGRAM_PAGE ": no command has %s", option);
        free(option);
    }
}

static void the_page_of_the_program_names_every_command_and_option_and_no_other(void **state)
{
    struct cli *c = *state;
    char *page = cli_read_file(PROGRAM_PAGE), *top;
    struct buf helps = BUF_INIT;
    size_t commands = 0;

    ASSERT_EXIT(0, c, "--help");
    top = xstrdup(buf_str(&c->out));
    buf_adds(&helps, top);
    for (const char *at = top; (at = strstr(at, "\n  ")); at += 3) {
        char *name = xstrndup(at + 3, strspn(at + 3, "abcdefghijklmnopqrstuvwxyz"));
        char *heading = xasprintf("\n## dbconn %s", name);
        if (*name) {
            commands++;
            assert_page_says(PROGRAM_PAGE, page, heading);
            ASSERT_EXIT(0, c, name, "--help");
            assert_options(page, buf_str(&c->out));
            assert_subcommands(page, buf_str(&c->out), name);
            buf_adds(&helps, buf_str(&c->out));
        }
        free(heading);
        free(name);
    }
    assert_true(commands >= 9);
    assert_no_other_options(page, buf_str(&helps));
    buf_clear(&helps);
    free(top);
    free(page);
}

/* ---- dbconn.json(5) ---- */

/* As scdoc wants it. */
static char *escaped(const char *text)
{
    struct buf out = BUF_INIT;

    for (const char *p = text; *p; p++)
        buf_addf(&out, "%s%c", strchr("\\*_", *p) ? "\\" : "", *p);
    return buf_take(&out);
}

static void assert_key(const char *page, const struct config_option *o)
{
    char *head = xasprintf("\n*%s* (", o->key), *text = escaped(o->help + 1);
    char *fallback = escaped(o->fallback ? o->fallback : "");
    const char *at = strstr(page, head), *end;

    if (!at)
        fail_msg("dbconn.json(5) does not name %s", o->key);
    end = strstr(at, "\n\n");
    assert_non_null(end);
    char *entry = xstrndup(at, (size_t)(end - at));
    assert_page_says(o->key, entry, text); /* its first letter is a capital there */
    if (o->env)
        assert_page_says(o->key, entry, o->env);
    if (o->fallback)
        assert_page_says(o->key, entry, fallback);
    free(entry);
    free(fallback);
    free(text);
    free(head);
}

static void
the_page_of_the_configuration_names_every_key_with_its_variable_and_default(void **state)
{
    struct cli *c = *state;
    char *source = cli_read_file("docs/man/dbconn.json.5.scd");
    char *pipeline = xasprintf("'%s' config keys | awk -f docs/man/keys.awk", c->program);
    char *keys = output_of(pipeline);

    assert_page_says("docs/man/dbconn.json.5.scd", source, "\n@KEYS@\n");
    for (size_t i = 0; i < n_config_options; i++)
        assert_key(keys, &config_options[i]);
    free(keys);
    free(pipeline);
    free(source);
}

/* The example is one that can be used. */
static void the_example_of_the_configuration_can_be_read(void **state)
{
    char *source = cli_read_file("docs/man/dbconn.json.5.scd");
    const char *begin = strstr(source, "\n```\n"),
               *end = begin ? strstr(begin + 5, "\n```\n") : NULL;
    struct error err = ERROR_INIT;
    struct jsonc doc = { 0 };
    const cJSON *section, *item;

    (void)state;
    assert_non_null(end);
    char *example = xstrndup(begin + 5, (size_t)(end - begin - 5));
    if (jsonc_parse("the example", example, &doc, &err) < 0)
        fail_msg("%s", error_text(&err));
    cJSON_ArrayForEach (section, doc.tree) {
        if (!cJSON_IsObject(section))
            continue;
        cJSON_ArrayForEach (item, section) {
            char *key = xasprintf("%s.%s", section->string, item->string);
            char *file = strstr(key, "_file");
            bool known = false;
            if (file)
                *file = '\0';
            for (size_t i = 0; i < n_config_options; i++)
                known |= strcmp(config_options[i].key, key) == 0;
            if (!known)
                fail_msg("%s is no key of the configuration", key);
            free(key);
        }
    }
    jsonc_clear(&doc);
    free(example);
    free(source);
}

/* ---- dbconn-playbook(5) ---- */

/* Names in bold, a name of several parts also by its last alone, as the guide has them. */
static void assert_member(const char *page, const char *group, const char *name)
{
    char *full = group ? xasprintf("%s.%s", group, name) : xstrdup(name);
    char *full_text = escaped(full), *brief_text = escaped(name);
    char *bold_full = xasprintf("*%s*", full_text), *bold_brief = xasprintf("*%s*", brief_text);
    char *parts = xasprintf("*%s.", full_text), *items = xasprintf("*%s[", full_text);

    if (!strstr(page, bold_full) && !strstr(page, bold_brief) && !strstr(page, parts) &&
        !strstr(page, items))
        fail_msg("dbconn-playbook(5) does not explain %s", full);
    free(full);
    free(full_text);
    free(brief_text);
    free(bold_full);
    free(bold_brief);
    free(parts);
    free(items);
}

static void the_page_of_playbooks_explains_every_member_and_setting(void **state)
{
    char *page = output_of("awk -f docs/man/markdown.awk docs/playbooks.md");
    char *source = cli_read_file("docs/man/dbconn-playbook.5.scd");
    const cJSON *group, *item;
    struct error err = ERROR_INIT;
    struct jsonc doc = { 0 };

    (void)state;
    assert_page_says("docs/man/dbconn-playbook.5.scd", source, "\n@GUIDE@\n");
    assert_int_equal(jsonc_load("config/playbooks/database-connection-refused.json", &doc, &err),
                     0);
    cJSON_ArrayForEach (item, doc.tree) {
        assert_member(page, NULL, item->string);
    }
    cJSON_ArrayForEach (group, json_get(doc.tree, "settings")) {
        cJSON_ArrayForEach (item, group) {
            assert_member(page, group->string, item->string);
        }
    }
    jsonc_clear(&doc);
    free(source);
    free(page);
}

static void a_guide_becomes_a_page(void **state)
{
    static const struct {
        const char *guide, *page;
    } cases[] = {
        { "# Title\n\nWords.\n", "\nWords.\n" },
        { "## Every member\n### More\n", "# EVERY MEMBER\n## More\n" },
        { "a `b_c*` and **d** or *e*\n", "a *b\\_c\\** and *d* or _e_\n" },
        { "2 * 3 snake_case\n", "2 \\* 3 snake\\_case\n" },
        { "see [playbooks](playbooks.md), [`a`](b.md).\n", "see playbooks, *a*.\n" },
        { "| what | why |\n|---|---|\n| `a` | b |\n", "*a*\n\tb\n\n" },
        { "```json\n{ \"a_b\": 1 }\n```\n", "```\n{ \"a_b\": 1 }\n```\n" },
        { "1. one\n   and on\n2. two\n- three\n", ". one\n  and on\n. two\n- three\n" },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *path = cli_write(*state, "guide.md", cases[i].guide);
        char *pipeline = xasprintf("awk -f docs/man/markdown.awk '%s'", path);
        char *page = output_of(pipeline);
        assert_string_equal(page, cases[i].page);
        free(page);
        free(pipeline);
        free(path);
    }
}

int main(int argc, char **argv)
{
#define TEST(name) CLI_TEST(name, argv[0])
    const struct CMUnitTest tests[] = {
        TEST(the_page_of_the_program_names_every_command_and_option_and_no_other),
        TEST(the_page_of_the_configuration_names_every_key_with_its_variable_and_default),
        TEST(the_example_of_the_configuration_can_be_read),
        TEST(the_page_of_playbooks_explains_every_member_and_setting),
        TEST(a_guide_becomes_a_page),
    };

    (void)argc;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
