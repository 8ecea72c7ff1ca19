/* A GitHub App's credential: the JWT it signs, and the installation tokens that calls share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "dbconn/base/json.h"
#include "dbconn/sources/github.h"
#include "source_bench.h"

#define REPO "GET /repos/acme/books"
#define TOKEN(name, expires)                                                                       \
    "{\"token\":\"" name "\",\"expires_at\":\"" expires "\",\"permissions\":{}}"

static EVP_PKEY *key;
static char *pem;

static int make_key(void **state)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text;

    (void)state;
    key = EVP_RSA_gen(2048);
    assert_int_equal(PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    long len = BIO_get_mem_data(out, &text);
    pem = xstrndup(text, (size_t)len);
    BIO_free(out);
    return 0;
}

static int drop_key(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    free(pem);
    return 0;
}

static struct github *open_app(struct bench *b, const char *installation,
                               const struct route *routes, size_t n)
{
    struct github *g = NULL;

    bench_open(b, "github", routes, n);
    const struct github_app_options app = { .client_id = "Iv1.abc",
                                            .private_key_pem = pem,
                                            .installation_id = installation };
    const struct github_options options = { .url = b->url, .app = &app };
    if (github_new(b->http, &options, &g, &b->err) < 0)
        fail_msg("%s", error_text(&b->err));
    return g;
}

static void close_all(struct bench *b, struct github *g)
{
    github_free(g);
    bench_close(b);
}

static struct source_call *ask(struct bench *b, struct github *g)
{
    return github_get_repository(g, 1, "acme/books", bench_done, b, &b->err);
}

static size_t times_asked(const struct bench *b, const char *what)
{
    size_t n = 0;

    for (const char *at = buf_str(&b->asked); (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

/* The bytes of a base64url part of `jwt` that ends before `end`. */
static size_t decode(const char *part, size_t len, unsigned char *out)
{
    char *padded = xmalloc(len + 4);
    size_t n = 0, padding = (4 - len % 4) % 4;

    for (; n < len; n++)
        padded[n] = part[n] == '-' ? '+' : part[n] == '_' ? '/' : part[n];
    for (size_t i = 0; i < padding; i++)
        padded[n++] = '=';
    int size = EVP_DecodeBlock(out, (unsigned char *)padded, (int)n);
    free(padded);
    assert_true(size > 0);
    return (size_t)size - padding;
}

static void check_claims(const char *claims, size_t len)
{
    cJSON *json = cJSON_ParseWithLength(claims, len);
    int64_t issued, expires, now = clock_wall_ms() / 1000;

    assert_string_equal(json_str(json, "iss"), "Iv1.abc");
    assert_true(json_i64(json, "iat", &issued) && json_i64(json, "exp", &expires));
    assert_true(issued <= now - 59 && issued >= now - 65);
    assert_true(expires - issued <= 600 && expires > now);
    cJSON_Delete(json);
}

static void check_jwt(const char *jwt)
{
    unsigned char bytes[1024];
    const char *dot = strchr(jwt, '.'), *dot2 = strchr(dot + 1, '.');
    size_t len = strspn(dot2 + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "-_");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    check_claims((char *)bytes, decode(dot + 1, (size_t)(dot2 - dot - 1), bytes));
    size_t n = decode(dot2 + 1, len, bytes);
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(
        EVP_DigestVerify(ctx, bytes, n, (const unsigned char *)jwt, (size_t)(dot2 - jwt)), 1);
    EVP_MD_CTX_free(ctx);
}

static void the_app_signs_in_with_a_jwt_that_its_public_key_verifies(void **state)
{
    struct bench b;
    struct github *g = open_app(&b, NULL, ROUTES({ "GET /app$", 200, "", "{\"slug\":\"db\"}" }));
    const struct source_check *check =
        bench_result(&b, github_check(g, 1, NULL, bench_done, &b, &b.err));
    const char *line = strstr(buf_str(&b.head), "Authorization: Bearer ");

    (void)state;
    assert_int_equal(check->items[0].ok, YES);
    assert_string_equal(check->identity, "GitHub App Iv1.abc");
    assert_non_null(line);
    check_jwt(line + strlen("Authorization: Bearer "));
    close_all(&b, g);
}

static void calls_that_need_a_token_share_one(void **state)
{
    struct bench b;
    struct github *g = open_app(&b, NULL,
                                ROUTES({ REPO "/installation$", 200, "", "{\"id\":987654321012}" },
                                       { "POST /app/installations/987654321012/access_tokens$", 201,
                                         "", TOKEN("ghs_1_a.b.c", "2099-01-01T00:00:00Z") },
                                       { REPO "$", 200, "", "{\"full_name\":\"acme/books\"}" }));

    (void)state;
    assert_non_null(ask(&b, g));
    assert_non_null(ask(&b, g));
    (void)bench_wait(&b, ask(&b, g), 3);
    assert_non_null(b.result);
    (void)bench_result(&b, ask(&b, g));
    assert_non_null(strstr(buf_str(&b.head), "Authorization: Bearer ghs_1_a.b.c\r\n"));
    assert_int_equal(times_asked(&b, "/installation\n"), 1);
    assert_int_equal(times_asked(&b, "access_tokens"), 1);
    assert_int_equal(times_asked(&b, REPO "\n"), 2); /* what is asked at once is shared too */
    close_all(&b, g);
}

static void a_token_near_its_end_is_renewed_before_use(void **state)
{
    struct bench b;
    struct github *g = open_app(&b, "5",
                                ROUTES({ "POST /app/installations/5/access_tokens$", ONCE + 201, "",
                                         TOKEN("ghs_old", "2020-01-01T00:00:00Z") },
                                       { "POST /app/installations/5/access_tokens$", 201, "",
                                         TOKEN("ghs_new", "2099-01-01T00:00:00Z") },
                                       { REPO "$", 200, "", "{\"full_name\":\"acme/books\"}" }));

    (void)state;
    (void)bench_result(&b, ask(&b, g));
    assert_non_null(strstr(buf_str(&b.head), "Bearer ghs_new\r\n"));
    assert_int_equal(times_asked(&b, "/installation\n"), 0); /* it is configured */
    close_all(&b, g);
}

static void a_refused_token_is_replaced_once(void **state)
{
    struct bench b;
    struct github *g = open_app(&b, "5",
                                ROUTES({ "POST /app/installations/5/access_tokens$", 201, "",
                                         TOKEN("ghs_1", "2099-01-01T00:00:00Z") },
                                       { REPO "$", 401, "", "{\"message\":\"Bad credentials\"}" }));
    const struct error *err = bench_error(&b, ask(&b, g));

    (void)state;
    assert_int_equal(err->code, ERR_UNAUTHORIZED);
    assert_int_equal(times_asked(&b, "access_tokens"), 2);
    assert_int_equal(times_asked(&b, REPO "\n"), 2);
    close_all(&b, g);
}

static void everyone_who_waits_learns_why_there_is_no_token(void **state)
{
    struct bench b;
    struct github *g = open_app(
        &b, NULL, ROUTES({ REPO "/installation$", 404, "", "{\"message\":\"Not Found\"}" }));

    (void)state;
    assert_non_null(ask(&b, g));
    assert_null(bench_wait(&b, ask(&b, g), 2));
    assert_int_equal(b.err.code, ERR_NOT_FOUND);
    assert_says(error_text(&b.err), "find the installation of the GitHub App for acme/books");
    assert_says(error_text(&b.err), "the GitHub App is not installed there");
    assert_int_equal(times_asked(&b, "/installation\n"), 1);
    close_all(&b, g);
}

static void a_wrong_key_is_told_as_such(void **state)
{
    struct bench b;
    struct github *g =
        open_app(&b, "5", ROUTES({ "POST /", 401, "", "{\"message\":\"could not be decoded\"}" }));
    const struct error *err = bench_error(&b, ask(&b, g));

    (void)state;
    assert_int_equal(err->code, ERR_UNAUTHORIZED);
    assert_says(error_text(err), "client id or private key is wrong, or the clock");
    close_all(&b, g);
}

struct freeing {
    struct github *g;
    int ended;
};

static void free_on_end(void *user, const void *result, const struct error *err)
{
    struct freeing *f = user;

    (void)result;
    (void)err;
    f->ended++;
    github_free(f->g);
    f->g = NULL;
}

static void the_client_may_be_freed_while_others_wait_for_the_same_token(void **state)
{
    struct bench b;
    struct freeing f = { 0 };

    (void)state;
    f.g = open_app(&b, NULL, ROUTES({ REPO "/installation$", 404, "", "{}" }));
    for (int i = 0; i < 3; i++)
        assert_non_null(github_get_repository(f.g, 1, "acme/books", free_on_end, &f, &b.err));
    while (f.g)
        uv_run(&b.loop, UV_RUN_ONCE);
    assert_int_equal(f.ended, 1);
    bench_close(&b);
}

static void what_is_no_key_is_refused_at_once(void **state)
{
    static const char *const bad[] = { NULL, "", "-----BEGIN RSA PRIVATE KEY-----\nnope\n" };
    struct error err = ERROR_INIT;
    struct github *g = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct github_app_options app = { .client_id = "Iv1.abc", .private_key_pem = bad[i] };
        const struct github_options options = { .url = "https://api.github.com", .app = &app };
        assert_int_equal(github_new(NULL, &options, &g, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_says(error_text(&err), "RSA key");
    }
    error_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_app_signs_in_with_a_jwt_that_its_public_key_verifies),
        cmocka_unit_test(calls_that_need_a_token_share_one),
        cmocka_unit_test(a_token_near_its_end_is_renewed_before_use),
        cmocka_unit_test(a_refused_token_is_replaced_once),
        cmocka_unit_test(everyone_who_waits_learns_why_there_is_no_token),
        cmocka_unit_test(a_wrong_key_is_told_as_such),
        cmocka_unit_test(the_client_may_be_freed_while_others_wait_for_the_same_token),
        cmocka_unit_test(what_is_no_key_is_refused_at_once),
    };
    struct error err = ERROR_INIT;

    if (http_global_init(&err) < 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, make_key, drop_key);
    http_global_clear();
    return failed;
}
