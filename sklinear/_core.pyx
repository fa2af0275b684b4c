"""Compiled loops over samples: losses, curvatures and what moves all samples alike.

The losses work on tiles of a few samples (see `_tiles.h`), in double precision whatever that of
the arrays.  A loop knows rows and weights, and no loss.  They run on one thread: they take a
small part of a pass over X, and threads of OpenMP that spin after a loop delay those of BLAS by
far more than they save.
"""

from cython cimport floating
from libc.stdint cimport uintptr_t
from libc.stdlib cimport calloc, free

cpdef enum:
    CROSS_ENTROPY = 0
    HINGE = 1
    SQUARED_HINGE = 2
    SMOOTHED_HINGE = 3

cpdef enum:
    SOFTMAX_CURVATURE = 0
    STAR_CURVATURE = 1

cdef extern from "_vector.h" nogil:
    double without_next_to_nothing(double)

cdef extern from "_tiles.h" nogil:
    enum:
        LANES
    ctypedef struct Tile:
        int n_classes
        int n_rows
        double sigma
        double scale
        double* z
        double* g
        double* c
        double* d
        int[LANES] y
        double[LANES] weight
        double[LANES] value
        double[LANES] slope
        double[LANES] bend
        double[LANES] gap
    ctypedef void (*Kernel)(Tile*) noexcept nogil
    const Kernel[4] DUAL
    const Kernel[4] GAP
    const Kernel[4] CONJUGATE
    void combine(const Tile*, double*, const double*, const double*, int)
    void move_scores(Tile*)
    void shift_scores(Tile*, const double*)
    void slope_along(Tile*)
    void share_out(Tile*, const double*, const double*)
    void drop_next_to_nothing(const Tile*, double*)
    double weighted_sum(const Tile*, const double*)
    void add_dual(const Tile*, double*)
    void load_float(const Tile*, double*, const float*)
    void load_double(const Tile*, double*, const double*)
    void store_float(const Tile*, const double*, float*)
    void store_double(const Tile*, const double*, double*)


# ---------------------------------------------------------------- tiles

cdef class Lanes:
    """A tile and its room, with that of others beside it."""

    cdef Tile tile
    cdef double* room
    cdef double* others

    def __cinit__(self, Py_ssize_t n_classes, double scale, double sigma, Py_ssize_t n_others=0):
        cdef Py_ssize_t size = n_classes * LANES
        self.room = <double*> calloc((4 + n_others) * size + 8, sizeof(double))
        if self.room == NULL:
            raise MemoryError
        # On the edge of a cache line.
        cdef double* place = <double*> ((<uintptr_t> self.room + 63) & ~<uintptr_t> 63)
        self.tile.n_classes, self.tile.scale, self.tile.sigma = <int> n_classes, scale, sigma
        self.tile.z, self.tile.g = place, place + size
        self.tile.c, self.tile.d = place + 2 * size, place + 3 * size
        self.others = place + 4 * size

    def __dealloc__(self):
        free(self.room)


cdef inline Py_ssize_t n_tiles(Py_ssize_t n_rows) noexcept nogil:
    return (n_rows + LANES - 1) // LANES


cdef inline void load_labels(Tile* tile, const int[::1] labels, Py_ssize_t start) noexcept nogil:
    cdef int r
    tile.n_rows = <int> min(LANES, labels.shape[0] - start)
    for r in range(tile.n_rows):
        tile.y[r] = labels[start + r]
    for r in range(tile.n_rows, LANES):
        tile.y[r] = tile.y[tile.n_rows - 1]


cdef inline void load_samples(
    Tile* tile, const int[::1] labels, const double[::1] weights, Py_ssize_t start
) noexcept nogil:
    cdef int r
    load_labels(tile, labels, start)
    for r in range(tile.n_rows):
        tile.weight[r] = weights[start + r]


cdef inline void load(
    const Tile* tile, double* target, const floating[:, ::1] rows, Py_ssize_t start
) noexcept nogil:
    if rows.shape[0] == 0:
        return
    if floating is float:
        load_float(tile, target, &rows[start, 0])
    else:
        load_double(tile, target, &rows[start, 0])


cdef inline void store(
    const Tile* tile, double* source, floating[:, ::1] rows, Py_ssize_t start
) noexcept nogil:
    if floating is float:
        drop_next_to_nothing(tile, source)
        store_float(tile, source, &rows[start, 0])
    else:
        store_double(tile, source, &rows[start, 0])


# ---------------------------------------------------------------- losses

def value_and_dual(
    int loss,
    const floating[:, ::1] scores,
    const int[::1] labels,
    const double[::1] weights,
    floating[:, ::1] dual,
    const floating[:, ::1] centre,
    double sigma,
):
    """Weighted sum of the losses; the gradients with respect to the scores go to `dual`."""
    cdef Lanes lanes = Lanes(scores.shape[1], 1, sigma)
    cdef Py_ssize_t t, start
    cdef double total = 0
    cdef Tile* tile = &lanes.tile
    with nogil:
        for t in range(n_tiles(scores.shape[0])):
            start = t * LANES
            load_samples(tile, labels, weights, start)
            load(tile, tile.z, scores, start)
            load(tile, tile.c, centre, start)
            DUAL[loss](tile)
            store(tile, tile.g, dual, start)
            total += weighted_sum(tile, tile.value)
    return total


def value_along(
    int loss,
    const floating[:, ::1] scores,
    const floating[:, ::1] direction,
    double step,
    const int[::1] labels,
    const double[::1] weights,
    floating[:, ::1] moved,
    floating[:, ::1] dual,
    const floating[:, ::1] centre,
    double sigma,
):
    """Weighted loss at `scores + step * direction`, and its derivative in `step`.

    The scores there go to `moved`, the gradients with respect to them to `dual`.
    """
    cdef Lanes lanes = Lanes(scores.shape[1], step, sigma)
    cdef Py_ssize_t t, start
    cdef double total = 0, slope = 0
    cdef Tile* tile = &lanes.tile
    with nogil:
        for t in range(n_tiles(scores.shape[0])):
            start = t * LANES
            load_samples(tile, labels, weights, start)
            load(tile, tile.z, scores, start)
            load(tile, tile.d, direction, start)
            load(tile, tile.c, centre, start)
            move_scores(tile)
            store(tile, tile.z, moved, start)
            DUAL[loss](tile)
            store(tile, tile.g, dual, start)
            slope_along(tile)
            total += weighted_sum(tile, tile.value)
            slope += weighted_sum(tile, tile.slope)
    return total, slope


def value_at_shift(
    int loss,
    const floating[:, ::1] scores,
    const double[::1] shift,
    const int[::1] labels,
    const double[::1] weights,
    floating[:, ::1] dual,
    double[::1] residual,
    const floating[:, ::1] centre,
    double sigma,
):
    """Weighted loss at `scores + shift`, one shift of each class for all samples.

    The gradients with respect to the scores go to `dual`, their weighted sum to `residual`.
    """
    cdef Lanes lanes = Lanes(scores.shape[1], 1, sigma)
    cdef Py_ssize_t t, start
    cdef double total = 0
    cdef Tile* tile = &lanes.tile
    residual[:] = 0
    with nogil:
        for t in range(n_tiles(scores.shape[0])):
            start = t * LANES
            load_samples(tile, labels, weights, start)
            load(tile, tile.z, scores, start)
            load(tile, tile.c, centre, start)
            shift_scores(tile, &shift[0])
            DUAL[loss](tile)
            store(tile, tile.g, dual, start)
            total += weighted_sum(tile, tile.value)
            add_dual(tile, &residual[0])
    return total


def value_and_gap(
    int loss,
    const floating[:, ::1] scores,
    const int[::1] labels,
    const double[::1] weights,
    const floating[:, ::1] dual,
    double scale,
    const floating[:, ::1] centre,
    double sigma,
):
    """Weighted sums of loss(z) and of loss(z) + conjugate(t g) - <z, t g> with t = `scale`.

    No term of the latter is negative.
    """
    cdef Lanes lanes = Lanes(scores.shape[1], scale, sigma)
    cdef Py_ssize_t t, start
    cdef double total = 0, gap = 0
    cdef Tile* tile = &lanes.tile
    with nogil:
        for t in range(n_tiles(scores.shape[0])):
            start = t * LANES
            load_samples(tile, labels, weights, start)
            load(tile, tile.z, scores, start)
            load(tile, tile.g, dual, start)
            load(tile, tile.c, centre, start)
            GAP[loss](tile)
            total += weighted_sum(tile, tile.value)
            gap += weighted_sum(tile, tile.gap)
    return total, gap


def values_and_gaps(
    int loss,
    list scores,
    list duals,
    const double[:, ::1] primal,
    const double[:, ::1] dual,
    const double[::1] scales,
    const int[::1] labels,
    const double[::1] weights,
    const double[:, ::1] centre,
    double sigma,
    double[:, ::1] out,
):
    """`value_and_gap` at m combinations of some scores and of some dual points, shape (m, 2).

    Row j of `primal` and of `dual` holds their factors in combination j, `scales` its t.
    """
    cdef Py_ssize_t n_scores = len(scores), n_known = n_scores + len(duals)
    cdef const double[:, ::1] rows = scores[0]
    cdef Lanes lanes = Lanes(rows.shape[1], 1, sigma, n_known)
    cdef Py_ssize_t i, j, t, start, size = rows.shape[1] * LANES
    cdef Tile* tile = &lanes.tile
    cdef list known = scores + duals
    cdef const double** first = <const double**> calloc(n_known, sizeof(double*))
    if first == NULL:
        raise MemoryError
    try:
        for i in range(n_known):
            rows = known[i]
            first[i] = &rows[0, 0] if rows.shape[0] else NULL
        with nogil:
            for t in range(n_tiles(rows.shape[0])):
                start = t * LANES
                load_samples(tile, labels, weights, start)
                load(tile, tile.c, centre, start)
                for i in range(n_known):
                    load_double(tile, lanes.others + i * size, first[i] + start * rows.shape[1])
                for j in range(out.shape[0]):
                    combine(tile, tile.z, lanes.others, &primal[j, 0], <int> n_scores)
                    combine(
                        tile, tile.g, lanes.others + n_scores * size, &dual[j, 0],
                        <int> (n_known - n_scores),
                    )
                    tile.scale = scales[j]
                    GAP[loss](tile)
                    out[j, 0] += weighted_sum(tile, tile.value)
                    out[j, 1] += weighted_sum(tile, tile.gap)
    finally:
        free(first)


def conjugate(
    int loss,
    const int[::1] labels,
    const double[::1] weights,
    const floating[:, ::1] dual,
    double scale,
    const floating[:, ::1] centre,
    double sigma,
):
    """Weighted sum of conjugate(t g) at t = `scale`, and its two derivatives in t."""
    cdef Lanes lanes = Lanes(dual.shape[1], scale, sigma)
    cdef Py_ssize_t t, start
    cdef double total = 0, slope = 0, bend = 0
    cdef Tile* tile = &lanes.tile
    with nogil:
        for t in range(n_tiles(dual.shape[0])):
            start = t * LANES
            load_samples(tile, labels, weights, start)
            load(tile, tile.g, dual, start)
            load(tile, tile.c, centre, start)
            CONJUGATE[loss](tile)
            total += weighted_sum(tile, tile.value)
            slope += weighted_sum(tile, tile.slope)
            bend += weighted_sum(tile, tile.bend)
    return total, slope, bend


def move_mass(
    floating[:, ::1] dual, const int[::1] labels, const double[::1] leak, const double[::1] share
):
    """Each class k gives up leak_k of its q_k; what a sample gives up is shared out again.

    Works in place on g = q - e_y, q in the simplex; `share` has the sum one.
    """
    cdef Lanes lanes = Lanes(dual.shape[1], 1, 1)
    cdef Py_ssize_t t, start
    cdef Tile* tile = &lanes.tile
    with nogil:
        for t in range(n_tiles(dual.shape[0])):
            start = t * LANES
            load_labels(tile, labels, start)
            load(tile, tile.g, dual, start)
            share_out(tile, &leak[0], &share[0])
            store(tile, tile.g, dual, start)


def add_to_rows(floating[:, ::1] rows, const double[:] offset):
    """rows_ik += offset_k."""
    cdef Py_ssize_t i
    cdef int k, n_classes = <int> rows.shape[1]
    with nogil:
        for i in range(rows.shape[0]):
            for k in range(n_classes):
                rows[i, k] = <floating> (rows[i, k] + offset[k])


cdef inline floating narrowed(double value, floating like) noexcept nogil:
    """In the precision of another number; next to nothing is zero in the single one."""
    if floating is float:
        return <float> without_next_to_nothing(value)
    return value


cdef inline void softmax_product(
    const floating* q, double weight, const floating* v, floating* out, int n_classes
) noexcept nogil:
    cdef double mean = 0
    cdef int k
    for k in range(n_classes):
        mean += <double> q[k] * v[k]
    for k in range(n_classes):
        out[k] = narrowed(weight * q[k] * (v[k] - mean), out[k])


cdef inline void star_product(
    const floating* a, int y, double weight, const floating* v, floating* out, int n_classes
) noexcept nogil:
    cdef double total = 0, value
    cdef int k
    for k in range(n_classes):
        value = weight * a[k] * (v[k] - v[y])
        out[k] = narrowed(value, out[k])
        total += value
    out[y] = narrowed(-total, out[y])


def curvature_product(
    int kind,
    const floating[:, ::1] factor,
    const int[::1] labels,
    const double[::1] weights,
    const floating[:, ::1] vectors,
    floating[:, ::1] out,
):
    """Row i of `out` is weights[i] * M_i v_i, with M_i the second derivative in the scores.

    Softmax curvature: M = diag(q) - q q^T, the factor is q.  Star curvature: M = sum over
    wrong classes k of a_k (e_k - e_y)(e_k - e_y)^T, the factor is a, with a_y = 0.
    """
    cdef Py_ssize_t i
    cdef int n_classes = <int> factor.shape[1]
    with nogil:
        for i in range(factor.shape[0]):
            if kind == SOFTMAX_CURVATURE:
                softmax_product(&factor[i, 0], weights[i], &vectors[i, 0], &out[i, 0], n_classes)
            else:
                star_product(
                    &factor[i, 0], labels[i], weights[i], &vectors[i, 0], &out[i, 0], n_classes
                )
