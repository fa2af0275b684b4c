"""Compiled loops over samples, and the one-row kernels they share.

A row kernel knows one sample: its scores ``z``, its true class ``y`` and its dual
vector ``g``, whose entries sum to zero.  For the hinge losses ``g_k = u_k`` for every
wrong class k and ``g_y = -sum u``; for the cross-entropy ``g = q - e_y``.  The violation
of a wrong class is ``m_k = 1 + z_k - z_y``.  A loop knows rows and weights, and no loss.

Scores may be float32 or float64; sums are taken in double.
"""

from cython cimport floating
from libc.math cimport exp, fabs, log, log1p

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


cdef inline double positive(double x) noexcept nogil:
    return x if x > 0 else 0


cdef inline double clip01(double x) noexcept nogil:
    return 0 if x < 0 else (1 if x > 1 else x)


# ---------------------------------------------------------------- cross-entropy

cdef inline double log_sum_exp(const floating* z, int n_classes) noexcept nogil:
    cdef double top = z[0], total = 0
    cdef int k
    for k in range(1, n_classes):
        if z[k] > top:
            top = z[k]
    for k in range(n_classes):
        total += exp(z[k] - top)
    return top + log(total)


cdef inline double cross_entropy_dual(
    const floating* z, int y, int n_classes, floating* g
) noexcept nogil:
    cdef double top = z[0], total = 0, others = 0
    cdef int k
    for k in range(1, n_classes):
        if z[k] > top:
            top = z[k]
    for k in range(n_classes):
        g[k] = <floating> exp(z[k] - top)
        total += g[k]
    for k in range(n_classes):
        g[k] = <floating> (g[k] / total)
        if k != y:
            others += g[k]
    g[y] = <floating> -others
    return log(total) + (top - z[y])


cdef inline double cross_entropy_gap(
    const floating* z, int y, int n_classes, const floating* g, double t
) noexcept nogil:
    # KL(q || softmax z) as a sum of q log(q/s) - q + s, each of them non-negative.
    cdef double normaliser = log_sum_exp(z, n_classes), total = 0
    cdef double q, s, log_s, delta
    cdef int k
    for k in range(n_classes):
        log_s = z[k] - normaliser
        s = exp(log_s)
        q = t * g[k] + (1 if k == y else 0)
        delta = q - s
        if q <= 0:
            total += s
        elif fabs(delta) < 0.1 * s:
            total += positive(q * log1p(delta / s) - delta)
        else:
            total += positive(q * (log(q) - log_s) - delta)
    return total


cdef inline double cross_entropy_conjugate(
    int y, int n_classes, const floating* g, double t, double* slope
) noexcept nogil:
    cdef double total = 0, q, log_q
    cdef int k
    slope[0] = 0
    for k in range(n_classes):
        q = t * g[k] + (1 if k == y else 0)
        if q > 0:
            log_q = log(q)
            total += q * log_q
            slope[0] += g[k] * log_q
    return total


# ---------------------------------------------------------------- hinge losses

cdef inline double hinge_dual(
    const floating* z, int y, int n_classes, floating* g
) noexcept nogil:
    cdef double total = 0, others = 0, m
    cdef int k
    for k in range(n_classes):
        if k == y:
            continue
        m = 1 + (<double> z[k] - z[y])
        g[k] = 1 if m > 0 else 0
        total += positive(m)
        others += g[k]
    g[y] = <floating> -others
    return total


cdef inline double squared_hinge_dual(
    const floating* z, int y, int n_classes, floating* g
) noexcept nogil:
    cdef double total = 0, others = 0, m
    cdef int k
    for k in range(n_classes):
        if k == y:
            continue
        m = positive(1 + (<double> z[k] - z[y]))
        g[k] = <floating> (2 * m)
        total += m * m
        others += g[k]
    g[y] = <floating> -others
    return total


cdef inline double smoothed_hinge_dual(
    const floating* z, int y, int n_classes, floating* g, const floating* c, double sigma
) noexcept nogil:
    # max over 0 <= u <= 1 of u m - (u - c)^2 / (2 sigma), at u = clip(c + sigma m, 0, 1)
    cdef double total = 0, others = 0, m, u
    cdef int k
    for k in range(n_classes):
        if k == y:
            continue
        m = 1 + (<double> z[k] - z[y])
        u = clip01(c[k] + sigma * m)
        g[k] = <floating> u
        total += u * m - (u - c[k]) * (u - c[k]) / (2 * sigma)
        others += g[k]
    g[y] = <floating> -others
    return total


cdef inline double hinge_gap(
    const floating* z, int y, int n_classes, const floating* g, double t
) noexcept nogil:
    cdef double total = 0, m, u
    cdef int k
    for k in range(n_classes):
        if k == y:
            continue
        m = 1 + (<double> z[k] - z[y])
        u = t * g[k]
        total += positive(1 - u) * m if m > 0 else -u * m
    return total


cdef inline double squared_hinge_gap(
    const floating* z, int y, int n_classes, const floating* g, double t
) noexcept nogil:
    cdef double total = 0, m, u, excess
    cdef int k
    for k in range(n_classes):
        if k == y:
            continue
        m = 1 + (<double> z[k] - z[y])
        u = t * g[k]
        excess = positive(m) - u / 2
        total += excess * excess + u * positive(-m)
    return total


cdef inline double smoothed_hinge_gap(
    const floating* z, int y, int n_classes, const floating* g, double t,
    const floating* c, double sigma,
) noexcept nogil:
    cdef double total = 0, m, u, best
    cdef int k
    for k in range(n_classes):
        if k == y:
            continue
        m = 1 + (<double> z[k] - z[y])
        u = t * g[k]
        best = clip01(c[k] + sigma * m)
        total += positive((best - u) * (m - (best - c[k]) / sigma))
        total += (best - u) * (best - u) / (2 * sigma)
    return total


cdef inline double hinge_conjugate(
    int y, int n_classes, const floating* g, double t, double* slope
) noexcept nogil:
    # sum over the wrong classes of -u; g_y is minus their sum
    slope[0] = g[y]
    return t * g[y]


cdef inline double squared_hinge_conjugate(
    int y, int n_classes, const floating* g, double t, double* slope
) noexcept nogil:
    cdef double squares = 0
    cdef int k
    for k in range(n_classes):
        if k != y:
            squares += <double> g[k] * g[k]
    slope[0] = t * squares / 2 + g[y]
    return t * t * squares / 4 + t * g[y]


cdef inline double smoothed_hinge_conjugate(
    int y, int n_classes, const floating* g, double t, double* slope,
    const floating* c, double sigma,
) noexcept nogil:
    cdef double total = t * g[y], u
    cdef int k
    slope[0] = g[y]
    for k in range(n_classes):
        if k != y:
            u = t * g[k]
            total += (u - c[k]) * (u - c[k]) / (2 * sigma)
            slope[0] += g[k] * (u - c[k]) / sigma
    return total


# ---------------------------------------------------------------- choice of kernel

cdef inline double row_dual(
    int loss, const floating* z, int y, int n_classes, floating* g,
    const floating* c, double sigma,
) noexcept nogil:
    if loss == CROSS_ENTROPY:
        return cross_entropy_dual(z, y, n_classes, g)
    if loss == HINGE:
        return hinge_dual(z, y, n_classes, g)
    if loss == SQUARED_HINGE:
        return squared_hinge_dual(z, y, n_classes, g)
    return smoothed_hinge_dual(z, y, n_classes, g, c, sigma)


cdef inline double row_gap(
    int loss, const floating* z, int y, int n_classes, const floating* g, double t,
    const floating* c, double sigma,
) noexcept nogil:
    if loss == CROSS_ENTROPY:
        return cross_entropy_gap(z, y, n_classes, g, t)
    if loss == HINGE:
        return hinge_gap(z, y, n_classes, g, t)
    if loss == SQUARED_HINGE:
        return squared_hinge_gap(z, y, n_classes, g, t)
    return smoothed_hinge_gap(z, y, n_classes, g, t, c, sigma)


cdef inline double row_conjugate(
    int loss, int y, int n_classes, const floating* g, double t, double* slope,
    const floating* c, double sigma,
) noexcept nogil:
    if loss == CROSS_ENTROPY:
        return cross_entropy_conjugate(y, n_classes, g, t, slope)
    if loss == HINGE:
        return hinge_conjugate(y, n_classes, g, t, slope)
    if loss == SQUARED_HINGE:
        return squared_hinge_conjugate(y, n_classes, g, t, slope)
    return smoothed_hinge_conjugate(y, n_classes, g, t, slope, c, sigma)


# ---------------------------------------------------------------- loops over rows

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
    cdef Py_ssize_t i
    cdef int n_classes = <int> scores.shape[1]
    cdef double total = 0
    cdef const floating* c = NULL
    with nogil:
        for i in range(scores.shape[0]):
            if loss == SMOOTHED_HINGE:
                c = &centre[i, 0]
            total += weights[i] * row_dual(
                loss, &scores[i, 0], labels[i], n_classes, &dual[i, 0], c, sigma
            )
    return total


def value_and_slope(
    int loss,
    const floating[:, ::1] scores,
    const floating[:, ::1] direction,
    double step,
    const int[::1] labels,
    const double[::1] weights,
    floating[:, ::1] buffer,
    const floating[:, ::1] centre,
    double sigma,
):
    """Weighted loss at `scores + step * direction`, and its derivative in `step`.

    `buffer` holds two rows of scratch space.
    """
    cdef Py_ssize_t i
    cdef int k, n_classes = <int> scores.shape[1]
    cdef double total = 0, slope = 0, row_slope
    cdef const floating* c = NULL
    cdef floating* z = &buffer[0, 0]
    cdef floating* g = &buffer[1, 0]
    with nogil:
        for i in range(scores.shape[0]):
            if loss == SMOOTHED_HINGE:
                c = &centre[i, 0]
            for k in range(n_classes):
                z[k] = <floating> (scores[i, k] + step * direction[i, k])
            total += weights[i] * row_dual(loss, z, labels[i], n_classes, g, c, sigma)
            row_slope = 0
            for k in range(n_classes):
                row_slope += <double> g[k] * direction[i, k]
            slope += weights[i] * row_slope
    return total, slope


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
    cdef Py_ssize_t i
    cdef int n_classes = <int> scores.shape[1]
    cdef double total = 0
    cdef const floating* c = NULL
    with nogil:
        for i in range(scores.shape[0]):
            if loss == SMOOTHED_HINGE:
                c = &centre[i, 0]
            total += weights[i] * row_gap(
                loss, &scores[i, 0], labels[i], n_classes, &dual[i, 0], scale, c, sigma
            )
    return total


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
    cdef Py_ssize_t i
    cdef int n_classes = <int> dual.shape[1]
    cdef double total = 0, slope = 0, row_slope = 0
    cdef const floating* c = NULL
    with nogil:
        for i in range(dual.shape[0]):
            if loss == SMOOTHED_HINGE:
                c = &centre[i, 0]
            total += weights[i] * row_conjugate(
                loss, labels[i], n_classes, &dual[i, 0], scale, &row_slope, c, sigma
            )
            slope += weights[i] * row_slope
    return total, slope


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
    cdef int k, y, n_classes = <int> factor.shape[1]
    cdef double mean, total, value
    with nogil:
        for i in range(factor.shape[0]):
            if kind == SOFTMAX_CURVATURE:
                mean = 0
                for k in range(n_classes):
                    mean += <double> factor[i, k] * vectors[i, k]
                for k in range(n_classes):
                    out[i, k] = <floating> (
                        weights[i] * factor[i, k] * (vectors[i, k] - mean)
                    )
            else:
                y = labels[i]
                total = 0
                for k in range(n_classes):
                    value = weights[i] * factor[i, k] * (vectors[i, k] - vectors[i, y])
                    out[i, k] = <floating> value
                    total += value
                out[i, y] = <floating> -total


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
