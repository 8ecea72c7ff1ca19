/* dbconn manifest: the Slack app that this program needs, no right more. */
#include "command.h"

#include <stdio.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "slack_scopes.h"
#include "table.h"

/* docs.slack.dev/reference/app-manifest */
#define NAME_MAX_CHARS 35
#define COMMAND_MAX_CHARS 32

/* Messages are told only to who wants alerts looked into by themselves. */
static const struct {
    const char *name, *why;
    bool alerts;
} events[] = {
    { "app_home_opened", "fill the Home tab with what runs and what was found", false },
    { "app_mention", "to be asked by a mention", false },
    { "message.channels", "see alerts posted in slack.auto_channels (with --alerts)", true },
    { "message.groups", "the same in private channels (with --alerts)", true },
};

static cJSON *list_item(cJSON *list)
{
    cJSON *item = cJSON_CreateObject();

    cJSON_AddItemToArray(list, item);
    return item;
}

static void put_features(cJSON *doc, const char *name, const char *command)
{
    cJSON *features = json_put_object(doc, "features"), *item;

    item = json_put_object(features, "app_home");
    json_put_bool(item, "home_tab_enabled", true);
    json_put_bool(item, "messages_tab_enabled", true);
    json_put_bool(item, "messages_tab_read_only_enabled", false);
    item = json_put_object(features, "bot_user");
    json_put_str(item, "display_name", name);
    json_put_bool(item, "always_online", true);
    item = list_item(json_put_array(features, "shortcuts"));
    json_put_str(item, "name", "Diagnose this alert");
    json_put_str(item, "type", "message");
    json_put_str(item, "callback_id", "dbconn_diagnose");
    json_put_str(item, "description", "Why does the database refuse connections?");
    item = list_item(json_put_array(features, "slash_commands"));
    json_put_str(item, "command", command);
    json_put_str(item, "description", "Why does the database refuse connections?");
    json_put_str(item, "usage_hint", "SHOP-1A2 | a Sentry link | status | help");
    json_put_bool(item, "should_escape", false);
}

static void put_oauth(cJSON *doc)
{
    cJSON *bot =
        json_put_array(json_put_object(json_put_object(doc, "oauth_config"), "scopes"), "bot");

    for (size_t i = 0; i < n_slack_scopes; i++)
        cJSON_AddItemToArray(bot, cJSON_CreateString(slack_scopes[i].name));
}

static void put_settings(cJSON *doc, bool alerts)
{
    cJSON *settings = json_put_object(doc, "settings"), *list;

    list = json_put_array(json_put_object(settings, "event_subscriptions"), "bot_events");
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        if (alerts || !events[i].alerts)
            cJSON_AddItemToArray(list, cJSON_CreateString(events[i].name));
    json_put_bool(json_put_object(settings, "interactivity"), "is_enabled", true);
    json_put_bool(settings, "org_deploy_enabled", false);
    json_put_bool(settings, "socket_mode_enabled", true);
    json_put_bool(settings, "token_rotation_enabled", false);
}

/* Two blanks a level, a line for each member, as people write it. */
static void print_pretty(const cJSON *item, int indent)
{
    bool object = cJSON_IsObject(item);
    const cJSON *child;
    char *text;

    if (!object && !cJSON_IsArray(item)) {
        text = cJSON_PrintUnformatted(item);
        fputs(text, stdout);
        cJSON_free(text);
        return;
    }
    putchar(object ? '{' : '[');
    cJSON_ArrayForEach (child, item) {
        printf("\n%*s", indent + 2, "");
        if (object)
            printf("\"%s\": ", child->string);
        print_pretty(child, indent + 2);
        fputs(child->next ? "," : "", stdout);
    }
    printf("\n%*s%c", indent, "", object ? '}' : ']');
}

static void print_manifest(const char *name, const char *command, bool alerts)
{
    cJSON *doc = cJSON_CreateObject(), *display = json_put_object(doc, "display_information");

    json_put_str(display, "name", name);
    json_put_str(display, "description",
                 "Finds out why the database refuses connections, with evidence");
    json_put_str(display, "background_color", "#1d3557");
    put_features(doc, name, command);
    put_oauth(doc);
    put_settings(doc, alerts);
    print_pretty(doc, 0);
    putchar('\n');
    cJSON_Delete(doc);
}

static void print_reasons(void)
{
    struct table t = { .n_columns = 2 };
    struct buf text = BUF_INIT;

    table_cell(&t, "SCOPE OR EVENT");
    table_cell(&t, "WHAT FOR");
    for (size_t i = 0; i < n_slack_scopes; i++) {
        table_cell(&t, slack_scopes[i].name);
        table_cell(&t, slack_scopes[i].why);
    }
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        table_cellf(&t, "event %s", events[i].name);
        table_cell(&t, events[i].why);
    }
    table_print(&t, (size_t)terminal_width(), &text);
    fputs(buf_str(&text), stdout);
    buf_clear(&text);
    table_clear(&t);
}

/* A slash, then lower-case letters, digits, - and _ (docs.slack.dev, "Implementing slash
 * commands"). */
static bool is_command(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t len = strlen(text);

    return text[0] == '/' && len >= 2 && len <= COMMAND_MAX_CHARS &&
           strspn(text + 1, allowed) == len - 1;
}

static bool is_name(const char *text)
{
    return text_is_utf8(text, strlen(text)) && strlen(text) <= NAME_MAX_CHARS &&
           strspn(text, " ") < strlen(text);
}

static int run(int argc, char **argv)
{
    const char *name = "dbconn", *command = "/dbconn";
    bool explain = false, alerts = false;
    const struct app_option options[] = { { "--command", NULL, &command },
                                          { "--name", NULL, &name },
                                          { "--alerts", &alerts, NULL },
                                          { "--explain", &explain, NULL } };
    struct common_options common;
    int exit_code, n = common_options_read(&command_manifest, argc, argv, &common, &exit_code);

    if (n < 0)
        return exit_code;
    if (app_options_read("manifest", options, ARRAY_LEN(options), n + 1, argv, 0) < 0)
        return EXIT_USAGE;
    if (!is_command(command)) {
        fprintf(stderr,
                "dbconn manifest: --command must be / and 1 to %d of a-z, 0-9, - and _, not "
                "\"%s\"\n",
                COMMAND_MAX_CHARS - 1, command);
        return EXIT_USAGE;
    }
    if (!is_name(name)) {
        fprintf(stderr, "dbconn manifest: --name must be 1 to %d bytes of text\n", NAME_MAX_CHARS);
        return EXIT_USAGE;
    }
    if (explain)
        print_reasons();
    else
        print_manifest(name, command, alerts);
    return EXIT_OK;
}

const struct app_command command_manifest = {
    "manifest",
    "the Slack app manifest, to create the app from",
    "Usage: dbconn manifest [--command /NAME] [--name NAME] [--alerts]\n"
    "       dbconn manifest --explain\n"
    "\n"
    "Prints the manifest to paste at https://api.slack.com/apps (Create New App, From a\n"
    "manifest). docs/setup.md goes on from there.\n"
    "\n"
    "  --command /NAME  the slash command (default /dbconn)\n"
    "  --name NAME      the app's and the bot's name (default dbconn)\n"
    "  --alerts         also be told of messages, for slack.auto_channels\n"
    "  --explain        what each scope and event is for\n"
    "\n"
    "Exit code: 0 printed, 2 usage.\n",
    run,
};
