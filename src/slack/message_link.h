/* message_link - the issue that a message is about. Pure. */
#ifndef DBCONN_SLACK_MESSAGE_LINK_H
#define DBCONN_SLACK_MESSAGE_LINK_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "dbconn/base/buf.h"

/* All text and addresses of a message with its blocks and attachments, a line each, in reading
 * order; at most 64 kB. */
void message_text(const cJSON *message, struct buf *out);

/* The first link of the message that leads to an issue of that Sentry (as for issue_ref_parse());
 * false when there is none. */
bool message_issue_link(const cJSON *message, const char *sentry_url, const char *organization,
                        struct buf *out);

#endif
