#include "access_config.h"

struct filling {
    struct access *access;
    struct error *err;
    bool failed;
};

typedef int add_fn(struct access *access, const char *entry, struct error *err);

static void add_with(struct filling *f, add_fn *add, const char *entry)
{
    if (!f->failed)
        f->failed = add(f->access, entry, f->err) < 0;
}

static void on_allow(void *user, const char *entry)
{
    add_with(user, access_allow, entry);
}

static void on_external(void *user, const char *entry)
{
    add_with(user, access_allow_external, entry);
}

static void on_project(void *user, const char *entry)
{
    add_with(user, access_allow_project, entry);
}

int access_from_config(const struct config *config, struct access **ret, struct error *err)
{
    struct filling f = { .access = access_new(), .err = err };

    config_each(config, "access.allow", on_allow, &f);
    config_each(config, "access.external_channels", on_external, &f);
    config_each(config, "access.projects", on_project, &f);
    if (f.failed) {
        access_free(f.access);
        return -1;
    }
    *ret = f.access;
    return 0;
}
