/* The chart as a picture: drawn, read again with cairo, and looked at pixel by pixel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <cairo.h>
#include <math.h>

#include "dbconn/base/clock.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/report/chart_png.h"

#define START INT64_C(1787000400000) /* 2026-08-17T21:00Z */

struct bytes {
    const struct buf *from;
    size_t at;
};

static cairo_status_t give(void *user, unsigned char *out, unsigned int n)
{
    struct bytes *b = user;

    if (b->at + n > b->from->len)
        return CAIRO_STATUS_READ_ERROR;
    memcpy(out, b->from->data + b->at, n);
    b->at += n;
    return CAIRO_STATUS_SUCCESS;
}

static cairo_surface_t *read_png(const struct buf *png)
{
    struct bytes b = { png, 0 };
    cairo_surface_t *s = cairo_image_surface_create_from_png_stream(give, &b);

    assert_int_equal(cairo_surface_status(s), CAIRO_STATUS_SUCCESS);
    assert_int_equal(cairo_image_surface_get_width(s), CHART_PNG_WIDTH);
    assert_int_equal(cairo_image_surface_get_height(s), CHART_PNG_HEIGHT);
    return s;
}

/* "0xRRGGBB" at that place. */
static unsigned colour_at(cairo_surface_t *s, int x, int y)
{
    const unsigned char *row =
        cairo_image_surface_get_data(s) + (size_t)y * cairo_image_surface_get_stride(s);
    uint32_t pixel;

    memcpy(&pixel, row + (size_t)x * 4, sizeof(pixel));
    return pixel & 0xFFFFFF;
}

static double channel(unsigned c)
{
    double v = c / 255.0;

    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

/* WCAG 2.2, relative luminance. */
static double luminance(unsigned c)
{
    return 0.2126 * channel(c >> 16) + 0.7152 * channel(c >> 8 & 0xFF) + 0.0722 * channel(c & 0xFF);
}

static double contrast(unsigned a, unsigned b)
{
    double x = luminance(a), y = luminance(b);

    return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

/* 24 hours, 10 errors each, 100 from the 16th on. */
struct fixture {
    double counts[24];
    struct series_marker markers[40];
    struct series s;
};

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){ .s = { .start_ms = START, .interval_ms = HOUR_MS, .n_counts = 24 } };
    for (size_t i = 0; i < 24; i++)
        f->counts[i] = i < 16 ? 40 : 100;
    f->s.counts = f->counts;
    f->s.markers = f->markers;
}

static void mark(struct fixture *f, int64_t after_ms, char *label)
{
    f->markers[f->s.n_markers++] = (struct series_marker){ START + after_ms, label };
}

static char onset[] = "onset", release[] = "release shop@2.42.0";

static cairo_surface_t *draw(const struct fixture *f)
{
    struct buf png = BUF_INIT;
    struct error err = ERROR_INIT;

    if (chart_png(&f->s, "SHOP-1A2", &png, &err) < 0)
        fail_msg("%s", error_text(&err));
    cairo_surface_t *s = read_png(&png);
    buf_clear(&png);
    return s;
}

/* How many places have that colour. */
static int count_colour(cairo_surface_t *s, unsigned colour)
{
    int n = 0;

    for (int y = 0; y < CHART_PNG_HEIGHT; y++)
        for (int x = 0; x < CHART_PNG_WIDTH; x++)
            n += colour_at(s, x, y) == colour;
    return n;
}

/* Just above the time axis, in the middle of the first and of the last bar. */
#define FOOT (CHART_PNG_HEIGHT - 106)
#define FIRST_BAR 130
#define LAST_BAR (CHART_PNG_WIDTH - 50)
#define RELEASE_GREEN 0x006B54

static void the_errors_since_it_began_stand_apart_for_every_eye(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    mark(&f, 16 * HOUR_MS, onset);
    cairo_surface_t *s = draw(&f);
    unsigned paper = colour_at(s, 2, 2), before = colour_at(s, FIRST_BAR, FOOT),
             since = colour_at(s, LAST_BAR, FOOT);
    assert_true(contrast(paper, before) >= 3);
    assert_true(contrast(paper, since) >= 4.5);
    assert_true(contrast(before, since) >= 1.8); /* by lightness alone */
    assert_true(luminance(paper) > 0.8);         /* its own background, whatever the client's is */
    cairo_surface_destroy(s);
}

static void higher_bars_count_more(void **state)
{
    struct fixture f;
    int y;

    (void)state;
    fixture_init(&f);
    cairo_surface_t *s = draw(&f);
    unsigned bar = colour_at(s, LAST_BAR, FOOT);
    int low = 0, high = 0;
    for (y = 0; y < FOOT; y++) {
        low += colour_at(s, FIRST_BAR, y) == bar;
        high += colour_at(s, LAST_BAR, y) == bar;
    }
    assert_in_range(low * 100 / high, 35, 45);
    cairo_surface_destroy(s);
}

static void a_release_is_marked(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    cairo_surface_t *without = draw(&f);
    mark(&f, 8 * HOUR_MS, release);
    cairo_surface_t *with = draw(&f);
    assert_int_equal(count_colour(without, RELEASE_GREEN), 0);
    assert_true(count_colour(with, RELEASE_GREEN) > 500); /* a line, its sign, its name */
    cairo_surface_destroy(without);
    cairo_surface_destroy(with);
}

static void a_mark_outside_of_the_window_is_not_drawn(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    cairo_surface_t *without = draw(&f);
    mark(&f, -HOUR_MS, release);
    mark(&f, 100 * HOUR_MS, release);
    cairo_surface_t *with = draw(&f);
    unsigned paper = colour_at(with, 2, 2);
    assert_int_equal(count_colour(without, paper), count_colour(with, paper));
    cairo_surface_destroy(without);
    cairo_surface_destroy(with);
}

static void many_releases_and_strange_names_are_drawn_too(void **state)
{
    static char strange[] = "release \xff\xfe <!channel> \x1b[2J \xe2\x80\xae abcdefghijklmnopqrst"
                            "uvwxyz0123456789abcdefghijklmnopqrstuvwxyz";
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (int i = 0; i < 40; i++)
        mark(&f, i * 20 * MINUTE_MS, i % 3 ? release : strange);
    cairo_surface_destroy(draw(&f));
}

static void numbers_that_make_no_sense_end_in_an_error_or_a_picture(void **state)
{
    static const double counts[] = { 0, 1, 1e15, NAN, -3, INFINITY };
    struct error err = ERROR_INIT;
    struct buf png = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct fixture f;
        fixture_init(&f);
        f.counts[3] = counts[i];
        cairo_surface_destroy(draw(&f));
    }
    const struct series none = { .start_ms = START, .interval_ms = HOUR_MS };
    assert_int_equal(chart_png(&none, NULL, &png, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(png.len, 0);
    error_clear(&err);
}

static void the_words_for_those_who_cannot_see_it_say_the_same(void **state)
{
    static const char *const said[] = { "SHOP-1A2",   "1440 in all", "at most 100", "2026-08-17",
                                        "2026-08-18", "UTC",         "shop@2.42.0", "onset" };
    struct buf alt = BUF_INIT;
    struct fixture f;

    (void)state;
    fixture_init(&f);
    mark(&f, 16 * HOUR_MS, onset);
    mark(&f, 15 * HOUR_MS, release);
    chart_png_alt(&f.s, "SHOP-1A2", &alt);
    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        if (!strstr(buf_str(&alt), said[i]))
            fail_msg("\"%s\" is not in: %s", said[i], buf_str(&alt));
    assert_true(alt.len <= 1000);
    buf_clear(&alt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_errors_since_it_began_stand_apart_for_every_eye),
        cmocka_unit_test(higher_bars_count_more),
        cmocka_unit_test(a_release_is_marked),
        cmocka_unit_test(a_mark_outside_of_the_window_is_not_drawn),
        cmocka_unit_test(many_releases_and_strange_names_are_drawn_too),
        cmocka_unit_test(numbers_that_make_no_sense_end_in_an_error_or_a_picture),
        cmocka_unit_test(the_words_for_those_who_cannot_see_it_say_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
