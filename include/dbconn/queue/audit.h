/*
 * audit - the chain of the audit log: each entry carries a keyed hash over itself and the hash of
 * the one before, so that a change, a gap and (with a head that was noted elsewhere) a cut end show
 * to whoever has the key. Pure.
 *
 * HMAC-SHA-256 (RFC 2104, FIPS 180-4) over "seq\nat_ms\nprev_hash\npayload", in hex.
 */
#ifndef DBCONN_QUEUE_AUDIT_H
#define DBCONN_QUEUE_AUDIT_H

#include "dbconn/queue/store.h"

#define AUDIT_KEY_BYTES 32
#define AUDIT_PURGED "audit.purged" /* the event of the entry that says what was removed */

struct audit_key {
    unsigned char bytes[AUDIT_KEY_BYTES];
};
/* Derived from a secret of any length (SHA-256). */
void audit_key_from(const char *secret, struct audit_key *ret);
void audit_key_wipe(struct audit_key *key);

/* A store_audit_hash_fn; `user` is a const struct audit_key. Any thread. */
void audit_hash(void *user, const struct audit_entry *entry, struct buf *ret_hash);

/* Reads a chain from its oldest entry, piece by piece. Zero is the start. */
struct audit_check {
    int64_t n;         /* entries read */
    int64_t first_seq; /* of the oldest one */
    char first_prev[65];
    int64_t seq; /* of the newest one */
    char hash[65];
    bool purge_known; /* an entry says that what came before the oldest was purged */
};
/* Errors: ERR_INVALID naming the entry and what is wrong with it. */
int audit_check_next(struct audit_check *c, const struct audit_key *key,
                     const struct audit_entry *entry, struct error *err) MUST_CHECK;
/* After the last one: is the beginning accounted for? */
int audit_check_end(const struct audit_check *c, struct error *err) MUST_CHECK;

/* The entry as one line of JSON, with its payload as it was hashed. */
void audit_line(const struct audit_entry *entry, struct buf *out);

/* The payload's object with further members at its end; heap. NULL values are left out. */
char *audit_payload_add(const char *payload, const char *outcome, const char *job);

#endif
