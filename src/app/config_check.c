/* What a value must be beyond its type, and which keys a running process can take over. */
#include "dbconn/app/config.h"

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"

/* ---- ranges and words ---- */

static const struct {
    const char *key;
    int64_t least, most;
} ranges[] = {
    { "slack.connections", 1, 10 },
    { "queue.max_running", 1, 1000 },
    { "queue.max_waiting", 1, 1000000000 },
    { "queue.max_attempts", 1, 100 },
    { "queue.retention_days", 0, 36500 },
    { "queue.lease_seconds", 1, 3600 },
    { "history.seen_days", 0, 36500 },
    { "audit.retention_days", 0, 36500 },
    { "limits.job_seconds", 1, 3600 },
    { "limits.call_seconds", 1, 600 },
    { "limits.answer_mb", 1, 256 },
    { "limits.step_seconds", 1, 3600 },
    { "limits.pages", 1, 1000 },
    { "limits.frames", 1, 10000 },
    { "limits.log_hits", 1, 1000 },
    { "limits.diff_lines", 1, 20000 },
    { "limits.memory_mb", 1, 65536 },
    { "limits.job_memory_mb", 1, 65536 },
    { "limits.json_depth", 8, 200 },
    { "limits.json_values", 100, 1000000000 },
};

static const struct {
    const char *key, *words[8], *list;
} words[] = {
    { "log.level",
      { "debug", "info", "warn", "error", "none" },
      "debug, info, warn, error or none" },
    { "log.format", { "auto", "logfmt", "json" }, "auto, logfmt or json" },
    { "slack.progress", { "plan", "stream", "blocks", "text" }, "plan, stream, blocks or text" },
    { "slack.chart", { "auto", "image", "text" }, "auto, image or text" },
};

static bool is_one_of(const char *text, const char *const *list)
{
    while (*list && !text_same(text, *list))
        list++;
    return *list != NULL;
}

/* A token or an App, and a whole one. */
static int check_github(const struct config *c, struct error *err)
{
    const char *id = config_str(c, "github.app_id"), *key = config_str(c, "github.app_private_key");

    if (!id != !key)
        return error_set(err, ERR_CONFIG, "%s is set without %s: a GitHub App needs both",
                         id ? "github.app_id" : "github.app_private_key",
                         id ? "github.app_private_key" : "github.app_id");
    if (id && config_str(c, "github.token"))
        return error_set(err, ERR_CONFIG,
                         "github.token and github.app_id are both set: take one out");
    if (!id && config_str(c, "github.app_installation_id"))
        return error_set(err, ERR_CONFIG,
                         "github.app_installation_id is set without github.app_id");
    return 0;
}

int config_check(const struct config *c, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        int64_t number = config_num(c, ranges[i].key);
        if (number < ranges[i].least || number > ranges[i].most)
            return error_set(err, ERR_CONFIG, "%s must be from %lld to %lld, and is %lld",
                             ranges[i].key, (long long)ranges[i].least, (long long)ranges[i].most,
                             (long long)number);
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!is_one_of(config_str(c, words[i].key), words[i].words))
            return error_set(err, ERR_CONFIG, "%s must be %s", words[i].key, words[i].list);
    return check_github(c, err);
}

/* ---- reloading ---- */

/* Addresses, Slack's tokens, the store and what was built around them stay as they are until the
 * next start. */
static const char *const live[] = {
    "slack.progress",
    "slack.reply_broadcast",
    "slack.mention_asker",
    "slack.auto_channels",
    "slack.chart",
    "slack.notify",
    "slack.quiet_hours",
    "sentry.auth_token",
    "github.app_id",
    "github.app_private_key",
    "github.app_installation_id",
    "github.token",
    "elasticsearch.api_key",
    "elasticsearch.user",
    "elasticsearch.password",
    "elasticsearch.index",
    "playbook.path",
    "queue.max_running",
    "queue.max_waiting",
    "queue.max_attempts",
    "queue.retention_days",
    "history.seen_days",
    "access.allow",
    "access.external_channels",
    "access.projects",
    "limits.job_seconds",
    "limits.step_seconds",
    "limits.pages",
    "limits.frames",
    "limits.log_hits",
    "limits.diff_lines",
    "limits.call_seconds",
    "limits.answer_mb",
    "limits.memory_mb",
    "limits.job_memory_mb",
    "limits.json_depth",
    "limits.json_values",
    "log.level",
};

bool config_is_live(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(live); i++)
        if (text_same(key, live[i]))
            return true;
    return false;
}
