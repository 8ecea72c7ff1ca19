/* What the GitHub client reads, how it pages, caches, waits and explains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dbconn/net/http_headers.h"
#include "dbconn/sources/github.h"
#include "source_bench.h"

#define REPO "GET /repos/acme/books"
#define SHA "4f1c2d3e5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d"

static struct github *open_all(struct bench *b, const struct route *routes, size_t n)
{
    struct github *g = NULL;

    bench_open(b, "github", routes, n);
    const struct github_options options = { .url = b->url, .token = "secret-token-2" };
    if (github_new(b->http, &options, &g, &b->err) < 0)
        fail_msg("%s", error_text(&b->err));
    return g;
}

static void close_all(struct bench *b, struct github *g)
{
    github_free(g);
    bench_close(b);
}

/* ---- reading ---- */

static void a_missing_patch_is_not_an_empty_one(void **state)
{
    struct bench b;
    struct github *g = open_all(
        &b, ROUTES({ REPO "/pulls/9/files?per_page=100$", 200, "",
                     "[{\"filename\":\"a.yml\",\"status\":\"modified\",\"additions\":1,"
                     "\"deletions\":0,\"patch\":\"@@ -1 +1,2 @@\\n x\\n+y\"},"
                     "{\"filename\":\"b.png\",\"status\":\"added\",\"additions\":0,"
                     "\"deletions\":0},"
                     "{\"filename\":\"d.c\",\"previous_filename\":\"c.c\",\"status\":\"renamed\"},"
                     "{\"filename\":\"e\",\"status\":\"teleported\",\"patch\":null},7]" }));
    const struct github_files *files =
        bench_result(&b, github_pull_files(g, 1, "acme/books", 9, 0, bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(files->n, 4);
    assert_false(files->meta.partial);
    assert_string_equal(files->items[0].patch, "@@ -1 +1,2 @@\n x\n+y");
    assert_int_equal(files->items[1].status, GITHUB_FILE_ADDED);
    assert_null(files->items[1].patch);
    assert_int_equal(files->items[1].additions, 0);
    assert_string_equal(files->items[2].previous_filename, "c.c");
    assert_int_equal(files->items[2].additions, -1);
    assert_int_equal(files->items[3].status, GITHUB_FILE_UNKNOWN);
    assert_null(files->items[3].patch);
    close_all(&b, g);
}

static void a_commit_without_account_or_files_is_still_a_commit(void **state)
{
    struct bench b;
    struct github *g =
        open_all(&b, ROUTES({ REPO "/commits/release%2F2.0$", 200, "",
                              "{\"sha\":\"" SHA "\",\"author\":null,\"committer\":{},\"commit\":{"
                              "\"message\":\"Move\\n\\nbody\",\"author\":null,\"committer\":"
                              "{\"date\":\"2026-03-04T05:06:07Z\"}},\"parents\":[{\"sha\":\"p1\"},"
                              "{\"sha\":\"p2\"}]}" }));
    const struct github_commit *commit = bench_result(
        &b, github_get_commit(g, 1, "acme/books", "release/2.0", 0, bench_done, &b, &b.err));

    (void)state;
    assert_string_equal(commit->message, "Move\n\nbody");
    assert_null(commit->author_login);
    assert_null(commit->author_name);
    assert_true(commit->authored_ms == TIME_UNKNOWN);
    assert_int_equal(commit->committed_ms, time_or_unknown("2026-03-04T05:06:07Z"));
    assert_int_equal(commit->n_parents, 2);
    assert_int_equal(commit->has_files, NO);
    assert_int_equal(commit->additions, -1);
    close_all(&b, g);
}

static void the_pull_request_that_brought_a_commit_is_chosen(void **state)
{
#define PULL(n, repo, merged, sha)                                                                 \
    "{\"number\":" n ",\"merged_at\":" merged ",\"merge_commit_sha\":" sha                         \
    ",\"base\":{\"repo\":{\"full_name\":\"" repo "\"}}}"
#define MERGED_1 "\"2026-03-01T00:00:00Z\""
#define MERGED_2 "\"2026-03-02T00:00:00Z\""
    static const struct {
        const char *pulls, *sha;
        enum github_pull_match match;
        int64_t number;
    } cases[] = {
        { "[]", SHA, GITHUB_PULL_NONE, 0 },
        { "[" PULL("1", "acme/books", MERGED_2, "\"aaa\"") "," PULL("2", "acme/books", MERGED_1,
                                                                    "\"" SHA "\"") "]",
          SHA, GITHUB_PULL_MERGE_COMMIT, 2 },
        { "[" PULL("2", "Acme/Books", MERGED_1, "\"" SHA "\"") "]", "4F1C2D3E5A",
          GITHUB_PULL_MERGE_COMMIT, 2 },
        { "[" PULL("1", "acme/books", MERGED_1, "\"aaa\"") "," PULL(
              "2", "acme/books", MERGED_2, "null") "," PULL("3", "acme/books", "null", "null") "]",
          SHA, GITHUB_PULL_MERGED, 2 },
        { "[" PULL("3", "acme/books", "null", "null") "]", SHA, GITHUB_PULL_UNMERGED, 3 },
        /* a test merge of an open one */
        { "[" PULL("3", "acme/books", "null", "\"" SHA "\"") "]", SHA, GITHUB_PULL_UNMERGED, 3 },
        { "[" PULL("4", "fork/books", MERGED_1, "\"aaa\"") "]", SHA, GITHUB_PULL_NONE, 0 },
        { "[" PULL("4", "fork/books", MERGED_2, "\"aaa\"") "," PULL("5", "acme/books", "null",
                                                                    "null") "]",
          SHA, GITHUB_PULL_UNMERGED, 5 },
        /* the repository's new name */
        { "[" PULL("6", "acme/library", MERGED_1, "\"" SHA "\"") "]", SHA, GITHUB_PULL_MERGE_COMMIT,
          6 },
        { "[" PULL("6", "fork/books", MERGED_1, "\"" SHA "\"") "," PULL("7", "acme/books", MERGED_1,
                                                                        "\"" SHA "\"") "]",
          SHA, GITHUB_PULL_MERGE_COMMIT, 7 },
    };
    struct bench b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct github *g = open_all(&b, ROUTES({ "GET /", 200, "", cases[i].pulls }));
        const struct github_pulls *pulls = bench_result(
            &b, github_commit_pulls(g, 1, "acme/books", cases[i].sha, bench_done, &b, &b.err));
        if (pulls->match != cases[i].match ||
            (pulls->chosen ? pulls->chosen->number : 0) != cases[i].number)
            fail_msg("case %zu chose %d", i, (int)pulls->match);
        close_all(&b, g);
    }
}

static void a_pull_request_tells_what_it_changed(void **state)
{
    struct bench b;
    struct github *g =
        open_all(&b, ROUTES({ REPO "/pulls/482$", 200, "",
                              "{\"number\":482,\"title\":\"Move\",\"body\":null,\"user\":null,"
                              "\"state\":\"closed\",\"merged\":true,\"merged_at\":" MERGED_1 ","
                              "\"changed_files\":3,\"head\":{\"ref\":\"x\",\"repo\":null},"
                              "\"base\":{\"ref\":\"main\"},\"labels\":[{\"name\":\"db\"}]}" }));
    const struct github_pull *pull =
        bench_result(&b, github_get_pull(g, 1, "acme/books", 482, bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(pull->number, 482);
    assert_null(pull->author);
    assert_null(pull->body);
    assert_int_equal(pull->merged, YES);
    assert_int_equal(pull->changed_files, 3);
    assert_int_equal(pull->additions, -1);
    assert_string_equal(pull->labels[0], "db");
    close_all(&b, g);
}

static void a_comparison_tells_a_rollback(void **state)
{
    struct bench b;
    struct github *g = open_all(
        &b, ROUTES({ REPO "/compare/v1%2Fx...v2$", 200, "",
                     "{\"status\":\"behind\",\"ahead_by\":0,\"behind_by\":2,\"total_commits\":3,"
                     "\"commits\":[{\"sha\":\"a\"}],\"merge_base_commit\":{\"sha\":\"m\"}}" }));
    const struct github_compare *compare =
        bench_result(&b, github_compare(g, 1, "acme/books", "v1/x", "v2", bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(compare->status, GITHUB_COMPARE_BEHIND);
    assert_int_equal(compare->behind_by, 2);
    assert_string_equal(compare->merge_base_sha, "m");
    assert_int_equal(compare->n_files, 0);
    assert_true(compare->meta.partial);
    assert_says(compare->meta.why, "1 of 3 commits");
    close_all(&b, g);
}

static void a_deployment_happened_at_its_first_success(void **state)
{
    struct bench b;
    struct github *g = open_all(
        &b, ROUTES({ REPO "/deployments?per_page=100&environment=production$", 200, "",
                     "[{\"id\":12345678901,\"sha\":\"a\",\"payload\":\"text\",\"creator\":null,"
                     "\"production_environment\":true}]" },
                   { REPO "/deployments/12345678901/statuses?per_page=100$", 200, "",
                     "[{\"state\":\"inactive\",\"created_at\":\"2026-03-04T09:00:00Z\"},"
                     "{\"state\":\"success\",\"created_at\":\"2026-03-04T08:00:00Z\"},"
                     "{\"state\":\"success\",\"created_at\":\"2026-03-04T07:00:00Z\"},"
                     "{\"state\":\"pending\",\"created_at\":\"2026-03-04T06:00:00Z\"}]" }));

    (void)state;
    const struct github_deployments *list =
        bench_result(&b, github_list_deployments(g, 1, "acme/books", NULL, "production", bench_done,
                                                 &b, &b.err));
    assert_string_equal(list->items[0].id, "12345678901");
    assert_int_equal(list->items[0].production, YES);
    const struct github_deployment_statuses *statuses = bench_result(
        &b, github_deployment_statuses(g, 1, "acme/books", "12345678901", bench_done, &b, &b.err));
    assert_int_equal(statuses->n, 4);
    assert_int_equal(statuses->first_success_ms, time_or_unknown("2026-03-04T07:00:00Z"));
    close_all(&b, g);
}

/* ---- pages ---- */

#define FILE_PAGE "[{\"filename\":\"a\"},{\"filename\":\"b\"}]"
#define NEXT(url) "Link: <" url ">; rel=\"next\", <@/x>; rel=\"last\"\r\n"

static void files_go_on_where_the_link_says(void **state)
{
    struct bench b;
    struct github *g = open_all(
        &b, ROUTES({ REPO "/pulls/9/files?per_page=100$", 200, NEXT("@/pages/2"), FILE_PAGE },
                   { "GET /pages/2$", 200, NEXT("@/pages/3"), FILE_PAGE },
                   { "GET /pages/3$", 200, "Link: <@/x>; rel=\"first\"\r\n", FILE_PAGE }));
    const struct github_files *files =
        bench_result(&b, github_pull_files(g, 1, "acme/books", 9, 0, bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(files->n, 6);
    assert_false(files->meta.partial);
    close_all(&b, g);
}

static void a_page_on_another_host_is_not_fetched(void **state)
{
    struct bench b;
    struct github *g = open_all(
        &b, ROUTES({ REPO "/pulls/9/files", 200, NEXT("https://evil.example/2"), FILE_PAGE }));
    const struct github_files *files =
        bench_result(&b, github_pull_files(g, 1, "acme/books", 9, 0, bench_done, &b, &b.err));

    (void)state;
    assert_int_equal(files->n, 2);
    assert_true(files->meta.partial);
    assert_says(files->meta.why, "another host");
    close_all(&b, g);
}

static void a_file_cap_is_told_once(void **state)
{
    struct bench b;
    struct github *g =
        open_all(&b, ROUTES({ REPO "/pulls/9/files", 200, NEXT("@/pages/2"), FILE_PAGE },
                            { REPO "/commits/abc", 200, NEXT("@/pages/2"),
                              "{\"sha\":\"abc\",\"files\":" FILE_PAGE "}" }));

    (void)state;
    const struct github_files *files =
        bench_result(&b, github_pull_files(g, 1, "acme/books", 9, 1, bench_done, &b, &b.err));
    assert_int_equal(files->n, 1);
    assert_string_equal(files->meta.why, "only the first 1 files were read");
    const struct github_commit *commit =
        bench_result(&b, github_get_commit(g, 1, "acme/books", "abc", 1, bench_done, &b, &b.err));
    assert_int_equal(commit->n_files, 1);
    assert_string_equal(commit->meta.why, "only the first 1 files were read");
    assert_int_equal(b.server.requests, 2);
    close_all(&b, g);
}

/* ---- conditional requests ---- */

static void an_unchanged_answer_is_not_sent_again(void **state)
{
    struct bench b;
    struct github *g =
        open_all(&b, ROUTES({ REPO "$", ONCE + 200, "ETag: W/\"v1\"\r\n",
                              "{\"full_name\":\"acme/books\",\"default_branch\":\"main\"}" },
                            { REPO "$", ONCE + 304, "", "" },
                            { REPO "$", 200, "ETag: W/\"v2\"\r\n",
                              "{\"full_name\":\"acme/books\",\"default_branch\":\"trunk\"}" }));
    const char *branches[] = { "main", "main", "trunk" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(branches); i++) {
        const struct github_repository *repo =
            bench_result(&b, github_get_repository(g, 1, "acme/books", bench_done, &b, &b.err));
        assert_string_equal(repo->default_branch, branches[i]);
        assert_int_equal(i > 0, strstr(buf_str(&b.head), "If-None-Match: W/\"v1\"\r\n") != NULL);
    }
    close_all(&b, g);
}

/* ---- limits and errors ---- */

static void limits_are_told_from_missing_permissions_by_headers(void **state)
{
#define NOW INT64_C(1772600400000)
    static const struct {
        int status;
        const char *headers, *body;
        int64_t wait_ms;
    } cases[] = {
        { 200, "X-RateLimit-Remaining: 4999\r\nX-RateLimit-Reset: 1772600460\r\n", "", 0 },
        { 200, "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1772600460\r\n", "", MINUTE_MS },
        { 403, "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1772600460\r\n", "", MINUTE_MS },
        /* their clock says when, not ours */
        { 403,
          "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1772600460\r\n"
          "Date: Wed, 04 Mar 2026 05:00:30 GMT\r\n",
          "", 30 * SECOND_MS },
        { 403, "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1772600000\r\n", "", SECOND_MS },
        { 403, "Retry-After: 7\r\nX-RateLimit-Remaining: 4999\r\n", "", 7 * SECOND_MS },
        { 429, "", "", MINUTE_MS },
        { 403, "", "{\"message\":\"You have exceeded a secondary rate limit.\"}", MINUTE_MS },
        { 403, "X-RateLimit-Remaining: 4999\r\n", "{\"message\":\"Resource not accessible\"}", -1 },
        { 404, "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1772600460\r\n", "", -1 },
        { 503, "Retry-After: 5\r\n", "", 5 * SECOND_MS },
        { 502, "", "", -1 },
        { 403, "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: soon\r\n", "", SECOND_MS },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_headers headers = { 0 };
        for (const char *line = cases[i].headers; *line; line = strchr(line, '\n') + 1) {
            size_t len = (size_t)(strchr(line, '\n') + 1 - line);
            assert_true(http_headers_add_line(&headers, line, len));
        }
        const struct http_reply reply = { .status = cases[i].status,
                                          .body = cases[i].body,
                                          .body_len = strlen(cases[i].body),
                                          .headers = &headers };
        int64_t wait = github_limit(&reply, NOW);
        if (wait != cases[i].wait_ms)
            fail_msg("case %zu waits %lld ms", i, (long long)wait);
        http_headers_clear(&headers);
    }
}

static void a_refusal_says_who_answered_what_and_what_to_do(void **state)
{
    static const struct {
        int status;
        const char *headers, *body;
        enum err_code code;
        const char *says;
    } cases[] = {
        { 401, "", "{\"message\":\"Bad credentials\"}", ERR_UNAUTHORIZED,
          "GitHub answered 401: the token is wrong, expired or revoked; check github.token_file "
          "(GITHUB_TOKEN) (Bad credentials)" },
        { 403, "", "{\"message\":\"Resource not accessible by integration\"}", ERR_FORBIDDEN,
          "the token lacks metadata: read on acme/books (Resource not accessible" },
        { 403, "X-Accepted-GitHub-Permissions: contents=read\r\n", "{}", ERR_FORBIDDEN,
          "the token lacks contents=read" },
        { 403, "X-GitHub-SSO: required; url=https://github.com/orgs/acme/sso\r\n", "",
          ERR_FORBIDDEN, "single sign-on" },
        { 403, "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 9999999999\r\n",
          "{\"message\":\"API rate limit exceeded\"}", ERR_RATE_LIMITED, "hourly limit" },
        { 404, "", "{\"message\":\"Not Found\"}", ERR_NOT_FOUND, "no such repository" },
        { 409, "", "{\"message\":\"Git Repository is empty.\"}", ERR_NOT_FOUND,
          "the repository is empty" },
        { 422, "", "{\"message\":\"No commit found for SHA: abc\"}", ERR_NOT_FOUND,
          "(No commit found for SHA: abc)" },
        { 422, "", "{\"message\":\"Validation Failed\",\"errors\":[{\"code\":\"invalid\"}]}",
          ERR_INVALID, "(Validation Failed)" },
        { 400, "", "{\"message\":\"Unsupported API version\"}", ERR_INVALID, "API version" },
        { 200, "", "{\"full_name\":null}", ERR_PROTOCOL, "no repository" },
    };
    struct bench b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct github *g =
            open_all(&b, ROUTES({ "GET /", cases[i].status, cases[i].headers, cases[i].body }));
        const struct error *err =
            bench_error(&b, github_get_repository(g, 1, "acme/books", bench_done, &b, &b.err));
        if (err->code != cases[i].code)
            fail_msg("%d gave %s: %s", cases[i].status, err_code_name(err->code), error_text(err));
        assert_says(error_text(err), cases[i].says);
        assert_int_equal(err->retry_after_ms > 0, err->code == ERR_RATE_LIMITED);
        close_all(&b, g);
    }
}

static void an_absurd_reset_is_unknown(void **state)
{
    static const struct {
        const char *reset;
        int64_t ms;
    } cases[] = {
        { "1772600460", INT64_C(1772600460000) },
        { "\"99999999999999999999\"", TIME_UNKNOWN },
        { "1e300", TIME_UNKNOWN },
        { "-5", TIME_UNKNOWN },
        { "null", TIME_UNKNOWN },
    };
    struct bench b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *body =
            xasprintf("{\"resources\":{\"core\":{\"limit\":60,\"reset\":%s}}}", cases[i].reset);
        struct github *g = open_all(&b, ROUTES({ "GET /rate_limit$", 200, "", body }));
        const struct github_rate *rate =
            bench_result(&b, github_get_rate(g, 1, bench_done, &b, &b.err));
        assert_int_equal(rate->limit, 60);
        assert_int_equal(rate->remaining, -1);
        assert_true(rate->reset_ms == cases[i].ms);
        close_all(&b, g);
        free(body);
    }
}

static void only_owner_and_name_make_a_repository(void **state)
{
    static const char *const bad[] = { "",         "books",        "acme/",
                                       "/books",   "acme/books/x", "a b/c",
                                       "../books", "acme/..",      "acme/books?x",
                                       NULL };
    struct bench b;
    struct github *g = open_all(&b, NULL, 0);

    (void)state;
    for (size_t i = 0; bad[i]; i++) {
        assert_null(github_get_repository(g, 1, bad[i], bench_done, &b, &b.err));
        assert_int_equal(b.err.code, ERR_INVALID);
    }
    assert_int_equal(b.server.requests, 0);
    close_all(&b, g);
}

static void the_check_names_the_missing_permission(void **state)
{
    static const char *const repos[] = { "acme/books", NULL };
    struct bench b;
    struct github *g = open_all(
        &b, ROUTES({ "GET /rate_limit$", 200, "X-OAuth-Scopes: repo, read:org\r\n",
                     "{\"resources\":{\"core\":{\"limit\":5000,\"remaining\":4990}}}" },
                   { REPO "$", 200, "", "{}" },
                   { REPO "/commits", 409, "", "{\"message\":\"Git Repository is empty.\"}" },
                   { REPO "/pulls", 403, "", "{\"message\":\"Resource not accessible\"}" }));
    const struct source_check *check =
        bench_result(&b, github_check(g, 1, repos, bench_done, &b, &b.err));
    const enum tristate expected[] = { YES, YES, YES, NO };

    (void)state;
    assert_int_equal(check->n_items, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_int_equal(check->items[i].ok, expected[i]);
    assert_says(check->items[0].text, "4990 of 5000");
    assert_says(check->items[3].text, "pull requests: read on acme/books");
    assert_string_equal(check->identity, "repo, read:org");
    close_all(&b, g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_patch_is_not_an_empty_one),
        cmocka_unit_test(a_commit_without_account_or_files_is_still_a_commit),
        cmocka_unit_test(the_pull_request_that_brought_a_commit_is_chosen),
        cmocka_unit_test(a_pull_request_tells_what_it_changed),
        cmocka_unit_test(a_comparison_tells_a_rollback),
        cmocka_unit_test(a_deployment_happened_at_its_first_success),
        cmocka_unit_test(files_go_on_where_the_link_says),
        cmocka_unit_test(a_page_on_another_host_is_not_fetched),
        cmocka_unit_test(a_file_cap_is_told_once),
        cmocka_unit_test(an_unchanged_answer_is_not_sent_again),
        cmocka_unit_test(limits_are_told_from_missing_permissions_by_headers),
        cmocka_unit_test(a_refusal_says_who_answered_what_and_what_to_do),
        cmocka_unit_test(an_absurd_reset_is_unknown),
        cmocka_unit_test(only_owner_and_name_make_a_repository),
        cmocka_unit_test(the_check_names_the_missing_permission),
    };
    struct error err = ERROR_INIT;

    if (http_global_init(&err) < 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    http_global_clear();
    return failed;
}
