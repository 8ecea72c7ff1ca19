/*
 * streams - messages that grow by chunks: chat.startStream, .appendStream, .stopStream.
 *
 * Caps and life are undocumented; what is here is what others measured (see the error each gives).
 */
#ifndef SANDBOX_SLACK_STREAMS_H
#define SANDBOX_SLACK_STREAMS_H

#include "slack/slack.h"

#define STREAM_LIFE_MS                                                                             \
    300000 /* from its start, whatever is sent (slackapi/python-slack-sdk#1859) */
#define STREAM_BYTES_MAX 11000 /* of everything it was sent (openclaw/openclaw#143882) */

struct streams *streams_new(void);
void streams_free(struct streams *streams);
void streams_set_life(struct streams *streams, int64_t life_ms); /* to see the seal sooner */
/* The reader presses stop. False when there is no such stream. */
bool streams_stop_by_user(struct slack *slack, const char *channel, const char *ts);

#endif
