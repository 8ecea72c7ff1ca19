#include "source_check.h"

#include <string.h>

#include "source_answer.h"
#include "source_mem.h"

struct source_call *source_check_start(struct source_call *call, source_check_send_fn *send,
                                       source_check_judge_fn *judge, source_check_what_fn *what,
                                       struct error *err)
{
    struct source_check_op *op = call->op;

    op->send = send;
    op->judge = judge;
    op->what = what;
    op->check = source_result_new(call->mem, sizeof(*op->check));
    op->check->clock_skew_ms = TIME_UNKNOWN;
    return send(call, 0, err) < 0 ? source_give_up(call) : call;
}

static void add_item(struct source_call *call, enum tristate ok, const char *text)
{
    struct source_check_op *op = call->op;
    struct source_check_item *item =
        SOURCE_ADD(call->mem, op->check->items, op->check->n_items, op->cap);

    item->what = source_str(call->mem, op->what(call, op->step));
    item->ok = ok;
    item->text = source_str(call->mem, text);
}

/* No answer says nothing about the credential. */
static bool is_unreachable(const struct error *err)
{
    return err->code == ERR_NETWORK || err->code == ERR_TIMEOUT || err->code == ERR_UPSTREAM ||
           err->code == ERR_RATE_LIMITED;
}

/* Without an answer, or with a credential that is none, the other steps would only repeat it. */
static bool goes_on(const struct error *err)
{
    return !is_unreachable(err) && err->code != ERR_UNAUTHORIZED && err->code != ERR_CONFIG;
}

static void next_step(struct source_call *call)
{
    struct source_check_op *op = call->op;
    struct error err = ERROR_INIT;
    int rc = op->send(call, ++op->step, &err);

    if (rc == 0)
        return;
    if (rc < 0)
        add_item(call, NO, error_text(&err));
    error_clear(&err);
    source_finish(call, op->check);
}

void source_check_reply(struct source_call *call, const struct http_reply *reply,
                        const struct error *failure)
{
    struct source_check_op *op = call->op;
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;
    int rc = -1;

    if (failure)
        error_copy(&err, failure);
    else
        rc = op->judge(call, op->step, reply, &text, &err);
    if (reply && op->check->clock_skew_ms == TIME_UNKNOWN)
        op->check->clock_skew_ms = source_clock_skew(reply, clock_wall_ms());
    if (rc == 0)
        add_item(call, YES, text.len ? buf_str(&text) : "works");
    else
        add_item(call, is_unreachable(&err) ? UNKNOWN : NO, error_text(&err));
    bool more = rc == 0 || goes_on(&err);
    error_clear(&err);
    buf_clear(&text);
    if (more)
        next_step(call);
    else
        source_finish(call, op->check);
}
