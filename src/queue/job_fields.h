/*
 * job_fields - the members of struct job that are also columns of the table jobs, but for `id`,
 * which comes first, and `response_url`, which only its owner reads.
 */
#ifndef DBCONN_SRC_QUEUE_JOB_FIELDS_H
#define DBCONN_SRC_QUEUE_JOB_FIELDS_H

#define JOB_FIELDS(X)                                                                              \
    X(INT, seq)                                                                                    \
    X(STATE, state)                                                                                \
    X(INT, priority)                                                                               \
    X(TEXT, source)                                                                                \
    X(TEXT, workspace)                                                                             \
    X(TEXT, channel)                                                                               \
    X(TEXT, requester)                                                                             \
    X(TEXT, issue_ref)                                                                             \
    X(TEXT, request)                                                                               \
    X(TEXT, playbook)                                                                              \
    X(TEXT, playbook_hash)                                                                         \
    X(TEXT, parent_id)                                                                             \
    X(TIME, evaluated_ms)                                                                          \
    X(TEXT, thread_ts)                                                                             \
    X(TEXT, issue_org)                                                                             \
    X(TEXT, issue_id)                                                                              \
    X(TEXT, issue_short_id)                                                                        \
    X(TEXT, issue_title)                                                                           \
    X(TEXT, issue_url)                                                                             \
    X(TEXT, cause)                                                                                 \
    X(TEXT, confidence)                                                                            \
    X(TEXT, summary)                                                                               \
    X(TEXT, fingerprint)                                                                           \
    X(TEXT, target_host)                                                                           \
    X(TEXT, target_port)                                                                           \
    X(TEXT, error)                                                                                 \
    X(TIME, created_ms)                                                                            \
    X(TIME, next_due_ms)                                                                           \
    X(TIME, started_ms)                                                                            \
    X(TIME, finished_ms)                                                                           \
    X(TIME, touched_ms)                                                                            \
    X(INT, attempts)                                                                               \
    X(INT, attempts_total)                                                                         \
    X(INT, fence)                                                                                  \
    X(TEXT, owner)                                                                                 \
    X(TIME, lease_until_ms)                                                                        \
    X(TEXT, cancel_by)

#endif
