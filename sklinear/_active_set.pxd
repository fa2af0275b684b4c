from ._bordered cimport Bordered


cdef class ActiveSet:
    cdef public const double[:, ::1] rows, columns, demand, bound, l1, bend, tilt
    cdef public const int[::1] labels
    cdef public const double[::1] ridge
    cdef public double[:, ::1] x, violation, theta, correlation
    cdef public signed char[:, ::1] side, sign
    cdef public int[::1] kinks, support
    cdef public Py_ssize_t n_kinks, n_support
    cdef public double alpha, level, softness, operations
    cdef public double[:, ::1] matrix, design, scores_move, correlation_move
    cdef public double[::1] rhs, slope, kink_move
    cdef public Bordered bordered
