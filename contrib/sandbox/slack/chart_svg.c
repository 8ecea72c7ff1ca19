/* chart_svg - a data_visualization block as a small drawing, with its figures as a title. */
#include "slack/html.h"

#include <stdio.h>

#include "dbconn/base/text.h"

#define WIDTH 560
#define RIGHT 30 /* room for half of the last label */
#define HEIGHT 150
#define LEFT 44
#define BOTTOM 24

static const char *const colours[] = { "#0072b2", "#d55e00", "#009e73",
                                       "#cc79a7", "#e69f00", "#56b4e9" };

static double value_of(const cJSON *point)
{
    double value = 0;

    (void)json_num(point, "value", &value);
    return value;
}

static double largest(const cJSON *chart)
{
    double most = 1;

    for (const cJSON *s = json_items(chart, "series"); s; s = s->next)
        for (const cJSON *p = json_items(s, "data"); p; p = p->next)
            most = value_of(p) > most ? value_of(p) : most;
    return most;
}

static double x_at(int i, int n)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * (i + 0.5) / (n ? n : 1);
}

static double y_at(double value, double most)
{
    return HEIGHT - BOTTOM - value / most * (HEIGHT - BOTTOM - 8);
}

static void add_series(const cJSON *series, int index, bool bars, int n, double most,
                       struct buf *out)
{
    const char *colour = colours[(size_t)index % ARRAY_LEN(colours)];
    int i = 0;

    if (!bars)
        buf_addf(out, "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"", colour);
    for (const cJSON *p = json_items(series, "data"); p; p = p->next, i++) {
        double x = x_at(i, n), y = y_at(value_of(p), most);
        if (bars)
            buf_addf(out,
                     "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>",
                     x - 8 + 4 * index, y, 12.0, HEIGHT - BOTTOM - y, colour);
        else
            buf_addf(out, "%.1f,%.1f ", x, y);
    }
    if (!bars)
        buf_adds(out, "\"/>");
}

static void add_axes(const cJSON *chart, int n, double most, struct buf *out)
{
    int i = 0;

    buf_addf(out, "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" class=\"axis\"/>", LEFT, WIDTH,
             HEIGHT - BOTTOM, HEIGHT - BOTTOM);
    buf_addf(out, "<text x=\"%d\" y=\"14\" text-anchor=\"end\">%.0f</text>", LEFT - 6, most);
    buf_addf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>", LEFT - 6,
             HEIGHT - BOTTOM);
    for (const cJSON *c = json_first(json_path(chart, "axis_config", "categories", NULL)); c;
         c = c->next, i++) {
        if (i % (n / 6 + 1) != 0)
            continue;
        buf_addf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x_at(i, n), HEIGHT - 6);
        html_text(cJSON_IsString(c) ? c->valuestring : "", out);
        buf_adds(out, "</text>");
    }
}

void html_chart(const cJSON *block, struct buf *out)
{
    const cJSON *chart = json_get(block, "chart");
    int n = cJSON_GetArraySize(json_path(chart, "axis_config", "categories", NULL)), index = 0;
    bool bars = text_same(json_str(chart, "type"), "bar");
    double most = largest(chart);

    buf_adds(out, "<figure><figcaption>");
    html_text(json_str_or(block, "title", ""), out);
    buf_addf(out, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\">", WIDTH, HEIGHT);
    add_axes(chart, n, most, out);
    for (const cJSON *s = json_items(chart, "series"); s; s = s->next)
        add_series(s, index++, bars, n, most, out);
    buf_adds(out, "</svg><p class=\"key\">");
    index = 0;
    for (const cJSON *s = json_items(chart, "series"); s; s = s->next) {
        buf_addf(out, "<span style=\"color:%s\">■</span> ",
                 colours[(size_t)index++ % ARRAY_LEN(colours)]);
        html_text(json_str_or(s, "name", ""), out);
        buf_addc(out, ' ');
    }
    buf_adds(out, "</p></figure>");
}
