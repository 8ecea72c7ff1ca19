/* Hits of several searches as one list of log records, each document once, in order of time. */
#ifndef DBCONN_COLLECTORS_LOG_RECORDS_H
#define DBCONN_COLLECTORS_LOG_RECORDS_H

#include "dbconn/analysis/logline.h"
#include "dbconn/sources/elasticsearch.h"

struct log_records {
    struct log_record *items;
    size_t n, cap;
    const char **ids; /* as many; index and id of each, for telling doubles */
    const char **indices;
    size_t cap_ids, cap_indices;
};

/* The hits must outlive the records. */
void log_records_add(struct log_records *records, const struct es_result *result);
void log_records_clear(struct log_records *records);

#endif
