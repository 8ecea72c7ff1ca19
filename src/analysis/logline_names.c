#include "logline_names.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_';
}

static bool is_ipv4(const char *s, size_t len)
{
    int parts = 0, value = -1;

    for (size_t i = 0; i <= len; i++) {
        if (i < len && isdigit((unsigned char)s[i])) {
            value = (value < 0 ? 0 : value) * 10 + (s[i] - '0');
            if (value > 255)
                return false;
        } else if (i == len || s[i] == '.') {
            if (value < 0)
                return false;
            parts++;
            value = -1;
        } else {
            return false;
        }
    }
    return parts == 4;
}

/* Hexadecimal groups with colons: "::1", "fd00::12:5". Times like "10:02:58" have no letter and no
 * double colon. */
static size_t ipv6_length(const char *s, const char *end)
{
    size_t n = 0, colons = 0;
    bool doubled = false, letter = false;

    while (s + n < end && (isxdigit((unsigned char)s[n]) || s[n] == ':')) {
        if (s[n] == ':') {
            colons++;
            doubled = doubled || (n > 0 && s[n - 1] == ':');
        }
        letter = letter || isalpha((unsigned char)s[n]);
        n++;
    }
    while (n > 0 && s[n - 1] == ':' && !(n > 1 && s[n - 2] == ':'))
        n--;
    if (n > 39 || colons < 2 || !(doubled || (letter && colons == 7)) ||
        (s + n < end && is_name_char(s[n])))
        return 0;
    return n;
}

/* The port behind a name: ":5432", "(5432)", "#53", ", port 5432", " port 5432", "/5432" */
static int port_after(const char *s, const char *end)
{
    int port = 0;

    if (s < end && (*s == '"' || *s == '\'' || *s == ']' || *s == ')'))
        s++;
    if (end - s > 7 && strncasecmp(s, ", port ", 7) == 0)
        s += 7;
    else if (end - s > 6 && strncasecmp(s, " port ", 6) == 0)
        s += 6;
    else if (end - s > 6 && strncasecmp(s, " DPT=", 5) == 0)
        s += 5;
    else if (end - s > 3 && strncmp(s, "', ", 3) == 0)
        s += 3;
    else if (s + 1 < end && strchr(":(#/", *s) && isdigit((unsigned char)s[1]))
        s++;
    else if (s + 2 < end && s[0] == ',' && s[1] == ' ' && isdigit((unsigned char)s[2]))
        s += 2;
    else
        return 0;
    if (s >= end || !isdigit((unsigned char)*s))
        return 0;
    for (; s < end && isdigit((unsigned char)*s) && port < 100000; s++)
        port = port * 10 + (*s - '0');
    if (s < end && (*s == '.' || isalpha((unsigned char)*s)) &&
        !(s + 1 >= end || isspace((unsigned char)s[1])))
        return 0;
    return port <= 65535 ? port : 0;
}

struct word {
    const char *text; /* lower case */
    size_t len;
};
#define WORD(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

/* Does the text before `s` end with one of these words, whatever quotes and signs stand between? */
static bool follows_any(const char *start, const char *s, const struct word *words, size_t n)
{
    while (s > start && strchr(" =:\"'(/[<@", s[-1]))
        s--;
    if (s == start)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *word = words[i].text;
        size_t len = words[i].len;
        if (word[len - 1] != tolower((unsigned char)s[-1]) || (size_t)(s - start) < len ||
            strncasecmp(s - len, word, len) != 0)
            continue;
        if ((size_t)(s - start) == len || !isalnum((unsigned char)s[-(ptrdiff_t)len - 1]) ||
            !isalnum((unsigned char)*word))
            return true;
    }
    return false;
}

/* Words that say that a host comes next, even one without dots and dashes. */
static bool is_announced(const char *start, const char *s)
{
    static const struct word words[] = {
        WORD("host"),      WORD("server"),    WORD("hostname"),    WORD("pod"),     WORD("node"),
        WORD("instance"),  WORD("machine"),   WORD("endpoint"),    WORD("primary"), WORD("leader"),
        WORD("master"),    WORD("standby"),   WORD("replica"),     WORD("backend"), WORD("member"),
        WORD("server on"), WORD("server at"), WORD("resolves to"),
    };

    return follows_any(start, s, words, ARRAY_LEN(words));
}

static enum mention_role role_of(const char *start, const char *s, bool address)
{
    static const struct word clients[] = {
        WORD("src"),  WORD("client"), WORD("from"), WORD("srcip"),     WORD("source"),
        WORD("user"), WORD("remote"), WORD("c-"),   WORD("client_ip"),
    };
    static const struct word servers[] = {
        WORD("dst"),          WORD("dial tcp"),      WORD("server at"),
        WORD("server on"),    WORD("dstip"),         WORD("connect to"),
        WORD("econnrefused"), WORD("etimedout"),     WORD("econnreset"),
        WORD("ehostunreach"), WORD("enetunreach"),   WORD("listener for"),
        WORD("upstream"),     WORD("destination"),   WORD("failed to connect to"),
        WORD("server to"),    WORD("connection to"), WORD("to host"),
        WORD("on host"),      WORD("the host"),      WORD("connect call failed"),
        WORD("listening on"), WORD("address"),       WORD("clusterip"),
    };

    if (follows_any(start, s, clients, ARRAY_LEN(clients)))
        return MENTION_CLIENT;
    if (follows_any(start, s, servers, ARRAY_LEN(servers)))
        return MENTION_SERVER;
    return address ? MENTION_ADDRESS : MENTION_NAME;
}

/* Versions, file names, times and the like look like names with dots. */
static bool is_host_name(const char *start, const char *s, size_t len, bool announced)
{
    static const char *const endings[] = { ".py",  ".js",      ".go",   ".java", ".rb",   ".php",
                                           ".cs",  ".log",     ".conf", ".yml",  ".yaml", ".json",
                                           ".sql", ".service", ".sock", ".c",    ".cc",   ".cpp",
                                           ".ts",  ".mdf",     ".ibd",  ".pid",  ".cnf",  ".ini",
                                           ".css", ".html",    ".so" };
    bool letter = false, sign = false, digit = false, upper_start = isupper((unsigned char)*s) != 0;

    if (len < 2 || len > 253 || *s == '-' || *s == '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        letter = letter || isalpha((unsigned char)s[i]);
        digit = digit || isdigit((unsigned char)s[i]);
        sign = sign || s[i] == '.' || s[i] == '-';
        if (s[i] == '.' && i + 1 < len && s[i + 1] == '.')
            return false;
    }
    const char *dot = memrchr(s, '.', len);
    for (size_t i = 0; dot > s && i < ARRAY_LEN(endings); i++) {
        size_t n = strlen(endings[i]);
        if ((size_t)(s + len - dot) == n && memcmp(dot, endings[i], n) == 0)
            return false;
    }
    /* "java.net.ConnectException": a class; "v1.2", "2026-08-18T10": no names */
    for (size_t i = 0; i + 1 < len; i++)
        if (s[i] == '.' && isupper((unsigned char)s[i + 1]))
            return false;
    /* "host=pg1" and "server 'db'", but not "server at" */
    if (!sign && announced)
        announced = digit || (s > start && strchr("=\"'/:", s[-1]));
    if (!letter || (!sign && !announced) || (upper_start && !announced && !memchr(s, '-', len)))
        return false;
    return !(isdigit((unsigned char)*s) && !announced && !isalpha((unsigned char)s[len - 1]) &&
             memchr(s, '-', len) == NULL);
}

static bool take_address(const char **at, const char *end, struct log_mention *ret)
{
    const char *s = *at;
    size_t n = 0;

    if (*s == '[' && s + 1 < end)
        s++;
    n = ipv6_length(s, end);
    if (n > 4 && strncmp(s, "::1:", 4) == 0)
        n = 3; /* Node.js writes the port behind it without brackets */
    if (n == 0) {
        if (s != *at)
            return false;
        while (s + n < end && (isdigit((unsigned char)s[n]) || s[n] == '.'))
            n++;
        while (n > 0 && s[n - 1] == '.')
            n--;
        if (!is_ipv4(s, n) ||
            (s + n < end && (isalpha((unsigned char)s[n]) || s[n] == '-' || s[n] == '_')))
            return false;
    }
    *ret = (struct log_mention){ .text = s, .len = n, .address = true };
    *at = s + n;
    return true;
}

bool logline_next_name(const char **at, const char *end, struct log_mention *ret)
{
    const char *start = *at;

    while (*at < end) {
        const char *s = *at;
        bool begins = s == start || !is_name_char(s[-1]);
        if (begins && (isxdigit((unsigned char)*s) || *s == ':' || *s == '[') &&
            take_address(at, end, ret)) {
            ret->port = port_after(*at, end);
            ret->role = role_of(start, s, true);
            return true;
        }
        if (!begins || !isalnum((unsigned char)*s)) {
            (*at)++;
            continue;
        }
        size_t n = 0;
        while (s + n < end && is_name_char(s[n]))
            n++;
        *at = s + n;
        while (n > 0 && (s[n - 1] == '.' || s[n - 1] == '-'))
            n--;
        if (!is_host_name(start, s, n, is_announced(start, s)))
            continue;
        *ret = (struct log_mention){ .text = s, .len = n, .port = port_after(s + n, end) };
        ret->role = role_of(start, s, false);
        return true;
    }
    return false;
}

static bool is_month(const char *s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (size_t i = 0; i < sizeof(months) - 1; i += 3)
        if (strncmp(s, months + i, 3) == 0)
            return true;
    return false;
}

static const char *past_blanks(const char *s)
{
    while (*s == ' ')
        s++;
    return s;
}

static const char *past_word(const char *s)
{
    while (*s && *s != ' ')
        s++;
    return s;
}

/* "systemd[1]: ...", "kernel: ...": what is left where a shipper took time and host away. Of others
 * a first word with a colon may be anything. */
static void read_bare_program(const char *message, struct syslog_prefix *ret)
{
    size_t n = strcspn(message, "[: ");
    const char *s = message + n;

    if (!(n == 6 && strncmp(message, "kernel", n) == 0) &&
        !(n >= 7 && strncmp(message, "systemd", 7) == 0))
        return;
    if (*s == '[')
        s += 1 + strspn(s + 1, "0123456789") + 1;
    if (s[-1] != ']' && s != message + n)
        return;
    if (s[0] != ':' || s[1] != ' ')
        return;
    ret->program = message;
    ret->program_len = n;
    ret->text = past_blanks(s + 1);
}

void syslog_prefix_read(const char *message, struct syslog_prefix *ret)
{
    const char *s = message, *colon;

    *ret = (struct syslog_prefix){ .text = message };
    if (*s == '<' && strchr(s, '>') && strchr(s, '>') - s < 6)
        s = strchr(s, '>') + 1;
    if (is_month(s) && s[3] == ' ') {
        s = past_word(past_blanks(past_word(past_blanks(s + 3)))); /* day, time */
    } else if (strlen(s) > 19 && s[4] == '-' && s[10] == 'T' && isdigit((unsigned char)*s)) {
        s = past_word(s); /* RFC 3339, as rsyslog and journalctl write it */
    } else {
        read_bare_program(message, ret);
        return;
    }
    s = past_blanks(s);
    ret->host = s;
    s = past_word(s);
    ret->host_len = (size_t)(s - ret->host);
    s = past_blanks(s);
    colon = strchr(s, ':');
    if (!colon || colon - s > 64 || memchr(s, ' ', (size_t)(colon - s))) {
        *ret = (struct syslog_prefix){ .text = message };
        return;
    }
    ret->program = s;
    while (s < colon && *s != '[')
        s++;
    ret->program_len = (size_t)(s - ret->program);
    ret->text = past_blanks(colon + 1);
}
