/*
 * The words that names are made of ("SPRING_DATASOURCE_URL", "maxPoolSize", "spring.redis.host"),
 * and what each of them says.
 */
#ifndef DBCONN_ANALYSIS_SETTINGS_WORDS_H
#define DBCONN_ANALYSIS_SETTINGS_WORDS_H

#include "dbconn/analysis/diff.h"
#include "dbconn/analysis/settings.h"

#define WORDS_MAX 16

struct word {
    const char *text;
    size_t len;
};

/* A word of a table. Its length is known, so that most comparisons with it end at the length. */
#define WORD(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

struct words {
    struct word items[WORDS_MAX];
    size_t n;
};

enum word_flag {
    WORD_DATABASE = 1 << 0, /* names a database, its engine or a database library */
    WORD_OTHER = 1 << 1,    /* names something that is no database: http, smtp, kafka, thread */
    WORD_ROLE = 1 << 2,     /* another database than the main one: reporting, replica, audit */
    WORD_CACHE = 1 << 3,    /* another one unless the target is a cache: session, queue */
    WORD_MONITOR = 1 << 4,  /* alert, threshold, dashboard */
    WORD_NETWORK = 1 << 5,  /* firewall, policy, security group */
    WORD_POOLER = 1 << 6,   /* PgBouncer and its kin */
};

enum environment {
    ENV_UNKNOWN,
    ENV_PRODUCTION,
    ENV_STAGING,
    ENV_DEVELOPMENT,
    ENV_TEST,
    ENV_OTHER, /* named, but none of these */
};

/* Cuts `s` at everything that is no letter or digit, and at camelCase humps. Adds to *ret. */
void words_add(struct diff_span s, struct words *ret);
bool words_have(const struct words *w, const char *word);
unsigned words_flags(const struct words *w);
unsigned word_flags(struct word w);
/* The engine that a word names ("postgresql"), or NULL. Static. */
const char *settings_word_engine(struct word w);
/* The one that the words name last, or NULL. */
const char *words_engine(const struct words *w);
enum environment word_environment(struct word w);
/* The last one named. */
enum environment words_environment(const struct words *w);
const char *environment_name(enum environment e);

bool word_is(struct word w, const char *text); /* ASCII case-insensitive */
bool word_same(struct word a, struct word b);  /* ASCII case-insensitive */

/*
 * What the name's last words set: the longest known ending decides ("DB_MAX_OPEN_CONNS" is a pool
 * size). *ret_used is the number of words that say so, *ret_intrinsic whether nothing but a
 * database has a setting of this name. false: none that we know.
 */
bool words_kind(const struct words *w, enum setting_kind *ret_kind, size_t *ret_used,
                bool *ret_intrinsic);

#endif
