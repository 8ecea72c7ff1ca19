/* cluster: the sentence that says why. */
#include "cluster_internal.h"

#include "dbconn/base/buf.h"

static void add_members(struct buf *out, const struct cluster *c)
{
    buf_addf(out, "%zu other issue%s began within minutes of it (%.2g expected by chance)",
             c->n_members, c->n_members == 1 ? "" : "s", c->expected);
    if (c->n_projects > 1)
        buf_addf(out, ", %zu projects with this one", c->n_projects);
}

static void add_kinds(struct buf *out, const struct cluster *c)
{
    if (c->n_same_target)
        buf_addf(out, ", %zu on the same target", c->n_same_target);
    if (c->n_other_database)
        buf_addf(out, ", %zu on other databases", c->n_other_database);
    if (c->n_not_database)
        buf_addf(out, ", %zu about no database", c->n_not_database);
}

static void add_deployment(struct buf *out, const struct cluster *c)
{
    if (c->shared_release)
        buf_addf(out, "; release %s was rolled out to %zu of the projects just before",
                 c->shared_release, c->n_release_projects);
    else if (c->train)
        buf_addf(out,
                 "; %zu of the projects were deployed within minutes of each other just before",
                 c->n_release_projects);
    else if (c->own_release)
        buf_addf(out, "; %s was deployed just before, here alone or nearly so", c->own_release);
    else
        buf_adds(out, "; no deployment of this project lies just before");
}

static const char *opening(enum cluster_verdict v)
{
    switch (v) {
    case CLUSTER_SHARED_DEPLOYMENT:
        return "A deployment that several services share: ";
    case CLUSTER_SHARED_DATABASE:
        return "A database that several services share: ";
    case CLUSTER_TOGETHER:
        return "Several services began to fail together, and share neither release nor target: ";
    case CLUSTER_ISOLATED:
        return "Nothing wider: ";
    case CLUSTER_UNKNOWN:
        break;
    }
    return "";
}

char *cluster_explain(const struct cluster_input *in, const struct cluster *c)
{
    struct buf out = BUF_INIT;

    if (!in->issues_known) {
        buf_adds(&out, "The other issues could not be read.");
    } else if (in->onset_ms == TIME_UNKNOWN) {
        buf_adds(&out, "Without an onset the other issues can't be compared with it.");
    } else {
        buf_adds(&out, opening(c->verdict));
        if (c->n_members) {
            add_members(&out, c);
            add_kinds(&out, c);
        } else {
            buf_adds(&out, "no other issue began within minutes of it");
        }
        add_deployment(&out, c);
        buf_addc(&out, '.');
    }
    return buf_take(&out);
}
