/*
 * readiness - can work be done? Decides from what is known of the socket, the store and the
 * credentials, and says it as JSON. Pure.
 */
#ifndef DBCONN_APP_READINESS_H
#define DBCONN_APP_READINESS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/tristate.h"

/* A socket that has heard nothing for this long is as good as none: the WebSocket pings after 12 s
 * of silence and gives up after 35 s. */
#define READY_HEARD_MS 60000

struct ready_credential {
    const char *service; /* NULL at the end of the list */
    bool configured;
    bool required; /* without it nothing can be done */
    enum tristate good;
    const char *why; /* when it is not good */
};

struct ready_state {
    bool stopping;
    int connections, wanted;                /* that have said hello; that should have */
    int64_t app_connections;                /* of the whole app, as Slack counts; 0: not told */
    int64_t since_hello_ms, since_heard_ms; /* TIME_UNKNOWN: never */
    const char *trouble;                    /* of the socket, "" for none */
    enum tristate store_commits;
    const char *store_why; /* when it does not */
    const struct ready_credential *credentials;
};

/* Whether it is ready; the document goes to *ret_doc, which the caller owns. */
bool readiness_judge(const struct ready_state *state, cJSON **ret_doc);

#endif
