/*
 * figures - the casefile's raw figures as labelled lines, for the views that list them.
 *
 * "Target: PostgreSQL at db-1:5432", "Errors: 1,204 events", ... What is unknown is left out.
 * Times are written as 2026-08-18 10:02 UTC; numbers carry their unit. Pure.
 */
#ifndef DBCONN_REPORT_FIGURES_H
#define DBCONN_REPORT_FIGURES_H

#include <stddef.h>

struct casefile;

struct figure {
    const char *label; /* static */
    char *text;        /* heap, raw: not escaped for any view */
};

struct figures {
    struct figure *items;
    size_t n, cap;
};

void figures_build(const struct casefile *c, struct figures *ret);
void figures_clear(struct figures *f);

#endif
