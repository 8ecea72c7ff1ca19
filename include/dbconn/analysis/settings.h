/*
 * settings - which changed lines of a diff touch the settings of a database connection, and which
 * of them only look like it, each with the reason.
 *
 * A line counts when its key says what it sets (host, port, pool size, ...) and its surroundings
 * say that a database is meant: the key itself (DB_HOST), the section that it stands in (YAML
 * parents, INI sections, HCL blocks, object and function names, as far as the hunk shows them), the
 * value (postgres://...), or the file (database.yml). Removed and added lines of one hunk are
 * paired by key, so that a change has an old and a new value. Pure; any thread.
 */
#ifndef DBCONN_ANALYSIS_SETTINGS_H
#define DBCONN_ANALYSIS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/tristate.h"

#define SETTINGS_MAX_CHANGES 200   /* kept a report; more are counted only */
#define SETTINGS_MAX_TEXT 200      /* bytes of a line's or a value's text */
#define SETTINGS_MAX_FILES 3000    /* looked at */
#define SETTINGS_MAX_BYTES 4194304 /* of patches, all files together; likely files first */

#define SETTING_KIND_LIST(X)                                                                       \
    X(HOST, "host")                                                                                \
    X(PORT, "port")                                                                                \
    X(DATABASE, "database name")                                                                   \
    X(URL, "connection string")                                                                    \
    X(USER, "user")                                                                                \
    X(PASSWORD, "password")                                                                        \
    X(POOL_SIZE, "pool size")                                                                      \
    X(TIMEOUT, "timeout")                                                                          \
    X(TLS, "TLS mode")                                                                             \
    X(SOCKET, "socket")                                                                            \
    X(SERVICE, "service or alias") /* what routes to the database: k8s Service, proxy */           \
    X(DRIVER, "driver or adapter")                                                                 \
    X(SERVER_LIMIT, "server connection limit") /* max_connections, max_client_conn */              \
    X(LISTEN, "listen address")                                                                    \
    X(NETWORK_RULE, "network rule") /* NetworkPolicy, security group */                            \
    X(OTHER, "connection setting")                                                                 \
    X(DEMAND, "number of clients") /* replicas, workers, threads: not a connection setting */

#define X(name, text) SETTING_##name,
enum setting_kind { SETTING_KIND_LIST(X) SETTING_KIND_COUNT };
#undef X

/* Why a line that looks like a setting of this database is none. */
#define HARMLESS_LIST(X)                                                                           \
    X(NOT, "")                                                                                     \
    X(COMMENT, "a comment")                                                                        \
    X(DOCUMENTATION, "documentation")                                                              \
    X(TEST, "a test or fixture")                                                                   \
    X(EXAMPLE, "an example or template that is not deployed")                                      \
    X(CI, "build or CI configuration")                                                             \
    X(MIGRATION, "a schema migration")                                                             \
    X(QUERY, "a query")                                                                            \
    X(MONITORING, "an alert, dashboard or metric")                                                 \
    X(GENERATED, "a lock file, vendored or generated file")                                        \
    X(DEPENDENCY, "a version of a package or image")                                               \
    X(FORMATTING, "the same value in another form")                                                \
    X(MOVED, "moved, not changed")                                                                 \
    X(RENAME, "a renamed module or identifier")                                                    \
    X(OTHER_ENVIRONMENT, "another environment")                                                    \
    X(OTHER_DATABASE, "another database")                                                          \
    X(OTHER_SERVICE, "another service")

#define X(name, text) HARMLESS_##name,
enum harmless { HARMLESS_LIST(X) HARMLESS_COUNT };
#undef X

enum setting_trend { SETTING_SAME, SETTING_RAISED, SETTING_LOWERED, SETTING_REPLACED };

/* One changed file, as the GitHub client has it. Strings are lent. */
struct changed_file {
    const char *path;
    const char *previous_path; /* NULL unless renamed */
    const char *patch;         /* hunks; NULL when GitHub gave none */
    size_t patch_len;
    bool added, removed, binary;
};

/* What is known about the errors. Everything may be NULL or 0: unknown. Strings are lent. */
struct change_context {
    const char *environment;     /* the errors': "production" */
    const char *const *services; /* names of the failing service: project, package, repository */
    size_t n_services;
    const char *engine;       /* "postgresql", ..., as in the report; "unknown" is NULL's twin */
    const char *const *hosts; /* every name and address that the refused target is known by */
    size_t n_hosts;
    const char *port, *database, *user;
    size_t max_lines; /* of one file's patch; 0: DIFF_MAX_LINES */
};

struct setting_change {
    char *file;
    int64_t line;     /* in the new file; for a removed setting the line where it stood */
    int64_t old_line; /* in the old file; 0: added */
    enum setting_kind kind;
    char *key;                 /* with its visible parents: "database.port" */
    char *old_value;           /* redacted, cleaned, cut; NULL: added */
    char *new_value;           /* NULL: removed */
    char *old_text, *new_text; /* the whole lines, likewise; NULL as above */
    enum setting_trend trend;  /* raised and lowered for numbers (pool sizes, timeouts) */
    enum harmless harmless;    /* HARMLESS_NOT: it counts */
    char *harmless_why;        /* a phrase: "staging, the errors are in production"; NULL if not */
    bool certain; /* surely a database's; false: the surroundings say it only loosely */
    enum tristate new_is_target; /* does the new value name the refused host, port, database? */
    enum tristate old_is_target;
};

struct settings_report {
    struct setting_change *changes; /* in file order */
    size_t n_changes, cap_changes;
    size_t n_counting; /* with HARMLESS_NOT and not SETTING_DEMAND */
    size_t n_demand;   /* counting ones of kind SETTING_DEMAND */
    size_t n_not_kept; /* over SETTINGS_MAX_CHANGES */
    size_t harmless[HARMLESS_COUNT];
    size_t n_files;         /* given */
    size_t n_read;          /* with a patch that could be read */
    size_t n_without_patch; /* modified, but no patch given: too large, or binary */
    size_t n_pure_renames;  /* no patch and none needed */
    char **unread;          /* of n_without_patch those whose path suggests settings; capped */
    size_t n_unread, cap_unread;
    size_t n_unread_lines; /* that hold the refused address; what they set is not known */
    char *unread_file;     /* of the first; NULL: none */
    int64_t unread_line;
    bool incomplete; /* files without patch that may matter, cut patches, caps */
};

/* Reads n files. The caller owns *ret and ends it with settings_report_clear(). Never fails. */
void settings_read(const struct changed_file *files, size_t n, const struct change_context *ctx,
                   struct settings_report *ret);
void settings_report_clear(struct settings_report *r);

const char *setting_kind_name(enum setting_kind k); /* "pool size" */
const char *harmless_name(enum harmless h);         /* "another environment"; "" for NOT */

/* Does a file of this name usually hold connection settings (docs/ and tests/ do not)? */
bool settings_path_likely(const char *path);

#endif
