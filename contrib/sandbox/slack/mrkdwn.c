/* mrkdwn - https://docs.slack.dev/messaging/formatting-message-text */
#include <ctype.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "slack/show.h"

static void add_entity(const char **p, struct buf *out)
{
    static const struct {
        const char *entity;
        char c;
    } entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' } };

    for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
        if (text_starts(*p, entities[i].entity)) {
            buf_addc(out, entities[i].c);
            *p += strlen(entities[i].entity);
            return;
        }
    }
    buf_addc(out, *(*p)++);
}

static void add_unescaped(const char *text, size_t len, struct buf *out)
{
    char *copy = xstrndup(text, len);

    for (const char *p = copy; *p;)
        add_entity(&p, out);
    free(copy);
}

/* <!date^1392734382^{date_short} {time}|18 February, 14:39> */
static void add_date(const char *inner, const char *label, struct buf *out)
{
    if (label)
        buf_adds(out, label);
    else
        time_format_minute(strtoll(inner + strlen("!date^"), NULL, 10) * 1000, out);
}

static void add_special(struct workspace *ws, const char *inner, const char *label, struct buf *out)
{
    const struct user *user = inner[0] == '@' ? workspace_user(ws, inner + 1) : NULL;
    const struct channel *channel = inner[0] == '#' ? workspace_channel(ws, inner + 1) : NULL;
    const struct user_group *group = NULL;

    if (text_starts(inner, "!subteam^"))
        group = workspace_group(ws, inner + strlen("!subteam^"));
    if (text_starts(inner, "!date^"))
        add_date(inner, label, out);
    else if (user)
        buf_addf(out, "@%s", user->name);
    else if (channel)
        buf_addf(out, "#%s", channel->name);
    else if (group)
        buf_addf(out, "@%s", group->handle);
    else if (inner[0] == '!')
        buf_addf(out, "@%s", label ? label : inner + 1);
    else if (label)
        buf_addf(out, "%s (%s)", label, inner);
    else
        buf_adds(out, inner);
}

/* What stands between '<' and '>'. */
static void add_angle(struct workspace *ws, const char *text, size_t len, struct buf *out)
{
    struct buf plain = BUF_INIT;

    add_unescaped(text, len, &plain);
    char *inner = buf_take(&plain), *bar = strchr(inner, '|');
    if (bar)
        *bar++ = '\0';
    add_special(ws, inner, bar, out);
    free(inner);
}

void show_mrkdwn(struct workspace *ws, const char *text, struct buf *out)
{
    for (const char *p = text; *p;) {
        const char *end = ws && *p == '<' ? strchr(p, '>') : NULL;
        if (end) {
            add_angle(ws, p + 1, (size_t)(end - p - 1), out);
            p = end + 1;
        } else {
            add_entity(&p, out);
        }
    }
}
