/*
 * access_roster - the channels that the bot is in, asked for a page at a time.
 *
 * One call for many channels: when commands come from many at a moment, one lookup for each would
 * wait for Slack's limit (50 a minute). docs.slack.dev/reference/methods/users.conversations.
 * Loop thread only.
 */
#ifndef DBCONN_SLACK_ACCESS_ROSTER_H
#define DBCONN_SLACK_ACCESS_ROSTER_H

#include <cjson/cJSON.h>

struct webapi;
struct access_roster; /* opaque */

struct access_roster_options {
    struct webapi *api; /* must outlive the roster */
    /* A channel of a page; lent. */
    void (*on_channel)(void *user, const cJSON *channel);
    void (*on_page)(void *user); /* after the channels of a page */
    void *user;
};

struct access_roster *access_roster_new(const struct access_roster_options *options);
void access_roster_free(struct access_roster *roster); /* nothing is told any more; NULL is fine */

/* Asks for all pages, at most 20 of 200 channels, unless that is under way or was begun within the
 * last minute. A failure is logged: each channel can still be asked for by itself. */
void access_roster_ask(struct access_roster *roster);

#endif
