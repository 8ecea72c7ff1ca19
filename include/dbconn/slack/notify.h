/*
 * notify - who is mentioned in an answer besides the asker, and when nobody is.
 *
 * Quiet hours are in the process's own zone (the environment's TZ, else the machine's). A span that
 * ends before it begins goes on into the next day; the days named are those on which it begins.
 * Filled once, then read only; loop thread only.
 */
#ifndef DBCONN_SLACK_NOTIFY_H
#define DBCONN_SLACK_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/error.h"

struct notify; /* opaque */

#define NOTIFY_MAX 8 /* people and groups of one answer */

struct notify *notify_new(void);
void notify_free(struct notify *n); /* NULL is fine */

/* "22:00-07:00", "sat-sun=00:00-24:00", "fri=18:00-08:00". Errors: ERR_CONFIG. */
int notify_add_quiet(struct notify *n, const char *text, struct error *err) MUST_CHECK;
/* The id of a person (U..., W...) or a user group (S...): in every channel; CHANNEL=ID: in that
 * one. Errors: ERR_CONFIG. */
int notify_add(struct notify *n, const char *text, struct error *err) MUST_CHECK;

bool notify_is_quiet(const struct notify *n, int64_t at_ms);
/* Fills `ids` (room for NOTIFY_MAX) with ids that are lent; gives how many. */
size_t notify_ids(const struct notify *n, const char *channel, const char **ids);

#endif
