/* harness_look - figures to assert on, and assertions about what the channel shows. */
#include "harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"

int64_t count_calls(struct stage *s, const char *method, int status)
{
    char *path = xasprintf("/calls?method=%s", method);
    cJSON *list = control(s, path, NULL);
    int64_t n = 0, got;

    for (const cJSON *c = json_first(list); c; c = c->next)
        n += status == 0 || (json_i64(c, "status", &got) && got == status);
    cJSON_Delete(list);
    free(path);
    return n;
}

int64_t count_requests(struct stage *s, const char *service)
{
    cJSON *counts = control(s, "/counts", NULL);
    int64_t n = 0;

    (void)json_i64(json_get(counts, service), "total", &n);
    cJSON_Delete(counts);
    return n;
}

int64_t count_envelopes_acked(struct stage *s)
{
    cJSON *list = control(s, "/envelopes", NULL);
    int64_t n = 0;

    for (const cJSON *e = json_first(list); e; e = e->next)
        n += cJSON_IsTrue(json_get(e, "acknowledged"));
    cJSON_Delete(list);
    return n;
}

static cJSON *channel_state(struct stage *s, const char *channel)
{
    char *path = xasprintf("/state?channel=%s", channel);
    cJSON *state = control(s, path, NULL);

    free(path);
    return state;
}

int count_messages(struct stage *s, const char *channel)
{
    cJSON *state = channel_state(s, channel);
    int n = 0;

    for (const cJSON *m = json_items(state, "messages"); m; m = m->next)
        n += json_str(m, "bot_id") && !json_str(m, "shown_to");
    cJSON_Delete(state);
    return n;
}

/* ---- assertions ---- */

static void check_shown(struct stage *s, const char *text, bool wanted)
{
    char *shown = control_text(s, "/transcript");
    bool has = strstr(shown, text) != NULL;

    if (has != wanted) {
        stage_show_log(s);
        print_message("---- the channel ----\n%s---- end ----\n", shown);
    }
    free(shown);
    if (has != wanted)
        fail_msg("the channel %s \"%s\"", wanted ? "does not show" : "shows", text);
}

void assert_shows(struct stage *s, const char *text)
{
    check_shown(s, text, true);
}

void assert_does_not_show(struct stage *s, const char *text)
{
    check_shown(s, text, false);
}

void assert_careful(struct stage *s)
{
    char *notes = control_text(s, "/notes"), *calls = control_text(s, "/calls");
    bool refused = strstr(calls, "invalid_blocks") || strstr(calls, "invalid_arguments") ||
                   strstr(calls, "msg_too_long") || strstr(calls, "msg_blocks_too_long");

    if (strcmp(notes, "[]") != 0)
        fail_msg("the sandbox noted: %s", notes);
    if (refused)
        fail_msg("Slack refused what the bot sent: %s", calls);
    free(notes);
    free(calls);
}

static char *message_key(const cJSON *m)
{
    char *blocks = json_get(m, "blocks") ? json_print(json_get(m, "blocks")) : xstrdup("");
    char *key = xasprintf("%s|%s|%s", json_str_or(m, "thread_ts", ""), json_str_or(m, "text", ""),
                          strlen(blocks) > 0 ? "blocks" : "");

    free(blocks);
    return key;
}

void assert_nothing_twice(struct stage *s, const char *channel)
{
    cJSON *state = channel_state(s, channel), *seen = cJSON_CreateObject();

    for (const cJSON *m = json_items(state, "messages"); m; m = m->next) {
        char *key;
        if (!json_str(m, "bot_id") || json_str(m, "shown_to"))
            continue;
        key = message_key(m);
        if (cJSON_GetObjectItemCaseSensitive(seen, key))
            fail_msg("said twice: %s", key);
        json_put_bool(seen, key, true);
        free(key);
    }
    cJSON_Delete(seen);
    cJSON_Delete(state);
}

static void look_for(const char *where, const char *bytes, size_t len, const char *secret)
{
    if (memmem(bytes, len, secret, strlen(secret)))
        fail_msg("a token stands in %s", where);
}

static void search_files(const char *dir, const char *secret)
{
    DIR *list = opendir(dir);
    struct dirent *entry;

    while (list && (entry = readdir(list))) {
        char *path = xasprintf("%s/%s", dir, entry->d_name), bytes[65536];
        struct buf all = BUF_INIT;
        FILE *file = entry->d_type == DT_REG ? fopen(path, "rb") : NULL;
        size_t n;
        while (file && (n = fread(bytes, 1, sizeof(bytes), file)) > 0)
            buf_add(&all, bytes, n);
        if (file)
            fclose(file);
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            search_files(path, secret);
        look_for(path, buf_str(&all), all.len, secret);
        buf_clear(&all);
        free(path);
    }
    if (list)
        closedir(list);
}

void assert_no_secret(struct stage *s)
{
    static const char *const names[] = { "SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "SENTRY_AUTH_TOKEN",
                                         "GITHUB_TOKEN", "ELASTICSEARCH_API_KEY" };
    char *shown = control_text(s, "/state");

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *secret = json_str(json_get(s->start, "env"), names[i]);
        look_for("the channel", shown, strlen(shown), secret);
        search_files(s->dir, secret);
    }
    free(shown);
}
