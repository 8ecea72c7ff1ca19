/* thread_view_internal - shared by the sources of thread_view.h and modal.h. */
#ifndef THREAD_VIEW_INTERNAL_H
#define THREAD_VIEW_INTERNAL_H

#include "dbconn/base/clock.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/slack/blocks.h"
#include "dbconn/slack/thread_view.h"
#include "thread_view_doc.h"

#define TEXT_BYTES 4000 /* chat.update refuses more (docs.slack.dev, chat.update) */
#define SEE_DETAILS "Press Details to read everything."

/* What one part is made of; part_end() turns it into a struct thread_part. */
struct part_draft {
    const struct thread_input *in;
    struct blocks blocks;
    struct buf text;
};

bool has_blocks(const struct thread_input *in); /* not PROGRESS_TEXT */
bool is_final(enum job_phase phase);

void root_draft(struct part_draft *p);
void plan_draft(struct part_draft *p);
void answer_draft(struct part_draft *p);
void details_draft(struct part_draft *p);

/* The issue as a link, or as it was asked. */
void add_issue(struct doc *d, const struct thread_input *in);
/* " by avery", when there is a name for it. */
void add_canceller(struct doc *d, const struct thread_input *in);
void add_cancel_reason(struct doc *d, const struct thread_input *in); /* " Why.", if told */
/* The one action in bold; there is at least one. */
void add_do_now(struct doc *d, const struct diagnosis *dg);
void add_findings(struct doc *d, const char *heading, const struct finding *items, size_t n,
                  size_t shown);

/* The chart in the answer: as a block, else as characters. */
void add_chart(struct part_draft *p, size_t text_room);
bool chart_is_picture(const struct thread_input *in);
/* The words beside the picture, and what it is made of. */
void chart_draft(struct part_draft *p);
struct thread_picture *chart_picture_of(const struct thread_input *in);

/* One actions block with the buttons that make sense; what has no URL or no use is left out. */
struct button_row {
    struct button items[10];
    size_t n;
};
void row_add(struct button_row *row, const struct thread_input *in, enum button_action action);
void row_end(struct button_row *row, struct part_draft *p, const char *block_id);

/* Everything that was found, one document a topic (long ones go on in further documents): for the
 * details message and the pages of the modal. `with_steps`: each step's findings too. */
struct topics {
    struct doc *docs;
    size_t n, cap;
};
void topics_build(const struct casefile *c, bool with_steps, struct topics *ret);
void topics_clear(struct topics *t);

#endif
