/*
 * people - what people do in the workspace: type a command, press a button, mention the bot,
 * send a form. Each becomes an envelope on the socket, as Slack would send it.
 *
 * Every function takes the request as JSON (from the control port) and gives the answer, both as
 * described in contrib/sandbox/README.md. NULL with ERR_INVALID when it cannot be done.
 */
#ifndef SANDBOX_SLACK_PEOPLE_H
#define SANDBOX_SLACK_PEOPLE_H

#include "slack/slack.h"

typedef cJSON *people_fn(struct slack *slack, const cJSON *spec, struct error *err);

people_fn people_command, people_click, people_message, people_mention, people_shortcut,
    people_submit, people_close_view, people_open_home, people_link;

#endif
