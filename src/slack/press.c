#include "press.h"

#include <stdlib.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/modal.h"

#define CLOCK_DIFFERENCE_MS (10 * SECOND_MS)
#define SECONDS_DIGITS 12 /* more is no time */

/* "1605853645.582706": seconds and microseconds since 1970. */
static int64_t read_ts(const char *ts)
{
    size_t n = ts ? strspn(ts, "0123456789") : 0;
    int64_t ms;

    if (n == 0 || n > SECONDS_DIGITS || (ts[n] != '.' && ts[n] != '\0'))
        return TIME_UNKNOWN;
    ms = strtoll(ts, NULL, 10) * 1000;
    for (int i = 1, unit = 100; ts[n] == '.' && unit > 0; i++, unit /= 10) {
        if (ts[n + i] < '0' || ts[n + i] > '9')
            break;
        ms += (ts[n + i] - '0') * unit;
    }
    return ms;
}

static bool read_value(struct press *p, const char *value)
{
    struct buf id = BUF_INIT;

    if (p->action == BUTTON_DETAILS_NEXT || p->action == BUTTON_DETAILS_PREVIOUS) {
        if (modal_page_parse(value, &id, &p->page))
            p->job_id = buf_take(&id);
        buf_clear(&id);
    } else {
        p->job_id = xstrdup(value);
    }
    return job_id_is_valid(p->job_id);
}

struct press *press_read(const cJSON *payload)
{
    const cJSON *action = json_items(payload, "actions");
    struct press *p = xcalloc(1, sizeof(*p));

    if (!button_parse(json_str(action, "action_id"), &p->action) ||
        (!press_is_link(p) && !read_value(p, json_str(action, "value")))) {
        press_free(p);
        return NULL;
    }
    p->view_id = xstrdup(json_str(json_get(payload, "container"), "view_id"));
    if (!p->view_id)
        p->view_id = xstrdup(json_str(json_get(payload, "view"), "id"));
    p->pressed_ms = read_ts(json_str(action, "action_ts"));
    return p;
}

struct press *press_read_form(const cJSON *payload)
{
    const cJSON *view = json_get(payload, "view");
    struct press *p;

    if (!text_same(json_str(view, "callback_id"), MODAL_REAL_CAUSE))
        return NULL;
    p = xcalloc(1, sizeof(*p));
    p->action = BUTTON_REAL_CAUSE;
    p->job_id = xstrdup(json_str_or(view, "private_metadata", ""));
    p->pressed_ms = TIME_UNKNOWN;
    p->form = cJSON_Duplicate(view, true);
    return p;
}

void press_free(struct press *p)
{
    if (!p)
        return;
    free(p->job_id);
    free(p->view_id);
    cJSON_Delete(p->form);
    job_clear(&p->job);
    free(p);
}

bool press_is_link(const struct press *p)
{
    return p->action == BUTTON_OPEN_SENTRY || p->action == BUTTON_OPEN_PULL;
}

bool press_opens_view(const struct press *p)
{
    return p->action == BUTTON_DETAILS || p->action == BUTTON_DETAILS_NEXT ||
           p->action == BUTTON_DETAILS_PREVIOUS || (p->action == BUTTON_REAL_CAUSE && !p->form);
}

bool press_is_stale(const struct press *p)
{
    return p->pressed_ms != TIME_UNKNOWN && p->job.finished_ms != TIME_UNKNOWN &&
           p->pressed_ms + CLOCK_DIFFERENCE_MS < p->job.finished_ms;
}
