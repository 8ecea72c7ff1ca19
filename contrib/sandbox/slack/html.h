/*
 * html - text made safe for a page, mrkdwn as markup.
 */
#ifndef SANDBOX_SLACK_HTML_H
#define SANDBOX_SLACK_HTML_H

#include "slack/workspace.h"

void html_text(const char *text, struct buf *out); /* escaped; newlines become <br> */
void html_attr(const char *text, struct buf *out); /* inside "..." */
/* *bold*, _italic_, ~strike~, `code`, ```block```, > quote, <links|and mentions>. */
void html_mrkdwn(struct workspace *ws, const char *text, struct buf *out);
void html_link(const char *url, const char *label, struct buf *out);
/* chart_svg.c: a data_visualization block. */
void html_chart(const cJSON *block, struct buf *out);

#endif
