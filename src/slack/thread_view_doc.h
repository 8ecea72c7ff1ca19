/*
 * thread_view_doc - a message as a list of lines, written once and rendered twice: as rich_text
 * blocks, and as the mrkdwn text that notifications and screen readers use.
 */
#ifndef THREAD_VIEW_DOC_H
#define THREAD_VIEW_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/buf.h"

struct blocks;

enum doc_span_kind {
    SPAN_WORDS,    /* our own, taken as they are */
    SPAN_STRONG,   /* our own, bold */
    SPAN_SENTENCE, /* may hold anything; times in it show the reader's zone */
    SPAN_BOLD,     /* the same, bold */
    SPAN_CODE,
    SPAN_LINK,
    SPAN_USER, /* a mention on purpose */
    SPAN_DATE,
};

struct doc_span {
    enum doc_span_kind kind;
    char *text; /* also a link's label */
    char *url;
    int64_t ms;
    size_t max; /* bytes */
};

enum doc_line_kind { LINE_PARAGRAPH, LINE_HEADING, LINE_BULLET, LINE_CODE };

struct doc_line {
    enum doc_line_kind kind;
    bool keep; /* must be in the text, whatever else is left out */
    struct doc_span *spans;
    size_t n_spans, cap_spans;
};

struct doc {
    struct doc_line *lines;
    size_t n_lines, cap_lines;
};

#define DOC_INIT                                                                                   \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void doc_clear(struct doc *d);
/* Each begins a line; spans go to the latest one. */
void doc_paragraph(struct doc *d);
void doc_heading(struct doc *d, const char *words);
void doc_bullet(struct doc *d);
void doc_code_block(struct doc *d, const char *text, size_t max);
void doc_keep(struct doc *d); /* marks the latest line */

void doc_words(struct doc *d, const char *words);
void doc_strong(struct doc *d, const char *words);
void doc_sentence(struct doc *d, const char *text, size_t max); /* NULL adds nothing, as below */
void doc_bold(struct doc *d, const char *text, size_t max);
void doc_code(struct doc *d, const char *text, size_t max);
void doc_link(struct doc *d, const char *url, const char *label); /* NULL label: link_label() */
void doc_source(struct doc *d, const char *url); /* " (commit 9f86d08)": nothing without a link */
void doc_user(struct doc *d, const char *id);    /* or a user group */
void doc_date(struct doc *d, int64_t ms);

size_t doc_bytes(const struct doc *d); /* about what it takes, for packing pages */

/* As rich_text blocks, a new one at each heading and before one gets too large. */
void doc_to_blocks(const struct doc *d, struct blocks *b);
/* As mrkdwn of at most `max` bytes. What is left out is counted and said, with `where` to read it.
 */
void doc_to_text(const struct doc *d, size_t max, const char *where, struct buf *out);

#endif
