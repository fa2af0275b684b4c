"""Compiled loops over samples: losses, curvatures, sparse products, coordinate descent.

The losses work on tiles of a few samples (see `_tiles.h`), in double precision whatever that of
the arrays.  A loop knows rows, weights and threads, and no loss.  Sums are taken tile by tile in
the order of the rows, whatever the number of threads.
"""

from cython cimport floating
from cython.parallel cimport parallel, prange, threadid
from libc.stdint cimport uintptr_t
from libc.stdlib cimport calloc, free

from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

ctypedef fused index_t:
    int
    long long

# Data and weights vary independently: float32 data may meet float64 weights.
ctypedef fused real_t:
    float
    double

cpdef enum:
    CROSS_ENTROPY = 0
    HINGE = 1
    SQUARED_HINGE = 2
    SMOOTHED_HINGE = 3

cpdef enum:
    SOFTMAX_CURVATURE = 0
    STAR_CURVATURE = 1

# Entries below which another thread costs more than it saves.
cdef enum:
    ENTRIES_PER_THREAD = 32768

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
    ctypedef void (*Kernel)(Tile*) noexcept nogil
    const Kernel[4] DUAL
    const Kernel[4] GAP
    const Kernel[4] CONJUGATE
    void move_scores(Tile*)
    void slope_along(Tile*)
    double weighted_sum(const Tile*, const double*)
    void load_float(const Tile*, double*, const float*)
    void load_double(const Tile*, double*, const double*)
    void store_float(const Tile*, const double*, float*)
    void store_double(const Tile*, const double*, double*)


def n_threads_for(Py_ssize_t n_entries):
    """As many threads as scikit-learn would use, and the work keeps busy."""
    if n_entries < 2 * ENTRIES_PER_THREAD:
        return 1
    return min(_openmp_effective_n_threads(), n_entries // ENTRIES_PER_THREAD)


# ---------------------------------------------------------------- tiles

cdef class Tiles:
    """A tile for each thread, and room for two sums of each tile of rows."""

    cdef Tile* tiles
    cdef double* memory
    cdef double* values
    cdef double* slopes
    cdef int n_threads
    cdef Py_ssize_t count

    def __cinit__(self, Py_ssize_t n_rows, Py_ssize_t n_classes, double scale, double sigma):
        cdef Py_ssize_t size = n_classes * LANES
        self.n_threads = n_threads_for(n_rows * n_classes)
        self.count = (n_rows + LANES - 1) // LANES
        self.tiles = <Tile*> calloc(self.n_threads, sizeof(Tile))
        self.memory = <double*> calloc(4 * self.n_threads * size + 8, sizeof(double))
        self.values = <double*> calloc(2 * self.count + 1, sizeof(double))
        if self.tiles == NULL or self.memory == NULL or self.values == NULL:
            raise MemoryError
        self.slopes = self.values + self.count
        # On the edge of a cache line.
        cdef double* place = <double*> ((<uintptr_t> self.memory + 63) & ~<uintptr_t> 63)
        cdef Tile* tile
        cdef int t
        for t in range(self.n_threads):
            tile = &self.tiles[t]
            tile.n_classes, tile.scale, tile.sigma = <int> n_classes, scale, sigma
            tile.z, tile.g, tile.c = place, place + size, place + 2 * size
            tile.d = place + 3 * size
            place += 4 * size

    def __dealloc__(self):
        free(self.tiles)
        free(self.memory)
        free(self.values)

    cdef double total(self, const double* sums) noexcept nogil:
        cdef double total = 0
        cdef Py_ssize_t t
        for t in range(self.count):
            total += sums[t]
        return total


cdef inline void load_samples(
    Tile* tile, const int[::1] labels, const double[::1] weights, Py_ssize_t start
) noexcept nogil:
    cdef int r
    tile.n_rows = <int> min(LANES, labels.shape[0] - start)
    for r in range(tile.n_rows):
        tile.y[r] = labels[start + r]
        tile.weight[r] = weights[start + r]
    for r in range(tile.n_rows, LANES):
        tile.y[r] = tile.y[tile.n_rows - 1]


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
    const Tile* tile, const double* source, floating[:, ::1] rows, Py_ssize_t start
) noexcept nogil:
    if floating is float:
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
    cdef Tiles tiles = Tiles(scores.shape[0], scores.shape[1], 1, sigma)
    cdef Py_ssize_t start
    cdef Tile* tile
    with nogil, parallel(num_threads=tiles.n_threads):
        tile = &tiles.tiles[threadid()]
        for start in prange(0, scores.shape[0], LANES, schedule="static"):
            load_samples(tile, labels, weights, start)
            load(tile, tile.z, scores, start)
            load(tile, tile.c, centre, start)
            DUAL[loss](tile)
            store(tile, tile.g, dual, start)
            tiles.values[start // LANES] = weighted_sum(tile, tile.value)
    return tiles.total(tiles.values)


def value_and_slope(
    int loss,
    const floating[:, ::1] scores,
    const floating[:, ::1] direction,
    double step,
    const int[::1] labels,
    const double[::1] weights,
    const floating[:, ::1] centre,
    double sigma,
):
    """Weighted loss at `scores + step * direction`, and its derivative in `step`."""
    cdef Tiles tiles = Tiles(scores.shape[0], scores.shape[1], step, sigma)
    cdef Py_ssize_t start
    cdef Tile* tile
    with nogil, parallel(num_threads=tiles.n_threads):
        tile = &tiles.tiles[threadid()]
        for start in prange(0, scores.shape[0], LANES, schedule="static"):
            load_samples(tile, labels, weights, start)
            load(tile, tile.z, scores, start)
            load(tile, tile.d, direction, start)
            load(tile, tile.c, centre, start)
            move_scores(tile)
            DUAL[loss](tile)
            slope_along(tile)
            tiles.values[start // LANES] = weighted_sum(tile, tile.value)
            tiles.slopes[start // LANES] = weighted_sum(tile, tile.slope)
    return tiles.total(tiles.values), tiles.total(tiles.slopes)


def fenchel_young(
    int loss,
    const floating[:, ::1] scores,
    const int[::1] labels,
    const double[::1] weights,
    const floating[:, ::1] dual,
    double scale,
    const floating[:, ::1] centre,
    double sigma,
):
    """Weighted sum of loss(z) + conjugate(t g) - <z, t g> with t = `scale`; never negative."""
    cdef Tiles tiles = Tiles(scores.shape[0], scores.shape[1], scale, sigma)
    cdef Py_ssize_t start
    cdef Tile* tile
    with nogil, parallel(num_threads=tiles.n_threads):
        tile = &tiles.tiles[threadid()]
        for start in prange(0, scores.shape[0], LANES, schedule="static"):
            load_samples(tile, labels, weights, start)
            load(tile, tile.z, scores, start)
            load(tile, tile.g, dual, start)
            load(tile, tile.c, centre, start)
            GAP[loss](tile)
            tiles.values[start // LANES] = weighted_sum(tile, tile.value)
    return tiles.total(tiles.values)


def conjugate(
    int loss,
    const int[::1] labels,
    const double[::1] weights,
    const floating[:, ::1] dual,
    double scale,
    const floating[:, ::1] centre,
    double sigma,
):
    """Weighted sum of conjugate(t g) at t = `scale`, and its derivative in t."""
    cdef Tiles tiles = Tiles(dual.shape[0], dual.shape[1], scale, sigma)
    cdef Py_ssize_t start
    cdef Tile* tile
    with nogil, parallel(num_threads=tiles.n_threads):
        tile = &tiles.tiles[threadid()]
        for start in prange(0, dual.shape[0], LANES, schedule="static"):
            load_samples(tile, labels, weights, start)
            load(tile, tile.g, dual, start)
            load(tile, tile.c, centre, start)
            CONJUGATE[loss](tile)
            tiles.values[start // LANES] = weighted_sum(tile, tile.value)
            tiles.slopes[start // LANES] = weighted_sum(tile, tile.slope)
    return tiles.total(tiles.values), tiles.total(tiles.slopes)


cdef inline void softmax_product(
    const floating* q, double weight, const floating* v, floating* out, int n_classes
) noexcept nogil:
    cdef double mean = 0
    cdef int k
    for k in range(n_classes):
        mean += <double> q[k] * v[k]
    for k in range(n_classes):
        out[k] = <floating> (weight * q[k] * (v[k] - mean))


cdef inline void star_product(
    const floating* a, int y, double weight, const floating* v, floating* out, int n_classes
) noexcept nogil:
    cdef double total = 0, value
    cdef int k
    for k in range(n_classes):
        value = weight * a[k] * (v[k] - v[y])
        out[k] = <floating> value
        total += value
    out[y] = <floating> -total


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
    cdef int n_classes = <int> factor.shape[1], n_threads = n_threads_for(factor.size)
    for i in prange(factor.shape[0], nogil=True, schedule="static", num_threads=n_threads):
        if kind == SOFTMAX_CURVATURE:
            softmax_product(&factor[i, 0], weights[i], &vectors[i, 0], &out[i, 0], n_classes)
        else:
            star_product(
                &factor[i, 0], labels[i], weights[i], &vectors[i, 0], &out[i, 0], n_classes
            )


def class_sums(
    const floating[:, ::1] values,
    const int[::1] labels,
    const double[::1] weights,
    double[:, ::1] out,
):
    """Add weights[i] * values[i] to the row of `out` that is the true class of sample i."""
    cdef Py_ssize_t i
    cdef int k, y, n_classes = <int> values.shape[1]
    with nogil:
        for i in range(values.shape[0]):
            y = labels[i]
            for k in range(n_classes):
                out[y, k] += weights[i] * values[i, k]


# ---------------------------------------------------------------- loops over sparse rows

def csr_scores(
    const index_t[::1] indptr,
    const index_t[::1] indices,
    const floating[::1] data,
    const real_t[:, ::1] coef,
    real_t[:, ::1] out,
):
    """Add X @ coef to `out`, X a CSR matrix of shape (n, d), coef (d, C)."""
    cdef Py_ssize_t i, t
    cdef int k, n_classes = <int> coef.shape[1]
    cdef const real_t* row
    cdef real_t* target
    cdef real_t value
    with nogil:
        for i in range(out.shape[0]):
            target = &out[i, 0]
            for t in range(indptr[i], indptr[i + 1]):
                row = &coef[indices[t], 0]
                value = <real_t> data[t]
                for k in range(n_classes):
                    target[k] += value * row[k]


def csr_gradient(
    const index_t[::1] indptr,
    const index_t[::1] indices,
    const floating[::1] data,
    const real_t[:, ::1] rows,
    real_t[:, ::1] out,
):
    """Add X^T @ rows to `out`, X a CSR matrix of shape (n, d), rows (n, C)."""
    cdef Py_ssize_t i, t
    cdef int k, n_classes = <int> rows.shape[1]
    cdef const real_t* source
    cdef real_t* target
    cdef real_t value
    with nogil:
        for i in range(rows.shape[0]):
            source = &rows[i, 0]
            for t in range(indptr[i], indptr[i + 1]):
                target = &out[indices[t], 0]
                value = <real_t> data[t]
                for k in range(n_classes):
                    target[k] += value * source[k]


# ---------------------------------------------------------------- coordinate descent

cdef inline double minimising_step(
    double x, double gradient, double curvature, double l1
) noexcept nogil:
    """Step of one coordinate to the minimum of a quadratic plus l1 |x|."""
    cdef double target = curvature * x - gradient
    if target > l1:
        return (target - l1) / curvature - x
    if target < -l1:
        return (target + l1) / curvature - x
    return -x


def quadratic_descent(
    const double[:, ::1] hessian,
    double[::1] x,
    double[::1] gradient,
    const double[::1] l1,
    int n_sweeps,
):
    """Sweeps of exact coordinate minimisation of a quadratic plus sum_j l1_j |x_j|.

    `gradient` is that of the quadratic at `x` and is kept up to date.  It ends early when a
    sweep moves nothing.
    """
    cdef Py_ssize_t j, k, size = x.shape[0]
    cdef double step
    cdef bint moved
    cdef int _sweep
    with nogil:
        for _sweep in range(n_sweeps):
            moved = False
            for j in range(size):
                if hessian[j, j] <= 0:
                    continue
                step = minimising_step(x[j], gradient[j], hessian[j, j], l1[j])
                if step == 0:
                    continue
                x[j] = 0 if step == -x[j] else x[j] + step
                for k in range(size):
                    gradient[k] += step * hessian[j, k]
                moved = True
            if not moved:
                break


cdef inline floating dot(const floating* a, const floating* b, Py_ssize_t size) noexcept nogil:
    # Eight sums side by side, which the compiler can keep in vector registers.
    cdef floating s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0
    cdef Py_ssize_t i, whole = size - size % 8
    for i in range(0, whole, 8):
        s0 += a[i] * b[i]
        s1 += a[i + 1] * b[i + 1]
        s2 += a[i + 2] * b[i + 2]
        s3 += a[i + 3] * b[i + 3]
        s4 += a[i + 4] * b[i + 4]
        s5 += a[i + 5] * b[i + 5]
        s6 += a[i + 6] * b[i + 6]
        s7 += a[i + 7] * b[i + 7]
    for i in range(whole, size):
        s0 += a[i] * b[i]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))


def dense_class_descent(
    const floating[:, ::1] columns,
    const int[::1] chosen,
    floating[::1] residual,
    const floating[::1] curvature,
    floating[::1] move,
    double[::1] x,
    const double[::1] slope,
    const double[::1] diagonal,
    const double[::1] l1,
    const double[::1] ridge,
):
    """One sweep over the coordinates of one class; `columns` holds a feature in each row.

    The derivative in x_j is slope_j + ridge_j x_j + <column_j, residual>.  A step adds to the
    residual curvature times the step times the column, and to `move` the step times it.
    """
    cdef Py_ssize_t t, i, j, size = columns.shape[1]
    cdef double step
    cdef floating small
    cdef const floating* column
    with nogil:
        for t in range(chosen.shape[0]):
            j = chosen[t]
            column = &columns[j, 0]
            step = minimising_step(
                x[j],
                slope[j] + ridge[j] * x[j] + dot(column, &residual[0], size),
                diagonal[j],
                l1[j],
            )
            if step == 0:
                continue
            x[j] = 0 if step == -x[j] else x[j] + step
            small = <floating> step
            for i in range(size):
                residual[i] += small * curvature[i] * column[i]
                move[i] += small * column[i]


def sparse_class_descent(
    const index_t[::1] indptr,
    const index_t[::1] indices,
    const floating[::1] data,
    const int[::1] chosen,
    floating[::1] residual,
    const floating[::1] curvature,
    floating[::1] move,
    double[::1] x,
    const double[::1] slope,
    const double[::1] diagonal,
    const double[::1] l1,
    const double[::1] ridge,
):
    """The same for columns of a CSC matrix."""
    cdef Py_ssize_t t, i, j, place
    cdef double step, derivative
    cdef floating small
    with nogil:
        for t in range(chosen.shape[0]):
            j = chosen[t]
            derivative = slope[j] + ridge[j] * x[j]
            for place in range(indptr[j], indptr[j + 1]):
                derivative += data[place] * residual[indices[place]]
            step = minimising_step(x[j], derivative, diagonal[j], l1[j])
            if step == 0:
                continue
            x[j] = 0 if step == -x[j] else x[j] + step
            small = <floating> step
            for place in range(indptr[j], indptr[j + 1]):
                i = indices[place]
                residual[i] += small * curvature[i] * data[place]
                move[i] += small * data[place]
