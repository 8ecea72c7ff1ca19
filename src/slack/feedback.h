/* What people say about a diagnosis, shown under it. */
#ifndef DBCONN_SLACK_FEEDBACK_H
#define DBCONN_SLACK_FEEDBACK_H

#include "bot_private.h"

/* Draws the messages of an ended job again, with what people said about it by now. Presses that
 * pile up are drawn once. A job that runs is left to its investigation. */
void feedback_show(struct bot *bot, const char *job_id);
void feedback_free(struct bot *bot); /* those under way */

#endif
