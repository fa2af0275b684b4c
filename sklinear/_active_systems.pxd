from ._active_set cimport ActiveSet
from ._bordered cimport Bordered


cdef bint solve(ActiveSet s, double grip) noexcept nogil
cdef bint solve_again(ActiveSet s, Bordered b) noexcept nogil
cdef void enter(ActiveSet s, Bordered b, int name) noexcept nogil
cdef void leave(Bordered b, int name) noexcept nogil
