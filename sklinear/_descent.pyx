"""Compiled sweeps of coordinate descent over the columns of X."""

from cython cimport floating

ctypedef fused index_t:
    int
    long long


cdef extern from "_descent.h" nogil:
    double minimising_step(double x, double gradient, double curvature, double l1)


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
