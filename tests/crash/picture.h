/*
 * picture - what people see in the end, in a form that two runs can be compared in: the messages of
 * a channel in their order, as text and blocks. Numbers and durations become '#' and bars of charts
 * '~', since times and ages differ from run to run; ids that Slack or we make up anew are left out.
 */
#ifndef DBCONN_CRASH_PICTURE_H
#define DBCONN_CRASH_PICTURE_H

#include "stage.h"

struct picture_line {
    char *part; /* "root", ...; "-" for a message that is none of ours */
    char *look;
    bool in_thread; /* and in the thread of the root before it */
};

struct picture {
    struct picture_line *lines;
    size_t n, cap;
    size_t whispers; /* messages that only one person saw */
};

void picture_take(struct stage *s, size_t channel, struct picture *ret);
void picture_clear(struct picture *p);

struct picture_difference {
    int missing, doubled; /* parts */
    int other;            /* parts with another text, at another place, or messages not ours */
};

/* Adds up how `p` differs from `wanted`; what differs is described in `text`. The part `any_look`
 * (or NULL) has to be there, however it looks. */
void picture_compare(const struct picture *wanted, const struct picture *p, const char *any_look,
                     struct picture_difference *sum, struct buf *text);

#endif
