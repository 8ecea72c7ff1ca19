/* What a setting's value is: a literal, a number, a connection string; and does it name the target?
 */
#ifndef DBCONN_ANALYSIS_SETTINGS_VALUE_H
#define DBCONN_ANALYSIS_SETTINGS_VALUE_H

#include "dbconn/base/buf.h"
#include "settings_scan.h"

/* The parts of a URL, a libpq or ADO connection string, or a plain "host:port". */
struct conn_parts {
    struct diff_span host; /* of several the first */
    struct diff_span all_hosts;
    struct diff_span port, database, user;
    struct diff_span options; /* what follows: "?pool_size=5", further KEY=VALUE pairs */
    const char *engine;       /* by the scheme; NULL unknown. Static */
};

struct value {
    struct diff_span raw;
    struct diff_span text; /* what takes effect: unquoted, the default of an environment look-up */
    struct diff_span name; /* of the variable that is looked up ("DB_HOST"), else empty */
    bool literal;          /* known from the text; no expression, no template */
    bool number;
    double amount;   /* of a number, in its own unit; times in ms when a unit is written */
    bool connection; /* parts are filled */
    struct conn_parts parts;
};

void value_read(struct diff_span raw, struct value *ret);
/* Base64 of a Kubernetes Secret: appends the text when it is one. */
bool value_decode_base64(struct diff_span text, struct buf *out);
bool value_same(const struct value *a, const struct value *b); /* the same in effect */

/* May a setting of this kind have such a value? Keeps "user = load(id)" from being a setting. */
bool value_fits(const struct value *v, enum setting_kind kind, bool code);

/* Does the value name the refused target? */
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
