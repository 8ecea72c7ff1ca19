/*
 * check - describes JSON objects by tables of their members and refuses what does not fit.
 *
 * Complaints are worded and addressed as Slack does it:
 * "must be less than 151 characters [json-pointer:/blocks/0/text/text]".
 */
#ifndef SANDBOX_SLACK_CHECK_H
#define SANDBOX_SLACK_CHECK_H

#include "dbconn/base/json.h"

struct check {
    cJSON *errors;     /* array of strings; empty: all is well */
    struct buf at;     /* where we are: "/blocks/0/text" */
    int surface;       /* enum surface of blocks.h */
    size_t text_bytes; /* all text seen so far */
    size_t markdown_bytes;
    int charts;
    cJSON *block_ids; /* object whose keys were used */
    bool (*file_exists)(void *user, const char *id);
    void *user;
};

enum member_kind {
    MEMBER_STRING,
    MEMBER_BOOL,
    MEMBER_INT,
    MEMBER_NUMBER,
    MEMBER_PLAIN, /* a plain_text object */
    MEMBER_TEXT,  /* a plain_text or mrkdwn object */
    MEMBER_OBJECT,
    MEMBER_ARRAY,
    MEMBER_ANY,
};

typedef void check_fn(struct check *check, const cJSON *item);

struct member {
    const char *name;
    enum member_kind kind;
    bool required;
    size_t min, max;           /* length of a text or number of elements; 0: no limit */
    check_fn *inner;           /* for the object, or for each element of the array */
    const char *const *one_of; /* the strings that are allowed, NULL at the end; or NULL */
};

void check_fail(struct check *check, const char *fmt, ...) PRINTF_LIKE(2, 3);
size_t check_enter(struct check *check, const char *name); /* gives what check_leave() needs */
size_t check_enter_index(struct check *check, int index);
void check_leave(struct check *check, size_t mark);
/* Every member of the table, and none besides it. */
void check_object(struct check *check, const cJSON *obj, const struct member *members, size_t n);
/* Elements of `array` with `inner`. */
void check_each(struct check *check, const cJSON *array, check_fn *inner);
void check_text_object(struct check *check, const cJSON *obj, bool plain_only, size_t min,
                       size_t max);

#define CHECK_OBJECT(check, obj, members) check_object(check, obj, members, ARRAY_LEN(members))

#endif
