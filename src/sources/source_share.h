/*
 * source_share - what several calls of one client ask is asked once.
 *
 * A GET that is already on its way, or waits for its turn, takes further calls along. With
 * source_client.keep_ms its answer also serves those that come within that time: ten jobs that
 * begin together read the releases of their project once. A client keeps at most
 * SOURCE_KEEP_BYTES of such answers, and nothing once their time is over. Only answers with status
 * 200 are kept; a failure is told to all that waited, and asked anew by who comes next.
 */
#ifndef SOURCES_SOURCE_SHARE_H
#define SOURCES_SOURCE_SHARE_H

#include "source_call.h"

#define SOURCE_KEEP_BYTES ((size_t)4 * 1024 * 1024)

/* Sends `request` for `call`, or lets the call wait for one that is the same; call->on_reply runs
 * later, once. Errors as http_start(). */
int source_share_send(struct source_call *call, struct http_request *request,
                      struct error *err) MUST_CHECK;
/* The call is no longer interested; what nobody waits for is cancelled. */
void source_share_leave(struct source_call *call);
void source_share_clear(struct source_client *client); /* forgets what is kept */

#endif
