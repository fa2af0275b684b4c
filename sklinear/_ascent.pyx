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


cdef enum:
    CHUNK = 512  # features of a sample that are taken together


cdef extern from "_ascent.h" nogil:
    void move_centre(
        double* V, double* centre, Py_ssize_t size, double share, double relaxation,
        double threshold
    )
    void find_alive(
        const double* V, unsigned char* alive, Py_ssize_t n_features, double threshold,
        int n_classes
    )
    void add_scores(
        double* z, const double* V, const unsigned char* alive, const Py_ssize_t* features,
        const double* values, Py_ssize_t count, double threshold, int n_classes
    )
    void add_steps(
        double* V, unsigned char* alive, const Py_ssize_t* features, const double* values,
        Py_ssize_t count, double factor, const double* step, const int* moved, int n_moved,
        double threshold, int n_classes
    )
    void add_scores_by_class(
        double* z, const double* V, Py_ssize_t n_features, const double* values, Py_ssize_t count,
        double threshold, int n_classes
    )
    void add_steps_by_class(
        double* V, Py_ssize_t n_features, const double* values, Py_ssize_t count, double factor,
        const double* step, const int* moved, int n_moved
    )


cdef extern from "_simplex.h" nogil:
    void simplex_block(
        const double* z, const double* old, double kappa, double* q, double* x, double* slope, int n
    )


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
        In Fortran order, class by class, for dense rows, in C order for sparse ones.
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

    cdef bint simplex, by_feature, by_class
    cdef double strength, largest, threshold, shift
    cdef const int[::1] labels
    cdef const double[::1] weights, curvature
    cdef double[:, ::1] dual, buffer
    cdef double[:, :] V
    cdef unsigned char[::1] alive
    cdef Py_ssize_t[::1] features
    cdef double[::1] values
    cdef double[::1] intercept
    cdef int[::1] moved
    cdef readonly int n_classes
    cdef int n_moved
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
        self.by_feature, self.by_class = V.flags.c_contiguous, V.flags.f_contiguous
        self.buffer = np.empty((5, self.n_classes))
        self.moved = np.empty(self.n_classes, dtype=np.intc)
        self.alive = np.empty(len(V), dtype=np.uint8)
        self.features, self.values = np.empty(CHUNK, dtype=np.intp), np.empty(CHUNK)
        if self.by_feature:
            self.notice()

    def recentre(self, double[:, :] centre, double share, double relaxation):
        """Move a centre in the order of V, which holds `share` of it, to the weights and beyond.

        V follows.
        """
        cdef Py_ssize_t size = self.V.shape[0] * self.n_classes
        with nogil:
            if share > 0:
                move_centre(
                    &self.V[0, 0], &centre[0, 0], size, share, relaxation, self.threshold
                )
            if self.threshold > 0 and self.by_feature:
                self.notice()

    cdef void notice(self) noexcept nogil:
        """Which features have a weight: others add nothing to the scores."""
        find_alive(
            &self.V[0, 0], &self.alive[0], self.V.shape[0], self.threshold, self.n_classes
        )

    cdef void begin(self) noexcept nogil:
        """Scores of a sample without features."""
        cdef int k
        for k in range(self.n_classes):
            self.buffer[0, k] = self.intercept[k]

    cdef void see(self, Py_ssize_t count) noexcept nogil:
        """Add gathered features to the scores."""
        add_scores(
            &self.buffer[0, 0], &self.V[0, 0], &self.alive[0], &self.features[0],
            &self.values[0], count, self.threshold, self.n_classes,
        )

    cdef void see_all(self, Py_ssize_t start, Py_ssize_t count) noexcept nogil:
        """Add features from one on to the scores, V class by class."""
        add_scores_by_class(
            &self.buffer[0, 0], &self.V[start, 0], self.V.shape[0], &self.values[0], count,
            self.threshold, self.n_classes,
        )

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
        for k in range(self.n_classes):
            self.intercept[k] -= self.weights[i] * self.shift * step[k]
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

    cdef void follow(self, Py_ssize_t i, Py_ssize_t count) noexcept nogil:
        """Let rows of V take the step of sample i, of which gathered features are a part."""
        add_steps(
            &self.V[0, 0], &self.alive[0], &self.features[0], &self.values[0], count,
            -self.weights[i], &self.buffer[0, 0], &self.moved[0], self.n_moved, self.threshold,
            self.n_classes,
        )

    cdef void follow_all(self, Py_ssize_t i, Py_ssize_t start, Py_ssize_t count) noexcept nogil:
        """The same for features from one on, V class by class."""
        add_steps_by_class(
            &self.V[start, 0], self.V.shape[0], &self.values[0], count, -self.weights[i],
            &self.buffer[0, 0], &self.moved[0], self.n_moved,
        )


# ---------------------------------------------------------------- epochs

cdef int check_order(bint right) except -1:
    if not right:
        raise ValueError("weights in the wrong order: Fortran for dense rows, C for sparse ones")


cdef inline Py_ssize_t widen(
    const floating* x, const double[::1] centre, Py_ssize_t start, Ascent ascent
) noexcept nogil:
    """Features of a dense row less their centre, from one on; how many."""
    cdef double* values = &ascent.values[0]
    cdef const double* means = &centre[start]
    cdef Py_ssize_t j, count = min(<Py_ssize_t> CHUNK, centre.shape[0] - start)
    for j in range(count):
        values[j] = x[start + j] - means[j]
    return count


cdef inline void see_dense(
    const floating* x, const double[::1] centre, Ascent ascent
) noexcept nogil:
    """Add a dense row to the scores."""
    cdef Py_ssize_t start = 0
    while start < centre.shape[0]:
        ascent.see_all(start, widen(x, centre, start, ascent))
        start += CHUNK


cdef inline void follow_dense(
    Py_ssize_t i, const floating* x, const double[::1] centre, Ascent ascent
) noexcept nogil:
    """Let V take the step of sample i, a dense row."""
    cdef Py_ssize_t start = 0
    while start < centre.shape[0]:
        ascent.follow_all(i, start, widen(x, centre, start, ascent))
        start += CHUNK


cdef inline Py_ssize_t gather_csr(
    const index_t* indices, const floating* data, Py_ssize_t size, Ascent ascent
) noexcept nogil:
    """The next features of a sparse row; how many."""
    cdef Py_ssize_t t, count = min(size, CHUNK)
    for t in range(count):
        ascent.features[t], ascent.values[t] = indices[t], data[t]
    return count


def dense_epoch(
    const floating[:, ::1] X,
    const double[::1] centre,
    const int[::1] rows,
    Ascent ascent not None,
    unsigned char[::1] moved,
):
    """One block step for each of the given rows of X less a centre of each feature.

    `moved` (n,) says which of them moved.
    """
    cdef Py_ssize_t t, i
    check_order(ascent.by_class)
    with nogil:
        for t in range(rows.shape[0]):
            i = rows[t]
            ascent.begin()
            see_dense(&X[i, 0], centre, ascent)
            moved[i] = ascent.ascend(i)
            if moved[i]:
                follow_dense(i, &X[i, 0], centre, ascent)


def csr_epoch(
    const index_t[::1] indptr,
    const index_t[::1] indices,
    const floating[::1] data,
    const int[::1] rows,
    Ascent ascent not None,
    unsigned char[::1] moved,
):
    """The same for rows of a CSR matrix."""
    cdef Py_ssize_t t, i, start, stop
    check_order(ascent.by_feature)
    with nogil:
        for t in range(rows.shape[0]):
            i = rows[t]
            stop = indptr[i + 1]
            ascent.begin()
            start = indptr[i]
            while start < stop:
                ascent.see(gather_csr(&indices[start], &data[start], stop - start, ascent))
                start += CHUNK
            moved[i] = ascent.ascend(i)
            if moved[i]:
                start = indptr[i]
                while start < stop:
                    ascent.follow(
                        i, gather_csr(&indices[start], &data[start], stop - start, ascent)
                    )
                    start += CHUNK
