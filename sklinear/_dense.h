/* Products of a matrix X with few columns: BLAS is made for square ones and packs X first.
 *
 * Vectors of 64 or 32 bytes where the processor has them; elsewhere there is nothing here, and
 * BLAS does it.
 */

#ifndef SKLINEAR_DENSE_H
#define SKLINEAR_DENSE_H

#include <stddef.h>
#include <string.h>

#include "_targets.h"

enum { FEATURES_AT_ONCE = 128 };

typedef void (*Scores)(const void *, ptrdiff_t, ptrdiff_t, const void *, int, void *, int);
typedef void (*Correlate)(const void *, ptrdiff_t, ptrdiff_t, const void *, int, void *);

#if HAS_VECTORS

/* As many rows as leave the sums, a row of the other factor and an entry in the registers. */
#define WIDE_ROWS(n_vectors) ((n_vectors) <= 2 ? 8 : 4)
#define NARROW_ROWS(n_vectors) ((n_vectors) == 1 ? 8 : (n_vectors) <= 3 ? 4 : 2)

#define JOIN(f, width, types) f##_##width##_##types
#define NAME_OF(f, width, types) JOIN(f, width, types)

#define TARGET INLINE_FOR(WIDE)
#define ENTRY_POINT STATIC_FOR(WIDE)
#define ROWS_FOR WIDE_ROWS
#define WIDTH wide
#define DOUBLES 8
#include "_dense_types.h"

#define TARGET INLINE_FOR(NARROW)
#define ENTRY_POINT STATIC_FOR(NARROW)
#define ROWS_FOR NARROW_ROWS
#define WIDTH narrow
#define DOUBLES 4
#include "_dense_types.h"

/* By width of vectors and types: X and the rest double, X float, both float. */
static const Scores SCORES[2][3] = {
    {scores_narrow_dd, scores_narrow_fd, scores_narrow_ff},
    {scores_wide_dd, scores_wide_fd, scores_wide_ff},
};
static const Correlate CORRELATE[2][3] = {
    {correlate_narrow_dd, correlate_narrow_fd, correlate_narrow_ff},
    {correlate_wide_dd, correlate_wide_fd, correlate_wide_ff},
};

#else

static const Scores SCORES[2][3] = {{0}};
static const Correlate CORRELATE[2][3] = {{0}};

#endif
#endif
