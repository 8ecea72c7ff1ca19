#include "chart_picture.h"

#include "dbconn/diagnosis/casefile.h"
#include "dbconn/report/chart_png.h"

struct chart_picture {
    uv_work_t work;
    struct series series;
    char *subject;
    struct buf png;
    struct error err;
    bool failed;
    chart_picture_done_fn *done; /* NULL: cancelled */
    void *user;
};

/* On a worker thread: nothing but the picture's own members. */
static void draw(uv_work_t *work)
{
    struct chart_picture *p = work->data;

    p->failed = chart_png(&p->series, p->subject, &p->png, &p->err) < 0;
}

static void on_drawn(uv_work_t *work, int status)
{
    struct chart_picture *p = work->data;

    if (p->done && status == UV_ECANCELED)
        error_set(&p->err, ERR_CANCELLED, "the chart was not drawn any more");
    if (p->done)
        p->done(p->user, p->failed || status < 0 ? NULL : &p->png,
                p->failed || status < 0 ? &p->err : NULL);
    series_clear(&p->series);
    buf_clear(&p->png);
    error_clear(&p->err);
    free(p->subject);
    free(p);
}

struct chart_picture *chart_picture_draw(uv_loop_t *loop, const struct series *s,
                                         const char *subject, chart_picture_done_fn *done,
                                         void *user)
{
    struct chart_picture *p = xcalloc(1, sizeof(*p));

    series_copy(&p->series, s);
    p->subject = xstrdup(subject);
    p->work.data = p;
    p->done = done;
    p->user = user;
    (void)uv_queue_work(loop, &p->work, draw, on_drawn); /* fails without a function only */
    return p;
}

void chart_picture_cancel(struct chart_picture *p)
{
    if (!p)
        return;
    p->done = NULL;
    (void)uv_cancel((uv_req_t *)&p->work); /* on_drawn() comes in any case, and frees it */
}
