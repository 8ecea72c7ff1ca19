/* One line while it is read, and what several readers of it need. */
#ifndef DBCONN_ANALYSIS_LOGLINE_LINE_H
#define DBCONN_ANALYSIS_LOGLINE_LINE_H

#include "logline_names.h"
#include "logline_rules.h"

struct line {
    const struct log_record *record;
    struct log_event *event;
    struct syslog_prefix syslog;
    struct haystack hay;
};

bool line_has(const struct line *l, const char *needle); /* ASCII case-insensitive */
void line_set(struct line *l, enum log_kind kind, const char *engine, bool own);
void line_set_machine(struct line *l, const char *name, size_t len);

/* ---- who speaks, and of which program (logline_programs.c) ---- */

/* Is this word, between signs or blanks, in the text? */
bool word_in(const char *text, size_t len, const char *word);
/* As a program's name: "postgres" is neither "postgres_exporter" nor "postgres-backup", but it is
 * in "orders-postgres-1" and "redis-server". */
bool program_in(const char *text, const char *word);
/* The engine whose server program is named in the text, or NULL. Static. */
const char *line_program_engine(const struct line *l);
bool names_database_program(const char *text, size_t len);
/* The engine whose server writes this record, by its service, dataset or container; or NULL. */
const char *identity_engine(const struct log_record *r);
bool identity_has(const struct log_record *r, const char *word);
/* The same by the form that the server's own lines have. */
const char *format_engine(const struct line *l);

/* ---- what the line tells besides its kind (logline_told.c) ---- */

/* "connections 100/100 in use on pg-1": sets kind and numbers; false when it tells none. */
bool line_read_slots_report(struct line *l);
bool line_is_flow_log(const struct line *l); /* of a cloud's packet filter, a refusal */
/* Names, addresses, ports, the database, a limit: by the kind that was found. */
void line_read_told(struct line *l);

#endif
