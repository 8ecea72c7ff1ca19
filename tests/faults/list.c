#include "list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"

#define LONG_S 86400

static const struct front_options expired = { .kind = FRONT_BYTES, .valid_s = -60 };
static const struct front_options other_name = { .kind = FRONT_BYTES,
                                                 .valid_s = LONG_S,
                                                 .name = "elsewhere.example" };
static const struct front_options away_after = { .kind = FRONT_GOAWAY_AFTER, .valid_s = LONG_S };
static const struct front_options away_first = { .kind = FRONT_GOAWAY_FIRST, .valid_s = LONG_S };
static const struct front_options away_middle = { .kind = FRONT_GOAWAY_MIDDLE, .valid_s = LONG_S };
static const struct front_options away_silence = { .kind = FRONT_GOAWAY_SILENCE,
                                                   .valid_s = LONG_S };

const struct fault faults[] = {
    { "refused", .url = "http://127.0.0.1:9", .shows = true },
    { "no such name", .url = "https://nowhere.invalid", .shows = true },
    { "cut", .fault = "{\"drop\":true}", .shows = true },
    { "reset", .fault = "{\"reset\":true}", .shows = true },
    { "reset in the middle", .fault = "{\"reset\":true,\"truncate\":true}", .shows = true },
    { "half-open", .fault = "{\"latency_ms\":3600000}", .shows = true, .slow = true },
    { "slow drip", .fault = "{\"drip_ms\":200,\"drip_bytes\":16}", .slow = true },
    { "30 s late", .fault = "{\"latency_ms\":30000}", .shows = true, .slow = true },
    { "429 with Retry-After", .fault = "{\"status\":429,\"retry_after\":1}", .shows = true,
      .slow = true },
    { "429 with Retry-After of an hour", .fault = "{\"status\":429,\"retry_after\":3600}",
      .shows = true },
    { "429 without", .fault = "{\"status\":429,\"retry_after\":-2}", .shows = true, .slow = true },
    { "500", .fault = "{\"status\":500}", .shows = true, .slow = true },
    { "502 as HTML", .fault = "{\"status\":502,\"html\":true}", .shows = true, .slow = true },
    { "503", .fault = "{\"status\":503}", .shows = true, .slow = true },
    { "401", .fault = "{\"status\":401}", .shows = true },
    { "403", .fault = "{\"status\":403}", .shows = true },
    { "HTML for JSON", .fault = "{\"status\":200,\"html\":true}", .shows = true },
    { "truncated", .fault = "{\"truncate\":true}", .shows = true },
    { "malformed", .fault = "{\"malformed\":true}", .shows = true },
    { "wrong types", .fault = "{\"bend\":\"types\"}" },
    { "nulls", .fault = "{\"bend\":\"nulls\"}" },
    { "50 MB", .fault = "{\"huge\":52428800}", .shows = true },
    { "deep nesting", .fault = "{\"bend\":\"deep\"}", .shows = true },
    { "duplicate keys", .fault = "{\"bend\":\"duplicate\"}" },
    { "gzip bomb", .fault = "{\"bend\":\"gzip\"}", .shows = true },
    { "empty", .fault = "{\"empty\":true}" },
    { "an expired certificate", .front = &expired, .shows = true },
    { "a certificate for another name", .front = &other_name, .shows = true },
    { "GOAWAY after each answer", .front = &away_after, .serves = true },
    { "GOAWAY before any answer", .front = &away_first, .shows = true },
    { "GOAWAY in the middle", .front = &away_middle, .shows = true },
    { "GOAWAY, then silence", .front = &away_silence, .shows = true, .slow = true },
};

const size_t n_faults = ARRAY_LEN(faults);

bool everything(void)
{
    const char *which = getenv("FAULTS");

    return which && strcmp(which, "all") == 0;
}

void set_faults(struct stage *s, const char *service, const char *fault)
{
    char *body = service
                     ? xasprintf("{\"%s\":[%s]}", service, fault)
                     : xstrdup("{\"sentry\":[],\"github\":[],\"elasticsearch\":[],\"slack\":[]}");

    cJSON_Delete(control(s, "/faults", body));
    free(body);
}

void set_variable(struct stage *s, const char *variable, const char *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(s->env, variable);
    json_put_str(s->env, variable, value);
}

char *write_config(struct stage *s, const char *host, const char *more)
{
    char *path = xasprintf("%s/dbconn.json", s->dir), *ca_file = xasprintf("%s/ca.pem", s->dir);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fprintf(file, "{\"net\":{\"ca_file\":\"%s\",\"allow_hosts\":[%s%s%s]}%s}", ca_file,
            host ? "\"" : "", host ? host : "", host ? "\"" : "", more ? more : "");
    fclose(file);
    front_write_ca(ca_file);
    free(ca_file);
    return path;
}
