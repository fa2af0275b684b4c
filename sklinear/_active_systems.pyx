"""Linear systems for the moves of an active set (see `_active_set`): M and its penalty."""

from libc.math cimport fabs

from ._active_set cimport ActiveSet


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
        for b in range(a + 1):
            s.matrix[a, b] = 0.0
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
