/*
 * blocks - Block Kit within Slack's limits.
 *
 * A builder over cJSON. Every adder keeps the limits of docs.slack.dev/reference/block-kit (50
 * blocks a message, 100 a view, 3,000 characters a text, ...; characters are counted as bytes of
 * UTF-8, the strictest reading) and the limit of about 13,200 characters over all blocks of a
 * message (github.com/slackapi/bolt-js/issues/2509). What does not fit is counted, and
 * blocks_take() says so in a last block; nothing is dropped silently. mrkdwn arguments are
 * escaped by the caller (mrkdwn.h); plain and rich arguments are cleaned here. Pure.
 */
#ifndef DBCONN_SLACK_BLOCKS_H
#define DBCONN_SLACK_BLOCKS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/buf.h"

struct chart;

enum blocks_surface { BLOCKS_MESSAGE, BLOCKS_MODAL };

struct blocks {
    cJSON *array; /* owned until blocks_take() */
    enum blocks_surface surface;
    size_t n;                  /* blocks so far */
    size_t bytes;              /* text of all of them */
    size_t omitted;            /* blocks that did not fit */
    size_t kept_n, kept_bytes; /* room that blocks_keep() holds back */
};

void blocks_init(struct blocks *b, enum blocks_surface surface);
void blocks_clear(struct blocks *b);
/* Holds back room for what must not be missing at the end (buttons); 0, 0 gives it free again. */
void blocks_keep(struct blocks *b, size_t n, size_t bytes);
/* Hands over the array; after a cut its last block says how many parts are missing and `where`
 * they can be read ("See Details."). */
cJSON *blocks_take(struct blocks *b, const char *where);

void blocks_section(struct blocks *b, const char *mrkdwn); /* up to 3,000, verbatim: no autolinks */
void blocks_header(struct blocks *b, const char *plain);
void blocks_context(struct blocks *b, const char *mrkdwn);
void blocks_divider(struct blocks *b);

/* Buttons: one actions block at a time. */
struct button {
    const char *action_id;
    const char *text;          /* plain, at most 75 */
    const char *value;         /* at most 2,000 */
    const char *url;           /* NULL, or where it leads */
    const char *style;         /* NULL, "primary", "danger" */
    const char *accessibility; /* NULL, or what a screen reader says */
    const char *confirm;       /* NULL, or the question to confirm first */
};
void blocks_buttons(struct blocks *b, const char *block_id, const struct button *buttons, size_t n);

/* rich_text: text that is never read as mark-up. rich_new(), sections and lists, blocks_rich(). */
struct rich {
    cJSON *block; /* owned until blocks_rich() or rich_take() */
    cJSON *at;    /* what elements go to */
    cJSON *list;  /* the list that items go to, or NULL */
};
enum rich_style { RICH_PLAIN, RICH_BOLD, RICH_CODE, RICH_ITALIC };

void rich_init(struct rich *r);
void rich_clear(struct rich *r);
cJSON *rich_take(struct rich *r); /* one rich_text block, for a task card's details or output */
void rich_section(struct rich *r);
void rich_preformatted(struct rich *r);
void rich_list(struct rich *r, bool ordered); /* then rich_item() for each item */
void rich_item(struct rich *r);
void rich_text(struct rich *r, const char *text, enum rich_style style, size_t max);
/* Our own words between such texts, taken as they are: blanks and new lines stay. */
void rich_words(struct rich *r, const char *words, enum rich_style style);
/* The same for our own sentences: times become date elements, shown in the reader's zone, and
 * `commands` in back-ticks become code. */
void rich_sentence(struct rich *r, const char *text, enum rich_style style, size_t max);
void rich_link(struct rich *r, const char *url, const char *label, size_t max); /* or the label */
void rich_user(struct rich *r, const char *id); /* a person or a group, mentioned on purpose */
void rich_date(struct rich *r, int64_t ms);
void blocks_rich(struct blocks *b, struct rich *r); /* takes it over */

/* A plan with its task cards (messages only). */
struct task_card {
    const char *id, *title;
    const char *status;             /* "pending", "in_progress", "complete", "error" */
    cJSON *details, *output;        /* rich_text blocks or NULL; taken over */
    const char *const *source_urls; /* shown with link_label() */
    size_t n_sources;
};
void blocks_plan(struct blocks *b, const char *title, struct task_card *cards, size_t n);

/* A bar chart of the errors (messages only); `ch` has at most 20 buckets. */
void blocks_chart(struct blocks *b, const struct chart *ch);

/* Inputs of modals. */
struct option {
    const char *value, *text;
};
void blocks_select(struct blocks *b, const char *block_id, const char *action_id, const char *label,
                   const struct option *options, size_t n);
void blocks_text_input(struct blocks *b, const char *block_id, const char *action_id,
                       const char *label, const char *hint, size_t max_length, bool optional);

/* A modal view. Title and button texts are cut at 24, `metadata` (private_metadata) must be under
 * 3,000 bytes. `blocks` is taken over; `submit` NULL: nothing to submit. */
cJSON *modal_view(const char *callback_id, const char *title, const char *submit,
                  const char *metadata, cJSON *blocks);

#endif
