#include "logline_line.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"

void line_set(struct line *l, enum log_kind kind, const char *engine, bool own)
{
    l->event->kind = kind;
    if (engine)
        l->event->engine = engine;
    l->event->own = own;
}

void line_set_machine(struct line *l, const char *name, size_t len)
{
    if (len > 0) {
        l->event->machine = name;
        l->event->machine_len = len;
    }
}

static size_t take_number(const char *s, int *ret)
{
    size_t n = 0;

    for (*ret = 0; n < 6 && isdigit((unsigned char)s[n]); n++)
        *ret = *ret * 10 + (s[n] - '0');
    return isdigit((unsigned char)s[n]) ? 0 : n;
}

/* "100/100", "98 of 100", "98 out of 100" at `s` */
static bool take_ratio(const char *s, int *ret_used, int *ret_limit)
{
    static const char *const signs[] = { "/", " of ", " out of ", " / " };
    size_t n = take_number(s, ret_used);

    for (size_t i = 0; n > 0 && i < ARRAY_LEN(signs); i++) {
        const char *rest = s + n + strlen(signs[i]);
        size_t m;
        if (strncmp(s + n, signs[i], strlen(signs[i])) != 0)
            continue;
        m = take_number(rest, ret_limit);
        return m > 0 && *ret_limit > 0 && rest[m] != '/';
    }
    return false;
}

/* "connections 100/100 in use on pg-1", "pg-1: 98 of 100 connections used" */
bool line_read_slots_report(struct line *l)
{
    const char *text = l->hay.text;

    if (!line_has(l, "connections") && !line_has(l, "backends"))
        return false;
    for (const char *s = text; *s; s++) {
        int used, limit;
        if (!isdigit((unsigned char)*s) ||
            (s > text && (isalnum((unsigned char)s[-1]) || strchr("./-", s[-1]))) ||
            !take_ratio(s, &used, &limit))
            continue;
        line_set(l, LOG_SLOTS_REPORT_EVENT, NULL, false);
        l->event->in_use = used;
        l->event->limit = limit;
        return true;
    }
    return false;
}

bool line_is_flow_log(const struct line *l)
{
    return line_has(l, " REJECT OK") && isdigit((unsigned char)*l->hay.text);
}

static size_t name_length(const char *s)
{
    size_t n = 0;

    while (isalnum((unsigned char)s[n]) || (s[n] && strchr("_-$.", s[n])))
        n++;
    while (n > 0 && s[n - 1] == '.')
        n--;
    return n;
}

/* "database=orders", "db=orders", "app@orders LOG:", "on orders using TCP/IP", "db: 'orders'" */
static void find_database(struct line *l)
{
    static const char *const before[] = { "database=",  "dbname=", "db=",        "db: '",
                                          "Database: ", " on ",    "database \"" };
    const char *s;

    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        size_t n;
        if (strcmp(before[i], " on ") == 0 && !line_has(l, " using "))
            continue;
        s = line_has(l, before[i]) ? strcasestr(l->hay.text, before[i]) : NULL;
        n = s ? name_length(s + strlen(before[i])) : 0;
        if (n == 0)
            continue;
        l->event->database = s + strlen(before[i]);
        l->event->database_len = n;
        return;
    }
    s = l->event->own ? strchr(l->hay.text, '@') : NULL;
    if (s && s > l->hay.text && isalnum((unsigned char)s[-1]) && name_length(s + 1) > 0 &&
        !memchr(s + 1, '.', name_length(s + 1))) {
        l->event->database = s + 1;
        l->event->database_len = name_length(s + 1);
    }
}

/* "version account interface source destination sourceport destinationport ..." (Amazon VPC User
 * Guide, "Flow log records") */
static void read_flow(struct log_event *e, const char *end)
{
    size_t i = 0;
    const char *s;

    while (i < e->n_mentions && !e->mentions[i].address)
        i++;
    if (i + 1 >= e->n_mentions || !e->mentions[i + 1].address)
        return;
    e->mentions[i].role = MENTION_CLIENT;
    e->mentions[i + 1].role = MENTION_SERVER;
    s = e->mentions[i + 1].text + e->mentions[i + 1].len;
    for (int blanks = 0; s < end && blanks < 2; s++)
        blanks += *s == ' ';
    e->mentions[i + 1].port = 0;
    take_number(s, &e->mentions[i + 1].port);
}

static void find_mentions(struct line *l)
{
    const char *at = l->syslog.text, *end = l->hay.text + l->hay.len;
    struct log_mention m;

    while (l->event->n_mentions < LOG_MENTIONS_MAX && logline_next_name(&at, end, &m))
        l->event->mentions[l->event->n_mentions++] = m;
    /* Packet filters write the port apart from the address. */
    if (l->event->kind != LOG_NETWORK_FAULT_EVENT)
        return;
    if (line_is_flow_log(l)) {
        read_flow(l->event, l->hay.text + l->hay.len);
        return;
    }
    at = line_has(l, "DPT=")       ? strcasestr(l->hay.text, "DPT=") + 4
         : line_has(l, "dstport=") ? strcasestr(l->hay.text, "dstport=") + 8
                                   : NULL;
    for (size_t i = 0; at && i < l->event->n_mentions; i++)
        if (l->event->mentions[i].role == MENTION_SERVER && l->event->mentions[i].port == 0)
            for (const char *s = at; isdigit((unsigned char)*s) && s < at + 5; s++)
                l->event->mentions[i].port = l->event->mentions[i].port * 10 + (*s - '0');
}

static void find_limit(struct line *l)
{
    const char *s = strcasestr(l->hay.text, "max_connections = ");

    if (s && l->event->kind == LOG_SLOTS_EXHAUSTED_EVENT)
        for (s += 18; isdigit((unsigned char)*s) && l->event->limit < 1000000; s++)
            l->event->limit = (l->event->limit < 0 ? 0 : l->event->limit) * 10 + (*s - '0');
}

void line_read_told(struct line *l)
{
    find_mentions(l);
    find_database(l);
    find_limit(l);
}
