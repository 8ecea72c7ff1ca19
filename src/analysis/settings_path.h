/* What a file's path says about its contents: language, purpose, environment, service. */
#ifndef DBCONN_ANALYSIS_SETTINGS_PATH_H
#define DBCONN_ANALYSIS_SETTINGS_PATH_H

#include "settings_words.h"

enum language {
    LANG_TEXT, /* prose, or unknown */
    LANG_YAML,
    LANG_JSON,
    LANG_HCL,
    LANG_INI, /* INI, TOML, server configuration: KEY = VALUE, [section] */
    LANG_ENV, /* KEY=VALUE: dotenv, properties, shell, Dockerfile */
    LANG_XML,
    LANG_SQL,
    LANG_HASH, /* program text with "#" comments: Ruby, Elixir, Perl, shell */
    LANG_PYTHON,
    LANG_SLASH, /* program text with "//" comments: JavaScript, Go, Java, C#, Rust, Prisma */
    LANG_PHP,   /* both */
};

struct path_facts {
    enum language lang;
    bool code;             /* program text, not configuration */
    enum harmless purpose; /* HARMLESS_NOT: may be deployed */
    enum environment env;  /* as the path names it */
    struct word env_word;  /* the part that does */
    bool database;         /* the name itself says that it is about a database */
    bool settings;         /* usually holds settings of a running program */
    const char *engine;    /* as the path names it, or NULL */
    unsigned roles;        /* WORD_ROLE, WORD_CACHE of the file's name */
    struct word service;   /* of another service, by its folder; len 0: none that we know */
};

void path_read(const char *path, const struct change_context *ctx, struct path_facts *ret);

#endif
