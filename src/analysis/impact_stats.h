/* The chance of a count, for impact and rollout. */
#ifndef DBCONN_ANALYSIS_IMPACT_STATS_H
#define DBCONN_ANALYSIS_IMPACT_STATS_H

/*
 * The natural logarithm of the chance that at least `k` of `n` errors fall into a class of which a
 * reference sample had `in` and `out`: the beta-binomial tail, which allows for the reference being
 * a sample itself (with a uniform prior, so that an empty one says nothing). Counts beyond some
 * thousands are scaled down, which only makes the chance larger.
 */
double stats_log_chance(double k, double n, double in, double out);

#endif
