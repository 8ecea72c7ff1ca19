#include "slack_front.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"

void slack_front_api(struct slack_front *f, enum front_kind kind, long valid_s)
{
    const char *url = f->api.url; /* NULL the first time: not known yet */
    const struct front_options options = {
        .kind = kind,
        .to = f->http,
        .host = f->api_host,
        .valid_s = valid_s,
        .rewrites = { { f->ws, f->wss }, { url ? f->http : NULL, url } },
    };

    front_start(&f->api, &options);
}

void slack_front_socket(struct slack_front *f, long valid_s)
{
    const struct front_options options = {
        .kind = FRONT_BYTES, .to = f->http, .host = f->socket_host, .valid_s = valid_s
    };

    front_start(&f->socket, &options);
}

void slack_front_start(struct stage *s, struct slack_front *f)
{
    const char *api_url = json_str(s->env, "SLACK_API_URL");
    const char *path = strchr(api_url + strlen("http://"), '/');

    f->http = xstrndup(api_url, path ? (size_t)(path - api_url) : strlen(api_url));
    f->ws = xasprintf("ws%s", f->http + strlen("http"));
    slack_front_socket(f, GOOD_S);
    f->wss = xasprintf("wss%s", f->socket.url + strlen("https"));
    slack_front_api(f, FRONT_HTTP2, GOOD_S); /* finds a port */
    slack_front_api(f, FRONT_HTTP2, GOOD_S); /* and now its answers name it */
    char *url = xasprintf("%s%s", f->api.url, path ? path : "");
    set_variable(s, "SLACK_API_URL", url);
    free(url);
}

void slack_front_stop(struct slack_front *f)
{
    front_stop(&f->api);
    front_stop(&f->socket);
    free(f->http);
    free(f->ws);
    free(f->wss);
}

/* ---- the bot's own port ---- */

static int port_of(const struct stage *s)
{
    char *log = stage_bot_log(s), *at = NULL;
    int port;

    for (char *p = log; (p = strstr(p, "event=metrics.listen ")); p++)
        at = strstr(p, "port="); /* the last start's */
    port = at ? (int)strtol(at + 5, NULL, 10) : 0;
    free(log);
    return port;
}

static size_t ignore(char *bytes, size_t size, size_t n, void *user)
{
    (void)bytes, (void)user;
    return size * n;
}

long bot_status_of(struct stage *s, const char *path)
{
    char *url = xasprintf("http://127.0.0.1:%d%s", port_of(s), path);
    CURL *curl = curl_easy_init();
    long status = 0;

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)DEADLINE_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    free(url);
    return status;
}
