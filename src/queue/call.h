/* call - lists of requests, and their end. */
#ifndef DBCONN_SRC_QUEUE_CALL_H
#define DBCONN_SRC_QUEUE_CALL_H

#include <stddef.h>

struct queue_call;

/* First in, first out; linked through queue_call.queue. */
struct call_list {
    struct queue_call *first, *last;
    size_t n;
};

void calls_add(struct call_list *list, struct queue_call *c);
void calls_remove(struct call_list *list, struct queue_call *c);
struct queue_call *calls_shift(struct call_list *list);              /* NULL when empty */
void calls_prepend(struct call_list *list, struct call_list *front); /* empties `front` */

void call_free(struct queue_call *c);

#endif
