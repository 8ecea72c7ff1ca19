/* The metrics that the manual, the alerts and the dashboard name are those that the program has. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ctype.h>
#include <glob.h>

#include "dbconn/base/json.h"
#include "dbconn/base/jsonc.h"

static char *read_text(const char *path)
{
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;

    if (file_read(path, 4u << 20, &text, &err) < 0)
        fail_msg("%s", error_text(&err));
    return buf_take(&text);
}

static char *read_sources(void)
{
    struct buf all = BUF_INIT;
    glob_t found = { 0 };

    assert_int_equal(glob("src/*/*.c", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *text = read_text(found.gl_pathv[i]);
        buf_adds(&all, text);
        free(text);
    }
    globfree(&found);
    return buf_take(&all);
}

static size_t name_length(const char *s)
{
    return strspn(s, "abcdefghijklmnopqrstuvwxyz_0123456789");
}

/* Calls `each` for every word that looks like a metric of ours. */
static void names_in(const char *text, void (*each)(void *user, const char *name), void *user)
{
    for (const char *p = text; (p = strstr(p, "dbconn_")); p += name_length(p)) {
        if ((p > text && (isalnum((unsigned char)p[-1]) || p[-1] == '_')) ||
            !islower((unsigned char)p[strlen("dbconn_")]))
            continue; /* "dbconn_0.1.0_amd64.deb" */
        char *name = xstrndup(p, name_length(p));
        each(user, name);
        free(name);
    }
}

struct search {
    const char *in, *of;
    int n;
};

static bool has_name(const char *text, const char *name, size_t len)
{
    char *quoted = xasprintf("\"%.*s\"", (int)len, name);
    bool has = strstr(text, quoted) != NULL;

    free(quoted);
    return has;
}

/* A histogram's series have a suffix each. */
static void assert_in_program(void *user, const char *name)
{
    static const char *const suffixes[] = { "", "_bucket", "_sum", "_count" };
    struct search *s = user;
    size_t len = strlen(name);

    s->n++;
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        size_t n = strlen(suffixes[i]);
        if (len > n && strcmp(name + len - n, suffixes[i]) == 0 && has_name(s->in, name, len - n))
            return;
    }
    fail_msg("%s: the program has no metric %s", s->of, name);
}

static void every_metric_that_is_named_exists(void **state)
{
    static const char *const files[] = { "docs/operating.md", "contrib/prometheus/alerts.yml",
                                         "contrib/prometheus/alerts_test.yml",
                                         "contrib/grafana/dbconn.json" };
    char *sources = read_sources();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct search s = { .in = sources, .of = files[i] };
        char *text = read_text(files[i]);
        names_in(text, assert_in_program, &s);
        assert_true(s.n > 10);
        free(text);
    }
    free(sources);
}

/* The first word of a definition: { "dbconn_...", METRIC_...  */
static void the_manual_names_every_metric(void **state)
{
    char *sources = read_sources(), *manual = read_text("docs/operating.md");
    int n = 0;

    (void)state;
    for (const char *p = sources; (p = strstr(p, "\"dbconn_")); p++) {
        size_t len = name_length(p + 1), blank;
        if (p[1 + len] != '"' || p[2 + len] != ',')
            continue;
        blank = strspn(p + 3 + len, " \n");
        if (strncmp(p + 3 + len + blank, "METRIC_", 7) != 0)
            continue;
        char *name = xasprintf("`%.*s`", (int)len, p + 1);
        if (!strstr(manual, name))
            fail_msg("docs/operating.md does not name %s", name);
        free(name);
        n++;
    }
    assert_true(n > 30);
    free(sources);
    free(manual);
}

static void the_dashboard_is_json_with_panels(void **state)
{
    char *text = read_text("contrib/grafana/dbconn.json");
    cJSON *doc = cJSON_Parse(text);
    int queries = 0;

    (void)state;
    assert_non_null(doc);
    assert_string_equal(json_str(doc, "uid"), "dbconn");
    for (const cJSON *p = json_items(doc, "panels"); p; p = p->next)
        for (const cJSON *t = json_items(p, "targets"); t; t = t->next)
            queries += json_str(t, "expr") != NULL;
    assert_true(queries > 20);
    cJSON_Delete(doc);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_metric_that_is_named_exists),
        cmocka_unit_test(the_manual_names_every_metric),
        cmocka_unit_test(the_dashboard_is_json_with_panels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
