/* The text behind the slash command, and around a mention. */
#include <string.h>

#include "dbconn/base/text.h"
#include "dbconn/slack/command.h"
#include "dbconn/slack/command_reply.h"
#include "dbconn/slack/mrkdwn.h"
#include "fuzz.h"
#include "show_check.h"

static void check(struct command *c)
{
    struct buf out = BUF_INIT;

    FUZZ_CHECK(!strpbrk(buf_str(&c->argument), "\n\r\t"));
    FUZZ_CHECK(text_is_utf8(buf_str(&c->argument), c->argument.len));
    FUZZ_CHECK((c->kind == COMMAND_INVALID) == (c->problem.len > 0));
    show_check_mrkdwn(buf_str(&c->problem), false);
    reply_taken(buf_str(&c->argument), 1, &out);
    show_check_mrkdwn(buf_str(&out), false);
    buf_clear(&out);
    command_clear(c);
}

void fuzz_command(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct command c;
    struct buf plain = BUF_INIT;
    char *text = fuzz_rest(&in);

    command_parse("/dbconn", text, &c);
    check(&c);
    command_parse_mention("/dbconn", text, SHOW_ASKER, &c);
    check(&c);
    command_from_message("/dbconn", text, &c);
    check(&c);
    slack_unescape(text, &plain);
    FUZZ_CHECK(plain.len <= strlen(text));
    buf_clear(&plain);
    free(text);
}
