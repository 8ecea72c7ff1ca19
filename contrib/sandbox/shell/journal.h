/*
 * journal - which requests came, how many of each kind, how many at once.
 *
 * Entries beyond JOURNAL_MAX push out the oldest; the counts go on.
 */
#ifndef SANDBOX_SHELL_JOURNAL_H
#define SANDBOX_SHELL_JOURNAL_H

#include <stdint.h>

#include "dbconn/base/json.h"

#define JOURNAL_MAX 20000

struct journal; /* opaque */

struct journal_entry {
    const char *service, *method, *url;
    const char *path; /* counted by "METHOD path" */
    const char *user_agent, *body;
    int64_t at_ms, took_ms;
    int status; /* 0: the connection was cut */
    int concurrent;
};

struct journal *journal_new(void);
void journal_free(struct journal *journal);
void journal_reset(struct journal *journal);
/* A request came; gives how many of that service are now under way, this one included. */
int journal_begin(struct journal *journal, const char *service);
void journal_end(struct journal *journal, const struct journal_entry *entry);
/* Caller's trees. `service` NULL: all. `since`: entries after that sequence number. */
cJSON *journal_entries(const struct journal *journal, const char *service, int64_t since);
cJSON *journal_counts(const struct journal *journal);

#endif
