/* dbconn check: Slack. */
#include "check.h"

#include <string.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/net/http.h"
#include "dbconn/net/url.h"
#include "dbconn/slack/webapi.h"
#include "slack_scopes.h"

/* ---- scopes ---- */

static void check_scope(struct check *c, const struct slack_scope *scope)
{
    bool groups = c->access && access_group_count(c->access) > 0;

    if (scope->only_for_groups && !groups)
        return;
    check_line(c, scope->required || scope->only_for_groups ? BAD : WARNING, "slack",
               "the bot token lacks the scope %s: %s. Add it under OAuth & Permissions and install "
               "the app again",
               scope->name, scope->without);
}

static void on_surplus(void *user, const char *name)
{
    check_line(user, WARNING, "slack", "the bot token has the scope %s, which dbconn does not use",
               name);
}

static void check_scopes(struct check *c, const char *granted)
{
    size_t n = 0;

    if (!granted) {
        check_line(c, WARNING, "slack", "the answer does not tell the scopes of the bot token");
        return;
    }
    for (size_t i = 0; i < n_slack_scopes; i++) {
        if (slack_scope_granted(granted, slack_scopes[i].name))
            n++;
        else
            check_scope(c, &slack_scopes[i]);
    }
    if (n == n_slack_scopes)
        check_line(c, GOOD, "slack", "the bot token has all %zu scopes that are asked for", n);
    slack_scopes_surplus(granted, on_surplus, c);
}

/* ---- the bot token ---- */

static void on_auth(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct check *c = user;

    if (reply->kind == WEBAPI_OK) {
        check_line(c, GOOD, "slack", "the bot token answers as %s in %s",
                   json_str_or(reply->json, "user", "?"), json_str_or(reply->json, "team", "?"));
        check_scopes(c, reply->scopes);
        if (reply->date_ms != TIME_UNKNOWN)
            check_clock(c, "slack", reply->date_ms - clock_wall_ms());
    } else {
        check_line(c, BAD, "slack", "slack.bot_token: %s", error_text(err));
    }
    check_answered(c);
}

/* ---- the app token, and the host that the sockets go to ---- */

struct probe {
    struct check *check;
    char *host;
};

static void on_host(void *user, const struct http_reply *reply, const struct error *err)
{
    struct probe *probe = user;
    struct check *c = probe->check;

    (void)reply; /* whatever it says: it is reached */
    if (err)
        check_line(c, BAD, "slack", "%s, where Socket Mode connects to, cannot be reached: %s",
                   probe->host, error_text(err));
    else
        check_line(c, GOOD, "slack", "%s, where Socket Mode connects to, can be reached",
                   probe->host);
    free(probe->host);
    free(probe);
    check_answered(c);
}

/* The root of the socket's host. The socket itself is not opened: Slack would send it a share of
 * what people type. */
static char *root_of(const char *socket_url, struct probe *probe)
{
    struct url url = { 0 };
    struct buf authority = BUF_INIT;
    char *root = NULL;

    if (url_parse(socket_url, &url, NULL) == 0) {
        url_add_authority(&authority, &url);
        root = xasprintf("%s://%s/", url_is_tls(&url) ? "https" : "http", buf_str(&authority));
        probe->host = xstrdup(url.host);
    }
    buf_clear(&authority);
    url_clear(&url);
    return root;
}

static void reach_host(struct check *c, const char *socket_url)
{
    struct probe *probe = xcalloc(1, sizeof(*probe));
    struct error err = ERROR_INIT;
    char *root = root_of(socket_url, probe);

    probe->check = c;
    struct http_request request = { .service = http_service(
                                        c->services.http,
                                        &(struct http_service_options){ .name = "slack" }),
                                    .url = root,
                                    .timeout_ms = 10 * SECOND_MS,
                                    .idempotent = true,
                                    .done = on_host,
                                    .user = probe };
    c->waiting++;
    if (!root)
        error_set(&err, ERR_PROTOCOL, "Slack gave no address");
    if (!root || !http_start(c->services.http, &request, &err))
        on_host(probe, NULL, &err);
    free(root);
    error_clear(&err);
}

static void on_connections(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct check *c = user;

    if (reply->kind == WEBAPI_OK) {
        check_line(c, GOOD, "slack", "the app token may open Socket Mode connections");
        reach_host(c, json_str_or(reply->json, "url", ""));
    } else {
        check_line(c, BAD, "slack", "slack.app_token: %s", error_text(err));
    }
    check_answered(c);
}

static void ask(struct check *c, const char *method, webapi_done_fn *done)
{
    struct webapi_reply none = { .kind = WEBAPI_REFUSED, .code = "", .date_ms = TIME_UNKNOWN };
    struct webapi_request request = { .method = method, .done = done, .user = c };
    struct error err = ERROR_INIT;

    c->waiting++;
    if (!webapi_start(c->slack, &request, &err))
        done(c, &none, &err);
    error_clear(&err);
}

int check_slack(struct check *c, struct error *err)
{
    struct webapi_options options = { .api_url = config_str(c->config, "slack.api_url"),
                                      .bot_token = config_str(c->config, "slack.bot_token"),
                                      .app_token = config_str(c->config, "slack.app_token") };

    if (!options.bot_token && !options.app_token) {
        check_line(c, WARNING, "slack", "no tokens are set: only dbconn run works");
        return 0;
    }
    if (webapi_new(&c->services.loop, c->services.http, &options, &c->slack, err) < 0)
        return -1;
    ask(c, "auth.test", on_auth);
    ask(c, "apps.connections.open", on_connections);
    return 0;
}
