/* terminal_style - widths and SGR sequences shared by the terminal views. */
#ifndef TERMINAL_STYLE_H
#define TERMINAL_STYLE_H

#include "dbconn/report/terminal.h"

#define STYLE_BOLD "1"
#define STYLE_DIM "2"
#define STYLE_GOOD "32"
#define STYLE_WARN "33"
#define STYLE_BAD "31"

static inline void style_on(const struct terminal_options *o, const char *sgr, struct buf *out)
{
    if (o->colour && sgr[0])
        buf_addf(out, "\033[%sm", sgr);
}

static inline void style_off(const struct terminal_options *o, struct buf *out)
{
    if (o->colour)
        buf_adds(out, "\033[0m");
}

static inline size_t style_width(const struct terminal_options *o)
{
    return o->width <= 0 ? 80 : o->width < 40 ? 40 : (size_t)o->width;
}

#endif
