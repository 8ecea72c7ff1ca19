/*
 * command - what a person typed after the slash command, or around a mention of the bot.
 *
 * Reads both forms that Slack sends (with and without should_escape: <https://…|label>, &amp;),
 * smart quotes and pasted trailing text. Pure; any thread.
 */
#ifndef DBCONN_SLACK_COMMAND_H
#define DBCONN_SLACK_COMMAND_H

#include "dbconn/base/buf.h"

#define COMMAND_MAX_TEXT 10240 /* bytes; as analysis/issue_ref.h */

enum command_kind {
    COMMAND_HELP,
    COMMAND_STATUS,
    COMMAND_INVESTIGATE, /* argument: what names the issue, as typed */
    COMMAND_CANCEL,      /* likewise */
    COMMAND_HISTORY,     /* argument: an issue, a host, or "" */
    COMMAND_INVALID,     /* problem: what was wrong and an example, ready to show */
};

struct command {
    enum command_kind kind;
    struct buf argument; /* unescaped, cleaned, one line; an issue's text is not looked into here */
    struct buf problem;
};

/* `name` is the slash command itself ("/dbconn"), for the examples. Always fills *ret. */
void command_parse(const char *name, const char *text, struct command *ret);
/* The text of an app_mention event: the mention of `bot_user_id` (wherever it stands) is taken
 * out first. */
void command_parse_mention(const char *name, const char *text, const char *bot_user_id,
                           struct command *ret);
void command_clear(struct command *c);

/* The first link in a message that may name an issue, for the message shortcut: argument is the
 * URL. COMMAND_INVALID when there is none. */
void command_from_message(const char *name, const char *text, struct command *ret);

/* Takes out Slack's wrapping: <https://x|label> becomes https://x, &amp; becomes &. */
void slack_unescape(const char *text, struct buf *out);

#endif
