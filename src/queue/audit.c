#include "dbconn/queue/audit.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

void audit_key_from(const char *secret, struct audit_key *ret)
{
    SHA256((const unsigned char *)secret, strlen(secret), ret->bytes);
}

void audit_key_wipe(struct audit_key *key)
{
    OPENSSL_cleanse(key, sizeof(*key));
}

static void add_hex(const unsigned char *bytes, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "%02x", bytes[i]);
}

void audit_hash(void *user, const struct audit_entry *e, struct buf *ret_hash)
{
    const struct audit_key *key = user;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct buf text = BUF_INIT;

    buf_addf(&text, "%lld\n%lld\n%s\n%s", (long long)e->seq, (long long)e->at_ms, e->prev_hash,
             e->payload);
    if (!HMAC(EVP_sha256(), key->bytes, sizeof(key->bytes), (const unsigned char *)text.data,
              text.len, digest, &len))
        abort(); /* out of memory, as in alloc.h */
    add_hex(digest, len, ret_hash);
    buf_clear(&text);
}

/* ---- checking ---- */

static bool same_hash(const char *a, const char *b)
{
    return strlen(a) == strlen(b) && CRYPTO_memcmp(a, b, strlen(a)) == 0;
}

/* "what came before entry N was purged; the last of it had this hash" */
static void note_purge(struct audit_check *c, const struct audit_entry *e)
{
    cJSON *doc = cJSON_Parse(e->payload);
    int64_t before = 0;

    if (text_same(json_str(doc, "event"), AUDIT_PURGED) && json_i64(doc, "before", &before) &&
        before == c->first_seq && text_same(json_str(doc, "last_hash"), c->first_prev))
        c->purge_known = true;
    cJSON_Delete(doc);
}

int audit_check_next(struct audit_check *c, const struct audit_key *key,
                     const struct audit_entry *e, struct error *err)
{
    struct buf hash = BUF_INIT;

    if (c->n == 0) {
        c->first_seq = e->seq;
        snprintf(c->first_prev, sizeof(c->first_prev), "%s", e->prev_hash);
    } else if (e->seq != c->seq + 1) {
        return error_set(err, ERR_INVALID,
                         "entry %lld follows entry %lld: what was between is gone",
                         (long long)e->seq, (long long)c->seq);
    } else if (!same_hash(e->prev_hash, c->hash)) {
        return error_set(err, ERR_INVALID, "entry %lld does not continue entry %lld",
                         (long long)e->seq, (long long)c->seq);
    }
    audit_hash((void *)(uintptr_t)key, e, &hash);
    bool good = same_hash(buf_str(&hash), e->hash);
    buf_clear(&hash);
    if (!good)
        return error_set(err, ERR_INVALID,
                         "entry %lld is not what was written (or audit.key is another one)",
                         (long long)e->seq);
    c->n++;
    c->seq = e->seq;
    snprintf(c->hash, sizeof(c->hash), "%s", e->hash);
    note_purge(c, e);
    return 0;
}

int audit_check_end(const struct audit_check *c, struct error *err)
{
    if (c->n == 0 || c->first_seq == 1 ? c->first_prev[0] == '\0' : c->purge_known)
        return 0;
    return error_set(err, ERR_INVALID,
                     "the oldest entry is %lld, and no entry says that what came before was purged",
                     (long long)c->first_seq);
}

void audit_line(const struct audit_entry *e, struct buf *out)
{
    buf_addf(out,
             "{\"seq\":%lld,\"at_ms\":%lld,\"entry\":%s,\"prev_hash\":\"%s\",\"hash\":\"%s\"}\n",
             (long long)e->seq, (long long)e->at_ms, e->payload, e->prev_hash, e->hash);
}

char *audit_payload_add(const char *payload, const char *outcome, const char *job)
{
    cJSON *doc = cJSON_Parse(payload);

    if (!doc)
        doc = cJSON_CreateObject();
    if (outcome)
        json_put_str(doc, "outcome", outcome);
    if (job)
        json_put_str(doc, "job", job);
    char *text = json_print(doc);
    cJSON_Delete(doc);
    return text;
}
