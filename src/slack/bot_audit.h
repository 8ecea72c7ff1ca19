/*
 * bot_audit - what people asked the bot for, and what came of it, into the audit log: who, where,
 * what, outcome, which sources were asked. Help is not audited.
 *
 * Entries are stored without anybody waiting for them, ahead of what they speak of: the store
 * commits both at once. The entry of a job is part of the job's own commit.
 */
#ifndef DBCONN_SLACK_BOT_AUDIT_H
#define DBCONN_SLACK_BOT_AUDIT_H

#include "bot_request.h"

/* Starts to keep the log, its file and its age; bot->audit is NULL when no log is kept. */
void bot_audit_start(struct bot *bot);
void bot_audit_free(struct bot *bot);

/* Is it audited with the job that it becomes (or not at all: help)? */
bool bot_audit_waits(const struct request *r);
void bot_audit_request(const struct request *r, const char *outcome, const char *why);
/* The entry's object; heap. NULL when no log is kept. */
char *bot_audit_payload(const struct request *r, const char *why);
/* An investigation ended; `c` may be NULL. */
void bot_audit_end(struct bot *bot, const struct job *job, const struct casefile *c,
                   const char *outcome);

#endif
