"""Compiled epochs of dual block coordinate ascent, and the block steps they share.

The dual vector of the cross-entropy is q - e_y, q in the simplex.  The other block step is for
losses with the conjugate sum_k (s u_k^2 / 2 - u_k) on 0 <= u <= h, where the dual vector g
of a sample holds u_k for each wrong class k and -sum u for the true one.
"""

cimport cython
from cython cimport floating
from libc.math cimport INFINITY, fabs, sqrt

import numpy as np

ctypedef fused index_t:
    int
    long long


cdef extern from "_simplex.h" nogil:
    void simplex_block(
        const double* z, const double* old, double kappa, double* q, double* x, double* slope, int n
    )


# ---------------------------------------------------------------- one row of W

cdef inline void add_scores(
    double* z, double x, const double* v, double threshold, int n_classes
) noexcept nogil:
    """z += x soft(v, threshold)."""
    cdef int k
    cdef double inner
    if threshold == 0:
        for k in range(n_classes):
            z[k] += x * v[k]
        return
    for k in range(n_classes):
        inner = v[k] if v[k] < threshold else threshold
        inner = inner if inner > -threshold else -threshold
        z[k] += x * (v[k] - inner)


cdef inline void add_step(
    double* v, double x, const double* step, const int* moved, int n_moved, int n_classes
) noexcept nogil:
    """v += x step, of which only the entries in `moved` are not zero."""
    cdef int k, t
    if 4 * n_moved < n_classes:
        for t in range(n_moved):
            k = moved[t]
            v[k] += x * step[k]
    else:
        for k in range(n_classes):
            v[k] += x * step[k]


# ---------------------------------------------------------------- the block of one sample

cdef inline double candidate(
    const double* a, double q, double s, double h, double total, double* u, int n_classes,
    int* n_inside,
) noexcept nogil:
    """u_k = clip((a_k - q total) / (q + s), 0, h), their sum and how many lie strictly inside."""
    cdef double value, found = 0, inverse = 1 / (q + s)
    cdef int k, inside = 0
    for k in range(n_classes):
        value = (a[k] - q * total) * inverse
        value = value if value > 0 else 0
        value = value if value < h else h
        u[k] = value
    for k in range(n_classes):
        found += u[k]
        inside += (u[k] > 0) & (u[k] < h)
    n_inside[0] = inside
    return found


cdef void solve_block(
    const double* a, double q, double s, double h, double total, double* u, int n_classes
) noexcept nogil:
    """argmax over 0 <= u <= h of <a, u> - s/2 |u|^2 - q/2 (|u|^2 + (sum u)^2).

    The sum S of the maximiser is the root of S - sum_k clip((a_k - q S) / (q + s), 0, h), which
    rises.  Newton's method from `total`, strictly inside the bracket of points seen so far.
    """
    cdef double low = 0, high = INFINITY, found, excess, following
    cdef double slope = q / (q + s)
    cdef int inside = 0, _
    found = candidate(a, q, s, h, 0, u, n_classes, &inside)
    if found == 0:
        return
    if total <= 0:
        total = found / (1 + slope * inside)
    for _ in range(100):
        found = candidate(a, q, s, h, total, u, n_classes, &inside)
        excess = total - found
        if fabs(excess) <= 1e-15 * total:
            return
        if excess < 0:
            low = total
        else:
            high = total
        following = total - excess / (1 + slope * inside)
        if following != total and not low < following < high:
            following = 0.5 * (low + high)
        if following == total:
            return
        total = following


# ---------------------------------------------------------------- the state of the ascent

@cython.final
cdef class Ascent:
    """A dual point, V = -A / l2 with W = soft(V, l1 / l2), and the intercept, kept in step.

    Parameters
    ----------
    block : tuple of float or None
        (s, h) of the conjugate; None for the cross-entropy.
    labels : ndarray of shape (n,), int32
    weights : ndarray of shape (n,)
        p_i / l2.
    curvature : ndarray of shape (n,)
        p_i (|x_i|^2 + shift) / l2, positive for the rows of an epoch.
    dual : ndarray of shape (n, C)
    V : ndarray of shape (d, C)
    intercept : ndarray of shape (C,)
    threshold : float
        l1 / l2.
    shift : float
        The intercept follows a step as V does for a feature of this value; 0 without one.

    Attributes
    ----------
    least : float
        A probability has to change by more than this / sqrt(1 + curvature); 0 at first.
    """

    cdef bint simplex
    cdef double strength, largest, threshold, shift
    cdef const int[::1] labels
    cdef const double[::1] weights, curvature
    cdef double[:, ::1] dual, V, buffer
    cdef double[::1] intercept
    cdef int[::1] moved
    cdef int n_classes, n_moved
    cdef public double least

    def __init__(
        self, block, labels, weights, curvature, dual, V, intercept, threshold, shift
    ):
        self.simplex = block is None
        self.strength, self.largest = (0, 1) if block is None else block
        self.labels, self.weights, self.curvature = labels, weights, curvature
        self.dual, self.V, self.intercept = dual, V, intercept
        self.threshold, self.shift, self.least = threshold, shift, 0.0
        self.n_classes = len(intercept)
        self.buffer = np.empty((5, self.n_classes))
        self.moved = np.empty(self.n_classes, dtype=np.intc)

    cdef void begin(self) noexcept nogil:
        """Scores of a sample without features."""
        cdef int k
        for k in range(self.n_classes):
            self.buffer[0, k] = self.intercept[k]

    cdef void see(self, Py_ssize_t j, double x) noexcept nogil:
        """Add a feature to the scores."""
        add_scores(&self.buffer[0, 0], x, &self.V[j, 0], self.threshold, self.n_classes)

    cdef bint ascend(self, Py_ssize_t i) noexcept nogil:
        """Move g_i to the maximiser of its block; the step replaces the scores.

        Up to a constant the block is <z, g> - conjugate(g) - q/2 |g - g_old|^2.
        """
        cdef double* step = &self.buffer[0, 0]
        cdef int k, n_moved = 0
        if self.simplex:
            self.solve_simplex(i)
        else:
            self.solve_star(i)
        for k in range(self.n_classes):
            if step[k] != 0:
                self.moved[n_moved] = k
                n_moved += 1
        self.n_moved = n_moved
        if n_moved > 0:
            self.follow(&self.intercept[0], i, self.shift)
        return n_moved > 0

    cdef void solve_star(self, Py_ssize_t i) noexcept nogil:
        """The block of a hinge loss."""
        cdef double* z = &self.buffer[0, 0]
        cdef double* a = &self.buffer[1, 0]
        cdef double* u = &self.buffer[2, 0]
        cdef double* g = &self.dual[i, 0]
        cdef int k, y = self.labels[i]
        cdef double q = self.curvature[i], total = -g[y], true_score = z[y]
        for k in range(self.n_classes):
            a[k] = 1 + (z[k] - true_score) + q * (g[k] + total)
        a[y] = -INFINITY
        solve_block(a, q, self.strength, self.largest, total, u, self.n_classes)
        total = 0
        for k in range(self.n_classes):
            total += u[k]
        u[y] = -total
        for k in range(self.n_classes):
            z[k] = u[k] - g[k]
            g[k] = u[k]

    cdef void solve_simplex(self, Py_ssize_t i) noexcept nogil:
        """The block of the cross-entropy, without changes that are next to none."""
        cdef double* z = &self.buffer[0, 0]
        cdef double* q = &self.buffer[1, 0]
        cdef double* step = &self.buffer[2, 0]
        cdef double* old = &self.buffer[3, 0]
        cdef double* g = &self.dual[i, 0]
        cdef int k, y = self.labels[i]
        cdef double total = 0, least = self.least / sqrt(1 + self.curvature[i])
        for k in range(self.n_classes):
            old[k] = g[k]
        old[y] = g[y] + 1 if g[y] > -1 else 0
        simplex_block(z, old, self.curvature[i], q, step, &self.buffer[4, 0], self.n_classes)
        step[y] = 0
        for k in range(self.n_classes):
            total += step[k] if fabs(step[k]) > least else 0
        if total > old[y]:  # without the small ones the true class would have less than nothing
            least = 0
        total = 0
        for k in range(self.n_classes):
            z[k] = step[k] if fabs(step[k]) > least else 0
            if k != y:
                g[k] += z[k]
                total += g[k]
        z[y] = -total - g[y]
        g[y] = -total

    cdef void follow(self, double* v, Py_ssize_t i, double x) noexcept nogil:
        """Let a row of V, or the intercept, take the step of sample i."""
        add_step(
            v, -self.weights[i] * x, &self.buffer[0, 0], &self.moved[0], self.n_moved,
            self.n_classes,
        )


# ---------------------------------------------------------------- epochs

def dense_epoch(
    const floating[:, :] X, const int[::1] rows, Ascent ascent not None, unsigned char[::1] moved
):
    """One block step for each of the given rows; `moved` (n,) says which of them moved."""
    cdef Py_ssize_t t, i, j
    with nogil:
        for t in range(rows.shape[0]):
            i = rows[t]
            ascent.begin()
            for j in range(X.shape[1]):
                if X[i, j] != 0:
                    ascent.see(j, X[i, j])
            moved[i] = ascent.ascend(i)
            if moved[i]:
                for j in range(X.shape[1]):
                    if X[i, j] != 0:
                        ascent.follow(&ascent.V[j, 0], i, X[i, j])


def csr_epoch(
    const index_t[::1] indptr,
    const index_t[::1] indices,
    const floating[::1] data,
    const int[::1] rows,
    Ascent ascent not None,
    unsigned char[::1] moved,
):
    """The same for rows of a CSR matrix."""
    cdef Py_ssize_t t, i, place
    with nogil:
        for t in range(rows.shape[0]):
            i = rows[t]
            ascent.begin()
            for place in range(indptr[i], indptr[i + 1]):
                ascent.see(indices[place], data[place])
            moved[i] = ascent.ascend(i)
            if moved[i]:
                for place in range(indptr[i], indptr[i + 1]):
                    ascent.follow(&ascent.V[indices[place], 0], i, data[place])
