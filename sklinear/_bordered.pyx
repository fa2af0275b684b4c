"""Systems of a symmetric matrix that gains and loses variables one after the other.

The LU factor of an old matrix K serves for some time: a new variable borders it by a column of B
and of C, and one that leaves by the unit vector that holds it at zero.

    [K   B] [z]   [r]        S w = s - B^T K^-1 r,     S = C - B^T K^-1 B
    [B^T C] [w] = [s]        z = K^-1 (r - B w)

References
----------
Gill, Murray, Saunders and Wright, A Schur-complement method for sparse quadratic programming,
in Reliable Numerical Computation, 1990.
"""

import numpy as np

from libc.math cimport fabs
from libc.string cimport memcpy
from scipy.linalg.cython_blas cimport daxpy, ddot
from scipy.linalg.cython_lapack cimport dgesv, dgetrf, dgetrs

cdef double CONDITION = 1e-9  # the least pivot by the largest


cdef class Bordered:
    """The factor of a matrix, and its borders.

    Parameters
    ----------
    n_names, room, most : int
        How many variables there are, in the largest matrix, and in the borders.

    Attributes
    ----------
    size, n_borders : int
        Of the matrix, 0 where none is known, and of the borders.
    names : ndarray of shape (room + most,), int32
        Variables of the matrix, then those of the borders.
    slots : ndarray of shape (n_names,), int32
        Where the value of a variable stands.
    held : ndarray of shape (most,), int32
        The slot that a border holds at zero; -1 for a new variable.
    columns, schur : ndarray of shape (most, room) and (most, most)
        B and S, a row for each border; that beyond the last takes the column of the next one, in
        B and in C.
    values : ndarray of shape (room + most,)
        Right sides and solutions.
    """

    def __init__(self, n_names, room, most):
        self.most = most
        self.factor = np.empty((room, room))
        self.columns, self.solved = np.zeros((2, most, room))
        self.schur, self.work = np.zeros((2, most, most))
        self.values, self.names = np.empty(room + most), np.empty(room + most, np.int32)
        self.slots, self.held = np.empty(n_names, np.int32), np.empty(most, np.int32)
        self.pivots = np.empty(room + most, np.int32)

    cdef bint take(self, const double[:, ::1] matrix, Py_ssize_t size) noexcept nogil:
        """Factor the leading part of a symmetric matrix; False where it is nearly singular."""
        cdef int n = <int> size, room = <int> self.factor.shape[1], info
        cdef Py_ssize_t i
        cdef double least, largest = 0
        for i in range(size):
            memcpy(&self.factor[i, 0], &matrix[i, 0], size * sizeof(double))
            self.slots[self.names[i]] = <int> i
        dgetrf(&n, &n, &self.factor[0, 0], &room, &self.pivots[0], &info)
        least = fabs(self.factor[0, 0])
        for i in range(size):
            least = min(least, fabs(self.factor[i, i]))
            largest = max(largest, fabs(self.factor[i, i]))
        self.size = size if info == 0 and least > CONDITION * largest else 0
        self.n_borders = 0
        return self.size > 0

    cdef bint restore(self, int name) noexcept nogil:
        """Let a variable of the matrix go that a border holds; whether there was one."""
        cdef Py_ssize_t k
        for k in range(self.n_borders):
            if self.held[k] >= 0 and self.names[self.size + k] == name:
                self.slots[name] = self.held[k]
                unborder(self, k)
                return True
        return False

    cdef void border(self, int name) noexcept nogil:
        """Take the columns beyond the borders for a new variable; there has to be room."""
        self.held[self.n_borders] = -1
        self.slots[name] = <int> (self.size + self.n_borders)
        extend(self, name)

    cdef void leave(self, int name) noexcept nogil:
        """Hold a variable at zero, or drop its border; without room the matrix is forgotten."""
        cdef int slot = self.slots[name]
        cdef Py_ssize_t k = self.n_borders, j
        if slot >= self.size:
            unborder(self, slot - self.size)
            return
        if k == self.most:
            self.size = 0
            return
        for j in range(self.size):
            self.columns[k, j] = 0
        for j in range(k + 1):
            self.schur[k, j] = 0
        self.columns[k, slot] = 1
        self.held[k] = slot
        extend(self, name)

    cdef bint solve(self) noexcept nogil:
        """From right sides in `values` to the solution; False where there is none."""
        cdef int n = <int> self.size, m = <int> self.n_borders, one = 1, info
        cdef int room = <int> self.work.shape[1]
        cdef Py_ssize_t j, k
        cdef double* w = &self.values[self.size]
        cdef double factor
        back(self, &self.values[0])
        for k in range(m):
            w[k] -= ddot(&n, &self.columns[k, 0], &one, &self.values[0], &one)
            for j in range(m):
                self.work[k, j] = self.schur[k, j]
        if m:
            dgesv(&m, &one, &self.work[0, 0], &room, &self.pivots[self.size], w, &m, &info)
            if info:
                return False
        for k in range(m):
            factor = -w[k]
            daxpy(&n, &factor, &self.solved[k, 0], &one, &self.values[0], &one)
        return True


cdef void extend(Bordered b, int name) noexcept nogil:
    cdef Py_ssize_t k = b.n_borders, j
    cdef int n = <int> b.size, one = 1
    b.names[b.size + k] = name
    memcpy(&b.solved[k, 0], &b.columns[k, 0], b.size * sizeof(double))
    back(b, &b.solved[k, 0])
    for j in range(k + 1):
        b.schur[k, j] -= ddot(&n, &b.columns[k, 0], &one, &b.solved[j, 0], &one)
        b.schur[j, k] = b.schur[k, j]
    b.n_borders += 1


cdef void unborder(Bordered b, Py_ssize_t k) noexcept nogil:
    """Drop a border; the last one takes its place."""
    cdef Py_ssize_t last = b.n_borders - 1, j
    b.n_borders = last
    if k == last:
        return
    memcpy(&b.columns[k, 0], &b.columns[last, 0], b.size * sizeof(double))
    memcpy(&b.solved[k, 0], &b.solved[last, 0], b.size * sizeof(double))
    for j in range(last):
        b.schur[k, j] = b.schur[j, k] = b.schur[last, j]
    b.schur[k, k] = b.schur[last, last]
    b.held[k], b.names[b.size + k] = b.held[last], b.names[b.size + last]
    if b.held[k] < 0:
        b.slots[b.names[b.size + k]] = <int> (b.size + k)


cdef void back(Bordered b, double* values) noexcept nogil:
    """K^-1 times a vector, in place."""
    cdef int n = <int> b.size, room = <int> b.factor.shape[1], one = 1, info
    dgetrs("N", &n, &one, &b.factor[0, 0], &room, &b.pivots[0], values, &n, &info)
