/*
 * show - a channel as a person sees it: as plain text, and as an HTML page of our own.
 *
 * Edits are applied, deleted messages are gone, an ephemeral message stands where it came with
 * "only visible to you". Text is rendered as Slack's clients do: mrkdwn entities resolved, links
 * with their address.
 */
#ifndef SANDBOX_SLACK_SHOW_H
#define SANDBOX_SLACK_SHOW_H

#include "slack/workspace.h"

struct show_options {
    const char *user; /* whose eyes: ephemeral messages to others are not shown; NULL: all shown */
    bool times;       /* with the time of each message */
};

void show_channel(struct workspace *ws, const struct channel *channel,
                  const struct show_options *options, struct buf *out);
/* One message: its first line says who, the rest is what. */
void show_message(struct workspace *ws, const struct message *message,
                  const struct show_options *options, struct buf *out);
/* The page; buttons in it press for real, through POST `click_url`. */
void show_page(struct workspace *ws, const struct channel *channel, const char *click_url,
               struct buf *out);

/* mrkdwn as it reads: "<https://x|label>" is "label (https://x)", "&amp;" is "&". With `ws` NULL
 * only the entities are resolved. */
void show_mrkdwn(struct workspace *ws, const char *text, struct buf *out);

#endif
