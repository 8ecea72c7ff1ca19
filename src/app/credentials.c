#include "credentials.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/log.h"
#include "dbconn/net/loop.h"
#include "dbconn/sources/elasticsearch.h"
#include "dbconn/sources/github.h"
#include "dbconn/sources/sentry.h"

#define AGAIN_MS (10 * MINUTE_MS)
#define AGAIN_WHEN_BAD_MS MINUTE_MS

struct trial {
    struct credentials *owner;
    enum credential which;
    struct source_call *call; /* under way, or NULL */
    enum tristate good;
    char *why;
};

struct credentials {
    const struct sources *sources;
    struct trial trials[CREDENTIALS];
    struct loop_timer *timer;
};

static const char *const names[] = { [CREDENTIAL_SENTRY] = "sentry",
                                     [CREDENTIAL_GITHUB] = "github",
                                     [CREDENTIAL_ELASTICSEARCH] = "elasticsearch" };

const char *credential_name(enum credential which)
{
    return names[which];
}

static bool is_configured(const struct credentials *c, enum credential which)
{
    switch (which) {
    case CREDENTIAL_SENTRY:
        return c->sources->sentry;
    case CREDENTIAL_GITHUB:
        return c->sources->github;
    case CREDENTIAL_ELASTICSEARCH:
        return c->sources->es;
    case CREDENTIALS:
        break;
    }
    return false;
}

/* The first thing that the credential may not do, or NULL. */
static const struct source_check_item *refused(const struct source_check *check)
{
    for (size_t i = 0; i < check->n_items; i++)
        if (check->items[i].ok == NO)
            return &check->items[i];
    return NULL;
}

static enum tristate judge(const struct source_check *check, const struct error *err,
                           const char **ret_why)
{
    const struct source_check_item *item = check ? refused(check) : NULL;

    *ret_why = err ? error_text(err) : item ? item->text : "";
    if (err)
        return err->code == ERR_UNAUTHORIZED || err->code == ERR_FORBIDDEN ? NO : UNKNOWN;
    return item ? NO : YES;
}

static void on_checked(void *user, const void *result, const struct error *err)
{
    struct trial *t = user;
    struct credentials *c = t->owner;
    enum tristate before = t->good;
    const char *why;

    t->call = NULL;
    t->good = judge(result, err, &why);
    xreplace(&t->why, why);
    if (t->good == NO && before != NO)
        LOG(WARN, "credentials.refused", F_STR("service", names[t->which]), F_STR("why", why));
    else if (t->good == YES && before == NO)
        LOG(INFO, "credentials.accepted", F_STR("service", names[t->which]));
    if (t->good != YES)
        loop_timer_start(c->timer, AGAIN_WHEN_BAD_MS);
}

static struct source_call *check(struct trial *t, struct error *err)
{
    const struct sources *s = t->owner->sources;

    switch (t->which) {
    case CREDENTIAL_SENTRY:
        return sentry_check(s->sentry, 0, on_checked, t, err);
    case CREDENTIAL_GITHUB:
        return github_check(s->github, 0, NULL, on_checked, t, err);
    case CREDENTIAL_ELASTICSEARCH:
        return es_check(s->es, 0, on_checked, t, err);
    case CREDENTIALS:
        break;
    }
    return NULL;
}

static void on_timer(void *user)
{
    struct credentials *c = user;

    loop_timer_start(c->timer, AGAIN_MS);
    for (size_t i = 0; i < CREDENTIALS; i++) {
        struct trial *t = &c->trials[i];
        struct error err = ERROR_INIT;
        if (t->call || !is_configured(c, t->which))
            continue;
        t->call = check(t, &err);
        if (!t->call)
            on_checked(t, NULL, &err);
        error_clear(&err);
    }
}

struct credentials *credentials_new(uv_loop_t *loop, const struct sources *sources)
{
    struct credentials *c = xcalloc(1, sizeof(*c));

    for (size_t i = 0; i < CREDENTIALS; i++)
        c->trials[i] = (struct trial){ .owner = c, .which = (enum credential)i, .good = UNKNOWN };
    c->timer = loop_timer_new(loop, on_timer, c);
    loop_timer_unref(c->timer);
    credentials_use(c, sources);
    return c;
}

void credentials_use(struct credentials *c, const struct sources *sources)
{
    c->sources = sources;
    for (size_t i = 0; i < CREDENTIALS; i++) {
        source_cancel(c->trials[i].call);
        c->trials[i].call = NULL;
    }
    loop_timer_start(c->timer, 0);
}

void credentials_free(struct credentials *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < CREDENTIALS; i++) {
        source_cancel(c->trials[i].call);
        free(c->trials[i].why);
    }
    loop_timer_free(c->timer);
    free(c);
}

void credentials_get(const struct credentials *c, enum credential which,
                     struct credential_state *ret)
{
    const struct trial *t = &c->trials[which];

    *ret = (struct credential_state){ .configured = is_configured(c, which),
                                      .good = t->good,
                                      .why = t->why ? t->why : "" };
}
