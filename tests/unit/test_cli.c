/* The program as a whole: help, usage, and the commands that need neither store nor network. */
#include "cli_fixture.h"

#include "dbconn/app/config.h"
#include "dbconn/base/json.h"
#include "dbconn/base/redact.h"

static const char *const commands[] = { "serve", "run",    "check",    "jobs",   "feedback",
                                        "audit", "replay", "playbook", "config", "manifest" };
/* ---- help and usage ---- */

static void help_lists_every_command_and_each_has_its_own(void **state)
{
    struct cli *c = *state;

    ASSERT_EXIT(0, c, "--help");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        char *line = xasprintf("\n  %s ", commands[i]);
        assert_said(&c->out, line);
        free(line);
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        char *usage = xasprintf("Usage: dbconn %s", commands[i]);
        ASSERT_EXIT(0, c, commands[i], "--help");
        assert_int_equal(strncmp(buf_str(&c->out), usage, strlen(usage)), 0);
        assert_said(&c->out, "xit code");
        assert_int_equal(c->err.len, 0);
        free(usage);
    }
    ASSERT_EXIT(0, c, "--version");
    assert_said(&c->out, "dbconn ");
}

static void usage_errors_name_what_was_wrong(void **state)
{
    static const struct {
        const char *args[6], *said;
    } rows[] = {
        { { NULL }, "Usage: dbconn COMMAND" },
        { { "diagnose" }, "there is no command \"diagnose\"" },
        { { "serve", "--fast" }, "--fast" },
        { { "check", "now" }, "now" },
        { { "run" }, "which issue?" },
        { { "run", "SHOP-1", "SHOP-2" }, "SHOP-2" },
        { { "config" }, "One of: print, keys" },
        { { "config", "print", "--yaml" }, "--yaml is no option" },
        { { "config", "print", "--config", "/nowhere.json" }, "/nowhere.json" },
        { { "config", "keys", "more" }, "more was not expected" },
        { { "playbook" }, "One of: show, lint, facts" },
        { { "playbook", "lint" }, "which file?" },
        { { "playbook", "lint", "/nowhere.json" }, "/nowhere.json" },
        { { "playbook", "lint", "a", "b" }, "b was not expected" },
        { { "playbook", "show", "--json", "--source" }, "either --json or --source" },
        { { "playbook", "show", "/nowhere.json" }, "/nowhere.json" },
        { { "manifest", "--command", "dbconn" }, "--command must be" },
        { { "manifest", "--command=/DB" }, "--command must be" },
        { { "manifest", "--command=/" }, "--command must be" },
        { { "manifest", "--name", "  " }, "--name must be" },
        { { "manifest", "--scopes" }, "--scopes is no option" },
    };
    struct cli *c = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (cli_run(c, rows[i].args) != 2)
            fail_msg("row %zu: exit code %d: %s", i, c->code, buf_str(&c->err));
        assert_said(&c->err, rows[i].said);
    }
}

/* ---- config ---- */

static void config_print_shows_values_and_where_they_come_from(void **state)
{
    struct cli *c = *state;
    char *secret = cli_write(c, "token", "xoxb-from-a-file-1\n");
    char *text = xasprintf("{\"slack\":{\"bot_token_file\":\"%s\"},"
                           "\"access\":{\"allow\":[\"C1\",\"U2\"]},\"queue\":{\"max_running\":3},"
                           "\"services\":[{\"project\":\"shop\",\"repository\":\"acme/shop\"}]}",
                           secret);
    char *path = cli_write(c, "c.json", text);

    assert_int_equal(chmod(secret, 0600), 0);
    cli_env(c, "SENTRY_AUTH_TOKEN", "sntrys_from_environment");
    cli_env(c, "DBCONN_DATABASE_URL", "postgresql://bot:hunter2pass@db.example/q");
    ASSERT_EXIT(0, c, "config", "print", "--config", path, "--json");
    assert_not_said(&c->out, "from-a-file");
    assert_not_said(&c->out, "from_environment");
    assert_not_said(&c->out, "hunter2pass");
    cJSON *doc = cli_json(c);
    const struct {
        const char *key, *value, *source;
    } rows[] = {
        { "slack.bot_token", REDACTED, "file of its own" },
        { "sentry.auth_token", REDACTED, "environment (SENTRY_AUTH_TOKEN)" },
        { "access.allow", "C1, U2", NULL },
        { "queue.max_running", "3", NULL },
        { "queue.max_waiting", "100", "default" },
        { "github.token", NULL, "not set" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const cJSON *key = json_get(json_get(doc, "keys"), rows[i].key);
        if (rows[i].value)
            assert_string_equal(json_str(key, "value"), rows[i].value);
        else
            assert_null(json_str(key, "value"));
        if (rows[i].source)
            assert_string_equal(json_str(key, "source"), rows[i].source);
        else
            assert_non_null(strstr(json_str(key, "source"), path));
    }
    assert_non_null(strstr(json_str(doc, "store"), "db.example"));
    cJSON_Delete(doc);
    ASSERT_EXIT(0, c, "config", "print", "--config", path);
    assert_said(&c->out, "repository acme/shop");
    assert_not_said(&c->out, "hunter2pass");
    free(secret);
    free(text);
    free(path);
}

static void config_print_says_where_the_store_is_by_default(void **state)
{
    static const struct {
        const char *systemd, *xdg, *home, *store;
    } rows[] = {
        { "/var/lib/dbconn:/var/lib/other", "/x", "/h", "sqlite:/var/lib/dbconn/dbconn.db" },
        { NULL, "/x", "/h", "sqlite:/x/dbconn/dbconn.db" },
        { NULL, NULL, "/h", "sqlite:/h/.local/state/dbconn/dbconn.db" },
        { NULL, NULL, NULL, "database.url is not set" },
    };
    struct cli *c = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cli_env(c, "STATE_DIRECTORY", rows[i].systemd);
        cli_env(c, "XDG_STATE_HOME", rows[i].xdg);
        cli_env(c, "HOME", rows[i].home);
        ASSERT_EXIT(0, c, "config", "print");
        assert_said(&c->out, rows[i].store);
    }
}

static void config_keys_tells_all_there_are(void **state)
{
    struct cli *c = *state;
    size_t n = 0;

    ASSERT_EXIT(0, c, "config", "keys");
    for (size_t i = 0; i < n_config_options; i++)
        assert_said(&c->out, config_options[i].key);
    ASSERT_EXIT(0, c, "config", "keys", "--json");
    cJSON *doc = cli_json(c);
    for (const cJSON *k = json_items(doc, "keys"); k; k = k->next)
        assert_string_equal(json_str(k, "key"), config_options[n++].key);
    assert_int_equal(n, n_config_options);
    cJSON_Delete(doc);
}

/* ---- manifest ---- */

static void the_manifest_in_contrib_is_the_one_that_is_printed(void **state)
{
    struct cli *c = *state;
    char *file = cli_read_file("contrib/slack/manifest.json");

    ASSERT_EXIT(0, c, "manifest");
    if (strcmp(file, buf_str(&c->out)) != 0)
        fail_msg("contrib/slack/manifest.json is not what `dbconn manifest` prints now");
    free(file);
}

static bool has_scope(const cJSON *doc, const char *scope)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, json_path(doc, "oauth_config", "scopes", "bot", NULL)) {
        if (strcmp(item->valuestring, scope) == 0)
            return true;
    }
    return false;
}

/* docs.slack.dev/reference/methods and /reference/app-manifest */
static void the_manifest_fits_slack_and_grants_what_the_methods_need(void **state)
{
    static const char *const needed[] = {
        "commands",                                          /* the command itself */
        "chat:write",                                        /* chat.postMessage, chat.update */
        "channels:history",  "groups:history", "im:history", /* conversations.history, .replies */
        "channels:read",     "groups:read",    "im:read",    /* conversations.info */
        "users:read",                                        /* users.info */
        "usergroups:read",                                   /* usergroups.users.list */
        "app_mentions:read",                                 /* the event app_mention */
    };
    static const char *const too_much[] = { "chat:write.customize", "channels:manage", "files:read",
                                            "users:read.email", "admin" };
    struct cli *c = *state;

    ASSERT_EXIT(0, c, "manifest", "--command", "/why-db", "--name", "why");
    cJSON *doc = cli_json(c);
    const cJSON *slash = json_items(json_get(doc, "features"), "slash_commands");
    assert_string_equal(json_str(slash, "command"), "/why-db");
    assert_string_equal(json_str(json_get(doc, "display_information"), "name"), "why");
    assert_true(cJSON_IsTrue(json_path(doc, "settings", "socket_mode_enabled", NULL)));
    assert_true(strlen(json_str(slash, "description")) <= 2000);
    assert_true(strlen(json_str(json_get(doc, "display_information"), "description")) <= 140);
    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (!has_scope(doc, needed[i]))
            fail_msg("the manifest lacks %s", needed[i]);
    for (size_t i = 0; i < ARRAY_LEN(too_much); i++)
        assert_false(has_scope(doc, too_much[i]));
    assert_not_said(&c->out, "message.channels");
    ASSERT_EXIT(0, c, "manifest", "--alerts");
    assert_said(&c->out, "message.channels");
    ASSERT_EXIT(0, c, "manifest", "--explain");
    const cJSON *scope;
    cJSON_ArrayForEach (scope, json_path(doc, "oauth_config", "scopes", "bot", NULL)) {
        assert_said(&c->out, scope->valuestring);
    }
    cJSON_Delete(doc);
}

/* ---- playbook ---- */

static void the_shipped_playbook_is_sound_and_is_the_one_built_in(void **state)
{
    static const char path[] = "config/playbooks/database-connection-refused.json";
    struct cli *c = *state;
    char *file = cli_read_file(path);

    ASSERT_EXIT(0, c, "playbook", "lint", path);
    assert_said(&c->out, "is sound");
    ASSERT_EXIT(0, c, "playbook", "show", "--source");
    assert_string_equal(buf_str(&c->out), file);
    ASSERT_EXIT(0, c, "playbook", "show", path, "--source");
    assert_string_equal(buf_str(&c->out), file);
    free(file);
}

static void playbook_show_reads_like_sentences(void **state)
{
    static const char *const parts[] = {
        "database-connection-refused: ",
        "built into this program",
        "4     release_timeline",
        "failure.applicable",
        "connection_pool_exhaustion",
        "Weighing: {\"floor\":",
        "no_slots_said\n  if     failure.kind is too_many_connections",
        "trend.ongoing or trend.ongoing is not known",
    };
    struct cli *c = *state;

    ASSERT_EXIT(0, c, "playbook", "show");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        assert_said(&c->out, parts[i]);
    ASSERT_EXIT(0, c, "playbook", "show", "--json");
    cJSON *doc = cli_json(c);
    assert_string_equal(json_str(doc, "id"), "database-connection-refused");
    cJSON_Delete(doc);
    ASSERT_EXIT(0, c, "playbook", "facts");
    assert_said(&c->out, "release.strength");
}

/* The shipped playbook with its first `from` replaced. */
static char *changed_playbook(struct cli *c, const char *from, const char *to)
{
    char *file = cli_read_file("config/playbooks/database-connection-refused.json");
    const char *at = strstr(file, from);
    struct buf text = BUF_INIT;

    if (!at)
        fail_msg("the playbook holds no %s", from);
    buf_add(&text, file, (size_t)(at - file));
    buf_addf(&text, "%s%s", to, at + strlen(from));
    char *path = cli_write(c, "playbook.json", buf_str(&text));
    buf_clear(&text);
    free(file);
    return path;
}

static void lint_names_what_is_wrong_with_its_line(void **state)
{
    static const struct {
        const char *from, *to, *said, *end;
    } rows[] = {
        { "\"steps\": [", "\"steps\": [[", "playbook.json:", "cannot be used" },
        { "\"collector\": \"issue_tags\"", "\"collector\": \"tags\"",
          "there is no collector \"tags\"", "cannot be used" },
        { "{ \"not_applicable\": 200 }", "{ \"gremlins\": 200 }", "\"gremlins\" is no cause code",
          "cannot be used" },
        { "\"id\": \"grows\", \"if\"", "\"id\": \"grows\", \"is\"", "\"if\" is missing",
          "cannot be used" },
        { "\"fact\": \"trend.kind\"", "\"fact\": \"trend.knd\"",
          "no step writes the fact \"trend.knd\"", "can be used; 1 thing" },
        { "{=release.ended_by}", "{=release.ended_bye}",
          "no step writes the fact \"release.ended_bye\"", "can be used; 1 thing" },
        { "\"skipped\":", "\"skiped\":", "steps[3].skiped: nobody reads this member",
          "can be used; 1 thing" },
        { "\"near_minutes\":", "\"near_minute\":", "settings.releases.near_minute: no collector",
          "can be used; 1 thing" },
        { "\"at\": \"medium\"", "\"at\": \"middling\"", "high, medium or low", "cannot be used" },
        { "\"floor\": 40", "\"floor\": 70", "weighing: floor, medium and high", "1 thing" },
        { "\"id\": \"grows\"", "\"id\": \"not_ours\"", "has the id \"not_ours\" too", "1 thing" },
        { "\"not_applicable\": 200", "\"not_applicable\": -1",
          "causes.not_applicable: no signal speaks for it", "1 thing" },
        { "\"at_least\": 1", "\"at_least\": \"one\"", "compares with a number", "1 thing" },
    };
    struct cli *c = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *path = changed_playbook(c, rows[i].from, rows[i].to);
        if (CLI(c, "playbook", "lint", path) != 1)
            fail_msg("row %zu: exit code %d: %s", i, c->code, buf_str(&c->out));
        assert_said(&c->out, rows[i].said);
        assert_said(&c->out, rows[i].end);
        free(path);
    }
}

/* A fact that no source file writes has no place among the facts that are explained. */
static void every_explained_fact_is_written_by_some_step(void **state)
{
    struct cli *c = *state;
    struct buf sources = BUF_INIT;
    glob_t found = { 0 };

    assert_int_equal(glob("src/collectors/*.[ch]", 0, NULL, &found), 0);
    assert_int_equal(glob("src/playbook/*.[ch]", GLOB_APPEND, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *text = cli_read_file(found.gl_pathv[i]);
        buf_adds(&sources, text);
        free(text);
    }
    globfree(&found);
    ASSERT_EXIT(0, c, "playbook", "facts", "--json");
    cJSON *doc = cli_json(c);
    for (const cJSON *f = json_items(doc, "facts"); f; f = f->next) {
        const char *name = json_str(f, "name");
        size_t len = strcspn(name, "*");
        char *quoted =
            name[len] ? xasprintf("\"%.*s%%s\"", (int)len, name) : xasprintf("\"%s\"", name);
        if (!strstr(buf_str(&sources), quoted))
            fail_msg("no step writes %s", name);
        free(quoted);
    }
    cJSON_Delete(doc);
    buf_clear(&sources);
}

/* ---- what ships beside the program ---- */

struct words {
    char **items;
    size_t n, cap;
};

static bool words_have(const struct words *w, const char *word)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->items[i], word) == 0)
            return true;
    return false;
}

static void words_clear(struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->items[i]);
    free(w->items);
}

/* Every "--option" of `text`, each once. */
static void collect_options(const char *text, struct words *ret)
{
    for (const char *at = text; (at = strstr(at, "--")); at += 2) {
        size_t len = 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");
        char *option = xstrndup(at, len);
        bool word = at == text || strchr(" \n[('\"", at[-1]);
        if (len > 3 && word && !words_have(ret, option))
            *VEC_ADD(ret->items, ret->n, ret->cap) = option;
        else
            free(option);
        at += len - 2;
    }
}

/* `form` holds one "%s". */
static char *wanted_text(const char *form, const char *name)
{
    const char *mark = strstr(form, "%s");

    return xasprintf("%.*s%s%s", (int)(mark - form), form, name, mark + 2);
}

static void assert_completes(const char *file, const char *form, const char *name)
{
    char *text = cli_read_file(file), *wanted = wanted_text(form, name);

    if (!strstr(text, wanted))
        fail_msg("%s does not know \"%s\"", file, wanted);
    free(text);
    free(wanted);
}

static void completions_know_every_command_and_option_and_no_other(void **state)
{
    struct cli *c = *state;
    struct words known = { 0 }, offered = { 0 };

    collect_options("--help --version", &known);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        ASSERT_EXIT(0, c, commands[i], "--help");
        collect_options(buf_str(&c->out), &known);
        assert_completes("contrib/completions/dbconn.bash", "%s ", commands[i]);
        assert_completes("contrib/completions/_dbconn", "'%s:", commands[i]);
        assert_completes("contrib/completions/dbconn.fish", "-a %s ", commands[i]);
    }
    for (size_t i = 0; i < known.n; i++) {
        assert_completes("contrib/completions/dbconn.bash", "%s", known.items[i]);
        assert_completes("contrib/completions/_dbconn", "'%s[", known.items[i]);
        assert_completes("contrib/completions/dbconn.fish", "-l %s ", known.items[i] + 2);
    }
    char *bash = cli_read_file("contrib/completions/dbconn.bash");
    collect_options(bash, &offered);
    for (size_t i = 0; i < offered.n; i++)
        if (!words_have(&known, offered.items[i]))
            fail_msg("no command has %s", offered.items[i]);
    free(bash);
    words_clear(&known);
    words_clear(&offered);
}

/* Every key of the service's configuration exists, and what it reads is handed over by the unit. */
static void the_service_hands_over_what_its_configuration_reads(void **state)
{
    struct error err = ERROR_INIT;
    struct jsonc doc = { 0 };
    char *unit = cli_read_file("contrib/systemd/dbconn.service");
    const cJSON *section, *item;

    (void)state;
    assert_non_null(strstr(unit, "ExecStart=/usr/bin/dbconn serve --config "));
    assert_int_equal(jsonc_load("contrib/systemd/dbconn.json", &doc, &err), 0);
    cJSON_ArrayForEach (section, doc.tree) {
        cJSON_ArrayForEach (item, section) {
            char *key = xasprintf("%s.%s", section->string, item->string),
                 *file = strstr(key, "_file");
            bool known = false;
            if (file && !file[5])
                *file = '\0';
            for (size_t i = 0; i < n_config_options; i++)
                known |= strcmp(config_options[i].key, key) == 0;
            if (!known)
                fail_msg("%s is no key of the configuration", key);
            if (strstr(item->string, "_file")) {
                char *load = xasprintf("\nLoadCredential=%s:/etc/dbconn/credentials/%s\n",
                                       item->valuestring, item->valuestring);
                if (!strstr(unit, load))
                    fail_msg("the unit lacks %s", load);
                free(load);
            }
            free(key);
        }
    }
    jsonc_clear(&doc);
    free(unit);
}

int main(int argc, char **argv)
{
#define TEST(name) CLI_TEST(name, argv[0])
    const struct CMUnitTest tests[] = {
        TEST(help_lists_every_command_and_each_has_its_own),
        TEST(usage_errors_name_what_was_wrong),
        TEST(config_print_shows_values_and_where_they_come_from),
        TEST(config_print_says_where_the_store_is_by_default),
        TEST(config_keys_tells_all_there_are),
        TEST(the_manifest_in_contrib_is_the_one_that_is_printed),
        TEST(the_manifest_fits_slack_and_grants_what_the_methods_need),
        TEST(the_shipped_playbook_is_sound_and_is_the_one_built_in),
        TEST(playbook_show_reads_like_sentences),
        TEST(lint_names_what_is_wrong_with_its_line),
        TEST(every_explained_fact_is_written_by_some_step),
        TEST(completions_know_every_command_and_option_and_no_other),
        TEST(the_service_hands_over_what_its_configuration_reads),
    };

    (void)argc;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
