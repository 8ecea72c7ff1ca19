/* The collectors by name; each is one file. */
#ifndef DBCONN_COLLECTORS_STEPS_H
#define DBCONN_COLLECTORS_STEPS_H

#include "dbconn/collectors/collectors.h"

extern const struct collector collector_issue_details;
extern const struct collector collector_event_analysis;
extern const struct collector collector_connection_details;
extern const struct collector collector_release_timeline;
extern const struct collector collector_code_change;
extern const struct collector collector_log_search;
extern const struct collector collector_similar_issues;
extern const struct collector collector_issue_tags;

#endif
