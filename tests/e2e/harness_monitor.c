/* harness_monitor - the bot's own HTTP port. */
#include "harness.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

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

static size_t take(char *bytes, size_t size, size_t n, void *user)
{
    buf_add(user, bytes, size * n);
    return size * n;
}

long monitor_get(struct stage *s, const char *path, char **ret_body, char **ret_type)
{
    char *url = xasprintf("http://127.0.0.1:%d%s", port_of(s), path), *type = NULL;
    struct buf body = BUF_INIT;
    CURL *curl = curl_easy_init();
    long status = 0;

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)DEADLINE_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    if (ret_type)
        *ret_type = xstrdup(type ? type : "");
    curl_easy_cleanup(curl);
    free(url);
    *ret_body = buf_take(&body);
    return status;
}

bool readiness_says(struct stage *s, const void *arg)
{
    const char *wanted = arg, *equals = strchr(wanted, '=');
    char *path = xstrndup(wanted, (size_t)(equals - wanted)), *body, *shown;
    long status = monitor_get(s, "/readyz", &body, NULL);
    cJSON *doc = cJSON_Parse(body);
    bool ready = cJSON_IsTrue(json_get(doc, "ready"));

    assert_non_null(doc);
    assert_int_equal(status, ready ? 200 : 503);
    shown = json_print(json_dotted(doc, path));
    bool yes = text_same(shown, equals + 1);
    free(shown);
    free(path);
    free(body);
    cJSON_Delete(doc);
    return yes;
}
