/*
 * seen - the earlier diagnosis that a thread mentions, and what people said about its own. Pure.
 */
#ifndef DBCONN_SLACK_SEEN_H
#define DBCONN_SLACK_SEEN_H

#include <cjson/cJSON.h>

#include "dbconn/queue/store.h"
#include "dbconn/slack/thread_view.h"
#include "job_rows.h"

struct seen {
    bool known;
    struct seen_before before; /* its strings are these: */
    char *issue, *verdict, *permalink;
};

/* What may be shown of it to everybody who reads in that channel: of the same issue its outcome,
 * with the link only when the reader may know of that thread; of another issue with the same error
 * or target only what the reader may know of anyway. `seen` NULL: nothing. */
void seen_read(const struct store_seen *seen, const struct reader *reader, struct seen *ret);
void seen_clear(struct seen *seen);

/* Kept with the evidence, under this name, so that the thread can be drawn again later. */
#define SEEN_FACT "history.seen_before"
cJSON *seen_to_json(const struct seen *seen);
void seen_from_json(const cJSON *json, struct seen *ret);

/* What people think of a diagnosis. */
struct opinions {
    int right, wrong;
    char *real_cause; /* the last one that was named, in words, or NULL */
};
void opinions_read(const struct job_feedback_list *feedback, struct opinions *ret);
void opinions_clear(struct opinions *o);

#endif
