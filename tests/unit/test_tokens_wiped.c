/* No copy of a token is left in memory when those who held it are gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dbconn/app/config.h"
#include "dbconn/base/alloc.h"
#include "dbconn/base/redact.h"
#include "dbconn/net/http.h"
#include "dbconn/net/loop.h"
#include "dbconn/net/policy.h"
#include "dbconn/slack/webapi.h"
#include "dbconn/sources/elasticsearch.h"
#include "dbconn/sources/github.h"
#include "dbconn/sources/sentry.h"

#define TOKEN_LEN 250 /* longer than the first piece of what grows */
#define PART 24       /* so much of it counts as a copy: a piece may have been left behind */
#define SECOND 120
#define CHUNK ((size_t)1 << 20)
#define MAPPING_MAX ((unsigned long)256 << 20) /* larger ones are a sanitizer's shadow */

/* ---- a token that only this program's parts hold ---- */

/* The same for the same letter, and nowhere as a whole but where it is written to. */
static void spell(char letter, char to[TOKEN_LEN])
{
    uint32_t x = 2654435761u * (uint32_t)letter;

    for (int i = 0; i < TOKEN_LEN; i++) {
        x = x * 1664525u + 1013904223u;
        to[i] = (char)('a' + (x >> 16) % 26);
    }
}

/* ---- looking through all that may be written to, but for the stack, which is used anew ---- */

/* What is looked for, turned over, so that this is no copy. */
struct wanted {
    unsigned char parts[2][PART]; /* of the beginning, and of what a second piece would hold */
};

static void look_for(char letter, struct wanted *ret)
{
    char token[TOKEN_LEN];

    spell(letter, token);
    for (size_t i = 0; i < PART; i++) {
        ret->parts[0][i] = (unsigned char)~token[i];
        ret->parts[1][i] = (unsigned char)~token[SECOND + i];
    }
    explicit_bzero(token, sizeof(token));
}

static bool is_part(const unsigned char *part, const char *at)
{
    for (size_t i = 0; i < PART; i++)
        if (((unsigned char)at[i] ^ part[i]) != 0xff)
            return false;
    return true;
}

static int count_in(const struct wanted *w, const char *bytes, size_t len)
{
    int n = 0;

    for (size_t i = 0; i + PART <= len; i++)
        n += is_part(w->parts[0], bytes + i) || is_part(w->parts[1], bytes + i);
    return n;
}

static int count_in_memory(char letter)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), n = 0;
    char line[512];
    struct wanted wanted;
    /* Apart from the heap, which is looked through. */
    /* cppcheck-suppress invalidFunctionArg ; it has no file, so mmap(2) wants -1 */
    char *bytes = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    look_for(letter, &wanted);
    assert_non_null(maps);
    assert_true(memory >= 0);
    assert_ptr_not_equal(bytes, MAP_FAILED);
    while (fgets(line, sizeof(line), maps)) {
        unsigned long from, to;
        char rights[5];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3 || rights[1] != 'w' ||
            strstr(line, "[stack]") || to - from > MAPPING_MAX)
            continue;
        for (unsigned long at = from; at < to; at += CHUNK - PART) {
            size_t want = to - at < CHUNK ? to - at : CHUNK;
            ssize_t got = pread(memory, bytes, want, (off_t)at);
            bool own = (uintptr_t)bytes < at + want && (uintptr_t)bytes + CHUNK > at;
            if (got > 0 && !own)
                n += count_in(&wanted, bytes, (size_t)got);
        }
    }
    munmap(bytes, CHUNK);
    close(memory);
    fclose(maps);
    return n;
}

/* ---- who holds tokens ---- */

struct world {
    char folder[64];
    uv_loop_t loop;
    struct net_policy *policy;
    struct http *http;
};

static char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static void write_token(const struct world *w, const char *name, char letter)
{
    char token[TOKEN_LEN], path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", w->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    spell(letter, token);
    assert_int_equal(write(fd, token, TOKEN_LEN), TOKEN_LEN);
    explicit_bzero(token, sizeof(token));
    close(fd);
}

static const struct {
    const char *file, *key;
    char letter;
} tokens[] = { { "sentry", "sentry.auth_token", 's' },
               { "github", "github.token", 'g' },
               { "elastic", "elasticsearch.api_key", 'e' },
               { "app", "slack.app_token", 'a' },
               { "bot", "slack.bot_token", 'b' } };

static struct config *load(const struct world *w)
{
    struct config *c = NULL;
    struct error err = ERROR_INIT;
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/dbconn.json", w->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "{\"sentry\":{\"organization\":\"acme\",\"auth_token_file\":\"%s/sentry\"},"
            "\"github\":{\"token_file\":\"%s/github\"},"
            "\"elasticsearch\":{\"url\":\"http://127.0.0.1:9\",\"api_key_file\":\"%s/elastic\"},"
            "\"slack\":{\"app_token_file\":\"%s/app\",\"bot_token_file\":\"%s/bot\"}}",
            w->folder, w->folder, w->folder, w->folder, w->folder);
    fclose(file);
    if (config_load(path, no_environment, &c, &err) < 0)
        fail_msg("%s", error_text(&err));
    return c;
}

static void on_reply(void *user, const struct webapi_reply *reply, const struct error *err)
{
    (void)reply;
    (void)err;
    *(bool *)user = true;
}

static void on_source(void *user, const void *result, const struct error *err)
{
    (void)err;
    assert_null(result);
    *(bool *)user = true;
}

static void wait_for(struct world *w, const bool *done)
{
    while (!*done)
        uv_run(&w->loop, UV_RUN_ONCE);
}

/* Each client is made, asks once (nobody listens), and goes. */
static void use_clients(struct world *w, const struct config *c)
{
    struct error err = ERROR_INIT;
    struct sentry *sentry = NULL;
    struct github *github = NULL;
    struct es *es = NULL;
    bool done[4] = { false };
    const struct sentry_options so = { .url = "http://127.0.0.1:9",
                                       .org = "acme",
                                       .token = config_str(c, "sentry.auth_token"),
                                       .budget_ms = 50 };
    const struct github_options go = { .url = "http://127.0.0.1:9",
                                       .token = config_str(c, "github.token"),
                                       .budget_ms = 50 };
    const struct es_options eo = { .url = "http://127.0.0.1:9",
                                   .api_key = config_str(c, "elasticsearch.api_key"),
                                   .budget_ms = 50 };
    const struct webapi_options wo = { .api_url = "http://127.0.0.1:9/api/",
                                       .app_token = config_str(c, "slack.app_token"),
                                       .bot_token = config_str(c, "slack.bot_token") };
    struct webapi_request ask = {
        .method = "auth.test", .wait_ms = 50, .done = on_reply, .user = &done[3]
    };

    assert_int_equal(sentry_new(w->http, &so, &sentry, &err), 0);
    assert_int_equal(github_new(w->http, &go, &github, &err), 0);
    assert_int_equal(es_new(w->http, &eo, &es, &err), 0);
    struct webapi *api = NULL;
    assert_int_equal(webapi_new(&w->loop, w->http, &wo, &api, &err), 0);
    assert_non_null(sentry_get_issue(sentry, 1, "7", on_source, &done[0], &err));
    assert_non_null(github_pull_files(github, 1, "a/b", 1, 0, on_source, &done[1], &err));
    assert_non_null(es_get_info(es, 1, on_source, &done[2], &err));
    assert_non_null(webapi_start(api, &ask, &err));
    for (size_t i = 0; i < 4; i++)
        wait_for(w, &done[i]);
    sentry_free(sentry);
    github_free(github);
    es_free(es);
    webapi_free(api);
}

static void no_token_is_left_when_its_holders_are_gone(void **state)
{
    static const char *const services[] = { "sentry", "github", "elasticsearch", "slack" };
    struct world w = { .folder = "/tmp/dbconn-wiped-XXXXXX" };
    struct error err = ERROR_INIT;

    (void)state;
    if (getenv("VALGRIND"))
        skip(); /* its own memory is hundreds of megabytes */
    assert_non_null(mkdtemp(w.folder));
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
        write_token(&w, tokens[i].file, tokens[i].letter);
    assert_int_equal(http_global_init(&err), 0);
    uv_loop_init(&w.loop);
    w.policy = net_policy_new();
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        assert_int_equal(net_policy_add_base(w.policy, services[i], "http://127.0.0.1:9", &err), 0);
    assert_int_equal(http_new(&w.loop, w.policy, &w.http, &err), 0);
    struct config *c = load(&w);
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
        assert_true(count_in_memory(tokens[i].letter) > 0); /* the search finds them */
    use_clients(&w, c);
    config_free(c);
    http_free(w.http);
    net_policy_free(w.policy);
    redact_forget_all();
    assert_true(loop_finish(&w.loop));
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        int left = count_in_memory(tokens[i].letter);
        if (left)
            fail_msg("%s: %d copies are left", tokens[i].key, left);
        char *path = xasprintf("%s/%s", w.folder, tokens[i].file);
        unlink(path);
        free(path);
    }
    char *path = xasprintf("%s/dbconn.json", w.folder);
    unlink(path);
    free(path);
    rmdir(w.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_token_is_left_when_its_holders_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
