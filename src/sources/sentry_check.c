/* Can the token do what the playbook needs? */
#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "sentry_private.h"
#include "source_answer.h"
#include "source_check.h"

static const struct {
    const char *path, *params, *scope, *what, *missing;
} steps[] = {
    { "", "", "org:read", "Sentry: read the organization (org:read)",
      "no such organization, or the token may not see it; check sentry.organization (SENTRY_ORG)" },
    { "issues/", "?project=-1&query=&limit=1&groupStatsPeriod=", "event:read",
      "Sentry: read issues and events (event:read)", NULL },
    { "releases/", "?per_page=1", "project:read",
      "Sentry: read releases and deploys (project:read)", NULL },
};

static const char *what(const struct source_call *call, size_t step)
{
    (void)call;
    return steps[step].what;
}

static int send_step(struct source_call *call, size_t step, struct error *err)
{
    const struct sentry *s = (const struct sentry *)call->client;
    const char *headers[] = { s->authorization, "Accept: application/json", NULL };

    if (step >= ARRAY_LEN(steps))
        return 1;
    char *url = xasprintf("%s/organizations/%s/%s%s", s->base, s->org, steps[step].path,
                          steps[step].params);
    struct http_request request = {
        .url = url, .headers = headers, .budget_ms = s->budget_ms, .idempotent = true
    };
    int rc = source_send(call, &request, source_check_reply, err);
    free(url);
    return rc;
}

static void identify(struct source_call *call, const cJSON *organization)
{
    struct source_check_op *op = call->op;
    const struct sentry *s = (const struct sentry *)call->client;
    char *text = xasprintf("organization %s (%s), %s", json_str_or(organization, "slug", s->org),
                           json_str_or(organization, "name", "no name"),
                           s->self_hosted ? "self-hosted" : "sentry.io");

    op->check->identity = source_str(call->mem, text);
    free(text);
}

static int judge(struct source_call *call, size_t step, const struct http_reply *reply,
                 struct buf *text, struct error *err)
{
    const struct sentry_op asked = { .scope = steps[step].scope, .missing = steps[step].missing };
    cJSON *json = NULL;

    (void)text;
    if (reply->status != 200)
        return sentry_reply_error(&asked, reply, err);
    if (source_reply_json(reply, "Sentry", &json, err) < 0)
        return -1;
    if (step == 0)
        identify(call, json);
    cJSON_Delete(json);
    return 0;
}

struct source_call *sentry_check(struct sentry *s, uint64_t owner, source_done_fn *done, void *user,
                                 struct error *err)
{
    struct source_call *call =
        source_call_new(&s->client, owner, done, user, sizeof(struct source_check_op));

    return source_check_start(call, send_step, judge, what, err);
}
