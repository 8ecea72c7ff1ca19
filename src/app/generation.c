#include "generation.h"

#include "access_config.h"
#include "dbconn/base/alloc.h"
#include "dbconn/slack/notify.h"

static void on_auto_channel(void *user, const char *channel)
{
    struct generation *g = user;

    *VEC_ADD(g->auto_channels, g->n_auto_channels, g->cap_auto_channels) = xstrdup(channel);
}

struct notify_reading {
    struct notify *notify;
    struct error *err;
    int rc;
};

static void on_quiet(void *user, const char *text)
{
    struct notify_reading *r = user;

    if (r->rc == 0)
        r->rc = notify_add_quiet(r->notify, text, r->err);
}

static void on_notify(void *user, const char *text)
{
    struct notify_reading *r = user;

    if (r->rc == 0)
        r->rc = notify_add(r->notify, text, r->err);
}

static int read_notify(const struct config *config, struct notify **ret, struct error *err)
{
    struct notify_reading r = { .notify = notify_new(), .err = err };

    *ret = r.notify;
    config_each(config, "slack.quiet_hours", on_quiet, &r);
    config_each(config, "slack.notify", on_notify, &r);
    return r.rc;
}

int generation_new(struct config *config, struct services *services, struct generation **ret,
                   struct error *err)
{
    struct generation *g = xcalloc(1, sizeof(*g));

    g->refs = 1;
    g->config = config;
    if (config_require(config, "slack.app_token", err) < 0 ||
        config_require(config, "slack.bot_token", err) < 0 ||
        playbook_from_config(config, &g->playbook, err) < 0 ||
        access_from_config(config, &g->access, err) < 0 ||
        read_notify(config, &g->notify, err) < 0 ||
        sources_open(config, services, &g->sources, err) < 0) {
        generation_unref(g);
        return -1;
    }
    config_each(config, "slack.auto_channels", on_auto_channel, g);
    *ret = g;
    return 0;
}

void generation_ref(void *generation)
{
    ((struct generation *)generation)->refs++;
}

void generation_unref(void *generation)
{
    struct generation *g = generation;

    if (!g || --g->refs > 0)
        return;
    sources_close(&g->sources);
    access_free(g->access);
    notify_free(g->notify);
    playbook_unref(g->playbook);
    for (size_t i = 0; i < g->n_auto_channels; i++)
        free(g->auto_channels[i]);
    free(g->auto_channels);
    config_free(g->config);
    free(g);
}
