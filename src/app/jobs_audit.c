#include "jobs_audit.h"

#include <pwd.h>
#include <unistd.h>

#include "audit_key.h"
#include "dbconn/app/state_dir.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define HOST_BYTES 256 /* HOST_NAME_MAX is 64 on Linux */

/* ---- the key ---- */

/* Somebody else's state directory holds another key: entries signed with it would break the chain.
 */
static int check_key(struct jobs_audit *a, const struct audit_entry *newest)
{
    struct buf hash = BUF_INIT;
    int rc = 0;

    audit_hash(&a->key, newest, &hash);
    if (!text_same(buf_str(&hash), newest->hash))
        rc = error_set(&a->jobs->err, ERR_CONFIG,
                       "this is noted in the audit log, and the key here is not the one that "
                       "entry %lld of it was signed with: run this as the account of dbconn serve, "
                       "or set audit.key as there",
                       (long long)newest->seq);
    buf_clear(&hash);
    return rc;
}

int jobs_audit_open(struct jobs *jobs, struct jobs_audit *ret)
{
    struct audit_list newest = { 0 };
    char *url = state_dir_store_url(jobs->config, false, &jobs->err);
    int rc = -1;

    *ret = (struct jobs_audit){ .jobs = jobs };
    if (url && store_audit_list(jobs->store, -1, 1, &newest, &jobs->err) == STORE_OK)
        rc = audit_key_load(jobs->config, url, newest.n == 0, &ret->key, &jobs->err);
    if (rc == 0 && newest.n > 0)
        rc = check_key(ret, &newest.items[0]);
    audit_list_clear(&newest);
    free(url);
    return rc;
}

void jobs_audit_close(struct jobs_audit *a)
{
    audit_key_wipe(&a->key);
}

/* ---- an entry ---- */

/* The account that the program runs as; its number where it has no name. Heap. */
static char *account(void)
{
    const struct passwd *entry = getpwuid(getuid());

    return entry ? xstrdup(entry->pw_name) : xasprintf("uid %lld", (long long)getuid());
}

char *jobs_person(void)
{
    const char *sudo = getenv("SUDO_USER");

    return sudo && *sudo ? xstrdup(sudo) : account();
}

/* Who and where: the name that sudo gave is what it says; the account is what the system knows. */
static void put_person(cJSON *doc)
{
    char host[HOST_BYTES] = "", *who = jobs_person(), *runs_as = account();

    json_put_str(doc, "who", who);
    json_put_str(doc, "account", runs_as);
    if (gethostname(host, sizeof(host) - 1) == 0)
        json_put_str(doc, "machine", host);
    free(who);
    free(runs_as);
}

int jobs_audit_note(struct jobs_audit *a, const char *what, const char *job, const cJSON *detail,
                    const char *outcome)
{
    cJSON *doc = cJSON_CreateObject();

    json_put_str(doc, "event", "terminal");
    json_put_str(doc, "what", what);
    put_person(doc);
    if (job)
        json_put_str(doc, "of_job", job);
    for (const cJSON *d = detail ? detail->child : NULL; d; d = d->next)
        cJSON_AddItemToObject(doc, d->string, cJSON_Duplicate(d, true));
    json_put_str(doc, "outcome", outcome);
    char *payload = json_print(doc);
    int rc = store_audit_append(a->jobs->store, payload, clock_wall_ms(), audit_hash, &a->key, NULL,
                                &a->jobs->err);
    free(payload);
    cJSON_Delete(doc);
    return rc < 0 ? -1 : 0;
}
