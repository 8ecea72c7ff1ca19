/* Text for Slack: nobody is mentioned, no link is forged, nothing is hidden. */
#include <string.h>

#include "dbconn/base/buf.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/mrkdwn.h"
#include "fuzz.h"
#include "show_check.h"

typedef void format_fn(struct buf *out, const char *s, size_t max);

static void check_format(format_fn *format, const char *text, size_t max, bool is_mrkdwn)
{
    struct buf out = BUF_INIT;

    format(&out, text, max);
    FUZZ_CHECK(out.len <= max);
    if (is_mrkdwn)
        show_check_mrkdwn(buf_str(&out), false);
    else
        show_check_plain(buf_str(&out));
    buf_clear(&out);
}

/* Escaped text that holds no token at all. */
static void check_without_tokens(format_fn *format, const char *text, size_t max)
{
    struct buf out = BUF_INIT;

    format(&out, text, max);
    FUZZ_CHECK(!strpbrk(buf_str(&out), "<>"));
    buf_clear(&out);
}

static void check_links(const char *url, const char *label, size_t max)
{
    struct buf out = BUF_INIT;

    mrkdwn_link(&out, url, label, max);
    show_check_mrkdwn(buf_str(&out), false);
    buf_reset(&out);
    mrkdwn_link(&out, url, NULL, max);
    show_check_mrkdwn(buf_str(&out), false);
    buf_reset(&out);
    if (link_encode(&out, url)) {
        FUZZ_CHECK(link_allowed(url));
        FUZZ_CHECK(!strpbrk(buf_str(&out), "<>|\"'` \n"));
    } else {
        FUZZ_CHECK(out.len == 0);
    }
    buf_reset(&out);
    link_label(&out, url, max);
    show_check_plain(buf_str(&out));
    buf_reset(&out);
    FUZZ_CHECK(mrkdwn_user(&out, label) == slack_user_id_valid(label));
    buf_clear(&out);
}

void fuzz_mrkdwn(const uint8_t *data, size_t size)
{
    static format_fn *const escaping[] = { mrkdwn_text, mrkdwn_code, mrkdwn_code_block };
    struct fuzz_input in = { data, size };

    if (size == 0)
        return;
    /* The first byte is the cap: small ones cut inside what is interesting. */
    size_t max = data[0] >= 200 ? 3000 : data[0];
    in.at++, in.left--;
    char *text = fuzz_rest(&in);
    for (size_t i = 0; i < ARRAY_LEN(escaping); i++) {
        check_format(escaping[i], text, max, true);
        check_without_tokens(escaping[i], text, max);
    }
    check_format(mrkdwn_sentence, text, max, true);
    check_format(mrkdwn_bold, text, max, true);
    check_format(plain_text, text, max, false);
    check_format(plain_lines, text, max, false);

    size_t first = strcspn(text, "\n");
    const char *label = text[first] ? text + first + 1 : "label";
    char *url = xstrndup(text, first);
    check_links(url, label, max);
    free(url);
    free(text);
}
