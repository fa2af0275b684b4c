"""Weighted second moments of the same rows for several weights at once (see `_moments.h`)."""

from libc.stddef cimport ptrdiff_t
from libc.stdlib cimport calloc, free

cdef extern from "_vector.h" nogil:
    double without_next_to_nothing(double)

cdef extern from "_moments.h" nogil:
    ctypedef void (*Moments)(
        const void*, ptrdiff_t, ptrdiff_t, const void*, int, const int*, const int*, ptrdiff_t,
        void*, ptrdiff_t,
    ) noexcept
    ctypedef void (*Moment)(
        const void*, const void*, ptrdiff_t, ptrdiff_t, ptrdiff_t, void*
    ) noexcept
    int vector_bytes()
    enum:
        UNITS_AT_ONCE
        ROWS_OF_ONE
    const Moments[2][2] MOMENTS
    const Moment[2][2] MOMENT

cdef enum:
    ROWS_AT_ONCE = 64
    MOST_WEIGHTS = 12  # at once
    FEW_WEIGHTS = 3  # that are taken one by one

ctypedef fused number_t:
    float
    double


def vector_size():
    """Bytes of the vectors of this processor that there are kernels for, 64 or 32; 0 for none."""
    return vector_bytes()


cdef inline Py_ssize_t count_units(
    Py_ssize_t width, Py_ssize_t lanes, Py_ssize_t at_once
) noexcept nogil:
    """With so many rows of the matrices in a block."""
    cdef Py_ssize_t j = 0, total = 0
    while j < width:
        total += at_once * ((width - j + lanes - 1) // lanes)
        j += at_once
    return (total + UNITS_AT_ONCE - 1) // UNITS_AT_ONCE * UNITS_AT_ONCE


cdef inline void list_units(
    Py_ssize_t width, Py_ssize_t lanes, int* first, int* second
) noexcept nogil:
    """Those behind the last one are at (0, 0) and serve for nothing."""
    cdef Py_ssize_t j, start, unit = 0
    for j in range(width):
        start = j
        while start < width:
            first[unit] = <int> j
            second[unit] = <int> start
            unit += 1
            start += lanes


cdef inline Py_ssize_t next_size(Py_ssize_t left) noexcept nogil:
    """How many of so many weights the kernels take at once."""
    if left >= MOST_WEIGHTS:
        return MOST_WEIGHTS
    return 6 if left >= 6 else 3 if left >= 3 else 1


cdef inline void copy_rows(
    const number_t* source, Py_ssize_t n_rows, Py_ssize_t width, number_t* target, Py_ssize_t stride
) noexcept nogil:
    cdef Py_ssize_t i, j
    for i in range(n_rows):
        for j in range(width):
            target[i * stride + j] = source[i * width + j]


cdef inline void multiply(
    const number_t* shares,
    Py_ssize_t n_rows,
    Py_ssize_t n_shares,
    const int* left,
    const int* right,
    Py_ssize_t n_pairs,
    number_t* out,
) noexcept nogil:
    """out_ip = s_i,left[p] s_i,right[p], in single precision 0 where that is next to nothing."""
    cdef Py_ssize_t i, p
    cdef number_t weight
    for i in range(n_rows):
        for p in range(n_pairs):
            weight = shares[left[p]] * shares[right[p]]
            if number_t is float:
                weight = <float> without_next_to_nothing(weight)
            out[i * n_pairs + p] = weight
        shares += n_shares


cdef inline void scale_rows(
    const number_t* rows,
    Py_ssize_t n_rows,
    Py_ssize_t width,
    Py_ssize_t stride,
    const number_t* weights,
    number_t* out,
) noexcept nogil:
    cdef Py_ssize_t i, j
    for i in range(n_rows):
        for j in range(width):
            out[i * stride + j] = weights[i] * rows[i * stride + j]


cdef inline Py_ssize_t rows_in_a_block(Py_ssize_t n_pairs) noexcept nogil:
    return ROWS_OF_ONE if n_pairs <= FEW_WEIGHTS else 1


def size_of_sums(Py_ssize_t n_pairs, Py_ssize_t width, Py_ssize_t itemsize, Py_ssize_t vector):
    """How many numbers hold the sums of each of so many weights, in vectors of so many bytes."""
    cdef Py_ssize_t lanes = vector // itemsize
    return count_units(width, lanes, rows_in_a_block(n_pairs)) * lanes


def add_moments(
    const number_t[:, ::1] x,
    const number_t[:, ::1] shares,
    const int[::1] left,
    const int[::1] right,
    number_t[:, ::1] sums,
    Py_ssize_t vector,
):
    """sums_p += sum_i s_ik s_il x_i x_i^T, where k and l are left[p] and right[p].

    `sums`, shape (P, size_of_sums), are in the order of the kernels (see `unfold`).
    """
    cdef Py_ssize_t lanes = vector // <Py_ssize_t> sizeof(number_t)
    cdef Py_ssize_t n_rows = x.shape[0], width = x.shape[1], n_pairs = left.shape[0]
    cdef Py_ssize_t n_units = sums.shape[1] // lanes, stride = width + lanes
    cdef Py_ssize_t start = 0, size, pair, n_some
    cdef bint wide = vector == 64, single = number_t is float
    cdef number_t* rows
    cdef number_t* scaled
    cdef number_t* weights
    cdef int* units
    if n_rows == 0 or width == 0:
        return
    # Behind each row are entries that units may read; what comes of them is not used.
    rows = <number_t*> calloc(ROWS_AT_ONCE * (2 * stride + MOST_WEIGHTS), sizeof(number_t))
    units = <int*> calloc(2 * n_units, sizeof(int))
    if rows == NULL or units == NULL:
        free(rows)
        free(units)
        raise MemoryError
    scaled = rows + ROWS_AT_ONCE * stride
    weights = scaled + ROWS_AT_ONCE * stride
    with nogil:
        if n_pairs > FEW_WEIGHTS:
            list_units(width, lanes, units, units + n_units)
        while start < n_rows:
            size = min(<Py_ssize_t> ROWS_AT_ONCE, n_rows - start)
            copy_rows(&x[start, 0], size, width, rows, stride)
            pair = 0
            while pair < n_pairs:
                n_some = 1 if n_pairs <= FEW_WEIGHTS else next_size(n_pairs - pair)
                multiply(
                    &shares[start, 0], size, shares.shape[1], &left[pair], &right[pair], n_some,
                    weights,
                )
                if n_pairs <= FEW_WEIGHTS:
                    scale_rows(rows, size, width, stride, weights, scaled)
                    MOMENT[wide][single](rows, scaled, stride, size, width, &sums[pair, 0])
                else:
                    MOMENTS[wide][single](
                        rows, stride, size, weights, <int> n_some, units, units + n_units,
                        n_units, &sums[pair, 0], sums.shape[1],
                    )
                pair += n_some
            start += size
    free(rows)
    free(units)


def unfold(
    const number_t[:, ::1] sums, number_t[:, :, ::1] out, Py_ssize_t n_pairs, Py_ssize_t vector
):
    """Symmetric matrices, shape (., width, width), from sums in the order of so many weights."""
    cdef Py_ssize_t lanes = vector // <Py_ssize_t> sizeof(number_t), width = out.shape[1]
    cdef Py_ssize_t block = rows_in_a_block(n_pairs), n_vectors
    cdef Py_ssize_t p, first, j, k, begin, unit
    with nogil:
        for p in range(out.shape[0]):
            begin, first = 0, 0
            while first < width:
                n_vectors = (width - first + lanes - 1) // lanes
                for j in range(first, min(first + block, width)):
                    for k in range(j, width):
                        unit = (k - first) // lanes * block + j - first
                        out[p, j, k] = sums[p, (begin + unit) * lanes + (k - first) % lanes]
                        out[p, k, j] = out[p, j, k]
                begin += n_vectors * block
                first += block
