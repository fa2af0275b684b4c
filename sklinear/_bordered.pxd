cdef class Bordered:
    cdef double[:, ::1] factor, columns, solved, schur, work
    cdef double[::1] values
    cdef int[::1] names, slots, held, pivots
    cdef readonly Py_ssize_t size, n_borders, most

    cdef bint take(self, const double[:, ::1] matrix, Py_ssize_t size) noexcept nogil
    cdef bint restore(self, int name) noexcept nogil
    cdef void border(self, int name) noexcept nogil
    cdef void leave(self, int name) noexcept nogil
    cdef bint solve(self) noexcept nogil
