/*
 * show_check - what must hold of everything that is shown to people, whatever went in. A broken
 * promise ends the process (fuzz.h).
 */
#ifndef SHOW_CHECK_H
#define SHOW_CHECK_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#define SHOW_ASKER "U0ASKED001" /* the only person whom a message may mention */

/* mrkdwn: nobody is mentioned but the asker where `may_mention`, links lead to https only, no other
 * "<" or "&" but entities and dates, nothing invisible, valid UTF-8. */
void show_check_mrkdwn(const char *text, bool may_mention);
void show_check_plain(const char *text); /* nothing invisible, valid UTF-8 */
/* Blocks, views, and whatever else goes to Slack. */
void show_check_blocks(const cJSON *tree);
/* Terminal text without colours: no control character but new lines. */
void show_check_terminal(const char *text);

#endif
