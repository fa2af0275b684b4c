"""Operations of a change of the active set, as a rule expects them and the loop counts them."""

cdef double OF_A_SCORE = 5.0
cdef double OF_CALLS = 2000.0
cdef double OF_AN_ENTRY = 8.0
cdef double OF_A_FACTOR = 0.01


cpdef double cost_of_elimination(double kinks, double bends, double flat) noexcept nogil:
    """Of a system of pairs at a kink and of weights with a bend and without."""
    return kinks**2 * bends / 2 + (kinks + flat)**3 / 3


cpdef double cost_of_borders(double size) noexcept nogil:
    """Of a system of that size by an old factor."""
    return OF_AN_ENTRY * size**2 + OF_A_FACTOR * size**3


cpdef double cost_of_moves(
    double n, double d, double n_classes, double kinks, double support
) noexcept nogil:
    """Of scores and correlations, and of the search for the next change."""
    cdef double scores = n * (support + 6 * n_classes)
    cdef double correlations = d * (2 * kinks + 5 * n_classes)
    return OF_A_SCORE * scores + correlations + OF_CALLS
