#include "slack/show.h"

void show_page(struct workspace *ws, const struct channel *channel, const char *click_url,
               struct buf *out)
{
    (void)ws;
    buf_addf(out, "<html>%s %s", channel->name, click_url);
}
