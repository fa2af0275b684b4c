/* What sweeps of coordinate descent do at each coordinate. */

#ifndef SKLINEAR_DESCENT_H
#define SKLINEAR_DESCENT_H

#include "_vector.h"

/* Step of one coordinate to the minimum of a quadratic plus l1 |x|. */
INLINE double minimising_step(double x, double gradient, double curvature, double l1) {
    double target = curvature * x - gradient;
    if (target > l1)
        return (target - l1) / curvature - x;
    if (target < -l1)
        return (target + l1) / curvature - x;
    return -x;
}

MULTIVERSION static void add_multiple(
    ptrdiff_t size, double factor, const double *RESTRICT row, double *RESTRICT out
) {
    for (ptrdiff_t k = 0; k < size; k++)
        out[k] += factor * row[k];
}

#endif
