/* What a block step of dual ascent does with the features of one sample. */

#ifndef SKLINEAR_ASCENT_H
#define SKLINEAR_ASCENT_H

#include <math.h>

#include "_vector.h"

#define EACH for (int k = 0; k < n_classes; k++)

/* sign(v) max(0, |v| - threshold). */
INLINE double soft(double v, double threshold) {
    double inner = v < threshold ? v : threshold;
    return v - (inner > -threshold ? inner : -threshold);
}

/* z += sum over the features of x_j soft(V_j, threshold), four at a time; others than those
 * alive add nothing.
 */
MULTIVERSION static void add_scores(
    double *RESTRICT z, const double *RESTRICT V, const unsigned char *alive,
    const ptrdiff_t *features, const double *values, ptrdiff_t count, double threshold,
    int n_classes
) {
    ptrdiff_t t = 0;
    while (t < count) {
        const double *v[4] = {V, V, V, V};
        double x[4] = {0, 0, 0, 0};
        int found = 0;
        for (; t < count && found < 4; t++) {
            v[found] = V + features[t] * n_classes;
            x[found] = values[t];
            found += alive[features[t]] != 0;
        }
        if (found < 4)
            x[found] = 0;
        if (threshold == 0)
            EACH z[k] += x[0] * v[0][k] + x[1] * v[1][k] + x[2] * v[2][k] + x[3] * v[3][k];
        else
            EACH z[k] += x[0] * soft(v[0][k], threshold) + x[1] * soft(v[1][k], threshold)
                       + x[2] * soft(v[2][k], threshold) + x[3] * soft(v[3][k], threshold);
    }
}

/* V_j += factor x_j step for the features; `moved` are the entries of the step that are not zero. */
MULTIVERSION static void add_steps(
    double *RESTRICT V, unsigned char *alive, const ptrdiff_t *features, const double *values,
    ptrdiff_t count, double factor, const double *RESTRICT step, const int *moved, int n_moved,
    double threshold, int n_classes
) {
    for (ptrdiff_t t = 0; t < count; t++) {
        double *v = V + features[t] * n_classes, x = factor * values[t];
        if (4 * n_moved < n_classes)
            for (int s = 0; s < n_moved; s++)
                v[moved[s]] += x * step[moved[s]];
        else
            EACH v[k] += x * step[k];
        if (!alive[features[t]])
            for (int s = 0; s < n_moved; s++)
                alive[features[t]] |= fabs(v[moved[s]]) > threshold;
    }
}

enum { SUMS = 16 };

/* sum over j of x_j soft(v_j, threshold), in SUMS parts. */
INLINE double product_with_soft(
    const double *RESTRICT x, const double *RESTRICT v, ptrdiff_t count, double threshold,
    int is_soft
) {
    double sums[SUMS] = {0}, total = 0;
    ptrdiff_t j = 0;
    for (; j + SUMS <= count; j += SUMS)
        for (int s = 0; s < SUMS; s++)
            sums[s] += x[j + s] * (is_soft ? soft(v[j + s], threshold) : v[j + s]);
    for (; j < count; j++)
        total += x[j] * soft(v[j], threshold);
    for (int half = SUMS / 2; half > 0; half /= 2)
        for (int s = 0; s < half; s++)
            sums[s] += sums[s + half];
    return sums[0] + total;
}

/* z_k += sum over all features of x_j soft(v_jk, threshold), the v_jk of a class side by side. */
MULTIVERSION static void add_scores_by_class(
    double *RESTRICT z, const double *RESTRICT V, ptrdiff_t n_features,
    const double *RESTRICT values, ptrdiff_t count, double threshold, int n_classes
) {
    EACH {
        const double *v = V + k * n_features;
        z[k] += threshold == 0 ? product_with_soft(values, v, count, 0, 0)
                               : product_with_soft(values, v, count, threshold, 1);
    }
}

/* v_jk += factor x_j step_k, the same way. */
MULTIVERSION static void add_steps_by_class(
    double *RESTRICT V, ptrdiff_t n_features, const double *RESTRICT values, ptrdiff_t count,
    double factor, const double *RESTRICT step, const int *moved, int n_moved
) {
    for (int s = 0; s < n_moved; s++) {
        double *v = V + moved[s] * n_features, length = factor * step[moved[s]];
        for (ptrdiff_t j = 0; j < count; j++)
            v[j] += length * values[j];
    }
}

/* Move a centre, of which V holds `share`, to the weights soft(V, threshold) and beyond. */
MULTIVERSION static void move_centre(
    double *RESTRICT V, double *RESTRICT centre, ptrdiff_t size, double share, double relaxation,
    double threshold
) {
    for (ptrdiff_t t = 0; t < size; t++) {
        double step = relaxation * (soft(V[t], threshold) - centre[t]);
        centre[t] += step;
        V[t] += share * step;
    }
}

/* Which features have a weight. */
MULTIVERSION static void find_alive(
    const double *RESTRICT V, unsigned char *RESTRICT alive, ptrdiff_t n_features,
    double threshold, int n_classes
) {
    for (ptrdiff_t j = 0; j < n_features; j++) {
        double largest = 0;
        EACH {
            double size = fabs(V[j * n_classes + k]);
            largest = size > largest ? size : largest;
        }
        alive[j] = threshold == 0 || largest > threshold;
    }
}

#undef EACH

#endif
