/*
 * libpq - PostgreSQL's client library, loaded when a postgresql:// store is opened and not before,
 * so that everybody else starts without it. Version 13 or newer.
 */
#ifndef DBCONN_SRC_QUEUE_LIBPQ_H
#define DBCONN_SRC_QUEUE_LIBPQ_H

#include <libpq-fe.h>

#include "dbconn/base/error.h"

#define LIBPQ_FUNCTIONS(X)                                                                         \
    X(PQclear)                                                                                     \
    X(PQcmdStatus)                                                                                 \
    X(PQcmdTuples)                                                                                 \
    X(PQconnectdbParams)                                                                           \
    X(PQconsumeInput)                                                                              \
    X(PQerrorMessage)                                                                              \
    X(PQfinish)                                                                                    \
    X(PQflush)                                                                                     \
    X(PQfreemem)                                                                                   \
    X(PQgetResult)                                                                                 \
    X(PQgetisnull)                                                                                 \
    X(PQgetvalue)                                                                                  \
    X(PQisBusy)                                                                                    \
    X(PQlibVersion)                                                                                \
    X(PQnotifies)                                                                                  \
    X(PQntuples)                                                                                   \
    X(PQresultErrorField)                                                                          \
    X(PQresultStatus)                                                                              \
    X(PQsendPrepare)                                                                               \
    X(PQsendQuery)                                                                                 \
    X(PQsendQueryParams)                                                                           \
    X(PQsendQueryPrepared)                                                                         \
    X(PQserverVersion)                                                                             \
    X(PQsetNoticeReceiver)                                                                         \
    X(PQsetnonblocking)                                                                            \
    X(PQsocket)                                                                                    \
    X(PQstatus)

struct libpq {
    void *handle;
#define X(name) __typeof__(&(name)) name;
    LIBPQ_FUNCTIONS(X)
#undef X
};

/* Errors: ERR_CONFIG when the library is not installed or too old. */
int libpq_load(struct libpq *ret, struct error *err) MUST_CHECK;
void libpq_unload(struct libpq *pq);

#endif
