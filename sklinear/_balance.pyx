"""Compiled loops that balance a dual point: sums over classes, and the scales of flows."""

from cython cimport floating
from libc.math cimport exp, fabs, log, sqrt

cdef double SETTLED = 1e-15  # of the logarithm of inflow by outflow


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


def balancing_scales(const double[:, ::1] flows, double[::1] scale, int max_sweeps):
    """Scale theta > 0 until theta_l flows_lk / theta_k has equal row and column sums.

    Osborne's iteration, in place, for at most so many sweeps over the classes.
    """
    cdef Py_ssize_t j, k, n_classes = flows.shape[0]
    cdef int _sweep
    cdef double outflow, inflow, worst = 1, mean
    with nogil:
        for _sweep in range(max_sweeps):
            worst = mean = 0
            for k in range(n_classes):
                outflow = inflow = 0
                for j in range(n_classes):
                    outflow += flows[k, j] / scale[j]
                    inflow += scale[j] * flows[j, k]
                outflow, inflow = outflow * scale[k], inflow / scale[k]
                if outflow > 0 and inflow > 0:
                    scale[k] *= sqrt(inflow / outflow)
                    worst = max(worst, fabs(log(inflow / outflow)))
                mean += log(scale[k]) / n_classes
            if worst < SETTLED:
                break
            for k in range(n_classes):
                scale[k] /= exp(mean)


def scale_flows(
    floating[:, ::1] dual,
    const int[::1] labels,
    const double[:, ::1] ratio,
    double largest,
):
    """u_ik times ratio_lk, l the class of sample i; all are divided until none exceeds `largest`.

    Works in place on g_k = u_k (k wrong), g_y = -sum u.
    """
    cdef Py_ssize_t i
    cdef int k, y, n_classes = <int> dual.shape[1]
    cdef double most = 0, total, share
    with nogil:
        for i in range(dual.shape[0]):
            y = labels[i]
            dual[i, y] = 0
            for k in range(n_classes):
                dual[i, k] = <floating> (dual[i, k] * ratio[y, k])
                most = max(most, dual[i, k])
        share = 1 / max(1.0, most / largest)
        for i in range(dual.shape[0]):
            total = 0
            for k in range(n_classes):
                dual[i, k] = <floating> (dual[i, k] * share)
                total += dual[i, k]
            dual[i, labels[i]] = <floating> -total
