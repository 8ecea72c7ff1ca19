/*
 * dossier - the larger tables that steps leave on the evidence board for others: event rows, series
 * of counts, releases, other issues.
 *
 * On the board a table is one string (its JSON), so that an investigation stays small and its
 * steps can be stored as they are. Here is the one place that knows the shapes; what is read back
 * are the inputs of the analysis floor.
 */
#ifndef DBCONN_COLLECTORS_DOSSIER_H
#define DBCONN_COLLECTORS_DOSSIER_H

#include "dbconn/analysis/cluster.h"
#include "dbconn/analysis/event_row.h"
#include "dbconn/analysis/impact.h"
#include "dbconn/analysis/rollout.h"
#include "dbconn/analysis/trend.h"
#include "dbconn/diagnosis/evidence.h"

/* Names of the tables as facts. */
#define TABLE_ROWS "events.rows"              /* the issue's own events */
#define TABLE_LISTED "events.listed_spans"    /* windows in which every event is listed */
#define TABLE_SERIES "events.series"          /* its counts per interval */
#define TABLE_BASELINE "similar.rows"         /* events of the project's other issues */
#define TABLE_ISSUES "similar.issues"         /* the organization's other issues */
#define TABLE_RELEASES "release.list"         /* of the project */
#define TABLE_ALL_RELEASES "similar.releases" /* of the organization */
#define TABLE_TAGS "tags.list"                /* the issue's tags with their values */

/* Takes `table` over and stores it as the fact `name`. */
void dossier_put(struct evidence *board, const char *step, const char *name, cJSON *table);
cJSON *dossier_get(const struct evidence *board, const char *name); /* NULL when unknown; owned */

/* Builds a table of event rows; strings are shared. A tag's value is made presentable; it must live
 * until the table is put. */
struct rows_builder;
struct rows_builder *rows_builder_new(void);
void rows_builder_row(struct rows_builder *b, int64_t at_ms, const char *issue, double count);
void rows_builder_tag(struct rows_builder *b, const char *key, const char *value); /* of the last */
void rows_builder_put(struct rows_builder *b, struct evidence *board, const char *step,
                      const char *name); /* stores the table as that fact, frees the builder */

/* A table of rows read back; empty when the fact is not known. */
struct rowset {
    cJSON *tree; /* holds the strings */
    struct event_row *rows;
    struct event_tag *tags;
    size_t n;
};
void rowset_load(const struct evidence *board, const char *name, struct rowset *ret);
void rowset_clear(struct rowset *set);
/* Only when they were, without the unknown ones. Heap; NULL for none. */
int64_t *rowset_times(const struct evidence *board, const char *name, size_t *ret_n);

cJSON *series_to_json(int64_t start_ms, int64_t interval_ms, const double *counts, size_t n);

/* The input of trend_analyse() as far as the board knows it. */
struct trend_case {
    struct trend_input in;
    cJSON *tree;
    struct trend_span *listed;
    struct trend_series *series;
    double *counts;
    int64_t *times;
};
void trend_case_load(const struct evidence *board, int64_t now_ms, struct trend_case *ret);
void trend_case_clear(struct trend_case *t);

struct release_table {
    cJSON *tree;
    struct rollout_release *items;
    struct rollout_deploy *deploys;
    size_t n;
};
void release_table_load(const struct evidence *board, const char *name, struct release_table *ret);
void release_table_clear(struct release_table *t);
/* The row of that version, with all members that the step stored; NULL. Lent by the table. */
const cJSON *release_table_find(const struct release_table *t, const char *version);

/* Other issues and the organization's releases, as cluster_analyse() wants them. */
struct cluster_case {
    struct cluster_input in;
    cJSON *issue_tree;
    struct cluster_issue *issues;
    struct release_table table;
    struct cluster_release *releases;
};
void cluster_case_load(const struct evidence *board, int64_t now_ms, struct cluster_case *ret);
void cluster_case_clear(struct cluster_case *c);

/* The issue's tags as distributions. */
struct tag_table {
    cJSON *tree;
    struct impact_distribution *items;
    struct impact_value *values;
    size_t n;
};
void tag_table_load(const struct evidence *board, struct tag_table *ret);
void tag_table_clear(struct tag_table *t);

#endif
