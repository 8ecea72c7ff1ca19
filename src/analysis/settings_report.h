/* How what was found becomes part of the report: texts that may be shown, pairs of before and
 * after. */
#ifndef DBCONN_ANALYSIS_SETTINGS_REPORT_H
#define DBCONN_ANALYSIS_SETTINGS_REPORT_H

#include "settings_judge.h"

/* One changed file while it is read. */
struct reading {
    const struct changed_file *file;
    const struct change_context *ctx;
    struct path_facts path;
    struct judge judge;
    struct settings_report *report;
    size_t mentions;
};

/* Redacted, cleaned, cut. Heap. */
char *setting_shown(const char *text);
/* What a value shows; nothing of a secret. A Secret's base64 is read, so that redaction sees it. */
char *setting_shown_value(struct diff_span value, bool secret);
/* The line, with its value as shown when that is a secret, or hides one. */
char *setting_shown_line(struct diff_span line, struct diff_span value, const char *value_shown);
/* "database.port": the key with the sections that say what it belongs to. */
char *setting_shown_key(const struct entry *e);

/* One more change of the file, or NULL when the report is full; counted in any case. */
struct setting_change *setting_report_add(struct reading *r, enum harmless harmless);
/* The settings on the changed lines of a hunk, before and after, paired and added. */
void setting_report_sides(struct reading *r, const struct diff_patch *p, const struct side *old,
                          const struct side *new);
/* The hunk's lines with the refused address whose form no grammar reads; `reported` is the number
 * of changes before this hunk's. */
void setting_report_bare(struct reading *r, const struct diff_patch *p, const struct diff_hunk *h,
                         size_t reported);
/* A changed line that holds the refused address; what it sets is not known. */
void setting_report_unread_line(struct reading *r, const struct diff_line *line);

#endif
