/*
 * jobs_audit - what somebody at a terminal does to jobs, into the audit log: who (the account of
 * the machine), where (its name), what, outcome.
 *
 * Nothing is done that cannot be noted: without the log's key an operator can look, not steer.
 */
#ifndef DBCONN_APP_JOBS_AUDIT_H
#define DBCONN_APP_JOBS_AUDIT_H

#include "dbconn/queue/audit.h"
#include "jobs.h"

struct jobs_audit {
    struct jobs *jobs;
    struct audit_key key;
};

/* Loads the key, or makes one for a log that is empty. -1 with jobs->err: there is no key, or not
 * the one with which the newest entry was signed. jobs_audit_close() in any case. */
int jobs_audit_open(struct jobs *jobs, struct jobs_audit *ret) MUST_CHECK;
void jobs_audit_close(struct jobs_audit *a); /* wipes the key */

/* Whose name it is: the person behind sudo, if any; heap. */
char *jobs_person(void);

/* One entry; `detail`, or NULL, holds further members and stays the caller's. -1 with jobs->err. */
int jobs_audit_note(struct jobs_audit *a, const char *what, const char *job, const cJSON *detail,
                    const char *outcome) MUST_CHECK;

#endif
