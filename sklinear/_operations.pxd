cpdef double cost_of_elimination(double kinks, double bends, double flat) noexcept nogil
cpdef double cost_of_borders(double size) noexcept nogil
cpdef double cost_of_moves(
    double n, double d, double n_classes, double kinks, double support
) noexcept nogil
