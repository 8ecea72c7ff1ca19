/* dbconn config: the effective configuration and where each value comes from. */
#include "command.h"

#include <stdio.h>

#include "dbconn/app/config.h"
#include "dbconn/app/state_dir.h"
#include "dbconn/base/json.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "table.h"

static const char *const type_names[] = { [CONFIG_STRING] = "text",
                                          [CONFIG_SECRET] = "secret",
                                          [CONFIG_NUMBER] = "number",
                                          [CONFIG_BOOL] = "true or false",
                                          [CONFIG_LIST] = "list" };

static void add_entry(void *user, const char *entry)
{
    struct buf *out = user;

    buf_addf(out, "%s%s", out->len ? ", " : "", entry);
}

/* As it may be shown: no secret, no password in an address. Heap; NULL: not set. */
static char *shown_value(const struct config *c, const struct config_option *o)
{
    const char *value = config_str(c, o->key);
    struct buf list = BUF_INIT;

    if (!value)
        return NULL;
    if (o->type == CONFIG_SECRET)
        return xstrdup(REDACTED);
    if (o->type != CONFIG_LIST)
        return redact_dup(value);
    config_each(c, o->key, add_entry, &list);
    return buf_take(&list);
}

/* "environment (SENTRY_URL)", "file FILE" */
static char *shown_source(const struct config *c, const struct config_option *o, const char *path)
{
    const char *source = config_source(c, o->key);

    if (text_same(source, "environment"))
        return xasprintf("environment (%s)", o->env);
    if (text_same(source, "file"))
        return xasprintf("file %s", path);
    return xstrdup(config_str(c, o->key) ? source : "not set");
}

/* ---- print ---- */

static void print_json(cJSON *doc)
{
    char *text = json_print(doc);

    puts(text);
    cJSON_free(text);
    cJSON_Delete(doc);
}

static void print_config_json(const struct config *c, const char *path, const char *store)
{
    cJSON *doc = cJSON_CreateObject(), *keys = json_put_object(doc, "keys");

    for (size_t i = 0; i < n_config_options; i++) {
        const struct config_option *o = &config_options[i];
        cJSON *key = json_put_object(keys, o->key);
        char *value = shown_value(c, o), *source = shown_source(c, o, path);
        json_put_str(key, "value", value);
        json_put_str(key, "source", source);
        free(value);
        free(source);
    }
    json_put_str(doc, "store", store);
    if (config_services(c))
        cJSON_AddItemToObject(doc, "services", cJSON_Duplicate(config_services(c), true));
    else
        json_put_array(doc, "services");
    print_json(doc);
}

static void print_services(const cJSON *services)
{
    const cJSON *entry, *member;

    cJSON_ArrayForEach (entry, services) {
        fputs(entry == services->child ? "\nservices:\n" : "", stdout);
        cJSON_ArrayForEach (member, entry) {
            printf("%s%s %s", member == entry->child ? "  " : ", ", member->string,
                   cJSON_GetStringValue(member));
        }
        putchar('\n');
    }
}

static void print_table(struct table *t)
{
    struct buf text = BUF_INIT;

    table_print(t, (size_t)terminal_width(), &text);
    fputs(buf_str(&text), stdout);
    buf_clear(&text);
    table_clear(t);
}

static void print_config(const struct config *c, const char *path, const char *store)
{
    struct table t = { .n_columns = 3 };

    table_cell(&t, "KEY");
    table_cell(&t, "VALUE");
    table_cell(&t, "FROM");
    for (size_t i = 0; i < n_config_options; i++) {
        const struct config_option *o = &config_options[i];
        char *value = shown_value(c, o), *source = shown_source(c, o, path);
        table_cell(&t, o->key);
        table_cell(&t, value ? value : "-");
        table_cell(&t, source);
        free(value);
        free(source);
    }
    print_table(&t);
    print_services(config_services(c));
    printf("\nThe queue's store is %s\n", store);
}

static int config_print(const struct common_options *common, int argc, char **argv)
{
    bool json = false;
    const struct app_option options[] = { { "--json", &json, NULL } };
    struct error err = ERROR_INIT;
    struct config *c;

    if (app_options_read("config print", options, ARRAY_LEN(options), argc, argv, 0) < 0 ||
        !(c = load_config_quietly(common)))
        return EXIT_USAGE;
    char *url = state_dir_store_url(c, false, &err);
    char *store = url ? redact_dup(url) : xstrdup(error_text(&err));
    if (json)
        print_config_json(c, common->config_path, store);
    else
        print_config(c, common->config_path, store);
    free(url);
    free(store);
    error_clear(&err);
    config_free(c);
    return EXIT_OK;
}

/* ---- keys ---- */

static void print_keys_json(void)
{
    cJSON *doc = cJSON_CreateObject(), *list = json_put_array(doc, "keys");

    for (size_t i = 0; i < n_config_options; i++) {
        const struct config_option *o = &config_options[i];
        cJSON *obj = cJSON_CreateObject();
        json_put_str(obj, "key", o->key);
        json_put_str(obj, "type", type_names[o->type]);
        json_put_str(obj, "environment", o->env);
        json_put_str(obj, "default", o->fallback);
        json_put_str(obj, "help", o->help);
        json_put_bool(obj, "live", config_is_live(o->key));
        cJSON_AddItemToArray(list, obj);
    }
    print_json(doc);
}

static int config_keys(const struct common_options *common, int argc, char **argv)
{
    bool json = false;
    const struct app_option options[] = { { "--json", &json, NULL } };
    struct table t = { .n_columns = 5 };

    (void)common;
    if (app_options_read("config keys", options, ARRAY_LEN(options), argc, argv, 0) < 0)
        return EXIT_USAGE;
    if (json) {
        print_keys_json();
        return EXIT_OK;
    }
    table_cell(&t, "KEY");
    table_cell(&t, "TYPE");
    table_cell(&t, "ENVIRONMENT");
    table_cell(&t, "DEFAULT");
    table_cell(&t, "MEANING");
    for (size_t i = 0; i < n_config_options; i++) {
        const struct config_option *o = &config_options[i];
        table_cell(&t, o->key);
        table_cell(&t, type_names[o->type]);
        table_cell(&t, o->env ? o->env : "-");
        table_cell(&t, o->fallback ? o->fallback : "-");
        table_cell(&t, o->help);
    }
    print_table(&t);
    return EXIT_OK;
}

static int run(int argc, char **argv)
{
    static const struct app_subcommand subcommands[] = { { "print", config_print },
                                                         { "keys", config_keys } };

    return subcommand_run(&command_config, subcommands, ARRAY_LEN(subcommands), argc, argv);
}

const struct app_command command_config = {
    "config",
    "the effective configuration and where each value comes from",
    "Usage: dbconn config print [--json] [--config FILE]\n"
    "       dbconn config keys [--json]\n"
    "\n"
    "  print          every key with its value and where that comes from: default, file, a\n"
    "                 file of its own (KEY_file), environment. Secrets are shown as •••\n"
    "  keys           every key there is: type, environment variable, default, meaning\n"
    "  --json         for scripts; \"live\": dbconn serve takes it over at SIGHUP\n"
    "  --config FILE  configuration; environment variables override it\n"
    "\n"
    "Exit code: 0 printed, 2 usage, or a configuration that cannot be read.\n",
    run,
};
