/* What a setting's value is: a literal, a number, a connection string; and does it name the target?
 */
#ifndef DBCONN_ANALYSIS_SETTINGS_VALUE_H
#define DBCONN_ANALYSIS_SETTINGS_VALUE_H

#include "dbconn/base/buf.h"
#include "settings_conn.h"

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

/* Without quotes or brackets around it and without a comma behind it. */
struct diff_span value_unquote(struct diff_span s);
void value_read(struct diff_span raw, struct value *ret);
/* Base64 of a Kubernetes Secret: appends the text when it is one. */
bool value_decode_base64(struct diff_span text, struct buf *out);
bool value_same(const struct value *a, const struct value *b); /* the same in effect */

/* May a setting of this kind have such a value? Keeps "user = load(id)" from being a setting. */
bool value_fits(const struct value *v, enum setting_kind kind, bool code);

#endif
