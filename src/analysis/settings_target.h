/* Does a setting's value name the refused target? */
#ifndef DBCONN_ANALYSIS_SETTINGS_TARGET_H
#define DBCONN_ANALYSIS_SETTINGS_TARGET_H

#include "settings_value.h"

enum tristate value_is_target(const struct value *v, enum setting_kind kind,
                              const struct change_context *ctx);
enum tristate host_is_target(struct diff_span host, const struct change_context *ctx);
/* "localhost", "db", "example.com": defaults that a deployment replaces. */
bool host_is_placeholder(struct diff_span host);
/* A port that only databases of one engine use (IANA, vendors' documentation). NULL: none. */
const char *port_engine(struct diff_span port);
/* "mariadb" is "mysql", "unknown" and NULL are nothing. */
bool engine_differs(const char *a, const char *b);

#endif
