#include "message_link.h"

#include "dbconn/analysis/issue_ref.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/command.h"

#define TEXT_MAX ((size_t)64 << 10)
#define DEPTH_MAX 12 /* blocks in attachments nest less */
#define LINKS_MAX 200

/* Members that hold text or addresses (docs.slack.dev/reference/block-kit; legacy attachments as
 * apps such as Sentry's post them). */
static bool holds_text(const char *member)
{
    static const char *const members[] = { "text",   "url",        "fallback", "pretext",
                                           "title",  "title_link", "from_url", "original_url",
                                           "footer", "value" };

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (text_same(member, members[i]))
            return true;
    return false;
}

static void collect(const cJSON *tree, int depth, struct buf *out)
{
    const cJSON *item;

    if (depth > DEPTH_MAX)
        return;
    cJSON_ArrayForEach (item, tree) {
        if (cJSON_IsString(item) && holds_text(item->string)) {
            if (!buf_add_capped(out, item->valuestring, strlen(item->valuestring), TEXT_MAX))
                return;
            buf_addc(out, '\n');
        } else if (cJSON_IsArray(item) || cJSON_IsObject(item)) {
            collect(item, depth + 1, out);
        }
    }
}

void message_text(const cJSON *message, struct buf *out)
{
    const char *text = json_str(message, "text");

    if (text && buf_add_capped(out, text, strlen(text), TEXT_MAX))
        buf_addc(out, '\n');
    collect(json_get(message, "attachments"), 0, out);
    collect(json_get(message, "blocks"), 0, out);
}

static bool is_issue(const char *link, const char *sentry_url, const char *organization)
{
    struct issue_ref ref = { 0 };
    bool found = issue_ref_parse(link, sentry_url, organization, &ref, NULL) == 0;

    issue_ref_clear(&ref);
    return found;
}

bool message_issue_link(const cJSON *message, const char *sentry_url, const char *organization,
                        struct buf *out)
{
    struct buf text = BUF_INIT, link = BUF_INIT;
    bool found = false;
    int links = 0;

    message_text(message, &text);
    for (const char *s = buf_str(&text); *s && !found && links < LINKS_MAX; s++) {
        if (!text_istarts(s, "https://") && !text_istarts(s, "http://"))
            continue;
        size_t n = strcspn(s, " \t\r\n|<>\"");
        char *raw = xstrndup(s, n);
        buf_reset(&link);
        slack_unescape(raw, &link);
        found = is_issue(buf_str(&link), sentry_url, organization);
        free(raw);
        links++;
        s += n - 1;
    }
    if (found)
        buf_adds(out, buf_str(&link));
    buf_clear(&text);
    buf_clear(&link);
    return found;
}
