#include "dbconn/slack/command.h"

#include <ctype.h>
#include <strings.h>

#include "dbconn/base/text.h"
#include "dbconn/slack/mrkdwn.h"

struct verb {
    const char *word;
    enum command_kind kind;
};

static const struct verb verbs[] = {
    { "help", COMMAND_HELP },
    { "-h", COMMAND_HELP },
    { "--help", COMMAND_HELP },
    { "?", COMMAND_HELP },
    { "status", COMMAND_STATUS },
    { "cancel", COMMAND_CANCEL },
    { "stop", COMMAND_CANCEL },
    { "history", COMMAND_HISTORY },
    { "run", COMMAND_INVESTIGATE },
    { "diagnose", COMMAND_INVESTIGATE },
    { "investigate", COMMAND_INVESTIGATE },
};

void command_clear(struct command *c)
{
    buf_clear(&c->argument);
    buf_clear(&c->problem);
}

/* Slack escapes three characters, nothing else (docs.slack.dev, "Formatting message text"). */
static size_t unescape_entity(const char *s, struct buf *out)
{
    static const struct {
        const char *entity, *text;
    } entities[] = { { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" } };

    for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
        if (text_starts(s, entities[i].entity)) {
            buf_adds(out, entities[i].text);
            return strlen(entities[i].entity);
        }
    }
    return 0;
}

static void unescape_bytes(const char *s, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len;) {
        size_t n = unescape_entity(s + i, out);
        if (n == 0)
            buf_addc(out, s[i]);
        i += n ? n : 1;
    }
}

/* What stands between < and >: a link, a mail address, a user, a channel, or just an angle. */
static void unescape_token(const char *token, size_t len, struct buf *out)
{
    size_t main = 0;
    const char *label;

    while (main < len && token[main] != '|')
        main++;
    label = main < len ? token + main + 1 : NULL;
    if (text_starts(token, "mailto:"))
        buf_add(out, token + 7, main > 7 ? main - 7 : 0);
    else if (token[0] == '#' && label && len - main > 1)
        buf_addf(out, "#%.*s", (int)(len - main - 1), label);
    else if (token[0] == '!')
        buf_addf(out, "@%.*s", (int)(main - 1), token + 1);
    else
        unescape_bytes(token, main, out);
}

/* Phones turn quotes into typographic ones. */
static size_t plain_quote(const char *s, struct buf *out)
{
    static const char *const doubles[] = { "“", "”", "„", "«", "»" };
    static const char *const singles[] = { "‘", "’", "‚" };

    for (size_t i = 0; i < ARRAY_LEN(doubles); i++) {
        if (text_starts(s, doubles[i])) {
            buf_addc(out, '"');
            return strlen(doubles[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(singles); i++) {
        if (text_starts(s, singles[i])) {
            buf_addc(out, '\'');
            return strlen(singles[i]);
        }
    }
    return 0;
}

static size_t token_length(const char *s)
{
    size_t n = strcspn(s + 1, "<>\n");

    return s[0] == '<' && s[1 + n] == '>' && n > 0 && !isspace((unsigned char)s[1]) ? n : 0;
}

void slack_unescape(const char *text, struct buf *out)
{
    while (text && *text) {
        size_t n = token_length(text);
        if (n > 0) {
            unescape_token(text + 1, n, out);
            text += n + 2;
            continue;
        }
        n = unescape_entity(text, out);
        if (n == 0)
            n = plain_quote(text, out);
        if (n == 0) {
            buf_addc(out, *text);
            n = 1;
        }
        text += n;
    }
}

static bool word_is(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

static const struct verb *find_verb(const char *text)
{
    size_t len = strcspn(text, " ");

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (word_is(text, len, verbs[i].word))
            return &verbs[i];
    }
    return NULL;
}

static void problem(struct command *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void problem(struct command *c, const char *fmt, ...)
{
    va_list ap;

    c->kind = COMMAND_INVALID;
    buf_reset(&c->argument);
    va_start(ap, fmt);
    buf_vaddf(&c->problem, fmt, ap);
    va_end(ap);
}

static void take_verb(const char *name, const struct verb *verb, const char *rest,
                      struct command *c)
{
    c->kind = verb->kind;
    if (verb->kind == COMMAND_HELP || verb->kind == COMMAND_STATUS)
        return;
    buf_adds(&c->argument, rest);
    if (*rest)
        return;
    if (verb->kind == COMMAND_CANCEL)
        problem(c,
                "Which investigation should I cancel? Name its issue, for example: `%s cancel "
                "SHOP-1A2`",
                name);
    else if (verb->kind == COMMAND_INVESTIGATE)
        problem(c, "Which issue should I look into? For example: `%s SHOP-1A2`", name);
}

static void parse_clean(const char *name, const char *text, struct command *c)
{
    const struct verb *verb = find_verb(text);

    if (*text == '\0') {
        c->kind = COMMAND_HELP;
    } else if (verb) {
        const char *rest = text + strlen(verb->word);
        take_verb(name, verb, rest + strspn(rest, " "), c);
    } else {
        c->kind = COMMAND_INVESTIGATE;
        buf_adds(&c->argument, text);
    }
}

static bool too_long(const char *name, const char *text, struct command *c)
{
    size_t len = text ? strlen(text) : 0;

    if (len <= COMMAND_MAX_TEXT)
        return false;
    problem(c,
            "That is %zu kB of text, and I read at most %d kB. Name the issue alone, for "
            "example: `%s SHOP-1A2`, or paste its Sentry link.",
            len / 1024, COMMAND_MAX_TEXT / 1024, name);
    return true;
}

void command_parse(const char *name, const char *text, struct command *ret)
{
    struct buf plain = BUF_INIT, clean = BUF_INIT;

    *ret = (struct command){ .kind = COMMAND_HELP };
    if (too_long(name, text, ret))
        return;
    slack_unescape(text, &plain);
    text_clean(buf_str(&plain), true, &clean);
    parse_clean(name, buf_str(&clean), ret);
    buf_clear(&plain);
    buf_clear(&clean);
}

/* Length of a mention of `user` at `s`: <@U123> or <@U123|name>; 0 for none. */
static size_t mention_length(const char *s, const char *user)
{
    size_t n = strlen(user);

    if (!text_starts(s, "<@") || strncmp(s + 2, user, n) != 0)
        return 0;
    if (s[2 + n] != '>' && s[2 + n] != '|')
        return 0;
    size_t end = strcspn(s, ">");
    return s[end] == '>' ? end + 1 : 0;
}

void command_parse_mention(const char *name, const char *text, const char *bot_user_id,
                           struct command *ret)
{
    struct buf before = BUF_INIT, after = BUF_INIT;
    bool found = false;

    *ret = (struct command){ .kind = COMMAND_HELP };
    if (too_long(name, text, ret))
        return;
    while (text && *text) {
        size_t n = bot_user_id && *bot_user_id ? mention_length(text, bot_user_id) : 0;
        buf_add(found ? &after : &before, text, n ? 0 : 1);
        found = found || n > 0;
        text += n ? n : 1;
    }
    command_parse(name, buf_str(&after), ret);
    /* "could you look at SHOP-1A2, @dbconn" has nothing behind the mention; and what is no
     * command may name the issue on either side of it. */
    if ((ret->kind == COMMAND_HELP && after.len == 0) || ret->kind == COMMAND_INVESTIGATE) {
        struct buf both = BUF_INIT;
        buf_addf(&both, "%s %s", buf_str(&after), buf_str(&before));
        command_clear(ret);
        command_parse(name, buf_str(&both), ret);
        buf_clear(&both);
    }
    buf_clear(&before);
    buf_clear(&after);
}

/* The link that starts at `s`, whether Slack wrapped it or not; its length. */
static size_t link_length(const char *s)
{
    return text_istarts(s, "https://") || text_istarts(s, "http://") ? strcspn(s, " \t\n|<>\"") : 0;
}

static void take_link(const char *link, struct buf *argument)
{
    struct buf plain = BUF_INIT;

    slack_unescape(link, &plain);
    text_clean(buf_str(&plain), true, argument);
    buf_clear(&plain);
}

void command_from_message(const char *name, const char *text, struct command *ret)
{
    *ret = (struct command){ .kind = COMMAND_INVESTIGATE };
    for (const char *s = text; s && *s; s++) {
        size_t n = link_length(s);
        char *link = n ? xstrndup(s, n) : NULL;
        bool issue = link && strstr(link, "/issues/");
        if (issue)
            take_link(link, &ret->argument);
        free(link);
        if (issue)
            return;
        s += n ? n - 1 : 0;
    }
    problem(ret,
            "I found no link to a Sentry issue in that message. You can name the issue "
            "instead, for example: `%s SHOP-1A2`",
            name);
}
