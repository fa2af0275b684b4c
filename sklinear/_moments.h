/* Weighted second moments sum_i w_ip x_i x_i^T of the same rows for several weights p at once:
 * each product x_ij x_ij' is formed once, in registers, where BLAS would take all for each p.
 *
 * Of the symmetric matrices the upper triangles: units of LANES_OF entries (j, s), (j, s + 1), ...
 * with s >= j.  For few weights units of ROWS_OF_ONE rows, a block, share the columns, from the
 * first of them on.  Vectors of 64 or 32 bytes where the processor has them; elsewhere there is nothing
 * here, and BLAS does it.
 */

#ifndef SKLINEAR_MOMENTS_H
#define SKLINEAR_MOMENTS_H

#include <stddef.h>
#include <string.h>

#include "_targets.h"

enum {
    UNITS_AT_ONCE = 8,  /* their number is a multiple of it */
    ROWS_OF_ONE = 4,  /* of the matrix for one weight, that are formed at once */
};

typedef void (*Moments)(
    const void *, ptrdiff_t, ptrdiff_t, const void *, int, const int *, const int *, ptrdiff_t,
    void *, ptrdiff_t
);
typedef void (*Moment)(
    const void *, const void *, ptrdiff_t, ptrdiff_t, ptrdiff_t, void *
);

#if HAS_VECTORS

#define TARGET INLINE_FOR(WIDE)
#define ENTRY_POINT STATIC_FOR(WIDE)
#define N_SUMS 24

#define NAME(f) f##_wide_double
#define NUMBER double
#define LANES_OF 8
#include "_moments_kernel.h"
#undef NAME
#undef NUMBER
#undef LANES_OF

#define NAME(f) f##_wide_float
#define NUMBER float
#define LANES_OF 16
#include "_moments_kernel.h"
#undef NAME
#undef NUMBER
#undef LANES_OF

#undef TARGET
#undef ENTRY_POINT
#undef N_SUMS

#define TARGET INLINE_FOR(NARROW)
#define ENTRY_POINT STATIC_FOR(NARROW)
#define N_SUMS 12

#define NAME(f) f##_narrow_double
#define NUMBER double
#define LANES_OF 4
#include "_moments_kernel.h"
#undef NAME
#undef NUMBER
#undef LANES_OF

#define NAME(f) f##_narrow_float
#define NUMBER float
#define LANES_OF 8
#include "_moments_kernel.h"
#undef NAME
#undef NUMBER
#undef LANES_OF

#undef TARGET
#undef ENTRY_POINT
#undef N_SUMS

/* By width of vectors, and whether the numbers are single. */
static const Moments MOMENTS[2][2] = {
    {moments_narrow_double, moments_narrow_float},
    {moments_wide_double, moments_wide_float},
};
static const Moment MOMENT[2][2] = {
    {moment_narrow_double, moment_narrow_float},
    {moment_wide_double, moment_wide_float},
};

#else

static const Moments MOMENTS[2][2] = {{0}};
static const Moment MOMENT[2][2] = {{0}};

#endif
#endif
