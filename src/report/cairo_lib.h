/*
 * cairo_lib - the drawing library, loaded when a picture is drawn and not before, so that everybody
 * else starts without it. Version 1.12 or newer has all that is used.
 */
#ifndef DBCONN_SRC_REPORT_CAIRO_LIB_H
#define DBCONN_SRC_REPORT_CAIRO_LIB_H

#include <cairo.h>

#include "dbconn/base/error.h"

#define CAIRO_FUNCTIONS(X)                                                                         \
    X(cairo_close_path)                                                                            \
    X(cairo_create)                                                                                \
    X(cairo_destroy)                                                                               \
    X(cairo_fill)                                                                                  \
    X(cairo_image_surface_create)                                                                  \
    X(cairo_line_to)                                                                               \
    X(cairo_move_to)                                                                               \
    X(cairo_paint)                                                                                 \
    X(cairo_rectangle)                                                                             \
    X(cairo_restore)                                                                               \
    X(cairo_rotate)                                                                                \
    X(cairo_save)                                                                                  \
    X(cairo_select_font_face)                                                                      \
    X(cairo_set_dash)                                                                              \
    X(cairo_set_font_size)                                                                         \
    X(cairo_set_line_width)                                                                        \
    X(cairo_set_source_rgb)                                                                        \
    X(cairo_show_text)                                                                             \
    X(cairo_status)                                                                                \
    X(cairo_status_to_string)                                                                      \
    X(cairo_stroke)                                                                                \
    X(cairo_surface_destroy)                                                                       \
    X(cairo_surface_write_to_png_stream)                                                           \
    X(cairo_text_extents)                                                                          \
    X(cairo_translate)

struct cairo_lib {
    void *handle;
#define X(name) __typeof__(&(name)) name;
    CAIRO_FUNCTIONS(X)
#undef X
};

/* Errors: ERR_CONFIG when the library is not installed or lacks something. */
int cairo_lib_load(struct cairo_lib *ret, struct error *err) MUST_CHECK;
void cairo_lib_unload(struct cairo_lib *lib); /* what is loaded stays mapped */

#endif
