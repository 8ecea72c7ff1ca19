#include "generation.h"

#include "access_config.h"
#include "dbconn/base/alloc.h"

static void on_auto_channel(void *user, const char *channel)
{
    struct generation *g = user;

    *VEC_ADD(g->auto_channels, g->n_auto_channels, g->cap_auto_channels) = xstrdup(channel);
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
    playbook_unref(g->playbook);
    for (size_t i = 0; i < g->n_auto_channels; i++)
        free(g->auto_channels[i]);
    free(g->auto_channels);
    config_free(g->config);
    free(g);
}
