#include "settings_scan.h"

#include <ctype.h>
#include <string.h>

#include "dbconn/base/alloc.h"

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || strchr("_$@%.-", c) != NULL || (unsigned char)c >= 0x80;
}

/* Where the scanner stands in a line. */
struct scanner {
    enum language lang;
    struct diff_span s;
    size_t i;
    struct diff_span open[SCAN_PARENTS_MAX]; /* names of what was opened */
    size_t depth;                            /* may exceed SCAN_PARENTS_MAX; the rest is not kept */
    bool listed;                             /* inside of a list that is a value as a whole */
    struct scan *out;
};

static void push(struct scanner *sc, struct diff_span name)
{
    if (sc->depth < SCAN_PARENTS_MAX)
        sc->open[sc->depth] = name;
    sc->depth++;
}

static void emit(struct scanner *sc, struct diff_span key, struct diff_span value)
{
    struct assignment *a;

    value = span_trim(value);
    if (sc->out->n >= SCAN_MAX || value.len == 0)
        return;
    while (key.len > 0 && *key.text == '.')
        key = span_from(key, 1);
    a = &sc->out->items[sc->out->n++];
    a->key = key;
    a->value = value;
    a->n_parents = sc->depth < SCAN_PARENTS_MAX ? sc->depth : SCAN_PARENTS_MAX;
    memcpy(a->parents, sc->open, a->n_parents * sizeof(a->parents[0]));
}

static void skip_blanks(struct scanner *sc)
{
    while (sc->i < sc->s.len && isspace((unsigned char)sc->s.text[sc->i]))
        sc->i++;
}

/* The length of an assignment sign at i, 0 when there is none. */
static size_t separator(const struct scanner *sc, size_t i)
{
    static const char *const longer[] = { "||=", ":=", "=>", "?=", "+=" };
    static const char *const none[] = { "==", "=~", "=<", "::" };
    char next;

    if (i >= sc->s.len)
        return 0;
    for (size_t k = 0; k < ARRAY_LEN(none); k++)
        if (span_at(sc->s, i, none[k]))
            return 0;
    for (size_t k = 0; k < ARRAY_LEN(longer); k++)
        if (span_at(sc->s, i, longer[k]))
            return strlen(longer[k]);
    next = i + 1 < sc->s.len ? sc->s.text[i + 1] : '\n';
    if (sc->s.text[i] == '=')
        return 1;
    /* "host:port" inside of a value is no assignment, "host: port" and "host":5 are */
    if (sc->s.text[i] == ':' &&
        (isspace((unsigned char)next) || (i > 0 && strchr("\"'", sc->s.text[i - 1])) ||
         next == '"' || next == '\'' || sc->lang == LANG_JSON))
        return 1;
    return 0;
}

/* The end of a value that begins at i: at a comma, semicolon or closing bracket of its own level.
 */
static size_t end_of_value(const struct scanner *sc, size_t i)
{
    int depth = 0;

    while (i < sc->s.len) {
        char c = sc->s.text[i];
        if (scan_opens_string(sc->s, i)) {
            i = scan_skip_quoted(sc->s, i);
            continue;
        }
        if (strchr("([{", c))
            depth++;
        else if (strchr(")]}", c) && depth-- == 0)
            return i;
        else if (depth == 0 && (c == ',' || c == ';'))
            return i;
        i++;
    }
    return i;
}

static bool takes_whole_line(enum language lang)
{
    return lang == LANG_YAML || lang == LANG_ENV || lang == LANG_INI;
}

/* "db_host: str = "x"": what follows the type is the value. */
static size_t past_type(const struct scanner *sc, size_t i, size_t end)
{
    if (sc->lang != LANG_PYTHON && sc->lang != LANG_SLASH)
        return i;
    for (size_t k = i; k + 2 < end; k++) {
        char c = sc->s.text[k];
        if (scan_opens_string(sc->s, k) || c == '(' || c == '{')
            return i;
        if (c == '=' && sc->s.text[k + 1] != '=' && sc->s.text[k + 1] != '>' && k > i &&
            !strchr("=!<>", sc->s.text[k - 1]))
            return k + 1;
    }
    return i;
}

/* Is a name=value pair nested in these characters? Then they are looked into as well. */
static bool holds_pairs(struct diff_span value)
{
    return memchr(value.text, '(', value.len) || memchr(value.text, '{', value.len) ||
           memchr(value.text, '[', value.len);
}

static void scan_tokens(struct scanner *sc);

/* Pairs inside of a value ("new Pool({ host: "db" })") belong to the value's name. */
static void look_inside(struct scanner *sc, struct diff_span name, size_t start, size_t end)
{
    struct scanner inner = *sc;

    if (sc->depth >= SCAN_PARENTS_MAX)
        return;
    push(&inner, name);
    inner.listed = *(sc->s.text + start) == '[';
    inner.i = start;
    inner.s.len = end;
    scan_tokens(&inner);
}

static void take_bare(struct scanner *sc, struct diff_span token);

/* A value that is a NAME=VALUE pair itself, in a systemd unit. */
static bool takes_pair(const struct scanner *sc, struct diff_span value)
{
    size_t i = value.len > 0 && *value.text == '"';

    while (i < value.len && (isupper((unsigned char)value.text[i]) || value.text[i] == '_'))
        i++;
    return sc->lang == LANG_INI && i > 2 && i < value.len && value.text[i] == '=';
}

static void take_value(struct scanner *sc, struct diff_span key)
{
    bool line;
    size_t end;
    struct diff_span value;

    skip_blanks(sc);
    line = takes_whole_line(sc->lang) && sc->depth == 0 && sc->i < sc->s.len &&
           (!strchr("[{", sc->s.text[sc->i]) || span_at(sc->s, sc->i, "{{"));
    if (sc->lang == LANG_XML && sc->i < sc->s.len && strchr("\"'", sc->s.text[sc->i]))
        end = scan_skip_quoted(sc->s, sc->i);
    else
        end = line ? sc->s.len : end_of_value(sc, sc->i);
    value = span_trim(span_part(sc->s, past_type(sc, sc->i, end), end));
    if (value.len > 0 && (*value.text != '{' || line))
        emit(sc, key, value);
    if (takes_pair(sc, value))
        take_bare(sc, value); /* Environment="DB_HOST=db" */
    else if (value.len > 0 && (line ? span_has(value, " --") : holds_pairs(value)))
        look_inside(sc, key, (size_t)(value.text - sc->s.text), end);
    sc->i = end;
    if (value.len > 0 && strchr("([{", value.text[value.len - 1]))
        push(sc, key); /* goes on in the next lines: nothing follows here */
}

/* "setMaximumPoolSize(20)", "SetMaxOpenConns(25)", ".max_connections(5)": one plain argument. */
static void take_setter(struct scanner *sc, struct diff_span name)
{
    size_t end = end_of_value(sc, sc->i);
    struct diff_span argument = span_trim(span_part(sc->s, sc->i, end));
    bool closed = end < sc->s.len && sc->s.text[end] == ')';

    if (closed && !span_has(argument, "{") && !span_has(argument, "=>"))
        emit(sc, name, argument);
}

/* Strings by themselves: "DB_HOST=db", "--db-host=db", "postgres://..." as an argument. */
static void take_bare(struct scanner *sc, struct diff_span token)
{
    struct diff_span inner = token, none = { token.text, 0 };
    size_t name = 0;

    if (token.len >= 2 && strchr("\"'`", *token.text))
        inner = span_part(token, 1, token.len - (token.text[token.len - 1] == *token.text));
    while (inner.len > 0 && *inner.text == '-')
        inner = span_from(inner, 1);
    while (name < inner.len && is_name_char(inner.text[name]))
        name++;
    if (name > 0 && name + 1 < inner.len && inner.text[name] == '=' && inner.text[name + 1] != '=')
        emit(sc, span_part(inner, 0, name), span_from(inner, name + 1));
    else if (inner.len > 6 && (!sc->listed || span_has(inner, "://")))
        emit(sc, none, token);
}

static bool is_definition(struct diff_span before)
{
    static const char *const words[] = { "def",   "func",   "function", "fn",        "fun",
                                         "void",  "public", "private",  "protected", "static",
                                         "async", "sub",    "proc",     "defp" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (span_is(before, words[i]))
            return true;
    return false;
}

/* "config['host'] = ...": the name stands in brackets. Gives the place of the sign, or 0. */
static size_t sign_after_index(const struct scanner *sc, size_t i)
{
    if (i >= sc->s.len || sc->s.text[i] != ']')
        return 0;
    for (i++; i < sc->s.len && isspace((unsigned char)sc->s.text[i]);)
        i++;
    return separator(sc, i) > 0 ? i : 0;
}

/* After a name: an assignment, a call, a block, or nothing. */
static void after_name(struct scanner *sc, struct diff_span name, struct diff_span before)
{
    bool quoted = name.len >= 2 && strchr("\"'`", *name.text);
    struct diff_span bare = quoted ? span_part(name, 1, name.len - 1) : name;
    size_t sign = sc->i, indexed;

    while (sign < sc->s.len && isspace((unsigned char)sc->s.text[sign]))
        sign++;
    indexed = quoted ? sign_after_index(sc, sign) : 0;
    sign = indexed > 0 ? indexed : sign;
    if (separator(sc, sign) > 0 && bare.len > 0) {
        sc->i = sign + separator(sc, sign);
        take_value(sc, bare);
    } else if (sc->i < sc->s.len && sc->s.text[sc->i] == '(' && !quoted) {
        sc->i++;
        if (!is_definition(before))
            take_setter(sc, name);
        push(sc, name);
    } else if (sign < sc->s.len && strchr("{[", sc->s.text[sign])) {
        sc->i = sign + 1;
        push(sc, bare);
    } else if (quoted) {
        take_bare(sc, name);
    }
}

static size_t word_length(struct diff_span s)
{
    size_t n = 0;

    while (n < s.len && !isspace((unsigned char)s.text[n]))
        n++;
    return n;
}

/* HAProxy, nginx: "server pg1 10.0.0.1:5432 check" */
static void take_server(struct scanner *sc, struct diff_span rest)
{
    struct diff_span name = span_part(rest, 0, word_length(rest)), address;

    rest = span_trim(span_from(rest, name.len));
    address = rest.len > 0 ? span_part(rest, 0, word_length(rest)) : name;
    push(sc, name);
    emit(sc, (struct diff_span){ "server", 6 }, address);
    sc->depth--;
    sc->i = sc->s.len;
}

/* "--max-connections 200", "ENV DB_HOST db", "maxconn 100" */
static bool take_spaced(struct scanner *sc, struct diff_span name)
{
    struct diff_span rest = span_trim(span_from(sc->s, sc->i)), value;
    bool flag = name.len > 3 && span_at(name, 0, "--");
    bool first =
        (sc->lang == LANG_INI || sc->lang == LANG_ENV) && sc->depth == 0 && name.text == sc->s.text;

    if (rest.len == 0 || strchr("=:({[-,;)", *rest.text) || !(flag || first) ||
        !isspace((unsigned char)sc->s.text[sc->i]))
        return false;
    value = span_part(rest, 0, word_length(rest));
    if (memchr(value.text, '=', value.len) && !span_is(name, "server"))
        return false;
    if (!flag && span_is(name, "server")) {
        take_server(sc, rest);
        return true;
    }
    emit(sc, flag ? span_from(name, 2) : name, value);
    sc->i = flag ? (size_t)(value.text - sc->s.text) + value.len : sc->s.len;
    return true;
}

static bool begins_name(const struct scanner *sc)
{
    char c = sc->s.text[sc->i], next = sc->i + 1 < sc->s.len ? sc->s.text[sc->i + 1] : ' ';

    return is_name_char(c) && !(c == '-' && isspace((unsigned char)next));
}

static void scan_tokens(struct scanner *sc)
{
    struct diff_span before = { sc->s.text, 0 };

    while (sc->i < sc->s.len && sc->out->n < SCAN_MAX) {
        size_t start = sc->i;
        if (scan_opens_string(sc->s, start)) {
            sc->i = scan_skip_quoted(sc->s, start);
        } else if (begins_name(sc)) {
            while (sc->i < sc->s.len &&
                   (is_name_char(sc->s.text[sc->i]) || sc->s.text[sc->i] == '/'))
                sc->i++;
        } else {
            if (strchr(")]}", sc->s.text[start]))
                sc->depth -= sc->depth > 0;
            else if (strchr("([{", sc->s.text[start]))
                push(sc, before);
            if (!isspace((unsigned char)sc->s.text[start]))
                before.len = 0; /* what it opened has its name already */
            sc->i++;
            continue;
        }
        struct diff_span name = span_part(sc->s, start, sc->i);
        if (!take_spaced(sc, name))
            after_name(sc, name, before);
        before = sc->i > 0 && strchr("([{", sc->s.text[sc->i - 1]) ? span_part(name, 0, 0) : name;
    }
}

/* XML: attributes are name="value" pairs, an element's text is its value. */
static void scan_xml(struct scanner *sc)
{
    const char *lt = memchr(sc->s.text, '<', sc->s.len), *gt, *close;
    struct diff_span tag, text;
    size_t n = 0;

    scan_tokens(sc);
    if (!lt)
        return;
    gt = memchr(lt, '>', sc->s.len - (size_t)(lt - sc->s.text));
    if (!gt || gt[-1] == '/')
        return;
    text = span_from(sc->s, (size_t)(gt + 1 - sc->s.text));
    close = memchr(text.text, '<', text.len);
    text.len = close ? (size_t)(close - text.text) : text.len;
    tag = (struct diff_span){ lt + 1, (size_t)(gt - lt - 1) };
    while (n < tag.len && !isspace((unsigned char)tag.text[n]))
        n++;
    sc->depth = 0;
    for (size_t i = 0; i < sc->out->n; i++) {
        if (span_is(sc->out->items[i].key, "name") || span_is(sc->out->items[i].key, "key")) {
            struct diff_span named = sc->out->items[i].value;
            emit(sc, named.len > 2 ? span_part(named, 1, named.len - 1) : named, text);
            return;
        }
    }
    emit(sc, span_part(tag, 0, n), text);
}

/* { name = "DB_HOST", value = "db" }: the value belongs to the name. */
static void join_name_and_value(struct scan *scan)
{
    struct diff_span name = { "", 0 };

    for (size_t i = 0; i < scan->n; i++) {
        struct assignment *a = &scan->items[i];
        if ((span_starts_with(a->key, "name") && a->key.len == 4) ||
            (span_starts_with(a->key, "key") && a->key.len == 3))
            name = a->value.len > 2 && strchr("\"'", *a->value.text)
                       ? span_part(a->value, 1, a->value.len - 1)
                       : a->value;
        if (name.len > 0 &&
            ((span_starts_with(a->key, "value") && a->key.len == 5) || span_is(a->key, "default")))
            a->key = name;
    }
}

bool scan_is_mention(enum language lang, struct diff_span code)
{
    static const char *const starts[] = {
        "import ",  "from ",    "using ",     "use ",       "require ",   "require(", "#include",
        "include ", "package ", "namespace ", "log.",       "logger.",    "console.", "print(",
        "println",  "printf",   "fmt.Print",  "logging.",   "slog.",      "assert",   "raise ",
        "throw ",   "echo ",    "puts ",      "return err", "System.out", "export *", "export {",
        "} from ",  "alias ",   "_logger.",   "Log.",       "self.log"
    };

    if (lang != LANG_HASH && lang != LANG_PYTHON && lang != LANG_SLASH && lang != LANG_PHP)
        return false;
    if (code.len > 0 && *code.text == '@' && !span_starts_with(code, "@Value("))
        return true; /* a decorator */
    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (code.len > 0 && *code.text == *starts[i] && span_at(code, 0, starts[i]))
            return true;
    return span_has(code, "require('") || span_has(code, "require(\"");
}

void scan_line(enum language lang, struct diff_span code, struct scan *ret)
{
    struct scanner sc = { .lang = lang, .s = code, .out = ret };

    ret->n = 0;
    if (code.len == 0 || scan_is_mention(lang, code))
        return;
    if (code.len > SCAN_MAX_LINE)
        sc.s.len = SCAN_MAX_LINE;
    if (lang == LANG_YAML && code.len > 2 && span_at(code, 0, "- "))
        sc.s = span_trim(span_from(sc.s, 2));
    if (lang == LANG_ENV && (span_starts_with(code, "export ") || span_starts_with(code, "env ") ||
                             span_starts_with(code, "arg ")))
        sc.s = span_trim(span_from(sc.s, code.text[2] == 'p' ? 7 : 4));
    if (lang == LANG_XML)
        scan_xml(&sc);
    else
        scan_tokens(&sc);
    /* "- 10.0.0.5:5432": an item of a list without quotes */
    if (lang == LANG_YAML && ret->n == 0 && sc.s.text != code.text && sc.s.len > 3)
        ret->items[ret->n++] = (struct assignment){ .key = { "", 0 }, .value = sc.s };
    join_name_and_value(ret);
}

/* Up to the brackets of a definition's or a call's arguments: they are no part of its name. */
void scan_block_words(struct diff_span code, struct words *ret)
{
    size_t end = 0;

    while (end < code.len && code.text[end] != '(' && code.text[end] != '{' &&
           code.text[end] != '[')
        end++;
    if (end < code.len && code.text[end] == '[') /* an INI section, a Ruby or PHP list */
        end = end == 0 ? code.len : end;
    words_add(span_part(code, 0, end), ret);
}
