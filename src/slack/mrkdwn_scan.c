#include "mrkdwn_scan.h"

#include <ctype.h>
#include <string.h>

#include "dbconn/base/clock.h"

/* How much of `s` has the form `pattern`, where 0 stands for a digit; 0 unless all of it. */
static size_t match(const char *s, const char *pattern)
{
    size_t i;

    for (i = 0; pattern[i]; i++) {
        bool fits = pattern[i] == '0' ? isdigit((unsigned char)s[i]) != 0 : s[i] == pattern[i];
        if (!fits)
            return 0;
    }
    return i;
}

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == ':' || c == '_';
}

size_t time_in_text(const char *s, size_t at, int64_t *ret_ms, bool *ret_seconds)
{
    struct buf iso = BUF_INIT;
    const char *t = s + at;
    size_t n = match(t, "0000-00-00 00:00"), zone;
    bool found;

    if (n == 0)
        n = match(t, "0000-00-00T00:00");
    if (n == 0 || (at > 0 && word_char(s[at - 1])))
        return 0;
    *ret_seconds = match(t + n, ":00") > 0;
    n += match(t + n, ":00");
    if (*ret_seconds && t[n] == '.' && isdigit((unsigned char)t[n + 1])) {
        for (n++; isdigit((unsigned char)t[n]);)
            n++;
    }
    zone = match(t + n, " UTC") + match(t + n, "Z");
    if (zone == 0 || word_char(t[n + zone]))
        return 0;
    buf_add(&iso, t, n);
    buf_adds(&iso, *ret_seconds ? "Z" : ":00Z");
    found = time_parse_iso(buf_str(&iso), ret_ms) && *ret_ms >= 0;
    buf_clear(&iso);
    return found ? n + zone : 0;
}

size_t command_in_text(const char *s, size_t at)
{
    size_t n = s[at] == '`' ? strcspn(s + at + 1, "`\n") : 0;
    const char *inside = s + at + 1;

    if (n == 0 || inside[n] != '`' || inside[n + 1] == '`' || (at > 0 && s[at - 1] == '`'))
        return 0;
    return inside[0] == ' ' || inside[n - 1] == ' ' ? 0 : n + 2;
}
