#include "slack/html.h"

#include <ctype.h>

#include "dbconn/base/text.h"
#include "slack/show.h"

static void add_char(char c, struct buf *out)
{
    switch (c) {
    case '&':
        buf_adds(out, "&amp;");
        break;
    case '<':
        buf_adds(out, "&lt;");
        break;
    case '>':
        buf_adds(out, "&gt;");
        break;
    case '"':
        buf_adds(out, "&quot;");
        break;
    default:
        buf_addc(out, c);
    }
}

void html_attr(const char *text, struct buf *out)
{
    for (; *text; text++)
        add_char(*text, out);
}

void html_text(const char *text, struct buf *out)
{
    for (; *text; text++) {
        if (*text == '\n')
            buf_adds(out, "<br>");
        else
            add_char(*text, out);
    }
}

void html_link(const char *url, const char *label, struct buf *out)
{
    if (!text_istarts(url, "http://") && !text_istarts(url, "https://")) {
        html_text(label, out); /* nothing else may be followed */
        return;
    }
    buf_adds(out, "<a href=\"");
    html_attr(url, out);
    buf_adds(out, "\" rel=\"noreferrer\">");
    html_text(label, out);
    buf_adds(out, "</a>");
}

/* What stands between '<' and '>': a link with its address, anything else as its text. */
static void add_angle(struct workspace *ws, const char *inner, size_t len, struct buf *out)
{
    char *whole = xasprintf("<%.*s>", (int)len, inner), *bar;
    struct buf plain = BUF_INIT;

    if (len > 0 && !strchr("@#!", inner[0])) {
        char *url = xstrndup(inner, len);
        bar = strchr(url, '|');
        if (bar)
            *bar++ = '\0';
        show_mrkdwn(ws, bar ? bar : url, &plain);
        html_link(url, buf_str(&plain), out);
        free(url);
    } else {
        bool is_date = text_starts(inner, "!date^");
        show_mrkdwn(ws, whole, &plain);
        buf_adds(out, is_date ? "" : "<span class=\"at\">");
        html_text(buf_str(&plain), out);
        buf_adds(out, is_date ? "" : "</span>");
    }
    buf_clear(&plain);
    free(whole);
}

static const struct style {
    char mark;
    const char *tag;
} styles[] = { { '*', "b" }, { '_', "i" }, { '~', "s" } };

static const struct style *style_of(char c)
{
    for (size_t i = 0; i < ARRAY_LEN(styles); i++)
        if (styles[i].mark == c)
            return &styles[i];
    return NULL;
}

static bool is_edge(char c)
{
    return !isalnum((unsigned char)c);
}

/* The end of "*bold*" that begins at `p`, or NULL when it is no pair. */
static const char *style_end(const char *begin, const char *p)
{
    if ((p > begin && !is_edge(p[-1])) || !p[1] || isspace((unsigned char)p[1]) || p[1] == *p)
        return NULL;
    for (const char *e = p + 1; *e && *e != '\n'; e++)
        if (*e == *p && !isspace((unsigned char)e[-1]) && is_edge(e[1]))
            return e;
    return NULL;
}

static const char *add_code(const char *p, struct buf *out)
{
    bool block = text_starts(p, "```");
    const char *mark = block ? "```" : "`", *begin = p + strlen(mark), *end = strstr(begin, mark);
    struct buf plain = BUF_INIT;
    char *inner;

    if (!end || (!block && memchr(begin, '\n', (size_t)(end - begin)))) {
        buf_adds(out, mark);
        return begin;
    }
    inner = xstrndup(begin, (size_t)(end - begin));
    show_mrkdwn(NULL, inner, &plain); /* entities are resolved inside code too */
    buf_adds(out, block ? "<pre>" : "<code>");
    html_text(buf_str(&plain), out);
    buf_adds(out, block ? "</pre>" : "</code>");
    buf_clear(&plain);
    free(inner);
    return end + strlen(mark);
}

static void add_range(struct workspace *ws, const char *text, size_t len, struct buf *out)
{
    char *copy = xstrndup(text, len);

    html_mrkdwn(ws, copy, out);
    free(copy);
}

void html_mrkdwn(struct workspace *ws, const char *text, struct buf *out)
{
    for (const char *p = text; *p;) {
        const struct style *style = style_of(*p);
        const char *end = style ? style_end(text, p) : *p == '<' ? strchr(p, '>') : NULL;
        if (*p == '`') {
            p = add_code(p, out);
        } else if (end && style) {
            buf_addf(out, "<%s>", style->tag);
            add_range(ws, p + 1, (size_t)(end - p - 1), out);
            buf_addf(out, "</%s>", style->tag);
            p = end + 1;
        } else if (end) {
            add_angle(ws, p + 1, (size_t)(end - p - 1), out);
            p = end + 1;
        } else if (text_starts(p, "&amp;") || text_starts(p, "&lt;") || text_starts(p, "&gt;")) {
            size_t n = strcspn(p, ";") + 1;
            buf_add(out, p, n); /* an entity here is one there */
            p += n;
        } else if (*p == '\n') {
            buf_adds(out, "<br>");
            p++;
        } else {
            add_char(*p++, out);
        }
    }
}
