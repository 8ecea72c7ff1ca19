/* home_view - what the App Home shows to one person. Pure. */
#ifndef DBCONN_SLACK_HOME_VIEW_H
#define DBCONN_SLACK_HOME_VIEW_H

#include <cjson/cJSON.h>

#include "job_rows.h"

struct home_input {
    const char *command; /* "/dbconn" */
    const char *note;    /* mrkdwn: why nothing is shown; NULL: the lists are */
    const struct job_rows *live, *recent;
};

/* The view of views.publish; the caller owns it. */
cJSON *home_view(const struct home_input *in);

#endif
