/* What a text must hold for a regular expression to match it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../src/analysis/failure_private.h"

static void a_regular_expression_needs_its_longest_plain_stretches(void **state)
{
    static const struct {
        const char *regex, *needs; /* with | between them; "": nothing is known */
    } cases[] = {
        { "connection refused", "connection refused" },
        { "no pg_hba\\.conf entry for [^\\n]*", "conf entry for " },
        { "getaddrinfo|ENOTFOUND|EAI_[A-Z]+", "getaddrinfo|ENOTFOUND|EAI_" },
        { "\\bresolv(?:e|ing) (?:error|failed)", "resolv" },
        { "(?:error|failed) to", "error|failed" },
        { "(?<host>abc|def)\\d", "abc|def" },
        { "(ab(cde|fgh)|ijk)+", "cde|fgh|ijk" },
        { "(?!abcdef)(?<!abcdef)(?=abcdef)(?<=abcdef)xyz", "xyz" },
        { "base de données|donn", "base de donn|donn" },
        { "\xE6\x95\xB0\xE6\x8D\xAE|db\xC3\xA9", "beyond ASCII|beyond ASCII" },
        { "\xC3\xA9?", "" },
        { "colou?r of it", "r of it" },
        { "abcd*ef", "abc" },
        { "abcd{2}ef", "abc" },
        { "abcd+ef", "abcd" },
        { "[Cc]onnection", "onnection" },
        { "[]abcdef]xyz", "xyz" },
        { "[^\\]abcdef]xyz", "xyz" },
        { "(?:abcdef)?xyz", "xyz" },
        { "(a(bcdef|ghi[)j])klm)*xyz", "xyz" },
        { "(?-i:abc)defg", "defg" },
        /* With one alternative that needs nothing, nothing is needed. */
        { "timed out|\\d+", "" },
        { "timed out|ab", "" },
        { "(?:abc|\\d)", "" },
        { "a.b.c", "" },
        { "", "" },
        /* What is not understood. */
        { "(?i)abcdef", "" },
        { "(*UCP)abcdef", "" },
        { "\\Qab|cd\\Eef", "" },
        { "\\x{41}bcdef", "" },
        { "\\p{Lu}bcdef", "" },
        { "(?<n>a)\\k<name>", "" },
        { "[[:alpha:]]abcdef", "" },
        { "abcdef)", "" },
        { "(abcdef", "" },
        { "[abcdef", "" },
        { "abcdef\\", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct failure_need needs[FAILURE_MAX_NEEDS];
        struct buf got = BUF_INIT;
        size_t n = failure_needs_read(cases[i].regex, needs);

        for (size_t k = 0; k < n; k++)
            buf_addf(&got, "%s%.*s", k ? "|" : "", needs[k].len ? needs[k].len : 12,
                     needs[k].len ? cases[i].regex + needs[k].at : "beyond ASCII");
        assert_string_equal(buf_str(&got), cases[i].needs);
        buf_clear(&got);
    }
}

static bool reads_as_refused(struct failure_reader *r, const char *text)
{
    struct failure f;

    failure_read(r, &(struct failure_exception){ .value = text }, &f);
    bool refused = f.kind == FAILURE_CONNECTION_REFUSED;
    failure_clear(&f);
    return refused;
}

/* Without regard to case the sign of Kelvin is a k and the long s an s. */
static void letters_that_only_pcre_takes_for_others_still_match(void **state)
{
    struct failure_reader *r = failure_reader_new();

    (void)state;
    assert_true(reads_as_refused(r, "no listener on port 5432"));
    assert_true(reads_as_refused(r, "NO LISTENER on port 5432"));
    assert_true(reads_as_refused(r, "no li\xC5\xBFtener on port 5432"));
    assert_false(reads_as_refused(r, "no list of ports"));
    failure_reader_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_regular_expression_needs_its_longest_plain_stretches),
        cmocka_unit_test(letters_that_only_pcre_takes_for_others_still_match),
    };

    return cmocka_run_group_tests_name("what a pattern needs", tests, NULL, NULL);
}
