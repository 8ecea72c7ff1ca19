/*
 * views - modals and Home tabs, and the trigger ids that open them.
 * https://docs.slack.dev/surfaces/modals, https://docs.slack.dev/surfaces/app-home
 */
#ifndef SANDBOX_SLACK_VIEWS_H
#define SANDBOX_SLACK_VIEWS_H

#include "slack/slack.h"

struct views *views_new(void);
void views_free(struct views *views);
/* A trigger for something that `user` did: valid 3 s, once. Heap. */
char *views_new_trigger(struct views *views, const char *user);
/* A modal that is open, as payloads show it, or NULL. Lent. */
const cJSON *views_get(const struct views *views, const char *id);
const char *views_user(const struct views *views, const char *id); /* who looks at it; lent */
/* What an acknowledged submission does with the modal: closes it, replaces it, shows errors.
 * Invalid answers are noted. */
void views_answer(struct slack *slack, const char *id, const cJSON *answer);
cJSON *views_list(const struct views *views); /* everything that is open; caller's */

#endif
