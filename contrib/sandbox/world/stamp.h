/*
 * stamp - relative times of scenario files, and moments as log formats write them.
 */
#ifndef SANDBOX_WORLD_STAMP_H
#define SANDBOX_WORLD_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/buf.h"

/* Reads "-3h25m10.5s" (d, h, m, s in this order, each optional, at least one) as milliseconds. */
bool stamp_parse_offset(const char *text, size_t len, int64_t *ret_ms);

/*
 * Appends the moment in one of these formats; an unknown one is written as iso.
 *   iso 2026-01-02T03:04:05.678Z   pg 2026-01-02 03:04:05.678 UTC   plain 2026-01-02 03:04:05
 *   comma 2026-01-02 03:04:05,678  mysql ...05.678417Z              maria 2026-01-02  3:04:05
 *   syslog Jan  2 03:04:05         haproxy 02/Jan/2026:03:04:05.678 redis 02 Jan 2026 03:04:05.678
 *   mssql 2026-01-02 03:04:05.67   epoch 1767323045                 date 2026.01.02
 */
void stamp_format(int64_t ms, const char *format, size_t len, struct buf *out);

/* The whole string with its times put in; NULL when there is nothing to put in. Heap. */
char *stamp_text(const char *text, int64_t now_ms);

#endif
