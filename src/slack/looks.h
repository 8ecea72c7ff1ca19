/*
 * looks - how richly the threads of a workspace are shown: what was configured, less what the
 * workspace has refused (docs.slack.dev announces new blocks in phases: not all have them at once).
 *
 * What was refused is remembered for the workspace, also over a restart, for a week: then the
 * richer form is tried again. Pure, but for bot_load_looks() and bot_keep_looks().
 */
#ifndef DBCONN_SRC_SLACK_LOOKS_H
#define DBCONN_SRC_SLACK_LOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/buf.h"
#include "dbconn/slack/thread_view.h"

struct bot;

struct looks {
    enum progress_style style;
    enum chart_style chart;
};

/* From the configuration's words; NULL and others: the richest. */
struct looks looks_of(const char *progress, const char *chart);
/* Makes it simpler after a part was refused; false when it cannot be any simpler. */
bool looks_simpler(struct looks *looks, enum part_id refused);
/* The simpler of both, in each respect. */
void looks_limit(struct looks *looks, const struct looks *to);

/* As it is stored: "blocks picture 1787048978114". */
void looks_print(const struct looks *looks, int64_t now_ms, struct buf *out);
/* false when it says nothing (any more). */
bool looks_parse(const char *text, int64_t now_ms, struct looks *ret);

/* Takes what is remembered of the workspace, once that is known; adds to it. */
void bot_load_looks(struct bot *bot);
void bot_keep_looks(struct bot *bot, const struct looks *looks);

#endif
