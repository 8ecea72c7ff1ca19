/* What the events say: the latest one in full, and of what kinds they are. */
#ifndef DBCONN_COLLECTORS_EVENT_FACTS_H
#define DBCONN_COLLECTORS_EVENT_FACTS_H

#include "collect.h"

#include "dbconn/sources/sentry.h"

/* "event.*": exceptions, hints at the target, frames of the database layer. NULL writes nothing. */
void put_latest_event(struct collect *c, const struct sentry_event *event);
/* "failures.*": how often each kind of failure occurs among the rows since the onset. */
void put_kinds(struct collect *c, const struct sentry_event_row **rows, size_t n, int64_t onset_ms);

#endif
