"""Weighted second moments of the same rows for several weights at once (see `_moments.h`)."""

from libc.stddef cimport ptrdiff_t
from libc.stdlib cimport calloc, free

cdef extern from "_moments.h" nogil:
    ctypedef void (*Moments)(
        const void*, ptrdiff_t, ptrdiff_t, const void*, int, const int*, const int*, ptrdiff_t,
        void*, ptrdiff_t,
    ) noexcept
    int vector_bytes()
    enum:
        UNITS_AT_ONCE
    const Moments[2][2] MOMENTS

cdef enum:
    ROWS_AT_ONCE = 64
    MOST_WEIGHTS = 12  # at once

ctypedef fused number_t:
    float
    double


def vector_size():
    """Bytes of the vectors of this processor that there are kernels for, 64 or 32; 0 for none."""
    return vector_bytes()


cdef inline Py_ssize_t count_units(Py_ssize_t width, Py_ssize_t lanes) noexcept nogil:
    cdef Py_ssize_t j, total = 0
    for j in range(width):
        total += (width - j + lanes - 1) // lanes
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
    """out_ip = s_i,left[p] s_i,right[p]"""
    cdef Py_ssize_t i, p
    for i in range(n_rows):
        for p in range(n_pairs):
            out[i * n_pairs + p] = shares[left[p]] * shares[right[p]]
        shares += n_shares


def size_of_sums(Py_ssize_t width, Py_ssize_t itemsize, Py_ssize_t vector):
    """How many numbers hold the sums of one weight, in vectors of so many bytes."""
    cdef Py_ssize_t lanes = vector // itemsize
    return count_units(width, lanes) * lanes


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
    cdef Py_ssize_t n_rows = x.shape[0], width = x.shape[1]
    cdef Py_ssize_t n_units = count_units(width, lanes), stride = width + lanes
    cdef Py_ssize_t start = 0, size, pair, n_pairs
    cdef number_t* rows
    cdef number_t* weights
    cdef int* units
    if n_rows == 0 or width == 0:
        return
    # Behind each row are entries that units may read; what comes of them is not used.
    rows = <number_t*> calloc(ROWS_AT_ONCE * (stride + MOST_WEIGHTS), sizeof(number_t))
    units = <int*> calloc(2 * n_units, sizeof(int))
    if rows == NULL or units == NULL:
        free(rows)
        free(units)
        raise MemoryError
    weights = rows + ROWS_AT_ONCE * stride
    with nogil:
        list_units(width, lanes, units, units + n_units)
        while start < n_rows:
            size = min(<Py_ssize_t> ROWS_AT_ONCE, n_rows - start)
            copy_rows(&x[start, 0], size, width, rows, stride)
            pair = 0
            while pair < left.shape[0]:
                n_pairs = next_size(left.shape[0] - pair)
                multiply(
                    &shares[start, 0], size, shares.shape[1], &left[pair], &right[pair], n_pairs,
                    weights,
                )
                MOMENTS[vector == 64][number_t is float](
                    rows, stride, size, weights, <int> n_pairs, units, units + n_units, n_units,
                    &sums[pair, 0], sums.shape[1],
                )
                pair += n_pairs
            start += size
    free(rows)
    free(units)


def unfold(const number_t[:, ::1] sums, number_t[:, :, ::1] out, Py_ssize_t vector):
    """Symmetric matrices, shape (P, width, width), from such sums."""
    cdef Py_ssize_t lanes = vector // <Py_ssize_t> sizeof(number_t)
    cdef Py_ssize_t p, j, k, begin, width = out.shape[1]
    with nogil:
        for p in range(out.shape[0]):
            begin = 0
            for j in range(width):
                for k in range(j, width):
                    out[p, j, k] = out[p, k, j] = sums[p, begin + k - j]
                begin += (width - j + lanes - 1) // lanes * lanes
