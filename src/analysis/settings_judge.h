/* Is this entry a database's setting, which, and is it this database's in this environment? */
#ifndef DBCONN_ANALYSIS_SETTINGS_JUDGE_H
#define DBCONN_ANALYSIS_SETTINGS_JUDGE_H

#include "settings_scope.h"

struct verdict {
    bool setting; /* false: nothing to do with a database; the rest says nothing */
    bool certain;
    enum setting_kind kind;
    enum harmless harmless;
    const char *why; /* static, or NULL: see why_word */
    struct diff_span why_word;
    const char *why_engine;
    enum environment env; /* that the entry is for, ENV_UNKNOWN: any */
};

struct judge {
    const struct path_facts *path;
    const struct change_context *ctx;
    enum environment env; /* of the errors */
};

void judge_init(struct judge *j, const struct path_facts *path, const struct change_context *ctx);
/* `s` is the side that `e` stands on. */
void judge_entry(const struct judge *j, const struct side *s, const struct entry *e,
                 struct verdict *ret);
/* The host, port and database that stand beside an entry, on its side. Empty: not shown. */
void judge_neighbours(const struct side *s, const struct entry *e, struct conn_parts *ret);

#endif
