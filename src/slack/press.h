/* A button that was pressed, or a form that was sent: what the payload says. Pure. */
#ifndef DBCONN_SLACK_PRESS_H
#define DBCONN_SLACK_PRESS_H

#include <cjson/cJSON.h>

#include "dbconn/queue/job.h"
#include "dbconn/slack/thread_view.h"

struct press {
    enum button_action action;
    char *job_id;       /* what the button refers to; not to be trusted */
    size_t page;        /* of the details */
    char *view_id;      /* the modal it was pressed in, or NULL */
    int64_t pressed_ms; /* Slack's clock; TIME_UNKNOWN */
    cJSON *form;        /* the submitted view, or NULL */

    bool found; /* the job exists: */
    struct job job;
    char rerun_of[JOB_ID_LEN + 1]; /* the job whose repetition is asked for (press_rerun()) */
    int rerun_tries;
};

/* Of a block_actions payload. NULL when it holds no button of ours. The caller owns it. */
struct press *press_read(const cJSON *payload);
/* Of a view_submission of MODAL_REAL_CAUSE. NULL for another form. */
struct press *press_read_form(const cJSON *payload);
void press_free(struct press *press); /* NULL is fine */

bool press_is_link(const struct press *press);    /* only leads somewhere */
bool press_opens_view(const struct press *press); /* needs no commit before its acknowledgement */
/* Was it pressed before the job last ended, so that it was about an earlier state? Slack's clock
 * and ours may differ by some seconds. */
bool press_is_stale(const struct press *press);

#endif
