/* Slack's answers. Lines: the method, the status, and the rest is the body. */
#include <stdlib.h>
#include <string.h>

#include "dbconn/net/http_headers.h"
#include "fuzz.h"
#include "slack/access_facts.h"
#include "slack/webapi_internal.h"

static void read_facts(const cJSON *json)
{
    struct access_person person = { 0 };
    struct access_channel channel = { 0 };
    struct id_list ids = { 0 };
    struct error err = ERROR_INIT;

    if (access_read_person(json, "U0ASKED001", &person, &ids, &err) < 0)
        FUZZ_CHECK(err.code == ERR_PROTOCOL);
    id_list_clear(&ids);
    (void)access_read_name(json);
    if (access_read_channel(json, &channel, &err) < 0)
        FUZZ_CHECK(err.code == ERR_PROTOCOL);
    if (access_read_members(json, &ids, &err) < 0)
        FUZZ_CHECK(err.code == ERR_PROTOCOL);
    id_list_clear(&ids);
    error_clear(&err);
}

static void check(struct reading *r)
{
    FUZZ_CHECK((r->reply.kind == WEBAPI_OK) == (r->err.code == ERR_NONE));
    FUZZ_CHECK(r->retry_after_ms >= 0);
    if (r->reply.kind == WEBAPI_OK && r->json)
        read_facts(r->json);
    reading_clear(r);
}

void fuzz_slack_reply(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct http_headers headers = { 0 };
    char *method = fuzz_line(&in), *status = fuzz_line(&in), *body = fuzz_rest(&in);
    struct http_reply reply = { .body = body, .body_len = strlen(body), .headers = &headers };
    struct reading r;

    reply.status = 100 + (int)((unsigned long)strtol(status, NULL, 10) % 500);
    if (strstr(status, "Retry-After:"))
        (void)http_headers_add_line(&headers, strstr(status, "Retry-After:"),
                                    strlen(strstr(status, "Retry-After:")));
    webapi_read(method, method_info(method), &reply, NULL, true, &r);
    check(&r);
    webapi_read_address("response_url", &reply, NULL, true, &r);
    check(&r);
    http_headers_clear(&headers);
    free(method);
    free(status);
    free(body);
}
