"""Products of a dense X, or of its transpose, with few columns (see `_dense.h`).

And sums of squares (see `_squares.h`), the columns of which explicit Hessians are products (see
`_columns.h`), and Hessians from their blocks.
"""

from libc.stddef cimport ptrdiff_t
from libc.stdlib cimport calloc, free

cdef extern from "_dense.h" nogil:
    ctypedef void (*Scores)(
        const void*, ptrdiff_t, ptrdiff_t, const void*, int, void*, int
    ) noexcept
    ctypedef void (*Correlate)(
        const void*, ptrdiff_t, ptrdiff_t, const void*, int, void*
    ) noexcept
    int vector_bytes()
    const Scores[2][3] SCORES
    const Correlate[2][3] CORRELATE

cdef extern from "_columns.h" nogil:
    void mixed_columns_float(
        const float*, const float*, ptrdiff_t, ptrdiff_t, const int*, const int*,
        float*, ptrdiff_t, ptrdiff_t,
    )
    void mixed_columns_double(
        const double*, const double*, ptrdiff_t, ptrdiff_t, const int*, const int*,
        double*, ptrdiff_t, ptrdiff_t,
    )

cdef extern from "_squares.h" nogil:
    void row_squares_float(
        const float*, ptrdiff_t, ptrdiff_t, const double*, const double*, double*
    )
    void row_squares_double(
        const double*, ptrdiff_t, ptrdiff_t, const double*, const double*, double*
    )
    void column_squares_float(
        const float*, ptrdiff_t, ptrdiff_t, const double*, const double*, double*
    )
    void column_squares_double(
        const double*, ptrdiff_t, ptrdiff_t, const double*, const double*, double*
    )

cdef enum:
    NARROWEST = 32
    MOST_VECTORS = 4
    ROWS_AT_ONCE = 64

cdef int BYTES = vector_bytes()

# X and the other factor: either may be single, but not the other factor alone.
ctypedef fused entry_t:
    float
    double

ctypedef fused number_t:
    float
    double


def most_columns(int itemsize):
    """How many columns of numbers of a size the kernels take; 0 where there are none."""
    return MOST_VECTORS * BYTES // itemsize


cdef inline int kind(Py_ssize_t entry, Py_ssize_t number) noexcept nogil:
    if number == sizeof(float):
        return 2
    return 1 if entry == sizeof(float) else 0


cpdef int bytes_for(Py_ssize_t n_columns, Py_ssize_t itemsize) noexcept nogil:
    """Of the vectors for so many columns: shorter ones where half of a long one holds them."""
    return BYTES if 2 * n_columns * itemsize > BYTES else NARROWEST


cdef inline int vectors(Py_ssize_t n_columns, Py_ssize_t lanes) noexcept nogil:
    return <int> ((n_columns + lanes - 1) // lanes)


cdef inline void pad(
    const number_t* source,
    Py_ssize_t n_rows,
    Py_ssize_t n_columns,
    number_t* target,
    Py_ssize_t width,
) noexcept nogil:
    cdef Py_ssize_t i, k
    for i in range(n_rows):
        for k in range(n_columns):
            target[i * width + k] = source[i * n_columns + k]


def scores(
    const entry_t[:, ::1] X,
    const number_t[:, ::1] coef,
    const number_t[::1] offset,
    number_t[:, ::1] out,
):
    """out = X @ coef + offset."""
    cdef Py_ssize_t n_columns = coef.shape[1], d = X.shape[1]
    cdef int size_of_vector = bytes_for(n_columns, sizeof(number_t))
    cdef Py_ssize_t lanes = size_of_vector // <Py_ssize_t> sizeof(number_t)
    cdef int n_vectors = vectors(n_columns, lanes)
    cdef Py_ssize_t width = n_vectors * lanes
    cdef number_t* padded
    if X.shape[0] == 0 or d == 0:
        out[:] = offset
        return
    padded = <number_t*> calloc((d + 1) * width, sizeof(number_t))
    if padded == NULL:
        raise MemoryError
    with nogil:
        pad(&coef[0, 0], d, n_columns, padded, width)
        pad(&offset[0], 1, n_columns, padded + d * width, width)
        SCORES[size_of_vector == 64][kind(sizeof(entry_t), sizeof(number_t))](
            &X[0, 0], X.shape[0], d, padded, n_vectors, &out[0, 0], <int> n_columns
        )
    free(padded)


def correlate(
    const entry_t[:, ::1] X, const number_t[:, ::1] rows, number_t[:, ::1] out
):
    """out = X^T @ rows."""
    cdef Py_ssize_t n_columns = rows.shape[1], d = X.shape[1], start = 0, size, j, k
    cdef int size_of_vector = bytes_for(n_columns, sizeof(number_t))
    cdef Py_ssize_t lanes = size_of_vector // <Py_ssize_t> sizeof(number_t)
    cdef int n_vectors = vectors(n_columns, lanes)
    cdef Py_ssize_t width = n_vectors * lanes
    cdef number_t* sums
    cdef number_t* block
    if X.shape[0] == 0 or d == 0:
        out[:] = 0
        return
    sums = <number_t*> calloc((d + ROWS_AT_ONCE) * width, sizeof(number_t))
    if sums == NULL:
        raise MemoryError
    block = sums + d * width
    with nogil:
        while start < X.shape[0]:
            size = min(<Py_ssize_t> ROWS_AT_ONCE, X.shape[0] - start)
            pad(&rows[start, 0], size, n_columns, block, width)
            CORRELATE[size_of_vector == 64][kind(sizeof(entry_t), sizeof(number_t))](
                &X[start, 0], size, d, block, n_vectors, sums
            )
            start += size
        for j in range(d):
            for k in range(n_columns):
                out[j, k] = sums[j * width + k]
    free(sums)


def row_squares(
    const entry_t[:, ::1] X, const double[::1] centre, const double[::1] weights, double[::1] out
):
    """out_i = sum_j v_j (x_ij - c_j)^2 with v = `weights`."""
    cdef Py_ssize_t n_rows = X.shape[0], d = X.shape[1]
    if n_rows == 0 or d == 0:
        out[:] = 0
        return
    with nogil:
        if entry_t is float:
            row_squares_float(&X[0, 0], n_rows, d, &centre[0], &weights[0], &out[0])
        else:
            row_squares_double(&X[0, 0], n_rows, d, &centre[0], &weights[0], &out[0])


def column_squares(
    const entry_t[:, ::1] X, const double[::1] centre, const double[::1] weights, double[::1] out
):
    """out_j = sum_i w_i (x_ij - c_j)^2 with w = `weights`."""
    cdef Py_ssize_t n_rows = X.shape[0], d = X.shape[1]
    out[:] = 0
    if n_rows == 0 or d == 0:
        return
    with nogil:
        if entry_t is float:
            column_squares_float(&X[0, 0], n_rows, d, &centre[0], &weights[0], &out[0])
        else:
            column_squares_double(&X[0, 0], n_rows, d, &centre[0], &weights[0], &out[0])


def mixed_columns(
    const number_t[:, ::1] features,
    const number_t[:, ::1] shares,
    const int[::1] feature,
    const int[::1] klass,
    number_t[:, ::1] out,
):
    """out_iv = x_ij s_ik, (j, k) being feature and class of variable v."""
    cdef Py_ssize_t n_rows = out.shape[0], size = out.shape[1]
    cdef Py_ssize_t n_features = features.shape[1], n_classes = shares.shape[1]
    if n_rows == 0 or size == 0:
        return
    with nogil:
        if number_t is float:
            mixed_columns_float(
                &features[0, 0], &shares[0, 0], n_features, n_classes, &feature[0], &klass[0],
                &out[0, 0], n_rows, size,
            )
        else:
            mixed_columns_double(
                &features[0, 0], &shares[0, 0], n_features, n_classes, &feature[0], &klass[0],
                &out[0, 0], n_rows, size,
            )


def add_pairs(
    const number_t[:, :, ::1] of_pairs,
    const int[::1] first,
    const int[::1] second,
    number_t[:, :, ::1] blocks,
):
    """Blocks of pairs of classes, minus their sums, then those of each class, the sums it is in.

    To `blocks`, zeros of shape (P + C, f, f).
    """
    cdef Py_ssize_t p, entry, n_pairs = of_pairs.shape[0]
    cdef Py_ssize_t size = of_pairs.shape[1] * of_pairs.shape[2]
    cdef const number_t* source
    cdef number_t* pair
    cdef number_t* one
    cdef number_t* other
    with nogil:
        for p in range(n_pairs):
            source = &of_pairs[p, 0, 0]
            pair = &blocks[p, 0, 0]
            one = &blocks[n_pairs + first[p], 0, 0]
            other = &blocks[n_pairs + second[p], 0, 0]
            for entry in range(size):
                pair[entry] = -source[entry]
                one[entry] += source[entry]
                other[entry] += source[entry]


def gather(
    const number_t[:, :, ::1] blocks,
    const int[:, ::1] block,
    const int[::1] feature,
    const int[::1] klass,
    number_t[:, ::1] out,
):
    """out of variables (j, k) and (j', l) = entry (j, j') of the block of k and l."""
    cdef Py_ssize_t a, b, size = feature.shape[0], width = blocks.shape[2]
    cdef const number_t* row
    cdef const int* of_class
    with nogil:
        for a in range(size):
            row = &blocks[0, feature[a], 0]
            of_class = &block[klass[a], 0]
            for b in range(size):
                out[a, b] = row[of_class[klass[b]] * width * width + feature[b]]
