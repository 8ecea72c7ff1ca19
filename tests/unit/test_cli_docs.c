/* Reads the documents and holds them to the program: commands, options, configuration keys,
 * variables, scopes, quoted messages, examples and links. */
#include "cli_fixture.h"

#include <ctype.h>

#include "dbconn/app/config.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

static const char *const documents[] = {
    "README.md",         "ARCHITECTURE.md",      "CONTRIBUTING.md",
    "SECURITY.md",       "CHANGELOG.md",         "docs/setup.md",
    "docs/operating.md", "docs/playbooks.md",    "docs/troubleshooting.md",
    "docs/security.md",  "docs/architecture.md",
};
/* ---- code in a document: lines of fences, spans in back-ticks ---- */

struct place {
    const char *document;
    int line;
    const char *fence; /* "json", "" or NULL outside */
};
typedef void code_fn(void *user, const struct place *at, const char *code);

static void spans_of(const char *line, const struct place *at, code_fn *fn, void *user)
{
    for (const char *open = strchr(line, '`'); open; open = strchr(open, '`')) {
        const char *close = strchr(open + 1, '`');
        if (!close)
            return;
        char *span = xstrndup(open + 1, (size_t)(close - open - 1));
        fn(user, at, span);
        free(span);
        open = close + 1;
    }
}

static void code_of_document(const char *path, code_fn *fn, void *user)
{
    char *text = cli_read_file(path), fence[16] = "";
    struct place at = { path, 0, NULL };

    for (char *line = text, *next; *line; line = next) {
        size_t len = strcspn(line, "\n"), indent = strspn(line, " ");
        next = line + len + (line[len] == '\n');
        line[len] = '\0';
        at.line++;
        if (text_starts(line + indent, "```")) {
            snprintf(fence, sizeof(fence), "%.15s", line + indent + 3);
            at.fence = at.fence ? NULL : fence;
        } else if (at.fence) {
            fn(user, &at, line + indent);
        } else {
            spans_of(line, &at, fn, user);
        }
    }
    free(text);
}

static void all_code(code_fn *fn, void *user)
{
    for (size_t i = 0; i < ARRAY_LEN(documents); i++)
        code_of_document(documents[i], fn, user);
}

/* ---- commands and options ---- */

struct helps {
    struct cli *cli;
    char *top;
    char *of[16], *name[16];
    size_t n, named;
};

static const char *help_of(struct helps *h, const char *command)
{
    char *line = xasprintf("\n  %s ", command);
    bool known = strstr(h->top, line);

    free(line);
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->name[i], command) == 0)
            return h->of[i];
    if (!known)
        return NULL;
    ASSERT_EXIT(0, h->cli, command, "--help");
    h->name[h->n] = xstrdup(command);
    h->of[h->n] = xstrdup(buf_str(&h->cli->out));
    return h->of[h->n++];
}

/* Is `part` in `text` with no letter or dash around it? */
static bool has_word(const char *text, const char *part)
{
    size_t len = strlen(part);

    for (const char *at = text; (at = strstr(at, part)); at++)
        if ((at == text || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[len]) &&
            at[len] != '-')
            return true;
    return false;
}

static size_t word_length(const char *s)
{
    return strspn(s, "abcdefghijklmnopqrstuvwxyz-");
}

/* What stands behind "dbconn ", up to the end of the command. */
static void check_command(struct helps *h, const struct place *at, const char *rest)
{
    size_t len = word_length(rest), end = strcspn(rest, "|#>&;");
    char *name = xstrndup(rest, len), *sub = NULL;
    const char *help = help_of(h, name);

    h->named++;
    if (!help && !(len > 2 && rest[0] == '-' && has_word(h->top, name)))
        fail_msg("%s:%d: there is no command \"%s\"", at->document, at->line, name);
    if (help && strstr(help, "       dbconn ") && rest[len] == ' ' && islower(rest[len + 1])) {
        sub = xasprintf("dbconn %s %.*s", name, (int)word_length(rest + len + 1), rest + len + 1);
        if (strcmp(name, "feedback") != 0 && !has_word(help, sub))
            fail_msg("%s:%d: there is no \"%s\"", at->document, at->line, sub);
    }
    for (const char *o = rest; help && (o = strstr(o, "--")) && o < rest + end; o += 2) {
        char *option = xstrndup(o, word_length(o));
        if (o[-1] == ' ' && strlen(option) > 2 && !has_word(help, option) &&
            strcmp(option, "--help") != 0)
            fail_msg("%s:%d: dbconn %s has no %s", at->document, at->line, name, option);
        free(option);
    }
    free(name);
    free(sub);
}

/* A command line begins there: alone, behind a prompt, a path, a variable, or another command. */
static bool begins_command(const char *code, const char *at)
{
    const char *end = at, *word;

    if (text_starts(at - (at - code >= 6 ? 6 : 0), "build/"))
        return true;
    while (end > code && end[-1] == ' ')
        end--;
    if (end == code)
        return true;
    for (word = end; word > code && word[-1] != ' ';)
        word--;
    return end != at && (end[-1] == '$' || end[-1] == '&' || end[-1] == '|' ||
                         memchr(word, '=', (size_t)(end - word)));
}

static void check_commands(void *user, const struct place *at, const char *code)
{
    for (const char *d = code; (d = strstr(d, "dbconn ")); d += 7)
        if (begins_command(code, d) && (islower((unsigned char)d[7]) || d[7] == '-'))
            check_command(user, at, d + 7);
}

static void every_command_and_option_that_is_named_exists(void **state)
{
    struct helps h = { .cli = *state };

    ASSERT_EXIT(0, h.cli, "--help");
    h.top = xstrdup(buf_str(&h.cli->out));
    all_code(check_commands, &h);
    assert_true(h.named > 60);
    for (size_t i = 0; i < h.n; i++) {
        free(h.name[i]);
        free(h.of[i]);
    }
    free(h.top);
}

/* ---- names: keys, facts, events, variables ---- */

/* All C sources and shipped documents, with string literals joined and unescaped. */
static char *sources(void)
{
    static const char *const patterns[] = { "src/*/*.[ch]", "include/dbconn/*/*.h", "config/*.json",
                                            "config/playbooks/*.json" };
    struct buf all = BUF_INIT;
    glob_t found = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        assert_int_equal(glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *text = cli_read_file(found.gl_pathv[i]);
        for (const char *p = text; *p; p++) {
            size_t blank = *p == '"' ? strspn(p + 1, " \t\n") : 0;
            if (blank && p[1 + blank] == '"' && memchr(p + 1, '\n', blank))
                p += 1 + blank; /* "one " "string" on two lines */
            else if (*p == '\\' && p[1] == '"')
                buf_addc(&all, *++p);
            else
                buf_addc(&all, *p);
        }
        free(text);
    }
    globfree(&found);
    return buf_take(&all);
}

static bool is_key(const char *name)
{
    for (size_t i = 0; i < n_config_options; i++) {
        const struct config_option *o = &config_options[i];
        size_t len = strlen(o->key);
        if (strncmp(o->key, name, len) != 0)
            continue;
        if (name[len] == '\0' || (o->type == CONFIG_SECRET && strcmp(name + len, "_file") == 0))
            return true;
    }
    return false;
}

static bool is_file_name(const char *name)
{
    static const char *const ends[] = { ".c", ".h", ".md", ".json", ".db", ".lock" };

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        size_t len = strlen(name), n = strlen(ends[i]);
        if (len > n && strcmp(name + len - n, ends[i]) == 0)
            return true;
    }
    return false;
}

struct names {
    char *sources;
    struct jsonc playbook;
    size_t keys;
};

/* `section.key`: a key, or else a name of the program such as that of a log event or a fact. */
static void check_names(void *user, const struct place *at, const char *code)
{
    struct names *n = user;
    size_t first = strspn(code, "abcdefghijklmnopqrstuvwxyz_");
    char *quoted;

    if (at->fence || code[first] != '.' || !first || strstr(code, "..") || is_file_name(code) ||
        strspn(code, "abcdefghijklmnopqrstuvwxyz_.0123456789") != strlen(code))
        return;
    n->keys += is_key(code);
    quoted = xasprintf("\"%s\"", code);
    if (!is_key(code) && !json_dotted(json_get(n->playbook.tree, "settings"), code) &&
        !text_starts(code, "weighing.") && !text_starts(code, "step.") &&
        !strstr(n->sources, quoted))
        fail_msg("%s:%d: `%s` is neither a key nor another name of the program", at->document,
                 at->line, code);
    free(quoted);
}

/* `function()`, and `src/floor/module.c` */
static void check_place_in_code(void *user, const struct place *at, const char *code)
{
    const struct names *n = user;
    size_t len = strspn(code, "abcdefghijklmnopqrstuvwxyz_0123456789");

    if (strcmp(at->document, "docs/architecture.md") != 0)
        return;
    if (text_starts(code, "src/") && access(code, F_OK) != 0)
        fail_msg("%s:%d: there is no %s", at->document, at->line, code);
    if (len == 0 || strcmp(code + len, "()") != 0)
        return;
    char *name = xstrndup(code, len);
    if (!has_word(n->sources, name))
        fail_msg("%s:%d: there is no function %s", at->document, at->line, code);
    free(name);
}

static void every_function_and_file_on_the_way_of_a_job_exists(void **state)
{
    struct names n = { .sources = sources() };

    (void)state;
    code_of_document("docs/architecture.md", check_place_in_code, &n);
    free(n.sources);
}

static void every_key_that_is_named_exists(void **state)
{
    struct names n = { .sources = sources() };
    struct error err = ERROR_INIT;

    (void)state;
    assert_int_equal(
        jsonc_load("config/playbooks/database-connection-refused.json", &n.playbook, &err), 0);
    all_code(check_names, &n);
    jsonc_clear(&n.playbook);
    assert_true(n.keys > 50);
    free(n.sources);
}

static void check_variables(void *user, const struct place *at, const char *code)
{
    static const char *const prefixes[] = { "SLACK_", "SENTRY_", "GITHUB_", "ELASTICSEARCH_",
                                            "DBCONN_" };
    size_t *count = user;

    for (size_t p = 0; p < ARRAY_LEN(prefixes); p++) {
        for (const char *v = code; (v = strstr(v, prefixes[p])); v++) {
            size_t len = strspn(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
            bool known = false;
            if (v > code && (isupper((unsigned char)v[-1]) || v[-1] == '_'))
                continue;
            for (size_t i = 0; i < n_config_options; i++)
                known |= config_options[i].env && strlen(config_options[i].env) == len &&
                         strncmp(config_options[i].env, v, len) == 0;
            /* The sandbox's variable, and fields in the journal. */
            known |= strncmp(v, "DBCONN_TRANSCRIPT", len) == 0 ||
                     strncmp(v, "DBCONN_EVENT", len) == 0 || strncmp(v, "DBCONN_JOB", len) == 0;
            if (!known)
                fail_msg("%s:%d: no variable %.*s is read", at->document, at->line, (int)len, v);
            ++*count;
        }
    }
}

static void every_variable_that_is_named_is_read(void **state)
{
    size_t count = 0;

    (void)state;
    all_code(check_variables, &count);
    assert_true(count > 30);
}

/* ---- scopes ---- */

static void check_scopes(void *user, const struct place *at, const char *code)
{
    static const char *const others[] = { "connections:write", "event:read", "project:read",
                                          "org:read" };
    struct cli *c = user;
    size_t len = strspn(code, "abcdefghijklmnopqrstuvwxyz_.");
    bool known = false;

    if (at->fence || code[len] != ':' || !len || text_starts(code, "sqlite:") ||
        strspn(code + len + 1, "abcdefghijklmnopqrstuvwxyz_.") != strlen(code + len + 1))
        return;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        known |= strcmp(others[i], code) == 0;
    if (!known && !has_word(buf_str(&c->out), code))
        fail_msg("%s:%d: the manifest does not ask for %s", at->document, at->line, code);
}

static void the_scopes_that_are_explained_are_those_of_the_manifest(void **state)
{
    struct cli *c = *state;
    char *setup_md = cli_read_file("docs/setup.md");
    const cJSON *scope;
    struct error err = ERROR_INIT;
    cJSON *doc = NULL;

    ASSERT_EXIT(0, c, "manifest");
    all_code(check_scopes, c);
    assert_int_equal(json_parse(buf_str(&c->out), c->out.len, "manifest", &doc, &err), 0);
    cJSON_ArrayForEach (scope, json_path(doc, "oauth_config", "scopes", "bot", NULL)) {
        char *span = xasprintf("`%s`", scope->valuestring);
        if (!strstr(setup_md, span))
            fail_msg("docs/setup.md does not explain %s", span);
        free(span);
    }
    cJSON_Delete(doc);
    free(setup_md);
}

/* ---- quoted messages ---- */

/* Each piece between the "…" of a quoted line is in the sources. */
static void check_quote(const char *all, int line, const char *quote)
{
    static const char gap[] = "…";

    for (const char *at = quote; *at;) {
        const char *cut = strstr(at, gap), *end = cut ? cut : at + strlen(at);
        while (at < end && *at == ' ')
            at++;
        while (end > at && end[-1] == ' ')
            end--;
        char *piece = xstrndup(at, (size_t)(end - at));
        if (!strstr(all, piece))
            fail_msg("docs/troubleshooting.md:%d: the program never says \"%s\"", line, piece);
        free(piece);
        at = cut ? cut + strlen(gap) : end + strspn(end, " ");
    }
}

static void every_quoted_message_is_one_of_the_program(void **state)
{
    char *text = cli_read_file("docs/troubleshooting.md"), *all = sources();
    int line = 0, quotes = 0;

    (void)state;
    for (char *at = text, *next; *at; at = next) {
        size_t len = strcspn(at, "\n");
        next = at + len + (at[len] == '\n');
        at[len] = '\0';
        line++;
        if (text_starts(at, "> ")) {
            check_quote(all, line, at + 2);
            quotes++;
        }
    }
    assert_true(quotes > 50);
    free(all);
    free(text);
}

/* ---- links, targets, examples ---- */

static void every_link_leads_to_a_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        char *text = cli_read_file(documents[i]), *own = xstrdup(documents[i]);
        const char *folder = dirname(own);
        for (const char *at = text; (at = strstr(at, "](")); at += 2) {
            char *to = xstrndup(at + 2, strcspn(at + 2, ")#"));
            char *path = xasprintf("%s/%s", folder, to);
            if (*to && !strstr(to, "://") && access(path, F_OK) != 0)
                fail_msg("%s leads to %s, which is not there", documents[i], to);
            free(path);
            free(to);
        }
        free(own);
        free(text);
    }
}

static void check_target(void *user, const struct place *at, const char *code)
{
    const char *makefiles = user;
    size_t len = text_starts(code, "make ") ? strspn(code + 5, "abcdefghijklmnopqrstuvwxyz-") : 0;

    if (len == 0 || strcmp(at->document, "CONTRIBUTING.md") != 0 ||
        strchr("=/", code[5 + len] ? code[5 + len] : ' '))
        return;
    char *rule = xasprintf("\n%.*s:", (int)len, code + 5);
    if (!strstr(makefiles, rule))
        fail_msg("%s:%d: there is no make target %.*s", at->document, at->line, (int)len, code + 5);
    free(rule);
}

static void every_make_target_of_the_guide_exists(void **state)
{
    static const char *const files[] = { "Makefile",           "contrib/sandbox/sandbox.mk",
                                         "contrib/install.mk", "tests/crash/crash.mk",
                                         "tests/fuzz/fuzz.mk", "tests/bench/bench.mk",
                                         "tests/nightly.mk",   "tests/coverage/coverage.mk" };
    struct buf all = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *text = cli_read_file(files[i]);
        buf_addf(&all, "\n%s", text);
        free(text);
    }
    code_of_document("CONTRIBUTING.md", check_target, all.data);
    buf_clear(&all);
}

/* The blocks of JSON, joined: each ends where its fence ends. */
struct blocks {
    struct buf text;
    const char *document;
    int first, last; /* lines of the block that is read */
    size_t n;
    char *signal; /* the playbook guide's example */
};

static void end_block(struct blocks *b)
{
    struct error err = ERROR_INIT;
    struct jsonc doc = { 0 };

    if (b->text.len == 0)
        return;
    if (jsonc_parse(b->document, buf_str(&b->text), &doc, &err) < 0)
        fail_msg("%s:%d: the example cannot be read: %s", b->document, b->first, error_text(&err));
    if (json_get(doc.tree, "points") && strcmp(b->document, "docs/playbooks.md") == 0)
        b->signal = xstrdup(buf_str(&b->text));
    b->n++;
    buf_reset(&b->text);
    jsonc_clear(&doc);
}

static void take_block_line(void *user, const struct place *at, const char *code)
{
    struct blocks *b = user;

    if (!at->fence || strcmp(at->fence, "json") != 0)
        return;
    if (b->last + 1 != at->line || b->document != at->document) {
        end_block(b);
        b->first = at->line;
        b->document = at->document;
    }
    b->last = at->line;
    buf_addf(&b->text, "%s\n", code);
}

static void examples_can_be_used(void **state)
{
    struct cli *c = *state;
    struct blocks b = { .last = -1 };
    struct buf tuned = BUF_INIT;

    all_code(take_block_line, &b);
    end_block(&b);
    assert_true(b.n >= 5);
    assert_non_null(b.signal);
    char *playbook = cli_read_file("config/playbooks/database-connection-refused.json");
    const char *at = strstr(playbook, "\"signals\": [");
    assert_non_null(at);
    at += strlen("\"signals\": [");
    buf_add(&tuned, playbook, (size_t)(at - playbook));
    buf_addf(&tuned, "\n%s,\n%s", b.signal, at);
    char *path = cli_write(c, "tuned.json", buf_str(&tuned));
    ASSERT_EXIT(0, c, "playbook", "lint", path);
    free(path);
    buf_clear(&tuned);
    buf_clear(&b.text);
    free(b.signal);
    free(playbook);
}

/* Every member that a playbook may have is explained, and every setting. */
static void the_playbook_guide_explains_every_setting(void **state)
{
    struct error err = ERROR_INIT;
    struct jsonc doc = { 0 };
    char *guide = cli_read_file("docs/playbooks.md");
    const cJSON *group, *item;

    (void)state;
    assert_int_equal(jsonc_load("config/playbooks/database-connection-refused.json", &doc, &err),
                     0);
    cJSON_ArrayForEach (item, doc.tree) {
        char *span = xasprintf("`%s", item->string);
        if (!strstr(guide, span))
            fail_msg("docs/playbooks.md does not explain %s", item->string);
        free(span);
    }
    cJSON_ArrayForEach (group, json_get(doc.tree, "settings")) {
        cJSON_ArrayForEach (item, group) {
            char *full = xasprintf("`%s.%s`", group->string, item->string),
                 *brief = xasprintf("`%s`", item->string);
            if (!strstr(guide, full) && !strstr(guide, brief))
                fail_msg("docs/playbooks.md does not explain the setting %s", full);
            free(full);
            free(brief);
        }
    }
    jsonc_clear(&doc);
    free(guide);
}

int main(int argc, char **argv)
{
#define TEST(name) CLI_TEST(name, argv[0])
    const struct CMUnitTest tests[] = {
        TEST(every_command_and_option_that_is_named_exists),
        TEST(every_key_that_is_named_exists),
        TEST(every_function_and_file_on_the_way_of_a_job_exists),
        TEST(every_variable_that_is_named_is_read),
        TEST(the_scopes_that_are_explained_are_those_of_the_manifest),
        TEST(every_quoted_message_is_one_of_the_program),
        TEST(every_link_leads_to_a_file),
        TEST(every_make_target_of_the_guide_exists),
        TEST(examples_can_be_used),
        TEST(the_playbook_guide_explains_every_setting),
    };

    (void)argc;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
