#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "dbconn/slack/mrkdwn.h"

#define HAIR "\xE2\x80\x8A"

typedef void format_fn(struct buf *out, const char *s, size_t max);

struct row {
    const char *in, *out;
};

static void check_rows(format_fn *fn, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct buf out = BUF_INIT;
        fn(&out, rows[i].in, 3000);
        assert_string_equal(buf_str(&out), rows[i].out);
        buf_clear(&out);
    }
}

static void text_is_escaped_and_disarmed(void **state)
{
    static const struct row rows[] = {
        { NULL, "" },
        { "", "" },
        { "plain text", "plain text" },
        { "<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;" },
        { "&lt;!here&gt;", "&amp;lt;!here&amp;gt;" },
        { "*bold*", "*" HAIR "bold*" },
        { "a*b*c my_db_name ~", "a*b*c my_db_name ~" },
        { "SELECT * FROM t", "SELECT * FROM t" },
        { "_a_ ~b~", "_" HAIR "a_ ~" HAIR "b~" },
        { "`x` ```y", "'x' '''y" },
        { "> quoted", "› quoted" },
        { "a > b", "a &gt; b" },
        { ":skull: ok", ":" HAIR "skull: ok" },
        { "at 10:02:58 on [fe80::a:b:1]:5432", "at 10:02:58 on [fe80::a:b:1]:5432" },
        { "two\nlines\tand  more", "two lines and more" },
        { "a\xE2\x80\xAE"
          "b\xE2\x80\x8B"
          "c\x01"
          "d",
          "abcd" },
        { "bad \xFF byte", "bad \xEF\xBF\xBD byte" },
    };

    (void)state;
    check_rows(mrkdwn_text, rows, ARRAY_LEN(rows));
}

static void code_holds_any_text(void **state)
{
    static const struct row rows[] = {
        { NULL, "" },
        { "", "" },
        { "a_b *c*", "`a_b *c*`" },
        { "`` ` ``", "`'' ' ''`" },
        { "<a&b>", "`&lt;a&amp;b&gt;`" },
        { "a\nb", "`a b`" },
    };
    static const struct row blocks[] = {
        { "", "" },
        { "a\nb ``` c", "```\na\nb ''' c\n```" },
    };

    (void)state;
    check_rows(mrkdwn_code, rows, ARRAY_LEN(rows));
    check_rows(mrkdwn_code_block, blocks, ARRAY_LEN(blocks));
}

static void times_in_sentences_show_the_readers_zone(void **state)
{
    static const struct row rows[] = {
        { "since 2026-08-18 10:02 UTC.",
          "since <!date^1787047320^{date_short_pretty} {time}|2026-08-18 10:02 UTC>." },
        { "at 2026-08-18T10:02:58.114Z, twice",
          "at <!date^1787047378^{date_short_pretty} {time_secs}|2026-08-18T10:02:58.114Z>, twice" },
        { "2026-08-18 10:02", "2026-08-18 10:02" },
        { "x2026-08-18 10:02 UTC", "x2026-08-18 10:02 UTC" },
        { "2026-08-18 10:02 UTCX", "2026-08-18 10:02 UTCX" },
        { "2026-99-18 10:02 UTC", "2026-99-18 10:02 UTC" },
        { "1900-01-01 00:00 UTC", "1900-01-01 00:00 UTC" },
        { "run `pg_isready -h <db>` now", "run `pg_isready -h &lt;db&gt;` now" },
        { "one ` alone, two `` and ```", "one ' alone, two '' and '''" },
    };

    (void)state;
    check_rows(mrkdwn_sentence, rows, ARRAY_LEN(rows));
}

static void bold_is_not_ended_by_the_text(void **state)
{
    static const struct row rows[] = {
        { "", "" },
        { "do this", "*do this*" },
        { "a* b *c", "*a∗ b ∗c*" },
        { "<!here>", "*&lt;!here&gt;*" },
    };

    (void)state;
    check_rows(mrkdwn_bold, rows, ARRAY_LEN(rows));
}

static void a_cut_leaves_whole_characters_and_entities(void **state)
{
    static const char text[] = "aä<€😀&b c`d`2026-08-18 10:02 UTC e";
    format_fn *const all[] = { mrkdwn_text, mrkdwn_sentence, mrkdwn_bold,
                               mrkdwn_code, plain_text,      plain_lines };

    (void)state;
    for (size_t f = 0; f < ARRAY_LEN(all); f++) {
        for (size_t max = 0; max < 150; max++) {
            struct buf out = BUF_INIT;
            all[f](&out, text, max);
            assert_true(out.len <= max);
            assert_true(text_is_utf8(buf_str(&out), out.len));
            for (const char *amp = strchr(buf_str(&out), '&');
                 amp && all[f] != plain_text && all[f] != plain_lines; amp = strchr(amp + 1, '&'))
                assert_true(text_starts(amp, "&amp;") || text_starts(amp, "&lt;"));
            const char *token = strstr(buf_str(&out), "<!date");
            assert_true(!token || strchr(token, '>'));
            buf_clear(&out);
        }
    }
}

static void what_was_cut_ends_in_an_ellipsis(void **state)
{
    struct buf out = BUF_INIT;

    (void)state;
    mrkdwn_text(&out, "0123456789", 8);
    assert_string_equal(buf_str(&out), "01234…");
    buf_reset(&out);
    mrkdwn_text(&out, "01234567", 8);
    assert_string_equal(buf_str(&out), "01234567");
    buf_clear(&out);
}

static void very_long_words_are_broken(void **state)
{
    char word[1000];
    struct buf out = BUF_INIT;

    (void)state;
    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    mrkdwn_text(&out, word, 3000);
    for (const char *p = buf_str(&out); *p; p += strcspn(p, " ") + (p[strcspn(p, " ")] != '\0'))
        assert_true(strcspn(p, " ") <= MRKDWN_WORD_MAX);
    buf_clear(&out);
}

static void only_safe_urls_become_links(void **state)
{
    static const struct {
        const char *url;
        bool allowed;
    } rows[] = {
        { "https://sentry.io/issues/1/", true },
        { "https://sentry.io/issues/1/?a=b&c=d#e", true },
        { "http://127.0.0.1:9000/issues/1/", true },
        { "http://[::1]:9000/", true },
        { "http://sentry.io/", false },
        { "javascript:alert(1)", false },
        { "ftp://sentry.io/", false },
        { "//sentry.io/", false },
        { "https://user:pw@sentry.io/", false },
        { "https://good.example\\@evil.example/", false },
        { "https://a.example/ b", false },
        { "https://a.example/\n", false },
        { "https:///nothing", false },
        { "", false },
        { NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (link_allowed(rows[i].url) != rows[i].allowed)
            fail_msg("%s", rows[i].url);
    }
}

static void links_cannot_be_forged(void **state)
{
    struct buf out = BUF_INIT;

    (void)state;
    mrkdwn_link(&out, "https://a.example/x|y>z?a=1&b=\"2\"", "la|bel<!here>", 100);
    assert_string_equal(buf_str(&out), "<https://a.example/x%7Cy%3Ez?a=1&amp;b=%222%22|"
                                       "la|bel&lt;!here&gt;>");
    buf_reset(&out);
    mrkdwn_link(&out, "javascript:x", "label", 100);
    assert_string_equal(buf_str(&out), "label");
    buf_reset(&out);
    mrkdwn_link(&out, "https://a.example/x", NULL, 100);
    assert_string_equal(buf_str(&out), "<https://a.example/x|a.example>");
    buf_clear(&out);
}

static void links_are_called_by_what_they_lead_to(void **state)
{
    static const struct row rows[] = {
        { "https://acme.sentry.io/issues/123/", "Sentry issue" },
        { "https://sentry.io/organizations/a/issues/123/events/latest/", "Sentry event" },
        { "https://errors.acme.example/issues/123/", "Sentry issue on errors.acme.example" },
        { "https://github.com/a/b/pull/412/files", "pull request #412" },
        { "https://github.com/a/b/commit/9f86d081884c", "commit 9f86d08" },
        { "https://git.acme.example/a/b/pull/4", "pull request #4 on git.acme.example" },
        { "https://evil.example/pull/x", "evil.example" },
        { "https://notsentry.io/issues/1/", "Sentry issue on notsentry.io" },
        { "http://127.0.0.1:9000/x", "127.0.0.1:9000" },
    };

    (void)state;
    check_rows(link_label, rows, ARRAY_LEN(rows));
}

static void only_a_well_formed_id_is_a_mention(void **state)
{
    static const struct {
        const char *id;
        bool valid;
    } rows[] = {
        { "U0AB12", true },   { "W0AB12", true }, { "U", false },      { "u0ab12", false },
        { "C0AB12", false },  { "U1|x", false },  { "U1><!x", false }, { "!here", false },
        { "U0AB12 ", false }, { "", false },      { NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = BUF_INIT;
        assert_int_equal(mrkdwn_user(&out, rows[i].id), rows[i].valid);
        assert_int_equal(out.len > 0, rows[i].valid);
        buf_clear(&out);
    }
}

static void a_time_that_is_not_known_is_said(void **state)
{
    struct buf out = BUF_INIT;

    (void)state;
    mrkdwn_date(&out, TIME_UNKNOWN);
    assert_string_equal(buf_str(&out), "an unknown time");
    buf_clear(&out);
}

/* A generator of nasty text: pieces that act in mark-up, glued at random (xorshift, fixed seed). */
static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void make_nasty(uint32_t *seed, struct buf *out)
{
    static const char *const pieces[] = {
        "<",
        ">",
        "&",
        "|",
        "`",
        "```",
        "*",
        "_",
        "~",
        ":",
        "<!channel>",
        "<@U",
        "<#",
        "<!date^1^",
        "\n",
        " ",
        "x",
        "&lt;",
        "\xE2\x80\xAE",
        "\xFF",
        "😀",
        "\\",
        "@",
        "https://",
        ":skull: ",
        "!here",
        "&amp;",
        "e\xCC\x81",
        "\xE2\x80\x8B",
        "\x01",
        "<https://a|b>",
        "^",
    };

    for (uint32_t n = next_random(seed) % 40; n > 0; n--)
        buf_adds(out, pieces[next_random(seed) % ARRAY_LEN(pieces)]);
}

static bool entity_at(const char *s)
{
    return text_starts(s, "&amp;") || text_starts(s, "&lt;") || text_starts(s, "&gt;");
}

static void no_hostile_text_comes_out_active(void **state)
{
    format_fn *const all[] = { mrkdwn_text, mrkdwn_sentence, mrkdwn_bold, mrkdwn_code,
                               mrkdwn_code_block };
    uint32_t seed = 2463534242u;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct buf nasty = BUF_INIT, out = BUF_INIT;
        make_nasty(&seed, &nasty);
        format_fn *fn = all[(size_t)round % ARRAY_LEN(all)];
        fn(&out, buf_str(&nasty), next_random(&seed) % 200);
        for (const char *p = buf_str(&out); *p; p++) {
            assert_true(*p != '<' && *p != '>');
            assert_true(*p != '&' || entity_at(p));
        }
        if (fn == mrkdwn_text)
            assert_null(strchr(buf_str(&out), '`'));
        if (fn != mrkdwn_code_block)
            assert_null(strstr(buf_str(&out), "``"));
        assert_null(strstr(buf_str(&out), "\xE2\x80\xAE"));
        assert_null(strstr(buf_str(&out), "\xE2\x80\x8B"));
        assert_true(text_is_utf8(buf_str(&out), out.len));
        buf_clear(&nasty);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped_and_disarmed),
        cmocka_unit_test(code_holds_any_text),
        cmocka_unit_test(times_in_sentences_show_the_readers_zone),
        cmocka_unit_test(bold_is_not_ended_by_the_text),
        cmocka_unit_test(a_cut_leaves_whole_characters_and_entities),
        cmocka_unit_test(what_was_cut_ends_in_an_ellipsis),
        cmocka_unit_test(very_long_words_are_broken),
        cmocka_unit_test(only_safe_urls_become_links),
        cmocka_unit_test(links_cannot_be_forged),
        cmocka_unit_test(links_are_called_by_what_they_lead_to),
        cmocka_unit_test(only_a_well_formed_id_is_a_mention),
        cmocka_unit_test(a_time_that_is_not_known_is_said),
        cmocka_unit_test(no_hostile_text_comes_out_active),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
