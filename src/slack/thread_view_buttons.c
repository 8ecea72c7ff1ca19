/* The buttons under the messages of a thread. */
#include "thread_view_internal.h"

#include "dbconn/report/wording.h"
#include "dbconn/slack/mrkdwn.h"

/* Words, and what a screen reader says. */
static const struct button buttons[] = {
    [BUTTON_RERUN] = { .text = "Re-run", .accessibility = "Run the whole investigation again" },
    [BUTTON_RETRY_FAILED] = { .text = "Retry failed steps",
                              .accessibility = "Ask again what could not be asked" },
    [BUTTON_CANCEL] = { .text = "Cancel",
                        .style = "danger",
                        .accessibility = "Stop this investigation",
                        .confirm = "This stops the investigation for everybody in this thread." },
    [BUTTON_DETAILS] = { .text = "Details", .accessibility = "Show everything that was found" },
    [BUTTON_DETAILS_NEXT] = { .text = "Next page" },
    [BUTTON_DETAILS_PREVIOUS] = { .text = "Previous page" },
    [BUTTON_RIGHT] = { .text = "Right", .accessibility = "This diagnosis is right" },
    [BUTTON_WRONG] = { .text = "Wrong", .accessibility = "This diagnosis is wrong" },
    [BUTTON_REAL_CAUSE] = { .text = "The real cause was…",
                            .accessibility = "Say what the real cause was" },
    [BUTTON_OPEN_SENTRY] = { .text = "Open in Sentry",
                             .accessibility = "Open the issue in Sentry" },
    [BUTTON_OPEN_PULL] = { .text = "Open the pull request",
                           .accessibility = "Open the pull request that changed it" },
};

static const char *url_of(const struct casefile *c, enum button_action action)
{
    if (!c)
        return NULL;
    if (action == BUTTON_OPEN_SENTRY)
        return c->issue.url;
    return c->diagnosis.culprit ? c->diagnosis.culprit->pull_url : NULL;
}

void row_add(struct button_row *row, const struct thread_input *in, enum button_action action)
{
    bool leads_away = action == BUTTON_OPEN_SENTRY || action == BUTTON_OPEN_PULL;
    const char *url = leads_away ? url_of(in->casefile, action) : NULL;

    if (leads_away && !link_allowed(url))
        return;
    if (action == BUTTON_RETRY_FAILED && (!in->casefile || steps_failed(in->casefile) == 0))
        return;
    if (action == BUTTON_DETAILS && (!in->casefile || in->casefile->n_steps == 0))
        return;
    struct button *b = &row->items[row->n++];
    *b = buttons[action];
    b->action_id = button_action_id(action);
    b->value = in->job_id;
    b->url = url;
}

void row_end(struct button_row *row, struct part_draft *p, const char *block_id)
{
    if (has_blocks(p->in))
        blocks_buttons(&p->blocks, block_id, row->items, row->n);
    row->n = 0;
}
