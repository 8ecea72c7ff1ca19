/* The chain of the audit log: a change, a gap, a foreign key and a missing beginning show. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/queue/audit.h"

#define N 5

static void make_chain(const struct audit_key *key, struct audit_entry entries[N])
{
    for (int i = 0; i < N; i++) {
        struct buf hash = BUF_INIT;
        entries[i] = (struct audit_entry){
            .seq = i + 1,
            .at_ms = 1000 + i,
            .payload = xasprintf("{\"event\":\"command\",\"who\":\"U%d\"}", i),
            .prev_hash = xstrdup(i ? entries[i - 1].hash : ""),
        };
        audit_hash((void *)(uintptr_t)key, &entries[i], &hash);
        entries[i].hash = buf_take(&hash);
    }
}

/* 0: sound; else the number of the entry at which it stopped being so, N + 1 for the end. */
static int check(const struct audit_key *key, const struct audit_entry *entries, const bool *gone)
{
    struct audit_check c = { 0 };
    struct error err = ERROR_INIT;
    int wrong = 0;

    for (int i = 0; i < N && !wrong; i++)
        if (!gone[i] && audit_check_next(&c, key, &entries[i], &err) < 0)
            wrong = i + 1;
    if (!wrong && audit_check_end(&c, &err) < 0)
        wrong = N + 1;
    error_clear(&err);
    return wrong;
}

static void whatever_was_done_to_an_entry_shows(void **state)
{
    static const bool all[N] = { false }, third[N] = { [2] = true }, first[N] = { true },
                      last[N] = { [N - 1] = true };
    struct audit_key key, other;
    struct audit_entry e[N];

    (void)state;
    audit_key_from("secret", &key);
    audit_key_from("secreT", &other);
    make_chain(&key, e);
    assert_int_equal(check(&key, e, all), 0);
    assert_int_equal(check(&other, e, all), 1);
    assert_int_equal(check(&key, e, third), 4);
    assert_int_equal(check(&key, e, first), N + 1);
    assert_int_equal(check(&key, e, last), 0); /* only a head that was noted elsewhere tells */
    e[1].payload[strlen(e[1].payload) - 3] = '9';
    assert_int_equal(check(&key, e, all), 2);
    e[1].payload[strlen(e[1].payload) - 3] = '1';
    e[3].at_ms++;
    assert_int_equal(check(&key, e, all), 4);
    e[3].at_ms--;
    e[4].hash[0] = e[4].hash[0] == 'a' ? 'b' : 'a';
    assert_int_equal(check(&key, e, all), 5);
    for (int i = 0; i < N; i++)
        audit_entry_clear(&e[i]);
}

static void the_hash_is_hmac_sha256_of_what_the_header_says(void **state)
{
    char payload[] = "{}", prev[] = "";
    const struct audit_entry e = { .seq = 1, .at_ms = 2, .payload = payload, .prev_hash = prev };
    struct audit_key key;
    struct buf hash = BUF_INIT;

    (void)state;
    audit_key_from("k", &key);
    audit_hash(&key, &e, &hash);
    assert_string_equal(buf_str(&hash),
                        "65eca503aed5f4eb14a3f0b48e28962baf7c4328a4fe050fb9e5fb6a05adabba");
    buf_clear(&hash);
}

static void an_outcome_is_added_to_what_was_asked(void **state)
{
    char *text = audit_payload_add("{\"who\":\"U1\"}", "taken", NULL);

    (void)state;
    assert_string_equal(text, "{\"who\":\"U1\",\"outcome\":\"taken\"}");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_was_done_to_an_entry_shows),
        cmocka_unit_test(the_hash_is_hmac_sha256_of_what_the_header_says),
        cmocka_unit_test(an_outcome_is_added_to_what_was_asked),
    };

    return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
