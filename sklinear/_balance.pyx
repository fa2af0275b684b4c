"""Compiled loops that balance a dual point: sums over classes, and moves between them."""

from cython cimport floating


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


def move_mass(
    floating[:, ::1] dual,
    const int[::1] labels,
    const double[::1] leak,
    const double[::1] share,
):
    """Each class k gives up leak_k of its q_k; what a sample gives up is shared out again.

    Works in place on g = q - e_y, q in the simplex; `share` has the sum one.
    """
    cdef Py_ssize_t i
    cdef int k, y, n_classes = <int> dual.shape[1]
    cdef double moved, others, q
    with nogil:
        for i in range(dual.shape[0]):
            y = labels[i]
            moved, others = leak[y], 0
            for k in range(n_classes):
                moved += leak[k] * dual[i, k]
            for k in range(n_classes):
                q = dual[i, k] * (1 - leak[k]) + moved * share[k]
                dual[i, k] = <floating> q
                others += q if k != y else 0
            dual[i, y] = <floating> -others
