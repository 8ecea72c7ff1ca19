/*
 * answers - what an app answers to a command or a click without the Web API: in its
 * acknowledgement, or by POST to the response_url (five times within 30 minutes).
 * https://docs.slack.dev/interactivity/handling-user-interaction
 */
#ifndef SANDBOX_SLACK_ANSWERS_H
#define SANDBOX_SLACK_ANSWERS_H

#include "shell/http.h"
#include "slack/slack.h"

struct hooks *hooks_new(void);
void hooks_free(struct hooks *hooks);
/* A response_url for something that `user` did in `channel`: "<base>/commands/..." or, with
 * `message_ts` (what was clicked on), "<base>/actions/...". Heap. */
char *hooks_new_url(struct slack *slack, const char *base, const char *channel, const char *user,
                    const char *message_ts);
/* POST to such an address. Errors are no 2xx, unlike those of the Web API. */
void hooks_post(struct slack *slack, const struct request *req, struct reply *reply);

/* Shows the message in `answer` as Slack would: to the user alone, or in the channel. NULL, or why
 * it is not shown ("invalid_blocks"); `what` names it in the note. */
const char *answers_show(struct slack *slack, const char *channel, const char *user,
                         const cJSON *answer, const char *what);
/* The person sees that the app did not answer in time. */
void answers_time_out(struct slack *slack, const char *channel, const char *user,
                      const cJSON *payload);
/* Only the person sees it, written by Slackbot. */
void answers_slackbot(struct slack *slack, const char *channel, const char *user, const char *text);
#endif
