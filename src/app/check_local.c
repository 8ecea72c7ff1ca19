/* dbconn check: what needs no network but the store's own. */
#include "check.h"

#include <strings.h>

#include "access_config.h"
#include "dbconn/analysis/dsn.h"
#include "dbconn/app/state_dir.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "dbconn/queue/store.h"

/* ---- access ---- */

void check_explain_allowed(const char *entry, struct buf *out)
{
    static const struct {
        const char *first, *meaning;
    } kinds[] = {
        { "UW", "this person, also as a guest or of another workspace" },
        { "S", "the members of this user group" },
        { "CG", "the full members of the workspace who may write in this channel" },
        { "D", "who writes in this direct message" },
        { "TE", "the full members of this workspace" },
        { "*", "every full member of the workspace" },
    };

    buf_adds(out, entry);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (*entry && strchr(kinds[i].first, *entry))
            buf_addf(out, ": %s", kinds[i].meaning);
}

void check_explain_project(const char *entry, struct buf *out)
{
    size_t len = strcspn(entry, "=");
    const char *project = entry[len] ? entry + len + 1 : "";

    if (text_same(project, "*"))
        buf_adds(out, "every project");
    else
        buf_addf(out, "the project %s", project);
    if (len == 1 && *entry == '*')
        buf_adds(out, " from every channel");
    else
        buf_addf(out, " from the channel %.*s", (int)len, entry);
}

static void on_allowed(void *user, const char *entry)
{
    struct buf text = BUF_INIT;

    check_explain_allowed(entry, &text);
    check_line(user, entry[0] == '*' ? WARNING : GOOD, "access", "may ask: %s", buf_str(&text));
    buf_clear(&text);
}

static void on_external(void *user, const char *entry)
{
    check_line(user, GOOD, "access",
               "may be asked in %s although it is shared with another company; who asks must be "
               "allowed all the same",
               entry);
}

static void on_project(void *user, const char *entry)
{
    struct buf text = BUF_INIT;

    check_explain_project(entry, &text);
    check_line(user, GOOD, "access", "may be looked at: %s", buf_str(&text));
    buf_clear(&text);
}

static void explain(struct check *c)
{
    if (access_is_empty(c->access))
        check_line(c, WARNING, "access",
                   "access.allow (DBCONN_ACCESS_ALLOW) is not set: the bot answers "
                   "help and refuses the rest");
    config_each(c->config, "access.allow", on_allowed, c);
    check_line(
        c, GOOD, "access",
        "refused: guests, apps and people of other workspaces unless listed by their own id; "
        "channels shared with other companies%s",
        config_str(c->config, "access.external_channels") ? " but for these:" : "");
    config_each(c->config, "access.external_channels", on_external, c);
    if (access_has_projects(c->access))
        config_each(c->config, "access.projects", on_project, c);
    else
        check_line(c, GOOD, "access", "may be looked at: every project from every channel");
}

void check_access(struct check *c)
{
    struct error err = ERROR_INIT;

    if (access_from_config(c->config, &c->access, &err) == 0)
        explain(c);
    else
        check_line(c, BAD, "access", "%s", error_text(&err));
    error_clear(&err);
}

/* ---- the store ---- */

static bool same_port(const char *a, const char *b)
{
    static const char usual[] = "5432";

    return text_same(a && *a ? a : usual, b && *b ? b : usual);
}

bool check_same_server(const char *store_url, const char *host, const char *port)
{
    size_t start, end;
    struct dsn dsn;
    bool same = false;

    if (!host || !dsn_find(store_url, 0, &start, &end, &dsn))
        return false;
    for (size_t i = 0; i < dsn.n_hosts && !same; i++)
        same = dsn.hosts[i].host && strcasecmp(dsn.hosts[i].host, host) == 0 &&
               same_port(dsn.hosts[i].port, port);
    dsn_clear(&dsn);
    return same;
}

/* A job whose target is the server that the store is on; NULL: none. */
static const struct job *job_on_it(const struct job_list *jobs, const char *url)
{
    for (size_t i = 0; i < jobs->n; i++)
        if (check_same_server(url, jobs->items[i].target_host, jobs->items[i].target_port))
            return &jobs->items[i];
    return NULL;
}

/* Has the server that the store is on been under diagnosis? Asked by the hosts in its address. */
static void warn_of_target(struct check *c, struct store *store, const char *url)
{
    size_t start, end;
    struct dsn dsn;
    bool warned = false;

    if (!dsn_find(url, 0, &start, &end, &dsn))
        return;
    for (size_t i = 0; i < dsn.n_hosts && !warned; i++) {
        struct store_filter filter = { .host = dsn.hosts[i].host, .limit = 1000 };
        struct job_list jobs = { 0 };
        struct error err = ERROR_INIT;
        const struct job *job = NULL;
        if (filter.host && store_list(store, &filter, &jobs, &err) >= 0)
            job = job_on_it(&jobs, url);
        if (job) {
            check_line(c, WARNING, "store",
                       "it is on %s, which was under diagnosis itself (job %s): when that server "
                       "refuses connections, the bot can take no command. Keep the jobs elsewhere",
                       filter.host, job->id);
            warned = true;
        }
        job_list_clear(&jobs);
        error_clear(&err);
    }
    dsn_clear(&dsn);
}

void check_store(struct check *c)
{
    struct error err = ERROR_INIT;
    char *url = state_dir_store_url(c->config, false, &err), *shown = redact_dup(url);
    struct store *store = NULL;

    if (url && state_dir_store_missing(url)) {
        check_line(c, GOOD, "store", "%s is not there yet: dbconn serve makes it", shown);
    } else if (!url || state_dir_open_store(c->config, &store, &err) < 0) {
        check_line(c, BAD, "store", "%s", error_text(&err));
    } else if (store_is_shared(store)) {
        check_line(c, GOOD, "store",
                   "PostgreSQL: replicas may share it; keep it apart from the databases under "
                   "diagnosis");
        warn_of_target(c, store, url);
    } else {
        check_line(c, GOOD, "store", "%s, for one process", shown);
    }
    store_close(store);
    free(url);
    free(shown);
    error_clear(&err);
}
