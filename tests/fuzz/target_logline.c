/*
 * Log lines. A line of the input is a record, "service|host|level|message", with "\n" in it as a
 * new line; each is a second after the one before.
 */
#include <string.h>

#include "dbconn/analysis/logs.h"
#include "fuzz.h"

#define MAX_RECORDS 64
#define ONSET INT64_C(1787047320000)

struct line {
    char *text;
    struct log_record record;
};

/* The next of the parts of a line; NULL when it is empty. */
static const char *part(char **at)
{
    char *start = *at, *end = strchr(start, '|');

    if (!end)
        return NULL;
    *end = '\0';
    *at = end + 1;
    return *start ? start : NULL;
}

static void new_lines(char *text)
{
    for (char *found = strstr(text, "\\n"); found; found = strstr(found, "\\n")) {
        *found = '\n';
        memmove(found + 1, found + 2, strlen(found + 2) + 1);
    }
}

static void read_line(struct fuzz_input *in, size_t i, struct line *ret)
{
    char *at = ret->text = fuzz_line(in);
    struct log_record *r = &ret->record;

    *r = (struct log_record){ .time_ms = ONSET - 30000 + (int64_t)i * 1000 };
    r->service = part(&at);
    r->host = part(&at);
    r->level = part(&at);
    r->dataset = r->service;
    r->pod = r->host && strchr(r->host, '-') ? r->host : NULL;
    r->region = i % 2 ? "eu-1" : "us-1";
    r->message = at;
    new_lines(at);
}

static void check_inside(const char *text, size_t len, const char *message)
{
    FUZZ_CHECK(!len || (text >= message && text + len <= message + strlen(message)));
}

static void check_event(const struct log_record *record)
{
    struct log_event e;

    logline_read(record, &e);
    FUZZ_CHECK(e.kind < LOG_KIND_COUNT && e.n_mentions <= LOG_MENTIONS_MAX);
    for (size_t i = 0; i < e.n_mentions; i++) {
        check_inside(e.mentions[i].text, e.mentions[i].len, record->message);
        FUZZ_CHECK(e.mentions[i].port >= 0 && e.mentions[i].port <= 65535);
    }
    if (e.database)
        check_inside(e.database, e.database_len, record->message);
}

void fuzz_logline(const uint8_t *data, size_t size)
{
    static const char *const addresses[] = { "10.0.0.5" }, *const services[] = { "shop" };
    static const struct log_burst burst = { ONSET, ONSET + 60000 };
    static const struct log_target target = { "postgresql", "db-1", "5432",   "shop",
                                              addresses,    1,      services, 1 };
    static const struct log_window window = { ONSET, ONSET + 60000, ONSET + 600000, &burst, 1 };
    struct fuzz_input in = { data, size };
    struct line lines[MAX_RECORDS];
    struct log_record records[MAX_RECORDS];
    struct log_findings found;
    size_t n = 0;

    for (; n < MAX_RECORDS && in.left; n++) {
        read_line(&in, n, &lines[n]);
        records[n] = lines[n].record;
        check_event(&records[n]);
    }
    logs_read(records, n, &target, &window, &found);
    FUZZ_CHECK(found.tie_reason && found.n_outages <= LOGS_MAX_OUTAGES);
    FUZZ_CHECK(found.down_record == LOGS_NONE || found.down_record < n);
    FUZZ_CHECK(found.up_record == LOGS_NONE || found.up_record < n);
    log_findings_clear(&found);
    while (n-- > 0)
        free(lines[n].text);
}
