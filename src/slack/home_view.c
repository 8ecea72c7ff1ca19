#include "home_view.h"

#include "dbconn/base/json.h"
#include "dbconn/report/wording.h"
#include "dbconn/slack/blocks.h"

static void list(struct blocks *b, const char *title, const struct job_rows *rows, const char *none)
{
    struct buf text = BUF_INIT;

    blocks_header(b, title);
    if (rows->n == 0)
        blocks_context(b, none);
    for (size_t i = 0; i < rows->n; i++) {
        buf_reset(&text);
        reply_row(&rows->items[i], &text);
        blocks_section(b, buf_str(&text));
    }
    if (rows->hidden > 0) {
        buf_reset(&text);
        word_count((int64_t)rows->hidden, "more in another conversation",
                   "more in other conversations", &text);
        buf_adds(&text, ".");
        blocks_context(b, buf_str(&text));
    }
    buf_clear(&text);
}

cJSON *home_view(const struct home_input *in)
{
    struct buf help = BUF_INIT;
    struct blocks b;
    cJSON *view = cJSON_CreateObject();

    blocks_init(&b, BLOCKS_MODAL);
    if (in->note) {
        blocks_section(&b, in->note);
    } else {
        list(&b, "Running and waiting", in->live, "Nothing runs and nothing waits.");
        list(&b, "Recent", in->recent, "Nothing was looked into yet.");
    }
    blocks_divider(&b);
    reply_help(in->command, &help);
    blocks_section(&b, buf_str(&help));
    json_put_str(view, "type", "home");
    cJSON_AddItemToObject(view, "blocks", blocks_take(&b, ""));
    buf_clear(&help);
    return view;
}
