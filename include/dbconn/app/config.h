/*
 * config - what the operator set: defaults, then the file, then the environment.
 *
 * config/dbconn.json documents every key with its default. Secrets may stand in files of their own
 * (`slack.bot_token_file`) and in the environment, never in arguments. Loaded once before the loop
 * starts, and once more for each reload (config_adopt()); read-only otherwise.
 */
#ifndef DBCONN_APP_CONFIG_H
#define DBCONN_APP_CONFIG_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/error.h"

enum config_type { CONFIG_STRING, CONFIG_SECRET, CONFIG_NUMBER, CONFIG_BOOL, CONFIG_LIST };

struct config_option {
    const char *key; /* "sentry.url" */
    enum config_type type;
    const char *env;      /* overrides the file; NULL: none */
    const char *fallback; /* default as text; NULL: none */
    const char *help;     /* a line for people */
};

extern const struct config_option config_options[];
extern const size_t n_config_options;

struct config; /* opaque */

/* `path` NULL: only defaults and environment. `environ_get` is getenv() or a test's own.
 * A secret's file without a slash in its name is looked for in $CREDENTIALS_DIRECTORY, or else in
 * the folder "credentials" beside `path`.
 * Errors: ERR_CONFIG naming key, line and what was expected. */
int config_load(const char *path, char *(*environ_get)(const char *), struct config **ret,
                struct error *err) MUST_CHECK;
void config_free(struct config *c); /* wipes secrets */

/* Is each value one that makes sense? config_load() asks it. Errors: ERR_CONFIG. */
int config_check(const struct config *c, struct error *err) MUST_CHECK;

/* May this key change while the program runs? */
bool config_is_live(const char *key);
/* Makes `fresh` fit for a process that runs with `running`: what is not live keeps its value.
 * `each` is told every key whose value in `fresh` was another one; `applied`: it is live. */
void config_adopt(struct config *fresh, const struct config *running,
                  void (*each)(void *user, const char *key, bool applied), void *user);

/* The key must be one of config_options. NULL when not set. Lent. */
const char *config_str(const struct config *c, const char *key);
int64_t config_num(const struct config *c, const char *key);
bool config_bool(const struct config *c, const char *key);
/* Calls `each` for every entry of a list ("a, b" in the environment). */
void config_each(const struct config *c, const char *key,
                 void (*each)(void *user, const char *entry), void *user);
const char *config_source(const struct config *c, const char *key); /* "default", "environment" */
const cJSON *config_services(const struct config *c); /* the service mapping: array, or NULL */

/* Errors: ERR_CONFIG "sentry.auth_token is not set: ... (or SENTRY_AUTH_TOKEN)". */
int config_require(const struct config *c, const char *key, struct error *err) MUST_CHECK;

#endif
