#include "logline_line.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"

bool line_has(const struct line *l, const char *needle)
{
    return haystack_has(&l->hay, needle);
}

bool word_in(const char *text, size_t len, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= len; i++) {
        if (strncasecmp(text + i, word, n) != 0)
            continue;
        bool before = i == 0 || !isalnum((unsigned char)text[i - 1]);
        bool after = i + n == len || !isalnum((unsigned char)text[i + n]);
        if (before && after)
            return true;
    }
    return false;
}

bool program_in(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (const char *s = strcasestr(text, word); s; s = strcasestr(s + 1, word)) {
        bool before = s == text || !(isalnum((unsigned char)s[-1]) || s[-1] == '_');
        bool more =
            isalnum((unsigned char)s[n]) || s[n] == '_' ||
            (s[n] == '-' && isalpha((unsigned char)s[n + 1]) && strncmp(s + n, "-server", 7) != 0);
        if (before && !more)
            return true;
    }
    return false;
}

/* Names under which database servers run and log: programs, units, datasets, containers. */
static const struct {
    const char *name, *engine;
} programs[] = {
    { "postgres", "postgresql" },
    { "postgresql", "postgresql" },
    { "postmaster", "postgresql" },
    { "mysql", "mysql" },
    { "mysqld", "mysql" },
    { "mariadb", "mysql" },
    { "mariadbd", "mysql" },
    { "mssql", "sqlserver" },
    { "sqlservr", "sqlserver" },
    { "sqlserver", "sqlserver" },
    { "mssql-server", "sqlserver" },
    { "mssqlserver", "sqlserver" },
    { "oracle", "oracle" },
    { "mongod", "mongodb" },
    { "mongodb", "mongodb" },
    { "mongo", "mongodb" },
    { "redis", "redis" },
    { "redis-server", "redis" },
    { "valkey", "redis" },
    { "cassandra", "cassandra" },
    { "scylla", "cassandra" },
    { "clickhouse", "clickhouse" },
    { "clickhouse-server", "clickhouse" },
    { "clickhouse-serv", "clickhouse" },
    { "clickhouse_log", "clickhouse" },
    { "elasticsearch", "elasticsearch" },
    { "opensearch", "elasticsearch" },
};

/* "postgresql@15-main.service", "postgresql.log", "postgres-15": the part before the first sign. */
static const char *program_engine(const char *name, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        if (strlen(programs[i].name) == len && strncasecmp(name, programs[i].name, len) == 0)
            return programs[i].engine;
    while (n < len && !strchr("@._:", name[n]) &&
           !(name[n] == '-' && n + 1 < len && isdigit((unsigned char)name[n + 1])))
        n++;
    return n > 0 && n < len ? program_engine(name, n) : NULL;
}

static const char *name_engine(const char *name)
{
    return name ? program_engine(name, strlen(name)) : NULL;
}

const char *identity_engine(const struct log_record *r)
{
    const char *engine = name_engine(r->dataset);

    if (!engine)
        engine = name_engine(r->service);
    return engine ? engine : name_engine(r->container);
}

bool identity_has(const struct log_record *r, const char *word)
{
    return text_icontains(r->service, word) || text_icontains(r->dataset, word) ||
           text_icontains(r->container, word);
}

/* PostgreSQL writes "LEVEL:  text" with two blanks, after a time and without an exception's name in
 * front: libpq quotes the server's words too. */
static bool is_postgres_format(const struct line *l)
{
    static const char *const levels[] = { "LOG:  ",     "FATAL:  ",   "ERROR:  ",     "PANIC:  ",
                                          "WARNING:  ", "DETAIL:  ",  "STATEMENT:  ", "HINT:  ",
                                          "NOTICE:  ",  "CONTEXT:  ", "QUERY:  " };

    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        const char *at = line_has(l, levels[i]) ? strstr(l->hay.text, levels[i]) : NULL;
        if (!at || isspace((unsigned char)at[strlen(levels[i])]))
            continue;
        for (const char *s = l->hay.text; s + 5 < at; s++)
            if (strncmp(s, "rror", 4) == 0 || strncmp(s, "xcept", 5) == 0 ||
                strncmp(s, "onnect", 6) == 0 || strncmp(s, "failed", 6) == 0)
                return false;
        return true;
    }
    return false;
}

/* "1:M 18 Aug 2026 10:02:58.114 * ..." */
static bool is_redis_format(const char *s)
{
    size_t n = strspn(s, "0123456789");

    return n > 0 && s[n] == ':' && s[n + 1] && strchr("MSCX", s[n + 1]) && s[n + 2] == ' ' &&
           isdigit((unsigned char)s[n + 3]);
}

const char *format_engine(const struct line *l)
{
    const char *s = l->hay.text;

    if (is_postgres_format(l))
        return "postgresql";
    if (line_has(l, "[MY-0") || line_has(l, "] [Server] ") || line_has(l, "[Note] InnoDB:"))
        return "mysql";
    if (text_starts(s, "{\"t\":{\"$date\""))
        return "mongodb";
    if (is_redis_format(s))
        return "redis";
    if (line_has(l, "[o.e.") || line_has(l, "[o.o."))
        return "elasticsearch";
    if ((line_has(l, "] {} <") || line_has(l, "} <")) &&
        (line_has(l, "<Debug>") || line_has(l, "<Trace>") || line_has(l, "<Information>") ||
         line_has(l, "<Error>") || line_has(l, "<Fatal>") || line_has(l, "<Warning>")))
        return "clickhouse";
    /* "2026-08-18 10:02:58.11 spid12s     text" */
    if (isdigit((unsigned char)*s) && strnlen(s, 30) == 30 &&
        (strncmp(s + 22, " spid", 5) == 0 || strncmp(s + 22, " Logon ", 7) == 0 ||
         strncmp(s + 22, " Server ", 8) == 0))
        return "sqlserver";
    return NULL;
}

bool names_database_program(const char *text, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        if (word_in(text, len, programs[i].name))
            return true;
    return false;
}

const char *line_program_engine(const struct line *l)
{
    const char *text = l->syslog.text;

    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        if (line_has(l, programs[i].name) && program_in(text, programs[i].name))
            return programs[i].engine;
    return NULL;
}
