#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dbconn/analysis/diff.h"
#include "dbconn/base/buf.h"

static void read_patch(const char *text, struct diff_patch *ret)
{
    diff_patch_read(text, text ? strlen(text) : 0, ret);
}

/* Line `i` as "-12/0 text". */
static const char *line_as_text(const struct diff_patch *p, size_t i)
{
    static char out[200];
    const struct diff_line *l = &p->lines[i];

    assert_in_range(i, 0, p->n_lines - 1);
    snprintf(out, sizeof(out), "%c%lld/%lld %.*s", " -+"[l->side], (long long)l -> old_line,
             (long long)l -> new_line, (int)l -> span.len, l->span.text);
    return out;
}

static void lines_are_numbered_on_both_sides(void **state)
{
    struct diff_patch p;
    (void)state;

    read_patch("@@ -10,3 +12,4 @@ database:\n   user: app\n-  port: 1\n+  port: 2\n+  pool: 3\n   "
               "tail: x\n@@ -30 +33 @@\n-a\n+b",
               &p);
    assert_int_equal(p.n_hunks, 2);
    assert_int_equal(p.hunks[0].section.len, strlen("database:"));
    assert_int_equal(p.hunks[1].old_count, 1);
    assert_int_equal(p.n_lines, 7);
    assert_string_equal(line_as_text(&p, 0), " 10/12   user: app");
    assert_string_equal(line_as_text(&p, 1), "-11/0   port: 1");
    assert_string_equal(line_as_text(&p, 2), "+0/13   port: 2");
    assert_string_equal(line_as_text(&p, 3), "+0/14   pool: 3");
    assert_string_equal(line_as_text(&p, 4), " 12/15   tail: x");
    assert_string_equal(line_as_text(&p, 6), "+0/33 b");
    assert_int_equal(p.hunks[1].first_line, 5);
    assert_false(p.cut);
    diff_patch_clear(&p);
}

static void carriage_returns_and_missing_newlines_are_no_text(void **state)
{
    struct diff_patch p;
    (void)state;

    read_patch(
        "@@ -1,2 +1,2 @@\r\n a: 1\r\n-b: 2\r\n\\ No newline at end of file\r\n+b: 3\r\n\\ No "
        "newline at end of file",
        &p);
    assert_int_equal(p.n_lines, 3);
    assert_string_equal(line_as_text(&p, 0), " 1/1 a: 1");
    assert_string_equal(line_as_text(&p, 2), "+0/2 b: 3");
    assert_false(p.cut);
    diff_patch_clear(&p);
}

static void a_stripped_empty_context_line_still_counts(void **state)
{
    struct diff_patch p;
    (void)state;

    read_patch("@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n", &p);
    assert_int_equal(p.n_lines, 4);
    assert_string_equal(line_as_text(&p, 2), "-3/0 b");
    assert_false(p.cut);
    diff_patch_clear(&p);
}

static void nothing_gives_nothing(void **state)
{
    static const char *const texts[] = { NULL, "", "\n\n", "no hunk here\n-a\n+b\n",
                                         "@@ nonsense @@\n-a\n" };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct diff_patch p;
        read_patch(texts[i], &p);
        assert_int_equal(p.n_lines, 0);
        diff_patch_clear(&p);
    }
}

static void a_patch_shorter_than_its_header_is_cut(void **state)
{
    static const char *const texts[] = { "@@ -1,9 +1,9 @@\n a\n-b\n+c\n",
                                         "@@ -1,9 +1,9 @@\n a\n@@ -20 +20 @@\n-a\n+b\n",
                                         "@@ -1,2 +1,2 @@\n a\ngarbage\n" };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct diff_patch p;
        read_patch(texts[i], &p);
        assert_true(p.cut);
        diff_patch_clear(&p);
    }
}

static void an_endless_patch_is_cut_at_the_cap(void **state)
{
    struct buf text = BUF_INIT;
    struct diff_patch p;
    (void)state;

    buf_addf(&text, "@@ -0,0 +1,%d @@\n", DIFF_MAX_LINES + 5);
    for (int i = 0; i < DIFF_MAX_LINES + 5; i++)
        buf_adds(&text, "+x\n");
    diff_patch_read(text.data, text.len, &p);
    assert_int_equal(p.n_lines, DIFF_MAX_LINES);
    assert_true(p.cut);
    diff_patch_clear(&p);
    buf_clear(&text);
}

static const char whole[] = "diff --git a/config/app.yml b/config/app.yml\n"
                            "index 1..2 100644\n--- a/config/app.yml\n+++ b/config/app.yml\n"
                            "@@ -1,2 +1,2 @@\n--- looks like a header\n+++ but is a line\n same\n"
                            "diff --git a/old name.txt b/new name.txt\nsimilarity index 100%\n"
                            "rename from old name.txt\nrename to new name.txt\n"
                            "diff --git a/logo.png b/logo.png\nindex 1..2 100644\n"
                            "Binary files a/logo.png and b/logo.png differ\n"
                            "diff --git \"a/\\303\\244.env\" \"b/\\303\\244.env\"\n"
                            "new file mode 100644\n--- /dev/null\n+++ \"b/\\303\\244.env\"\n"
                            "@@ -0,0 +1 @@\n+A=1\n"
                            "diff --git a/gone b/gone\ndeleted file mode 100644\n"
                            "--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n-- \n2.43.0\n";

static void a_whole_diff_splits_into_its_files(void **state)
{
    static const struct {
        const char *path, *old_path;
        enum diff_status status;
        bool binary;
        size_t n_lines;
    } files[] = {
        { "config/app.yml", NULL, DIFF_MODIFIED, false, 3 },
        { "new name.txt", "old name.txt", DIFF_RENAMED, false, 0 },
        { "logo.png", NULL, DIFF_MODIFIED, true, 0 },
        { "\303\244.env", NULL, DIFF_NEW, false, 1 },
        { "gone", NULL, DIFF_DELETED, false, 1 },
    };
    struct diff_files f;
    (void)state;

    diff_files_read(whole, sizeof(whole) - 1, &f);
    assert_int_equal(f.n, ARRAY_LEN(files));
    for (size_t i = 0; i < f.n; i++) {
        struct diff_patch p;
        assert_string_equal(f.items[i].path, files[i].path);
        if (files[i].old_path)
            assert_string_equal(f.items[i].old_path, files[i].old_path);
        else
            assert_null(f.items[i].old_path);
        assert_int_equal(f.items[i].status, files[i].status);
        assert_int_equal(f.items[i].binary, files[i].binary);
        diff_patch_read(f.items[i].patch.text, f.items[i].patch.len, &p);
        assert_int_equal(p.n_lines, files[i].n_lines);
        assert_false(p.cut);
        diff_patch_clear(&p);
    }
    diff_files_clear(&f);
}

static void more_files_than_github_lists_are_cut(void **state)
{
    struct buf text = BUF_INIT;
    struct diff_files f;
    (void)state;

    for (int i = 0; i < DIFF_MAX_FILES + 1; i++)
        buf_addf(&text, "diff --git a/f%d b/f%d\n", i, i);
    diff_files_read(text.data, text.len, &f);
    assert_int_equal(f.n, DIFF_MAX_FILES);
    assert_true(f.cut);
    assert_string_equal(f.items[7].path, "f7");
    diff_files_clear(&f);
    buf_clear(&text);
}

static void reverts_are_told_by_their_message(void **state)
{
    static const struct {
        const char *message;
        bool reverts;
    } cases[] = {
        { "Revert \"Use a larger pool\"\n\nThis reverts commit 0123abc.", true },
        { "revert: use a larger pool", true },
        { "fix(db): revert pool size to 20", true },
        { "[hotfix] Roll back to the old host", true },
        { "Merge pull request #7 from o/revert-6-pool\n\nRevert \"Use a larger pool\"", true },
        { "Go back to ten connections\n\nThis reverts commit 0123abc.", true },
        { "Revert \"Revert \"Use a larger pool\"\"", false },
        { "Reapply \"Use a larger pool\"\n\nThis reverts commit 0123abc.", false },
        { "Add a rollback button", false },
        { "Reverse the sort order", false },
        { "fix(", false },
        { "", false },
        { NULL, false },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (diff_message_reverts(cases[i].message) != cases[i].reverts)
            fail_msg("\"%s\"", cases[i].message ? cases[i].message : "(null)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_numbered_on_both_sides),
        cmocka_unit_test(carriage_returns_and_missing_newlines_are_no_text),
        cmocka_unit_test(a_stripped_empty_context_line_still_counts),
        cmocka_unit_test(nothing_gives_nothing),
        cmocka_unit_test(a_patch_shorter_than_its_header_is_cut),
        cmocka_unit_test(an_endless_patch_is_cut_at_the_cap),
        cmocka_unit_test(a_whole_diff_splits_into_its_files),
        cmocka_unit_test(more_files_than_github_lists_are_cut),
        cmocka_unit_test(reverts_are_told_by_their_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
