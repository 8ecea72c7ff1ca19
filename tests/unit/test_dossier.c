/* The table of event rows: what was put is read back, and anything else is read as far as it goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/collectors/dossier.h"

#define T INT64_C(1787047378114)

static void put_back(struct evidence *board, const char *text, struct rowset *ret)
{
    evidence_set_str(board, "step", TABLE_ROWS, text, NULL, NULL);
    rowset_load(board, TABLE_ROWS, ret);
}

static void rows_are_read_back_as_they_were_put(void **state)
{
    struct evidence *board = evidence_new();
    struct rows_builder *b = rows_builder_new();
    struct rowset rows;

    (void)state;
    rows_builder_row(b, T, "4711", 1);
    rows_builder_tag(b, "server_name", "web-1");
    rows_builder_tag(b, "quoted", "a \"b\" \\ ],\"r\":[[1,2,3]]");
    rows_builder_tag(b, "none", NULL);
    rows_builder_row(b, TIME_UNKNOWN, NULL, 2.5);
    rows_builder_row(b, 0, "4711", 1e18);
    rows_builder_tag(b, "server_name", "web-1");
    rows_builder_put(b, board, "step", TABLE_ROWS);
    rowset_load(board, TABLE_ROWS, &rows);

    assert_int_equal(rows.n, 3);
    assert_int_equal(rows.rows[0].at_ms, T);
    assert_string_equal(rows.rows[0].issue, "4711");
    assert_int_equal(rows.rows[0].n_tags, 2);
    assert_string_equal(rows.rows[0].tags[0].key, "server_name");
    assert_string_equal(rows.rows[0].tags[0].value, "web-1");
    assert_string_equal(rows.rows[0].tags[1].value, "a \"b\" \\ ],\"r\":[[1,2,3]]");
    assert_int_equal(rows.rows[1].at_ms, TIME_UNKNOWN);
    assert_null(rows.rows[1].issue);
    assert_true(rows.rows[1].count > 2.49 && rows.rows[1].count < 2.51);
    assert_int_equal(rows.rows[1].n_tags, 0);
    assert_int_equal(rows.rows[2].at_ms, 0);
    assert_true(rows.rows[2].count > 0.99e18);
    assert_ptr_equal(rows.rows[2].tags[0].value, rows.rows[0].tags[0].value); /* shared */
    rowset_clear(&rows);

    size_t n;
    int64_t *times = rowset_times(board, TABLE_ROWS, &n);
    assert_int_equal(n, 2);
    assert_int_equal(times[0], T);
    assert_int_equal(times[1], 0);
    free(times);
    evidence_free(board);
}

static void a_table_without_rows_is_empty(void **state)
{
    struct evidence *board = evidence_new();
    struct rowset rows;
    size_t n;

    (void)state;
    rowset_load(board, TABLE_ROWS, &rows);
    assert_int_equal(rows.n, 0);
    rowset_clear(&rows);
    assert_null(rowset_times(board, TABLE_ROWS, &n));
    assert_int_equal(n, 0);
    rows_builder_put(rows_builder_new(), board, "step", TABLE_ROWS);
    assert_string_equal(evidence_str(board, TABLE_ROWS), "{\"s\":[],\"r\":[]}");
    rowset_load(board, TABLE_ROWS, &rows);
    assert_int_equal(rows.n, 0);
    rowset_clear(&rows);
    evidence_free(board);
}

static void secrets_in_values_are_hidden(void **state)
{
    struct evidence *board = evidence_new();
    struct rows_builder *b = rows_builder_new();

    (void)state;
    rows_builder_row(b, T, NULL, 1);
    rows_builder_tag(b, "url", "postgres://shop:swordfish@db-1/shop");
    rows_builder_tag(b, "again", "postgres://shop:swordfish@db-1/shop");
    rows_builder_put(b, board, "step", TABLE_ROWS);
    assert_null(strstr(evidence_str(board, TABLE_ROWS), "swordfish"));
    evidence_free(board);
}

/* More strings than are shared, so that the index is crowded. */
static void many_strings_keep_their_places(void **state)
{
    struct evidence *board = evidence_new();
    struct rows_builder *b = rows_builder_new();
    enum { MANY = 20000 };
    char **values = xcalloc(MANY, sizeof(*values));
    struct rowset rows;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        values[i] = xasprintf("value-%d", i);
        rows_builder_row(b, i, NULL, 1);
        rows_builder_tag(b, "key", values[i]);
    }
    rows_builder_put(b, board, "step", TABLE_ROWS);
    rowset_load(board, TABLE_ROWS, &rows);
    assert_int_equal(rows.n, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(rows.rows[i].at_ms, i);
        assert_string_equal(rows.rows[i].tags[0].value, values[i]);
        free(values[i]);
    }
    free(values);
    rowset_clear(&rows);
    evidence_free(board);
}

static void what_was_not_written_here_is_read_as_far_as_it_goes(void **state)
{
    static const struct {
        const char *text;
        size_t rows, tags; /* tags: of the last row */
    } cases[] = {
        { "", 0, 0 },
        { "[]", 0, 0 },
        { "{\"s\":[\"a\",\"b\"", 0, 0 },
        { "{\"s\":[\"a\\\"]\"],\"r\":[[1,-1,1]]}", 1, 0 },
        { "{\"s\":[\"a\"],\"r\":[[1,-1,1,0,0],[2,-1,1,0,0]]}", 2, 1 },
        { "{\"s\":[\"a\"],\"r\":[[1,-1,1,0,0],[2,-1", 2, 0 },
        { "{\"s\":[\"a\"],\"r\":[[1,-1,1,0", 1, 0 },
        { "{\"s\":[\"a\"],\"r\":[[1-1-1-1-1-1-1-1-1]]}", 1, 0 },
        { "{\"s\":[\"a\"],\"r\":[[1 2 3 4 5 6 7 8 9]]}", 1, 0 },
        { "{\"s\":[\"a\"],\"r\":[[1,-1,1,7,1e999,-3,99999999999999999999]]}", 1, 2 },
        { "{\"s\":[\"a\"],\"r\":[[],[[[[", 2, 0 },
        { "{\"s\":[7,null],\"r\":[[1,0,1,0,1]]}", 1, 1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct evidence *board = evidence_new();
        struct rowset rows;

        put_back(board, cases[i].text, &rows);
        assert_int_equal(rows.n, cases[i].rows);
        if (rows.n)
            assert_int_equal(rows.rows[rows.n - 1].n_tags, cases[i].tags);
        rowset_clear(&rows);
        evidence_free(board);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read_back_as_they_were_put),
        cmocka_unit_test(a_table_without_rows_is_empty),
        cmocka_unit_test(secrets_in_values_are_hidden),
        cmocka_unit_test(many_strings_keep_their_places),
        cmocka_unit_test(what_was_not_written_here_is_read_as_far_as_it_goes),
    };

    return cmocka_run_group_tests_name("the dossier", tests, NULL, NULL);
}
