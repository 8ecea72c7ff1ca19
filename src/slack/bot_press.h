/* What a button does, once its job is loaded and the person may. */
#ifndef DBCONN_SLACK_BOT_PRESS_H
#define DBCONN_SLACK_BOT_PRESS_H

#include "bot_request.h"
#include "press.h"

void press_act(struct request *r);
/* Runs the whole investigation again as a job of its own (bot_rerun.c). */
void press_rerun(struct request *r);

#endif
