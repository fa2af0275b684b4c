"""Linear systems for the moves of an active set (see `_active_set`).

    [-softness  M   ] [x    ]     of the pairs at a kink
    [M^T        bend] [theta]     of the weights in the support

What has a bend is eliminated first, or the factor of a system some changes ago serves again.
There the variables are named by the flat index of a pair, or that of a weight after all pairs.
"""

from libc.math cimport fabs

from ._active_set cimport ActiveSet
from ._bordered cimport Bordered
from ._operations cimport cost_of_borders, cost_of_elimination

cdef double OVERHEAD = 2e4  # operations of borders, at the least


cdef void assemble(ActiveSet s, double grip) noexcept nogil:
    """Rows of M at the kinks, restricted to the support; the matrix of the reduced system."""
    cdef Py_ssize_t n = s.rows.shape[0], D = s.rows.shape[1], E = s.n_kinks
    cdef Py_ssize_t a, b, t, i, k, y, c, r, size = E
    cdef double value
    for a in range(E):
        k, i = s.kinks[a] // n, s.kinks[a] % n
        y = s.labels[i]
        for t in range(s.n_support):
            c = s.support[t] // D
            value = s.rows[i, s.support[t] % D]
            s.design[a, t] = value if c == k else (-value if c == y else 0.0)
    for a in range(E):
        for b in range(a):
            s.matrix[a, b] = 0.0
        s.matrix[a, a] = -s.softness
    for t in range(s.n_support):
        c, r = s.support[t] // D, s.support[t] % D
        if s.bend[c, r] > 0:
            for a in range(E):
                value = s.design[a, t] / s.bend[c, r]
                if value != 0:
                    for b in range(a + 1):
                        s.matrix[a, b] -= value * s.design[b, t]
            continue
        for a in range(E):
            s.matrix[size, a] = s.design[a, t]
        for b in range(E, size):
            s.matrix[size, b] = 0.0
        s.matrix[size, size] = grip * s.ridge[r]
        size += 1
    for a in range(size):
        for b in range(a):
            s.matrix[b, a] = s.matrix[a, b]


cdef bint eliminate(double[:, ::1] matrix, double[::1] rhs, Py_ssize_t size) noexcept nogil:
    """Solve a linear system in place, by Gaussian elimination with row exchanges."""
    cdef Py_ssize_t i, j, k, best
    cdef double factor, value
    for k in range(size):
        best = k
        for i in range(k + 1, size):
            if fabs(matrix[i, k]) > fabs(matrix[best, k]):
                best = i
        if not fabs(matrix[best, k]) > 0:
            return False
        if best != k:
            for j in range(k, size):
                value = matrix[k, j]
                matrix[k, j], matrix[best, j] = matrix[best, j], value
            value = rhs[k]
            rhs[k], rhs[best] = rhs[best], value
        for i in range(k + 1, size):
            factor = matrix[i, k] / matrix[k, k]
            if factor != 0:
                for j in range(k + 1, size):
                    matrix[i, j] -= factor * matrix[k, j]
                rhs[i] -= factor * rhs[k]
    for k in range(size - 1, -1, -1):
        value = rhs[k]
        for j in range(k + 1, size):
            value -= matrix[k, j] * rhs[j]
        rhs[k] = value / matrix[k, k]
    return True


cdef bint solve(ActiveSet s, double grip) noexcept nogil:
    """From `slope` (of the support) and `kink_move` as right sides to both solutions in place."""
    cdef Py_ssize_t D = s.rows.shape[1], E = s.n_kinks, a, t, c, j, size = E
    cdef double value
    assemble(s, grip)
    for a in range(E):
        s.rhs[a] = s.kink_move[a]
    for t in range(s.n_support):
        c, j = s.support[t] // D, s.support[t] % D
        if s.bend[c, j] > 0:
            value = s.slope[t] / s.bend[c, j]
            for a in range(E):
                s.rhs[a] -= s.design[a, t] * value
        else:
            s.rhs[size] = s.slope[t]
            size += 1
    if not eliminate(s.matrix, s.rhs, size):
        return False
    size = E
    for a in range(E):
        s.kink_move[a] = s.rhs[a]
    for t in range(s.n_support):
        c, j = s.support[t] // D, s.support[t] % D
        if s.bend[c, j] > 0:
            value = s.slope[t]
            for a in range(E):
                value -= s.design[a, t] * s.rhs[a]
            s.slope[t] = value / s.bend[c, j]
        else:
            s.slope[t] = s.rhs[size]
            size += 1
    return True


cdef bint solve_again(ActiveSet s, Bordered b) noexcept nogil:
    """As `solve` with a grip of 1, by an old factor where that is cheaper."""
    cdef Py_ssize_t n_pairs = s.x.shape[0] * s.x.shape[1], a, t
    if not (is_large(s) and (b.size or take_factor(s, b))):
        return solve_anew(s, b)
    s.operations += cost_of_borders(s.n_kinks + s.n_support)
    for a in range(b.size + b.n_borders):
        b.values[a] = 0.0
    for a in range(s.n_kinks):
        b.values[b.slots[s.kinks[a]]] = s.kink_move[a]
    for t in range(s.n_support):
        b.values[b.slots[n_pairs + s.support[t]]] = s.slope[t]
    if not b.solve():
        return solve_anew(s, b)
    for a in range(s.n_kinks):
        s.kink_move[a] = b.values[b.slots[s.kinks[a]]]
    for t in range(s.n_support):
        s.slope[t] = b.values[b.slots[n_pairs + s.support[t]]]
    return True


cdef bint solve_anew(ActiveSet s, Bordered b) noexcept nogil:
    b.size = 0
    s.operations += by_elimination(s)
    return solve(s, 1.0)


cdef bint is_large(ActiveSet s) noexcept nogil:
    """Whether borders cost less than elimination."""
    return by_elimination(s) > cost_of_borders(s.n_kinks + s.n_support) + OVERHEAD


cdef double by_elimination(ActiveSet s) noexcept nogil:
    """Operations of the present system."""
    cdef double flat = 0
    cdef Py_ssize_t t
    for t in range(s.n_support):
        flat += diagonal(s, s.support[t]) == 0
    return cost_of_elimination(s.n_kinks, s.n_support - flat, flat)


cdef bint take_factor(ActiveSet s, Bordered b) noexcept nogil:
    """Factor the present system; whether that can serve.

    Without bends it can if pairs and weights determine each other.
    """
    cdef Py_ssize_t E = s.n_kinks, size = E + s.n_support, flat = 0, free = 0, a, t
    cdef Py_ssize_t n_pairs = s.x.shape[0] * s.x.shape[1]
    for t in range(s.n_support):
        flat += diagonal(s, s.support[t]) == 0
        free += is_free(s, s.support[t])
    if flat > free and E != flat - (free > 0):
        return False
    for a in range(E):
        b.names[a] = s.kinks[a]
    for t in range(s.n_support):
        b.names[E + t] = <int> (n_pairs + s.support[t])
    for a in range(size):
        for t in range(a + 1):
            s.matrix[a, t] = s.matrix[t, a] = coupling(s, b.names[a], b.names[t])
    return b.take(s.matrix, size)


cdef inline double diagonal(ActiveSet s, Py_ssize_t weight) noexcept nogil:
    return s.bend[weight // s.rows.shape[1], weight % s.rows.shape[1]]


cdef inline bint is_free(ActiveSet s, Py_ssize_t weight) noexcept nogil:
    """Whether a weight is an intercept."""
    cdef Py_ssize_t D = s.rows.shape[1]
    return diagonal(s, weight) == 0 and s.l1[weight // D, weight % D] == 0


cdef double coupling(ActiveSet s, Py_ssize_t first, Py_ssize_t second) noexcept nogil:
    """The entry of two variables.

    A shift of all intercepts has none: an entry of one for each two of them, whose sum it is,
    forbids it and changes nothing else.
    """
    cdef Py_ssize_t n = s.rows.shape[0], D = s.rows.shape[1], n_pairs = s.x.shape[0] * n, i, c
    if first < n_pairs and second < n_pairs:
        return -s.softness if first == second else 0.0
    if first >= n_pairs and second >= n_pairs:
        first, second = first - n_pairs, second - n_pairs
        if first == second and not is_free(s, first):
            return max(diagonal(s, first), s.ridge[first % D])
        return is_free(s, first) and is_free(s, second)
    if first > second:
        first, second = second, first
    i, c = first % n, (second - n_pairs) // D
    if c != first // n and c != s.labels[i]:
        return 0.0
    return s.rows[i, (second - n_pairs) % D] * (1 if c == first // n else -1)


cdef void enter(ActiveSet s, Bordered b, int name) noexcept nogil:
    """Tell the old factor of a new variable."""
    cdef Py_ssize_t k = b.n_borders, j
    if b.size == 0 or b.restore(name):
        return
    if k == b.most:
        b.size = 0
        return
    for j in range(b.size):
        b.columns[k, j] = coupling(s, b.names[j], name)
    for j in range(k):
        b.schur[k, j] = coupling(s, b.names[b.size + j], name) if b.held[j] < 0 else 0.0
    b.schur[k, k] = coupling(s, name, name)
    b.border(name)


cdef void leave(Bordered b, int name) noexcept nogil:
    """Tell the old factor of a variable that is no more."""
    if b.size:
        b.leave(name)
