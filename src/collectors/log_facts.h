/* What the logs say about the database, as facts and findings of the step. */
#ifndef DBCONN_COLLECTORS_LOG_FACTS_H
#define DBCONN_COLLECTORS_LOG_FACTS_H

#include "collect.h"
#include "log_records.h"

#include "dbconn/analysis/logs.h"

/* "server.*", "network.*", "clients.*" and "logs.*", each with the line that shows it. */
void put_log_facts(struct collect *c, const struct log_findings *found,
                   const struct log_records *records);

#endif
