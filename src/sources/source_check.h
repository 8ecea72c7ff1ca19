/*
 * source_check - `dbconn check` of one service: a few harmless requests, one after the other, each
 * an item of the result.
 */
#ifndef SOURCES_SOURCE_CHECK_H
#define SOURCES_SOURCE_CHECK_H

#include "source_call.h"

/* Sends step `step` with source_check_reply as its reply function. 1: there is no such step. */
typedef int source_check_send_fn(struct source_call *call, size_t step, struct error *err);
/* 0: the step went well (`text` may say more); -1 with `err`: it did not. May set `identity`. */
typedef int source_check_judge_fn(struct source_call *call, size_t step,
                                  const struct http_reply *reply, struct buf *text,
                                  struct error *err);
typedef const char *source_check_what_fn(const struct source_call *call, size_t step);

/* The first member of the call's op. */
struct source_check_op {
    source_check_send_fn *send;
    source_check_judge_fn *judge;
    source_check_what_fn *what;
    struct source_check *check;
    size_t step, cap;
};

source_reply_fn source_check_reply;
/* Sends the first step; on failure the call is ended and NULL comes back. */
struct source_call *source_check_start(struct source_call *call, source_check_send_fn *send,
                                       source_check_judge_fn *judge, source_check_what_fn *what,
                                       struct error *err);

#endif
