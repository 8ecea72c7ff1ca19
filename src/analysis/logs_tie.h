/* Which machine is the database machine: names, addresses, and the lines that tie them together. */
#ifndef DBCONN_ANALYSIS_LOGS_TIE_H
#define DBCONN_ANALYSIS_LOGS_TIE_H

#include "dbconn/analysis/logs.h"

struct name {
    const char *text; /* not NUL-terminated */
    size_t len;
};

/* A machine that occurs in the records. */
struct machine {
    struct name name;
    struct name node;      /* of a pod: the host it ran on; or empty */
    bool database;         /* a database server's own lines come from it */
    bool balancer;         /* a balancer's or pooler's lines */
    bool pooler;           /* a pooler's own: a process that listens for clients */
    const char *engine;    /* of its server; NULL unknown */
    size_t n_server_lines; /* of its server */
    size_t n_with_database, n_with_target_database; /* lines that name one, and the target's */
    size_t n_with_kin; /* lines that name one which is called like the service or the host */
    size_t first_record;
};

struct attribution {
    const struct log_record *records;
    const struct log_event *events;
    size_t n;
    const size_t *order; /* indices by time */
    const struct log_target *target;
    const struct log_window *window;

    struct machine *machines;
    size_t n_machines, cap_machines;
    size_t *machine_of; /* of each record: index, or LOGS_NONE */
    struct name *aliases;
    size_t n_aliases, cap_aliases;
    bool knows_address; /* one of them is an address */

    enum log_tie tie;
    struct name machine;  /* may be one that no record comes from */
    size_t machine_index; /* or LOGS_NONE */
    size_t pooler;        /* the machine whose pooler has the refused address, or LOGS_NONE */
    size_t tie_record;
    char *reason;
};

struct name name_of(const char *s); /* NULL is empty */
struct name mention_name(const struct log_mention *m);
struct name first_label(struct name n);             /* "pg-1" of "pg-1.internal" */
bool names_are_equal(struct name a, struct name b); /* but for case; empty ones never */
bool name_is_address(struct name n);
bool name_is_loopback(struct name n);

/* logs_names.c: the machines of the records, and the names that the target goes by. */
void read_machines(struct attribution *a);
void read_aliases(struct attribution *a);
size_t find_machine(const struct attribution *a, struct name name); /* or LOGS_NONE */
bool is_known_alias(const struct attribution *a, struct name n);

/* Fills everything below `window`. */
void attribute(struct attribution *a);
void attribution_clear(struct attribution *a);

/* "pg-1" and "pg-1.internal" are one machine. */
bool names_are_same(struct name a, struct name b);
bool is_alias(const struct attribution *a, const struct log_mention *m);
bool mentions_alias(const struct attribution *a, const struct log_event *e);
/* Is the record about the server of the database machine, or about that machine itself? */
bool is_about_machine(const struct attribution *a, size_t record);

#endif
