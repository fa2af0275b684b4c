/* Weighted sums of squares of the entries of X less a number for each column.
 *
 * ENTRY is the type of X; _dense.pyx has one copy for each.
 */

#ifndef SKLINEAR_SQUARES_H
#define SKLINEAR_SQUARES_H

#include "_vector.h"

enum { SUMS = 16 };

/* out_i = sum_j v_j (x_ij - c_j)^2 */
#define ROW_SQUARES(ENTRY)                                                              \
    MULTIVERSION static void row_squares_##ENTRY(                                       \
        const ENTRY *RESTRICT x, ptrdiff_t n_rows, ptrdiff_t width,                     \
        const double *RESTRICT centre, const double *RESTRICT weights,                  \
        double *RESTRICT out                                                            \
    ) {                                                                                 \
        for (ptrdiff_t i = 0; i < n_rows; i++, x += width) {                            \
            double sums[SUMS] = {0};                                                    \
            ptrdiff_t j = 0;                                                            \
            for (; j + SUMS <= width; j += SUMS)                                        \
                for (ptrdiff_t l = 0; l < SUMS; l++) {                                  \
                    double entry = x[j + l] - centre[j + l];                            \
                    sums[l] += weights[j + l] * (entry * entry);                        \
                }                                                                       \
            for (; j < width; j++) {                                                    \
                double entry = x[j] - centre[j];                                        \
                sums[0] += weights[j] * (entry * entry);                                \
            }                                                                           \
            for (ptrdiff_t half = SUMS / 2; half > 0; half /= 2)                        \
                for (ptrdiff_t l = 0; l < half; l++)                                    \
                    sums[l] += sums[l + half];                                          \
            out[i] = sums[0];                                                           \
        }                                                                               \
    }

/* out_j += sum_i w_i (x_ij - c_j)^2 */
#define COLUMN_SQUARES(ENTRY)                                                           \
    MULTIVERSION static void column_squares_##ENTRY(                                    \
        const ENTRY *RESTRICT x, ptrdiff_t n_rows, ptrdiff_t width,                     \
        const double *RESTRICT centre, const double *RESTRICT weights,                  \
        double *RESTRICT out                                                            \
    ) {                                                                                 \
        for (ptrdiff_t i = 0; i < n_rows; i++, x += width)                              \
            for (ptrdiff_t j = 0; j < width; j++) {                                     \
                double entry = x[j] - centre[j];                                        \
                out[j] += weights[i] * (entry * entry);                                 \
            }                                                                           \
    }

ROW_SQUARES(float)
ROW_SQUARES(double)
COLUMN_SQUARES(float)
COLUMN_SQUARES(double)

#endif
