/*
 * Where the Authorization header comes from: a token, or a GitHub App's installation tokens.
 *
 * An App signs a short-lived JWT, finds the installation of the repository's account and gets a
 * token for up to an hour ("Authenticating as a GitHub App installation", docs.github.com). Calls
 * that need a token meanwhile wait, so that one is fetched for all of them:
 *
 *   authorize ──► token fresh? ─ yes ─► header
 *                    └ no ─► waits;  find installation ──► create token ──► wake all who wait
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "github_private.h"
#include "source_answer.h"
#include "source_json.h"

#define RENEW_BEFORE_MS (5 * MINUTE_MS)

/* One installation; the account is the part of "owner/name" before the slash. */
struct installation {
    char *account; /* NULL: the configured installation serves every repository */
    char *id;      /* NULL until looked up */
    char *header;  /* NULL: none yet */
    int64_t expires_ms;
    bool renewing;
    struct github *github;
    struct installation *next;
};

struct github_auth {
    char *header; /* of a plain token; NULL for an App */
    char *name;
    char *issuer;
    char *installation_id; /* as configured, or NULL */
    EVP_PKEY *key;
    struct installation *installations;
};

const char github_bad_app_key[] =
    "the App's client id or private key is wrong, or the clock of this machine is off";

struct github_auth *github_auth_token(const char *token)
{
    struct github_auth *auth = xcalloc(1, sizeof(*auth));

    auth->header = xconcat_secret("Authorization: Bearer ", token);
    return auth;
}

struct github_auth *github_auth_app(const struct github_app_options *options, struct error *err)
{
    struct github_auth *auth;
    BIO *pem = options->private_key_pem ? BIO_new_mem_buf(options->private_key_pem, -1) : NULL;
    /* The empty password keeps OpenSSL from asking for one on the terminal. */
    EVP_PKEY *key = pem ? PEM_read_bio_PrivateKey(pem, NULL, NULL, (void *)(uintptr_t) "") : NULL;

    BIO_free(pem);
    if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || !options->client_id) {
        EVP_PKEY_free(key);
        error_set(err, ERR_CONFIG, "github.app_private_key: %s",
                  options->client_id ? "it is no unencrypted RSA key in PEM form"
                                     : "the App id is missing");
        return NULL;
    }
    auth = xcalloc(1, sizeof(*auth));
    auth->key = key;
    auth->issuer = xstrdup(options->client_id);
    auth->installation_id = xstrdup(options->installation_id);
    auth->name = xasprintf("GitHub App %s", options->client_id);
    return auth;
}

void github_auth_free(struct github_auth *auth)
{
    if (!auth)
        return;
    for (struct installation *i = auth->installations, *next; i; i = next) {
        next = i->next;
        source_wipe(i->header);
        free(i->account);
        free(i->id);
        free(i);
    }
    source_wipe(auth->header);
    EVP_PKEY_free(auth->key);
    free(auth->name);
    free(auth->issuer);
    free(auth->installation_id);
    free(auth);
}

const char *github_auth_name(const struct github_auth *auth)
{
    return auth->name;
}

/* ---- the JWT ---- */

/* base64url without padding (RFC 7515 2). */
static void add_base64url(struct buf *out, const void *bytes, size_t n)
{
    unsigned char *text = xmalloc((n + 2) / 3 * 4 + 1);
    int len = EVP_EncodeBlock(text, bytes, (int)n);

    for (int i = 0; i < len && text[i] != '='; i++)
        buf_addc(out, text[i] == '+' ? '-' : text[i] == '/' ? '_' : (char)text[i]);
    free(text);
}

static int sign(EVP_PKEY *key, const char *text, size_t len, struct buf *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t size = (size_t)EVP_PKEY_get_size(key);
    unsigned char *signature = xmalloc(size);
    int ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
             EVP_DigestSign(ctx, signature, &size, (const unsigned char *)text, len) == 1;

    if (ok)
        add_base64url(out, signature, size);
    EVP_MD_CTX_free(ctx);
    free(signature);
    return ok ? 0 : -1;
}

char *github_jwt(EVP_PKEY *key, const char *issuer, int64_t now_ms, struct error *err)
{
    static const char header[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\"}";
    struct buf jwt = BUF_INIT;
    const int64_t now = now_ms / SECOND_MS;
    cJSON *claims = cJSON_CreateObject();

    /* From a minute ago, as clocks drift; ten minutes in all is the most that GitHub accepts. */
    json_put_i64(claims, "iat", now - 60);
    json_put_i64(claims, "exp", now + 540);
    json_put_str(claims, "iss", issuer);
    char *text = json_print(claims);
    cJSON_Delete(claims);
    add_base64url(&jwt, header, sizeof(header) - 1);
    buf_addc(&jwt, '.');
    add_base64url(&jwt, text, strlen(text));
    free(text);
    struct buf signature = BUF_INIT;
    int rc = sign(key, buf_str(&jwt), jwt.len, &signature);
    buf_addf(&jwt, ".%s", buf_str(&signature));
    buf_clear(&signature);
    if (rc == 0)
        return buf_take(&jwt);
    buf_clear(&jwt);
    error_set(err, ERR_CONFIG, "OpenSSL cannot sign with the key of the GitHub App");
    return NULL;
}

/* ---- getting a token ---- */

struct renewal {
    struct installation *installation;
    struct github_op asked; /* for the wording of errors */
};

static source_reply_fn on_installation, on_new_token;

int github_send_as_app(struct source_call *call, const char *method, const char *url,
                       source_reply_fn *on_reply, struct error *err)
{
    const struct github *g = (const struct github *)call->client;
    struct github_headers headers;
    char *jwt = github_jwt(g->auth->key, g->auth->issuer, clock_wall_ms(), err), *line;
    int rc;

    if (!jwt)
        return -1;
    line = xconcat_secret("Authorization: Bearer ", jwt);
    github_headers_init(&headers, line, NULL);
    rc = source_send(call,
                     &(struct http_request){
                         .method = method,
                         .url = url,
                         .headers = headers.lines,
                         .budget_ms = g->budget_ms,
                         .max_bytes = 1024 * 1024,
                         .idempotent = true, /* a second token does no harm */
                     },
                     on_reply, err);
    github_headers_clear(&headers);
    source_wipe(line);
    source_wipe(jwt);
    return rc;
}

static int ask_installation(struct source_call *call, struct error *err)
{
    const struct renewal *renewal = call->op;
    const struct github *g = (const struct github *)call->client;
    char *url = xasprintf("%s/repos/%s/installation", g->base, renewal->asked.repo);
    int rc = github_send_as_app(call, "GET", url, on_installation, err);

    free(url);
    return rc;
}

static int ask_token(struct source_call *call, struct error *err)
{
    const struct renewal *renewal = call->op;
    const struct github *g = (const struct github *)call->client;
    char *url =
        xasprintf("%s/app/installations/%s/access_tokens", g->base, renewal->installation->id);
    int rc = github_send_as_app(call, "POST", url, on_new_token, err);

    free(url);
    return rc;
}

static int read_reply(const struct renewal *renewal, const struct http_reply *reply,
                      const struct error *failure, int wanted, cJSON **ret, struct error *err)
{
    if (failure) {
        error_copy(err, failure);
        return -1;
    }
    if (reply->status != wanted)
        return github_reply_error(&renewal->asked, reply, err);
    return source_reply_json(reply, "GitHub", ret, err);
}

static void on_installation(struct source_call *call, const struct http_reply *reply,
                            const struct error *failure)
{
    const struct renewal *renewal = call->op;
    struct error err = ERROR_INIT;
    cJSON *json = NULL;
    int rc = read_reply(renewal, reply, failure, 200, &json, &err);
    char *id = json_id(json, "id");

    cJSON_Delete(json);
    if (rc == 0 && !id)
        rc = error_set(&err, ERR_PROTOCOL, "GitHub named no installation");
    if (rc == 0) {
        free(renewal->installation->id);
        renewal->installation->id = id;
        rc = ask_token(call, &err);
    }
    if (rc < 0) {
        error_context(&err, "find the installation of the GitHub App for %s", renewal->asked.repo);
        source_fail(call, &err);
    }
}

static void on_new_token(struct source_call *call, const struct http_reply *reply,
                         const struct error *failure)
{
    const struct renewal *renewal = call->op;
    struct installation *installation = renewal->installation;
    struct error err = ERROR_INIT;
    cJSON *json = NULL;
    int rc = read_reply(renewal, reply, failure, 201, &json, &err);
    const char *token = json_str(json, "token");

    if (rc == 0 && (!token || token[strcspn(token, "\r\n")]))
        rc = error_set(&err, ERR_PROTOCOL, "GitHub gave no token");
    if (rc == 0) {
        source_wipe(installation->header);
        installation->header = xconcat_secret("Authorization: Bearer ", token);
        installation->expires_ms = json_time(json, "expires_at");
        if (installation->expires_ms == TIME_UNKNOWN)
            installation->expires_ms = clock_wall_ms() + 2 * RENEW_BEFORE_MS;
    }
    cJSON_Delete(json);
    if (rc == 0) {
        source_finish(call, NULL);
        return;
    }
    /* The App may have been removed and installed anew. */
    if (err.code == ERR_NOT_FOUND && installation->account)
        xreplace(&installation->id, NULL);
    error_context(&err, "get a token for the GitHub App");
    source_fail(call, &err);
}

/* Wakes every call that waited for `what`. Their callbacks may start calls, which are not woken
 * here, and may free the client. */
static void wake_all(struct github *g, const void *what, const struct error *err)
{
    struct error copy = ERROR_INIT;
    bool gone = false, found = true;
    size_t left = 0;

    for (const struct source_call *call = g->client.calls; call; call = call->next)
        left += call->waits_for == what;
    if (err)
        error_copy(&copy, err);
    /* cppcheck-suppress autoVariables ; taken back below, unless the client is gone */
    g->gone = &gone;
    while (left-- > 0 && found && !gone) {
        struct source_call *last = NULL; /* the oldest: new calls come first in the list */
        for (struct source_call *call = g->client.calls; call; call = call->next) {
            if (call->waits_for == what)
                last = call;
        }
        found = last != NULL;
        if (found) {
            last->waits_for = NULL;
            last->wake(last, err ? &copy : NULL);
        }
    }
    if (!gone)
        g->gone = NULL;
    error_clear(&copy);
}

static void on_renewed(void *user, const void *result, const struct error *err)
{
    struct installation *installation = user;

    (void)result;
    installation->renewing = false;
    wake_all(installation->github, installation, err);
}

static int renew(struct github *g, struct installation *installation, const char *repo,
                 struct error *err)
{
    struct source_call *call =
        source_call_new(&g->client, 0, on_renewed, installation, sizeof(struct renewal));
    struct renewal *renewal = call->op;

    renewal->installation = installation;
    renewal->asked.repo = source_str(call->mem, repo);
    renewal->asked.permission = "an installation that is not suspended";
    renewal->asked.unauthorized = github_bad_app_key;
    renewal->asked.missing = "the GitHub App is not installed there, or its id is wrong";
    if ((installation->id ? ask_token(call, err) : ask_installation(call, err)) < 0) {
        (void)source_give_up(call);
        return -1;
    }
    installation->renewing = true;
    return 0;
}

/* ---- who may use which ---- */

static struct installation *installation_of(struct github *g, const char *repo)
{
    struct github_auth *auth = g->auth;
    char *account = auth->installation_id || !repo ? NULL : xstrndup(repo, strcspn(repo, "/"));
    struct installation *i = auth->installations;

    while (i && !text_isame(i->account, account))
        i = i->next;
    if (i) {
        free(account);
        return i;
    }
    i = xcalloc(1, sizeof(*i));
    i->account = account;
    i->id = xstrdup(auth->installation_id);
    i->github = g;
    i->next = auth->installations;
    auth->installations = i;
    return i;
}

int github_authorize(struct github *g, struct source_call *call, const char *repo,
                     source_wake_fn *wake, const char **ret, struct error *err)
{
    if (g->auth->header) {
        *ret = g->auth->header;
        return 1;
    }
    if (!repo && !g->auth->installation_id)
        return error_set(err, ERR_CONFIG,
                         "a GitHub App has a token for a repository only, or for the configured "
                         "installation (github.app_installation_id)");
    struct installation *installation = installation_of(g, repo);
    if (installation->header && installation->expires_ms - clock_wall_ms() > RENEW_BEFORE_MS) {
        *ret = installation->header;
        return 1;
    }
    if (!installation->renewing && renew(g, installation, repo, err) < 0)
        return -1;
    call->waits_for = installation;
    call->wake = wake;
    return 0;
}

bool github_auth_refused(struct github *g, const char *repo)
{
    if (g->auth->header || (!repo && !g->auth->installation_id))
        return false;
    struct installation *installation = installation_of(g, repo);
    if (!installation->renewing) {
        source_wipe(installation->header);
        installation->header = NULL;
    }
    return true;
}
