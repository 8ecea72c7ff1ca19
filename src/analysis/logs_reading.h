/* What logs_read() works on, shared by the parts of it. */
#ifndef DBCONN_ANALYSIS_LOGS_READING_H
#define DBCONN_ANALYSIS_LOGS_READING_H

#include "logs_tie.h"

struct reading {
    struct attribution a;
    struct log_findings *f;
    int64_t from, to; /* the errors, widened by the clock skew */
};

int64_t reading_time(const struct reading *r, size_t record);
bool reading_within(const struct reading *r, size_t record); /* the errors, widened */
void reading_count(const struct reading *r, struct log_tally *t, size_t record);

/* logs_life.c: the outages of the machine. */
void reading_life(struct reading *r);
/* logs_health.c: whether it worked on; called by reading_life() with the outages known. */
void reading_health(struct reading *r);
/* The last time at which anything but the machine itself logged: logs still come in until then. */
int64_t reading_last_elsewhere(const struct reading *r);
/* logs_network.c: faults between clients and server. */
void reading_network(struct reading *r);
/* logs_clients.c: who complains, who succeeds, who is turned away. */
void reading_clients(struct reading *r);

/* Does the line name the machine or the target? */
bool reading_names_machine(const struct reading *r, const struct log_event *e);
/* Does it name a server's address or host that is not the target's? */
bool reading_names_another(const struct reading *r, const struct log_event *e);
/* Is a client's line about the target? */
bool reading_concerns_target(const struct reading *r, size_t record);
/* Is it said by another database server than the tied one? */
bool reading_is_other_database(const struct reading *r, size_t record);

#endif
