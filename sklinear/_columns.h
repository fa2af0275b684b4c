/* Columns x_j s_k of some variables (j, k), from the features x and the shares s of each sample. */

#ifndef SKLINEAR_COLUMNS_H
#define SKLINEAR_COLUMNS_H

#include "_vector.h"

#define MIXED_COLUMNS(NAME, NUMBER)                                                     \
    MULTIVERSION static void NAME(                                                      \
        const NUMBER *RESTRICT x, const NUMBER *RESTRICT s, ptrdiff_t n_features,       \
        ptrdiff_t n_classes, const int *RESTRICT feature, const int *RESTRICT klass,    \
        NUMBER *RESTRICT out, ptrdiff_t n_rows, ptrdiff_t size                          \
    ) {                                                                                 \
        for (ptrdiff_t i = 0; i < n_rows; i++) {                                        \
            for (ptrdiff_t v = 0; v < size; v++)                                        \
                out[v] = x[feature[v]] * s[klass[v]];                                   \
            x += n_features;                                                            \
            s += n_classes;                                                             \
            out += size;                                                                \
        }                                                                               \
    }

MIXED_COLUMNS(mixed_columns_float, float)
MIXED_COLUMNS(mixed_columns_double, double)

#endif
