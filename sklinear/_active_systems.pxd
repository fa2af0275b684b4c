from ._active_set cimport ActiveSet


cdef bint solve(ActiveSet s, double grip) noexcept nogil
