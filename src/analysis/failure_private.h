/*
 * failure_private - what the failure_*.c files share.
 *
 *   failure.c          the public functions: one exception, a chain
 *   failure_rules.c    compiles and matches the tables
 *   failure_needs.c    what a row of them needs to match
 *   failure_kind.c     how it failed
 *   failure_locales.c  the same in other languages
 *   failure_codes.c    the same in numbers
 *   failure_wait.c     statements given up, the client's own pool used up
 *   failure_engine.c   which engine, or what it is instead of a database
 *   failure_target.c   the addresses that the text names
 *   failure_merge.c    mentions of addresses into targets
 *   failure_hints.c    what the surroundings of an exception add
 *   failure_literal.c  objects as programs print them
 */
#ifndef DBCONN_ANALYSIS_FAILURE_PRIVATE_H
#define DBCONN_ANALYSIS_FAILURE_PRIVATE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "dbconn/analysis/failure.h"
#include "dbconn/base/buf.h"
#include "haystack.h"

#define FAILURE_MAX_TEXT ((size_t)16 * 1024) /* bytes; twice what Sentry keeps of a message */

/* A row of a table: what it means is the table's affair. Regular expressions are matched without
 * regard to case; write (?-i:...) where it matters. */
struct failure_rule {
    const char *regex;
    int what;
    int how;
};

/* Named groups of the tables. */
enum failure_group {
    GROUP_HOST,
    GROUP_PORT,
    GROUP_ADDR,
    GROUP_DB,
    GROUP_USER,
    GROUP_CODE,
    GROUP_COUNT,
};

struct failure_rules {
    struct failure_compiled *compiled;
    size_t n, cap;
};

struct span {
    size_t start, end; /* half open; start == end: not there */
};

struct failure_match {
    const struct failure_rule *row;
    size_t order; /* of the row in its set */
    struct span all;
    struct span groups[GROUP_COUNT];
};

void failure_rules_add(struct failure_rules *set, const struct failure_rule *rows, size_t n);
void failure_rules_clear(struct failure_rules *set);
/* What matching a text needs to work in; for any rows, by one thread. */
struct failure_matcher {
    pcre2_match_data *data;
    pcre2_match_context *limits;
    struct haystack hay;
    bool ascii;
    bool plain; /* letters are what they look like; see failure_matcher_text() */
};
void failure_matcher_init(struct failure_matcher *m, const char *text);
/* The text was changed. */
void failure_matcher_text(struct failure_matcher *m, const char *text);
void failure_matcher_clear(struct failure_matcher *m);
/* Does row `i` match at or after `from`? */
bool failure_rules_match(const struct failure_rules *set, size_t i, struct failure_matcher *with,
                         size_t from, struct failure_match *ret);
/* The first row that matches anywhere, or NULL. */
const struct failure_rule *failure_rules_first(const struct failure_rules *set, const char *text);
/* Every match of every row, leftmost first, at one place the earlier row first. The caller frees
 * *ret. */
size_t failure_rules_scan(const struct failure_rules *set, const char *text,
                          struct failure_match **ret);

/* failure_needs.c: a stretch of the regular expression that stands in each text it matches; of
 * length 0: some character beyond ASCII. */
struct failure_need {
    uint16_t at, len;
};
#define FAILURE_MAX_NEEDS 48
/* Of which one is needed, at most FAILURE_MAX_NEEDS; 0: nothing is known. */
size_t failure_needs_read(const char *regex, struct failure_need *ret);

struct failure_reader {
    struct failure_rules kinds;           /* in messages: how = enum evidence */
    struct failure_rules local_kinds;     /* the same in other languages */
    struct failure_rules class_kinds;     /* in exception classes */
    struct failure_rules connecting;      /* "could not connect" */
    struct failure_rules statements;      /* a statement was given up: the connection stood */
    struct failure_rules pools;           /* the client's own pool: what = enum tristate, full */
    struct failure_rules early, late;     /* addresses, before and after connection strings */
    struct failure_rules engine_marks;    /* what only one engine's driver or server writes */
    struct failure_rules engine_words;    /* engines named in free text */
    struct failure_rules engine_hosts;    /* host names that belong to one engine's service */
    struct failure_rules databases;       /* some database */
    struct failure_rules other_databases; /* those among them without an engine of their own */
    struct failure_rules others;          /* something else than a database */
};

/* failure_kind.c */
enum evidence {
    EVIDENCE_NONE,   /* takes its text out of the game */
    EVIDENCE_WEAK,   /* a wrapper's words: the cause may stand beside it */
    EVIDENCE_STRONG, /* the outcome of an attempt */
};
/* In a row's `what`, beyond the kinds: the group "code" decides, read as ... */
enum code_space {
    CODE_ERRNO = FAILURE_COUNT,
    CODE_HEX_ERRNO,
    CODE_MYSQL,
    CODE_ORACLE,
    CODE_SQLSTATE,
};
void failure_kind_init(struct failure_reader *r);
enum evidence failure_kind_read(const struct failure_reader *r, const char *type, const char *text,
                                enum failure_kind *ret_kind, enum tristate *ret_connecting);
extern const struct failure_rule failure_locale_rules[];
extern const size_t failure_locale_rules_n;

/* failure_wait.c */
void failure_wait_init(struct failure_reader *r);
bool failure_is_statement(const struct failure_reader *r, const char *text);
enum tristate failure_pool_full(const struct failure_reader *r, const char *text);
extern const struct failure_rule failure_statement_rules[];
extern const size_t failure_statement_rules_n;

/* failure_codes.c: false for a code that says nothing about a connection */
bool failure_code_kind(enum code_space space, const char *code, size_t len, enum failure_kind *ret);

/* failure_engine.c */
void failure_engine_init(struct failure_reader *r);
/* `text` without the names of hosts, databases and users. */
void failure_engine_read(const struct failure_reader *r, const struct failure_exception *e,
                         const char *text, const char *scheme, struct failure *f);

/* The engine that a host's name tells: a provider's domain, "postgres-1.prod", "my-redis". */
enum engine failure_engine_of_host(const struct failure_reader *r, const char *host);

/* failure_target.c */
void failure_target_init(struct failure_reader *r);
/* Fills f->targets and f->engine as far as a connection string tells it. *ret_rest gets the text
 * with every name of a host, database or user blanked; *ret_scheme the scheme of the URL that the
 * main target comes from, or NULL. Both on the heap. */
void failure_target_read(const struct failure_reader *r, const char *type, const char *text,
                         struct failure *f, char **ret_rest, char **ret_scheme);

/* failure_literal.c */
struct literal_pair {
    struct span key, value; /* the key without its quotes, the value as written */
};
/* The next "key: value", "key=value" or "key => value" of an object printed as JSON, a Python,
 * Ruby or JavaScript literal or by Go's %+v; *at moves behind it. False at the end. */
bool literal_next(const char *text, size_t *at, struct literal_pair *ret);
/* Does a quoted string of this length, quotes included, start here? 0 when it doesn't end. */
size_t literal_quoted(const char *s);

/* failure_merge.c */
struct mention {
    size_t at; /* offset in the text */
    int rank;  /* 2: a driver's own form; 1: looks like an address */
    char *host, *port, *addr, *database, *user;
};
struct mentions {
    struct mention *items;
    size_t n, cap;
};
void mentions_clear(struct mentions *m);
void failure_merge(struct mentions *m, struct failure *f); /* takes the strings */
bool failure_is_address(const char *host);                 /* an IP address or a socket's path */
struct failure_target *failure_add_target(struct failure *f);
void failure_add_alias(struct failure_target *t, const char *alias);
void failure_target_clear(struct failure_target *t);

#endif
