/*
 * One pass over cleaned text. Each piece (a character, an entity, a date token) is written whole
 * or not at all, so that a cut never leaves half of one.
 */
#include "dbconn/slack/mrkdwn.h"

#include <ctype.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "mrkdwn_scan.h"

#define ELLIPSIS "\xE2\x80\xA6"
#define HAIR_SPACE                                                                                 \
    "\xE2\x80\x8A"                /* U+200A: white space, so that no formatting starts before it   \
                                   */
#define QUOTE_SIGN "\xE2\x80\xBA" /* U+203A, for a ">" that would start a quotation */

struct writer {
    struct buf *out;
    size_t start, max;
    size_t safe; /* length up to which the text may be kept when it is cut */
    bool full;
};

static void writer_init(struct writer *w, struct buf *out, size_t max)
{
    *w = (struct writer){ out, out->len, max, out->len, false };
}

static void put(struct writer *w, const char *bytes, size_t n)
{
    if (w->full || w->out->len - w->start + n > w->max) {
        w->full = true;
        return;
    }
    buf_add(w->out, bytes, n);
    if (w->out->len - w->start + strlen(ELLIPSIS) <= w->max)
        w->safe = w->out->len;
}

static void writer_end(struct writer *w)
{
    if (!w->full)
        return;
    buf_truncate(w->out, w->safe);
    if (w->safe - w->start + strlen(ELLIPSIS) <= w->max)
        buf_adds(w->out, ELLIPSIS);
}

static const char *entity(char c)
{
    return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : NULL;
}

/* *, _ and ~ start formatting at the beginning of a word only. */
static bool opens_formatting(const char *s, size_t i)
{
    bool word_start = i == 0 || !(isalnum((unsigned char)s[i - 1]));

    return (s[i] == '*' || s[i] == '_' || s[i] == '~') && word_start && s[i + 1] != '\0' &&
           s[i + 1] != ' ';
}

/* ":name:" would become a picture. Times and IPv6 addresses look alike and stay as they are. */
static bool opens_emoji(const char *s, size_t i)
{
    size_t n = 1;
    bool hex = true;

    if (s[i] != ':')
        return false;
    while (isalnum((unsigned char)s[i + n]) || (s[i + n] && strchr("_+'-", s[i + n]))) {
        hex = hex && isxdigit((unsigned char)s[i + n]);
        n++;
    }
    if (n == 1 || s[i + n] != ':')
        return false;
    return !hex || i == 0 || !(isalnum((unsigned char)s[i - 1]) || s[i - 1] == ':');
}

enum mode { MODE_TEXT, MODE_SENTENCE, MODE_BOLD, MODE_CODE, MODE_PLAIN };

static void put_char(struct writer *w, const char *s, size_t i, size_t n, enum mode mode)
{
    bool line_start = w->out->len == 0 || w->out->data[w->out->len - 1] == '\n';

    if (mode == MODE_PLAIN) {
        put(w, s + i, n);
    } else if (s[i] == '`') {
        put(w, "'", 1);
    } else if (mode != MODE_CODE && s[i] == '>' && line_start) {
        put(w, QUOTE_SIGN, strlen(QUOTE_SIGN));
    } else if (entity(s[i])) {
        put(w, entity(s[i]), strlen(entity(s[i])));
    } else if (mode == MODE_BOLD && s[i] == '*') {
        put(w, "\xE2\x88\x97", 3); /* U+2217: a star that does not end the bold part */
    } else if (mode != MODE_CODE && (opens_formatting(s, i) || opens_emoji(s, i))) {
        char disarmed[1 + sizeof(HAIR_SPACE)] = { s[i] };
        memcpy(disarmed + 1, HAIR_SPACE, sizeof(HAIR_SPACE));
        put(w, disarmed, strlen(disarmed));
    } else {
        put(w, s + i, n);
    }
}

/* A time at s[i] as a date token; its length in `s`, or 0. */
static size_t put_time(struct writer *w, const char *s, size_t i)
{
    int64_t ms;
    bool seconds;
    size_t n = isdigit((unsigned char)s[i]) ? time_in_text(s, i, &ms, &seconds) : 0;

    if (n > 0) {
        char *token = xasprintf("<!date^%lld^%s|%.*s>", (long long)(ms / 1000),
                                seconds ? TIME_FORMAT_SECONDS : TIME_FORMAT_MINUTES, (int)n, s + i);
        put(w, token, strlen(token));
        free(token);
    }
    return n;
}

/* Commands in our own sentences stand in back-ticks. What is inside stays harmless: it is
 * escaped like all the rest, and holds no back-tick. */
static size_t put_code(struct writer *w, const char *s, size_t i)
{
    size_t n = command_in_text(s, i);
    struct buf span = BUF_INIT;

    for (size_t k = i; k < i + n; k++)
        buf_adds(&span, entity(s[k]) ? entity(s[k]) : (char[2]){ s[k], '\0' });
    if (n > 0)
        put(w, buf_str(&span), span.len);
    buf_clear(&span);
    return n;
}

/* `s` is clean. Words over MRKDWN_WORD_MAX are broken with a blank. */
static void put_all(struct writer *w, const char *s, enum mode mode)
{
    size_t len = strlen(s), word = 0;
    unsigned cp;

    for (size_t i = 0; i < len && !w->full;) {
        bool ours = mode == MODE_SENTENCE || mode == MODE_BOLD;
        size_t n = ours ? put_time(w, s, i) : 0;
        n = ours && n == 0 ? put_code(w, s, i) : n;
        if (n == 0) {
            n = text_decode(s + i, len - i, &cp);
            n = n ? n : 1;
            word = s[i] == ' ' || s[i] == '\n' || s[i] == '\t' ? 0 : word + 1;
            if (word > MRKDWN_WORD_MAX) {
                put(w, " ", 1);
                word = 1;
            }
            put_char(w, s, i, n, mode);
        }
        i += n;
    }
}

static void add(struct buf *out, const char *s, size_t max, enum mode mode, bool one_line)
{
    struct buf clean = BUF_INIT;
    struct writer w;

    text_clean(s, one_line, &clean);
    writer_init(&w, out, max);
    put_all(&w, buf_str(&clean), mode);
    writer_end(&w);
    buf_clear(&clean);
}

void mrkdwn_text(struct buf *out, const char *s, size_t max)
{
    add(out, s, max, MODE_TEXT, true);
}

void mrkdwn_sentence(struct buf *out, const char *s, size_t max)
{
    add(out, s, max, MODE_SENTENCE, true);
}

/* Something between two marks; nothing at all when there is nothing to put there. */
static void add_between(struct buf *out, const char *open, const char *s, size_t max,
                        const char *close, enum mode mode, bool one_line)
{
    size_t before = out->len, inside;

    if (max < strlen(open) + strlen(close) + strlen(ELLIPSIS))
        return;
    buf_adds(out, open);
    inside = out->len;
    add(out, s, max - strlen(open) - strlen(close), mode, one_line);
    if (out->len == inside)
        buf_truncate(out, before);
    else
        buf_adds(out, close);
}

void mrkdwn_bold(struct buf *out, const char *s, size_t max)
{
    add_between(out, "*", s, max, "*", MODE_BOLD, true);
}

void mrkdwn_code(struct buf *out, const char *s, size_t max)
{
    add_between(out, "`", s, max, "`", MODE_CODE, true);
}

void mrkdwn_code_block(struct buf *out, const char *s, size_t max)
{
    add_between(out, "```\n", s, max, "\n```", MODE_CODE, false);
}

void plain_text(struct buf *out, const char *s, size_t max)
{
    add(out, s, max, MODE_PLAIN, true);
}

void plain_lines(struct buf *out, const char *s, size_t max)
{
    add(out, s, max, MODE_PLAIN, false);
}

void mrkdwn_date(struct buf *out, int64_t ms)
{
    struct buf fallback = BUF_INIT;

    if (ms == TIME_UNKNOWN || ms < 0) {
        buf_adds(out, "an unknown time");
        return;
    }
    time_format_minute(ms, &fallback);
    buf_addf(out, "<!date^%lld^" TIME_FORMAT_MINUTES "|%s>", (long long)(ms / 1000),
             buf_str(&fallback));
    buf_clear(&fallback);
}

static bool id_is(const char *id, const char *kinds)
{
    size_t n = 0;

    if (!id || !*id || !strchr(kinds, id[0]))
        return false;
    while ((id[n] >= 'A' && id[n] <= 'Z') || isdigit((unsigned char)id[n]))
        n++;
    return id[n] == '\0' && n >= 3 && n <= 32;
}

bool slack_user_id_valid(const char *id)
{
    return id_is(id, "UW");
}

bool slack_mention_valid(const char *id)
{
    return id_is(id, "UWS");
}

bool mrkdwn_mention(struct buf *out, const char *id)
{
    if (!slack_mention_valid(id))
        return false;
    buf_addf(out, id[0] == 'S' ? "<!subteam^%s>" : "<@%s>", id);
    return true;
}

bool mrkdwn_user(struct buf *out, const char *user_id)
{
    if (!slack_user_id_valid(user_id))
        return false;
    buf_addf(out, "<@%s>", user_id);
    return true;
}
