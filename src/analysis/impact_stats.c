#include "impact_stats.h"

#include <math.h>

#define MAX_N 2000.0

static double log_beta(double a, double b)
{
    return lgamma(a) + lgamma(b) - lgamma(a + b);
}

static double log_choose(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

double stats_log_chance(double k, double n, double in, double out)
{
    double largest = -INFINITY, sum = 0;

    if (k <= 0 || n <= 0)
        return 0;
    if (k > n)
        k = n;
    if (n > MAX_N) {
        k *= MAX_N / n;
        n = MAX_N;
    }
    n = floor(n + 0.5);
    k = fmin(floor(k + 1e-9), n);
    for (double i = k; i <= n; i++) {
        double term = log_choose(n, i) + log_beta(i + in + 1, n - i + out + 1);

        if (term > largest) {
            sum = sum * exp(largest - term) + 1;
            largest = term;
        } else {
            sum += exp(term - largest);
        }
    }
    sum = largest + log(sum) - log_beta(in + 1, out + 1);
    return sum < 0 ? sum : 0;
}
