/*
 * mrkdwn - text from strangers made safe for Slack's mark-up.
 *
 * Whatever goes in, what comes out cannot mention anybody, forge a link, open or close
 * formatting, or hide anything: &, < and > are escaped (docs.slack.dev, "Formatting message
 * text"), formatting characters that would act are disarmed, invisible and direction-changing
 * characters are gone, very long words are broken. Caps are bytes of the escaped result, cut on
 * code point borders and never inside an entity, ending in "…". Pure; any thread.
 */
#ifndef DBCONN_SLACK_MRKDWN_H
#define DBCONN_SLACK_MRKDWN_H

#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/buf.h"

#define MRKDWN_WORD_MAX 120 /* code points of a word before it is broken */

/* One line of text from outside, or a sentence that holds such text. NULL adds nothing. */
void mrkdwn_text(struct buf *out, const char *s, size_t max);
/* The same for our own sentences: times in them ("2026-08-18 10:02 UTC" and ISO 8601 with Z) become
 * date tokens, which show the reader's own zone, and `commands` in back-ticks become code. */
void mrkdwn_sentence(struct buf *out, const char *s, size_t max);
/* The same in bold; a star in the text cannot end it. NULL and "" add nothing, here and below. */
void mrkdwn_bold(struct buf *out, const char *s, size_t max);
/* In a code span; backticks of the text become apostrophes. One line. */
void mrkdwn_code(struct buf *out, const char *s, size_t max);
/* A code block of its own lines; new lines are kept. */
void mrkdwn_code_block(struct buf *out, const char *s, size_t max);
/* For plain_text objects: cleaned and cut, one line, nothing escaped (Slack reads no mark-up
 * there). Also the cleaning for rich_text elements. */
void plain_text(struct buf *out, const char *s, size_t max);
void plain_lines(struct buf *out, const char *s, size_t max); /* keeps new lines */

/* May this become a link? https with a host, no user info, no control characters; or plain http to
 * a loopback address, which only an operator's own configuration can have put there. */
bool link_allowed(const char *url);
/* `url` as a link element may hold it: |, <, >, quotes and blanks percent-encoded; false (nothing
 * added) when it may not be one or is longer than 3,000 bytes. */
bool link_encode(struct buf *out, const char *url);
/* <url|label>; only the label when the URL may not be a link. NULL label: the host's name. */
void mrkdwn_link(struct buf *out, const char *url, const char *label, size_t max_label);
/* What a link leads to: "Sentry event", "pull request #412", with the host when it is not one of
 * the well-known ones, else the host alone. Plain text. */
void link_label(struct buf *out, const char *url, size_t max);

/* <!date^…|2026-08-18 10:02 UTC>, the time in the reader's zone; "an unknown time" otherwise. */
void mrkdwn_date(struct buf *out, int64_t ms);

/* A mention on purpose: <@U…>, only for a well-formed user id (U or W); false otherwise. */
bool mrkdwn_user(struct buf *out, const char *user_id);
bool slack_user_id_valid(const char *user_id);
/* The same for a person or a user group (S…): <@U…> or <!subteam^S…>. */
bool mrkdwn_mention(struct buf *out, const char *id);
bool slack_mention_valid(const char *id);

#endif
