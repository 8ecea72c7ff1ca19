/*
 * bench_counts - the hot paths, once each, on inputs that are always the same, for callgrind to
 * count instructions in: the functions that are called hot_*. See bench_counts.py.
 *
 *   bench_counts envelope | events | messages | diff
 */
#include <stdio.h>
#include <string.h>

#include "../../src/slack/socket_frame.h"
#include "../../src/sources/sentry_parse.h"
#include "../../src/sources/source_mem.h"
#include "dbconn/analysis/failure.h"
#include "dbconn/analysis/settings.h"
#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/json_each.h"
#include "dbconn/base/json_stream.h"
#include "dbconn/slack/command.h"
#include "dbconn/slack/command_reply.h"
#include "dbconn/slack/dedupe.h"

#define HOT __attribute__((noinline))
#define ENVELOPES 100
#define EVENT_LIST_BYTES (1024 * 1024)
#define PIECE 16384 /* of what libcurl hands over */
#define FILES 3000

static void refuse(const char *what)
{
    fprintf(stderr, "bench_counts: %s\n", what);
    exit(1);
}

/* ---- an envelope in, its acknowledgement out ---- */

static const char envelope[] =
    "{\"envelope_id\":\"7fb6dcd0-58a1-4b2e-a0c1-%012d\",\"payload\":{\"token\":"
    "\"bHKJ2n9AW6Ju3MjciOHfbA1b\",\"team_id\":\"T012ABCDEF\",\"team_domain\":\"bench\","
    "\"channel_id\":\"C012ABCDEF\",\"channel_name\":\"incident-42\",\"user_id\":\"U012ABCDEF\","
    "\"user_name\":\"mia\",\"command\":\"\\/dbconn\",\"text\":\"help\",\"api_app_id\":"
    "\"A012ABCDEF\",\"is_enterprise_install\":\"false\",\"response_url\":"
    "\"https:\\/\\/hooks.slack.com\\/commands\\/T012ABCDEF\\/1234567890123\\/aBcDeFgHiJkL\","
    "\"trigger_id\":\"1234567890123.1234567890.%032d\"},\"type\":\"slash_commands\","
    "\"accepts_response_payload\":true}";

HOT static void hot_envelope(struct dedupe *seen, const char *text, size_t len, uint64_t number)
{
    struct socket_frame frame;
    struct command command;
    struct buf help = BUF_INIT, ack = BUF_INIT;

    socket_frame_read(text, len, &frame);
    for (size_t i = 0; i < frame.n_keys; i++) {
        if (dedupe_find(seen, buf_str(&frame.keys[i]), 1) != 0)
            refuse("an envelope was taken for another");
        dedupe_note(seen, buf_str(&frame.keys[i]), number, 1);
    }
    command_parse("/dbconn", json_str(frame.payload, "text"), &command);
    if (command.kind != COMMAND_HELP)
        refuse("the envelope was not understood");
    reply_help("/dbconn", &help);
    cJSON *payload = cJSON_CreateObject();
    json_put_str(payload, "response_type", "ephemeral");
    json_put_str(payload, "text", buf_str(&help));
    char *printed = json_print(payload);
    socket_ack_write(frame.envelope_id, printed, &ack);
    free(printed);
    cJSON_Delete(payload);
    command_clear(&command);
    socket_frame_clear(&frame);
    buf_clear(&help);
    buf_clear(&ack);
}

static void envelopes(void)
{
    struct dedupe *seen = dedupe_new(1000, 100000);
    struct buf text = BUF_INIT;

    for (int i = 0; i < ENVELOPES; i++) {
        buf_reset(&text);
        buf_addf(&text, envelope, i, i);
        hot_envelope(seen, buf_str(&text), text.len, (uint64_t)i + 1);
    }
    buf_clear(&text);
    dedupe_free(seen);
}

/* ---- an event list of 1 MiB ---- */

static void add_event(struct buf *out, int i)
{
    buf_addf(out,
             "%s{\"id\":\"%032d\",\"event.type\":\"error\",\"groupID\":\"5217417345\",\"eventID\":"
             "\"%032d\",\"projectID\":\"4509062593708000\",\"message\":\"could not connect\","
             "\"title\":\"OperationalError: connection to server at \\\"db-%d.example.com\\\" "
             "(10.0.0.%d), port 5432 failed: Connection refused\",\"location\":\"app/db.py\","
             "\"culprit\":\"app.db in connect\",\"user\":{\"id\":\"%d\",\"email\":null},\"tags\":[",
             i ? "," : "", i, i, i % 7, i % 250, i % 977);
    for (int t = 0; t < 12; t++)
        buf_addf(out, "%s{\"key\":\"tag.%d\",\"value\":\"value %d of the tag \\u00e4\"}",
                 t ? "," : "", t, (i * 31 + t) % 50);
    buf_addf(out, "],\"platform\":\"python\",\"dateCreated\":\"2026-03-01T12:%02d:%02dZ\"}",
             i / 60 % 60, i % 60);
}

struct rows {
    struct source_mem *mem;
    size_t n;
};

static int count_row(void *user, const cJSON *one, struct error *err)
{
    struct rows *rows = user;
    struct sentry_event_row row = { 0 };

    rows->n += sentry_read_row(one, rows->mem, &row, err) == 0;
    return 0;
}

/* As it comes from the network, in pieces; then an event at a time. */
HOT static size_t hot_events(const struct buf *text, struct source_mem *mem)
{
    struct json_stream *json = json_stream_new(sentry_wanted_rows, NULL, "the list");
    struct buf kept = BUF_INIT;
    struct rows rows = { mem, 0 };

    for (size_t i = 0, n; i < text->len; i += n) {
        n = text->len - i < PIECE ? text->len - i : PIECE;
        if (json_stream_feed(json, text->data + i, n, &kept, NULL) != 0)
            refuse("the list is no JSON");
    }
    if (json_stream_end(json, &kept, NULL) < 0 ||
        json_each(buf_str(&kept), kept.len, "", "the list", count_row, &rows, NULL, NULL) < 0)
        refuse("the list is no JSON");
    json_stream_free(json);
    buf_clear(&kept);
    return rows.n;
}

static void events(void)
{
    struct buf text = BUF_INIT;
    struct source_mem *mem = source_mem_new();
    size_t n = 0;

    buf_addc(&text, '[');
    while (text.len < EVENT_LIST_BYTES)
        add_event(&text, (int)n++);
    buf_addc(&text, ']');
    if (hot_events(&text, mem) != n)
        refuse("events were lost");
    source_mem_release(mem);
    buf_clear(&text);
}

/* ---- messages ---- */

static const struct failure_exception messages_of_drivers[] = {
    { "psycopg2.OperationalError",
      "connection to server at \"db-1.example.com\" (10.0.0.4), port 5432 failed: Connection "
      "refused\n\tIs the server running on that host and accepting TCP/IP connections?\n",
      "psycopg2" },
    { "ConnectException", "Connection refused (Connection refused)", "java.net" },
    { "Error", "connect ECONNREFUSED 10.20.30.40:3306", NULL },
    { "pymysql.err.OperationalError",
      "(2003, \"Can't connect to MySQL server on 'db-2.example.com' ([Errno 111] Connection "
      "refused)\")",
      "pymysql" },
    { "PDOException", "SQLSTATE[HY000] [2002] Connection timed out", NULL },
    { "MongoServerSelectionError", "connect ETIMEDOUT 10.1.1.1:27017", NULL },
    { "OperationalError", "FATAL:  sorry, too many clients already", "django.db.utils" },
    { "ValueError", "invalid literal for int() with base 10: 'abc'", "builtins" },
    { "error", "dial tcp 10.0.0.9:6379: connect: connection refused", "net" },
    { "SqlException",
      "A network-related or instance-specific error occurred while establishing a connection to "
      "SQL Server. The server was not found or was not accessible.",
      "System.Data.SqlClient" },
};

HOT static void hot_messages(const struct failure_reader *reader)
{
    for (size_t i = 0; i < ARRAY_LEN(messages_of_drivers); i++) {
        struct failure f;
        failure_read(reader, &messages_of_drivers[i], &f);
        failure_clear(&f);
    }
}

/* Once before: the tables of expressions are compiled with the first messages. */
static void warm_messages(const struct failure_reader *reader)
{
    for (size_t i = 0; i < ARRAY_LEN(messages_of_drivers); i++) {
        struct failure f;
        failure_read_chain(reader, &messages_of_drivers[i], 1, &f);
        failure_clear(&f);
    }
}

static void messages(void)
{
    struct failure_reader *reader = failure_reader_new();

    warm_messages(reader);
    hot_messages(reader);
    failure_reader_free(reader);
}

/* ---- a diff of 3,000 files ---- */

HOT static size_t hot_diff(const struct changed_file *files, size_t n)
{
    static const char *const hosts[] = { "db-1.example.com" };
    const struct change_context context = { .environment = "production",
                                            .engine = "postgresql",
                                            .hosts = hosts,
                                            .n_hosts = 1,
                                            .port = "5432" };
    struct settings_report report = { 0 };

    settings_read(files, n, &context, &report);
    size_t found = report.n_changes;
    settings_report_clear(&report);
    return found;
}

static char *patch_of(size_t i)
{
    if (i % 500 == 7)
        return xstrdup(
            "@@ -1,3 +1,3 @@\n [db]\n-DB_HOST=db-1.example.com\n+DB_HOST=db-2.example.com\n"
            " DB_PORT=5432\n");
    return xasprintf(
        "@@ -%zu,7 +%zu,8 @@ def handler_%zu(request):\n     total = 0\n     for item "
        "in request.items:\n-        total += item.price\n+        total += item.price "
        "* item.count\n+        log.debug(\"item %%s\", item.id)\n     return "
        "total\n \n \n def next():\n",
        i + 1, i + 1, i);
}

static void diff(void)
{
    struct changed_file *files = xcalloc(FILES, sizeof(*files));

    for (size_t i = 0; i < FILES; i++) {
        files[i].path = i % 500 == 7 ? xasprintf("deploy/%zu/production.env", i)
                                     : xasprintf("src/module_%zu/handler.py", i);
        files[i].patch = patch_of(i);
        files[i].patch_len = strlen(files[i].patch);
    }
    if (hot_diff(files, FILES) == 0)
        refuse("the changed setting was not found");
    for (size_t i = 0; i < FILES; i++) {
        free((void *)(uintptr_t)files[i].path);
        free((void *)(uintptr_t)files[i].patch);
    }
    free(files);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } paths[] = {
        { "envelope", envelopes }, { "events", events }, { "messages", messages }, { "diff", diff }
    };

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        if (argc == 2 && strcmp(argv[1], paths[i].name) == 0) {
            paths[i].run();
            return 0;
        }
    }
    refuse("which of envelope, events, messages, diff?");
}
