/*
 * blocks - would Slack take these blocks?
 *
 * Limits after https://docs.slack.dev/reference/block-kit/blocks and the pages below it. Slack does
 * not say in what unit it counts characters; here they are bytes of UTF-8, the strictest reading.
 */
#ifndef SANDBOX_SLACK_BLOCKS_H
#define SANDBOX_SLACK_BLOCKS_H

#include "slack/check.h"

enum surface { SURFACE_MESSAGE, SURFACE_MODAL, SURFACE_HOME };

#define MESSAGE_BLOCKS_MAX 50
#define VIEW_BLOCKS_MAX 100
#define MESSAGE_TEXT_MAX 13200 /* all text of a message's blocks (slackapi/bolt-js#2509) */

struct block_report {
    cJSON *errors; /* array of strings, the caller's; empty: Slack would take them */
    size_t text_bytes;
};

/* Checks an array of blocks. `at` is where it stands: "/blocks", "/view/blocks". `file_exists` (or
 * NULL) tells whether an uploaded file is known. */
void blocks_check(const cJSON *blocks, enum surface surface, const char *at,
                  bool (*file_exists)(void *user, const char *id), void *user,
                  struct block_report *ret);
/* A modal or a Home tab: its own members and its blocks. */
void view_check(const cJSON *view, struct block_report *ret);

/* rich.c: the elements of a rich_text block. */
void rich_text_check(struct check *check, const cJSON *block);
/* elements.c: buttons, menus and inputs. The set says where they stand. */
enum element_place { IN_ACTIONS, IN_SECTION, IN_CONTEXT, IN_INPUT, IN_CONTEXT_ACTIONS };
void element_check(struct check *check, const cJSON *element, enum element_place place);
/* charts.c */
void chart_check(struct check *check, const cJSON *block);

#endif
