/* What the files of cluster share. */
#ifndef DBCONN_ANALYSIS_CLUSTER_INTERNAL_H
#define DBCONN_ANALYSIS_CLUSTER_INTERNAL_H

#include "dbconn/analysis/cluster.h"

/* The roll-out in `project` that errors beginning in [from_ms, to_ms] may come from: the nearest
 * before. `first_release`, when known, must be its version. NULL: none. */
const struct cluster_release *cluster_rollout_before(const struct cluster_input *in,
                                                     const struct cluster_options *o,
                                                     const char *project, int64_t from_ms,
                                                     int64_t to_ms, const char *first_release,
                                                     int64_t *ret_start_ms);
/* Fills the release fields: what the members and we had rolled out, and whether it is shared. */
void cluster_find_deployment(const struct cluster_input *in, const struct cluster_options *o,
                             struct cluster *c);
bool cluster_same(const char *a, const char *b);
char *cluster_explain(const struct cluster_input *in, const struct cluster *c);

#endif
