#include "reload.h"

#include "dbconn/base/log.h"
#include "dbconn/base/text.h"

struct changes {
    struct buf applied, refused;
};

static void note(void *user, const char *key, bool applied)
{
    struct changes *c = user;
    struct buf *list = applied ? &c->applied : &c->refused;

    buf_addf(list, "%s%s", list->len ? ", " : "", key);
}

static void report(const struct generation *before, const struct generation *now,
                   const struct changes *c)
{
    if (c->refused.len)
        LOG(WARN, "config.needs_restart", F_STR("keys", buf_str(&c->refused)),
            F_STR("effect", "their old values stay in force until the next start"));
    if (!text_same(before->playbook->hash, now->playbook->hash))
        LOG(INFO, "playbook.reloaded", F_STR("playbook", now->playbook->id),
            F_STR("hash", now->playbook->hash), F_STR("before", before->playbook->hash),
            F_STR("effect", "for investigations that begin from now on"));
    LOG(INFO, "config.reloaded", F_STR("changed", buf_str(&c->applied)));
}

int reload_read(const char *path, const struct generation *running, struct services *services,
                struct generation **ret, struct error *err)
{
    struct changes changes = { BUF_INIT, BUF_INIT };
    struct config *config;

    if (config_load(path, getenv, &config, err) < 0)
        return -1;
    config_adopt(config, running->config, note, &changes);
    int rc = generation_new(config, services, ret, err);
    if (rc == 0)
        report(running, *ret, &changes);
    buf_clear(&changes.applied);
    buf_clear(&changes.refused);
    return rc;
}
