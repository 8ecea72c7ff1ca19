#include "show_check.h"

#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/mrkdwn.h"
#include "fuzz.h"

/* The length of the token that starts at `s`, with its brackets. */
static size_t token_len(const char *s)
{
    const char *end = strchr(s, '>');

    FUZZ_CHECK(end);
    FUZZ_CHECK(!memchr(s + 1, '<', (size_t)(end - s - 1)));
    return (size_t)(end - s) + 1;
}

/* <https://...|label>: the address alone must be one that may become a link. */
static void check_link(const char *s)
{
    size_t len = strcspn(s + 1, "|>");
    char *url = xstrndup(s + 1, len);

    for (char *amp = strstr(url, "&amp;"); amp; amp = strstr(amp + 1, "&amp;"))
        memmove(amp + 1, amp + 5, strlen(amp + 5) + 1);
    FUZZ_CHECK(link_allowed(url));
    free(url);
}

static size_t check_token(const char *s, bool may_mention)
{
    if (text_starts(s, "<@"))
        FUZZ_CHECK(may_mention && text_starts(s, "<@" SHOW_ASKER ">"));
    else if (text_starts(s, "<!"))
        FUZZ_CHECK(text_starts(s, "<!date^"));
    else
        check_link(s);
    return token_len(s);
}

void show_check_plain(const char *text)
{
    struct buf clean = BUF_INIT;

    FUZZ_CHECK(text_is_utf8(text, strlen(text)));
    text_clean(text, false, &clean);
    FUZZ_CHECK(strcmp(buf_str(&clean), text) == 0);
    buf_clear(&clean);
}

void show_check_mrkdwn(const char *text, bool may_mention)
{
    show_check_plain(text);
    for (const char *s = text; *s;) {
        if (*s == '&')
            FUZZ_CHECK(text_starts(s, "&amp;") || text_starts(s, "&lt;") || text_starts(s, "&gt;"));
        s += *s == '<' ? check_token(s, may_mention) : 1;
    }
}

static void check_object(const cJSON *o)
{
    const char *type = json_str(o, "type"), *text = json_str(o, "text"), *url = json_str(o, "url");

    if (text_same(type, "mrkdwn"))
        show_check_mrkdwn(text, true);
    else if (text)
        show_check_plain(text);
    if (url)
        FUZZ_CHECK(link_allowed(url));
    if (text_same(type, "user"))
        FUZZ_CHECK(text_same(json_str(o, "user_id"), SHOW_ASKER));
    FUZZ_CHECK(!text_same(type, "broadcast") && !text_same(type, "usergroup"));
}

void show_check_blocks(const cJSON *tree)
{
    const cJSON *item;

    if (cJSON_IsObject(tree))
        check_object(tree);
    cJSON_ArrayForEach (item, tree) {
        show_check_blocks(item);
    }
}

void show_check_terminal(const char *text)
{
    FUZZ_CHECK(text_is_utf8(text, strlen(text)));
    for (const char *s = text; *s; s++)
        FUZZ_CHECK((unsigned char)*s >= ' ' ? *s != 0x7F : *s == '\n');
}
