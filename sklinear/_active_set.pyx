"""The compiled loop of a parametric active-set method for the hinge.

With alpha as the parameter and theta = alpha (W; b), x_ik = p_i u_ik, the optima of

    sum_i p_i hinge(x_i W + b) + alpha sum_j (l1_j |W_j| + bend_j W_j^2 / 2)

are the solutions of conditions linear in (theta, x, alpha) while no variable changes its state:

    alpha e + M theta = 0                        violations of the pairs at their kink
    M^T x + bend theta + alpha l1 sign + tilt = 0    weights in the support, the intercept

so that all move along straight lines until the next change, which is found by ratios.
"""

cimport cython
from libc.math cimport fabs

cdef double ROUNDING = 1e-13
cdef double SETTLED = 1e6


cdef class ActiveSet:
    """State of the method; arrays of pairs have shape (C, n), those of weights (C, D).

    Attributes
    ----------
    rows, columns : ndarray of shape (n, D) and (D, n)
        Features, and ones for an intercept.
    labels : ndarray of shape (n,), int32
    demand, bound, x, violation : ndarray of shape (C, n)
        e, the largest x, x and alpha e + M theta; e = bound = 0 for true classes.
    l1, bend, tilt, theta, correlation : ndarray of shape (C, D)
        Penalty for alpha = 1; bend 0 stands for weights without one; tilt per unit of alpha above
        `level`; theta; M^T x.
    ridge : ndarray of shape (D,)
        In the place of a bend of 0, in the equations for moves.
    side : ndarray of shape (C, n), int8
        1 where x is at its bound, -1 where it is zero, 0 at a kink and for true classes.
    sign : ndarray of shape (C, D), int8
        0 outside the support, else the sign of the weight, or 2 where it has no L1 part.
    kinks, support : ndarray of int32
        Flat indices of the pairs at a kink and of the weights in the support.
    """

    cdef public const double[:, ::1] rows, columns, demand, bound, l1, bend, tilt
    cdef public const int[::1] labels
    cdef public const double[::1] ridge
    cdef public double[:, ::1] x, violation, theta, correlation
    cdef public signed char[:, ::1] side, sign
    cdef public int[::1] kinks, support
    cdef public Py_ssize_t n_kinks, n_support
    cdef public double alpha, level
    cdef public double[:, ::1] matrix, design, scores_move, correlation_move
    cdef public double[::1] rhs, slope, kink_move


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


cdef void correlate(
    ActiveSet s, Py_ssize_t pair, double value, double[:, ::1] out
) noexcept nogil:
    """Add a multiple of a row of M."""
    cdef Py_ssize_t n = s.rows.shape[0], j, k = pair // n, i = pair % n
    cdef const double* row = &s.rows[i, 0]
    cdef double* wrong = &out[k, 0]
    cdef double* true = &out[s.labels[i], 0]
    for j in range(s.rows.shape[1]):
        wrong[j] += value * row[j]
        true[j] -= value * row[j]


cdef void products(ActiveSet s, double[:, ::1] out) noexcept nogil:
    """Scores of `slope` on the support, shape (C, n)."""
    cdef Py_ssize_t D = s.rows.shape[1], n = s.rows.shape[0], t, i
    cdef double value
    cdef const double* column
    cdef double* scores
    out[:, :] = 0.0
    for t in range(s.n_support):
        value = s.slope[t]
        if value != 0:
            column, scores = &s.columns[s.support[t] % D, 0], &out[s.support[t] // D, 0]
            for i in range(n):
                scores[i] += value * column[i]


cdef bint direction(ActiveSet s, double way) noexcept nogil:
    """Moves of everything per unit of alpha, up (way 1) or down (way -1)."""
    cdef Py_ssize_t n = s.rows.shape[0], D = s.rows.shape[1], a, t, c, j
    for a in range(s.n_kinks):
        s.kink_move[a] = -way * s.demand[s.kinks[a] // n, s.kinks[a] % n]
    for t in range(s.n_support):
        c, j = s.support[t] // D, s.support[t] % D
        s.slope[t] = -way * (s.l1[c, j] * s.sign[c, j] + s.tilt[c, j])
    if not solve(s, 1.0):
        return False
    products(s, s.scores_move)
    s.correlation_move[:, :] = 0.0
    for a in range(s.n_kinks):
        correlate(s, s.kinks[a], s.kink_move[a], s.correlation_move)
    return True


cdef bint settle(ActiveSet s) noexcept nogil:
    """Compute everything afresh from the states, without drift.

    What they leave open stays where it is; there a large ridge forgives what rounding has done.
    """
    cdef Py_ssize_t n = s.rows.shape[0], D = s.rows.shape[1], a, t, c, i, j, k
    s.correlation[:, :] = 0.0
    for a in range(s.n_kinks):
        s.x[s.kinks[a] // n, s.kinks[a] % n] = 0.0
        s.kink_move[a] = -s.alpha * s.demand[s.kinks[a] // n, s.kinks[a] % n]
    for c in range(s.x.shape[0]):
        for i in range(n):
            if s.x[c, i] > 0:
                correlate(s, c * n + i, s.x[c, i], s.correlation)
    for t in range(s.n_support):
        c, j = s.support[t] // D, s.support[t] % D
        s.slope[t] = -s.alpha * s.l1[c, j] * s.sign[c, j] - s.correlation[c, j]
        s.slope[t] -= (s.alpha - s.level) * s.tilt[c, j]
        if not s.bend[c, j] > 0:
            s.slope[t] += SETTLED * s.ridge[j] * s.theta[c, j]
    if not solve(s, SETTLED):
        return False
    s.theta[:, :] = 0.0
    for t in range(s.n_support):
        s.theta[s.support[t] // D, s.support[t] % D] = s.slope[t]
    products(s, s.scores_move)
    for c in range(s.x.shape[0]):
        for i in range(n):
            s.violation[c, i] = s.alpha * s.demand[c, i] + s.scores_move[c, i]
            s.violation[c, i] -= s.scores_move[s.labels[i], i]
    for a in range(s.n_kinks):
        k, i = s.kinks[a] // n, s.kinks[a] % n
        s.x[k, i] = min(max(s.kink_move[a], 0.0), s.bound[k, i])
        s.violation[k, i] = 0.0
        correlate(s, s.kinks[a], s.x[k, i], s.correlation)
    return True


cdef struct Event:
    double step
    int kind  # 0 none, 1 a pair reaches its kink, 2 leaves it, 3 a weight leaves 0, 4 reaches it
    Py_ssize_t place
    int way


cdef inline void note(
    Event* event, double room, double speed, int kind, Py_ssize_t place, int way
) noexcept nogil:
    cdef double step
    if speed > 0:
        step = max(room, 0.0) / speed
        if step < event.step:
            event.step, event.kind, event.place, event.way = step, kind, place, way


cdef void pair_events(ActiveSet s, double way, Event* event) noexcept nogil:
    """Violations that fall to zero."""
    cdef Py_ssize_t n = s.rows.shape[0], c, i
    cdef const int* labels = &s.labels[0]
    cdef const double* demand
    cdef const double* move
    cdef const double* moves = &s.scores_move[0, 0]
    cdef const double* violation
    cdef const signed char* side
    cdef double speed
    for c in range(s.side.shape[0]):
        demand, move, violation = &s.demand[c, 0], &s.scores_move[c, 0], &s.violation[c, 0]
        side = &s.side[c, 0]
        for i in range(n):
            speed = -side[i] * (way * demand[i] + move[i] - moves[labels[i] * n + i])
            # A product instead of a quotient: most are too far away.
            if speed > 0 and side[i] * violation[i] < event.step * speed:
                note(event, side[i] * violation[i], speed, 1, c * n + i, 0)


cdef void weight_events(ActiveSet s, double way, Event* event) noexcept nogil:
    """Correlations that reach l1."""
    cdef Py_ssize_t D = s.rows.shape[1], c, j
    cdef double move, l1, correlation
    for c in range(s.sign.shape[0]):
        for j in range(D):
            if s.sign[c, j] == 0:
                l1, correlation, move = s.l1[c, j], s.correlation[c, j], s.correlation_move[c, j]
                note(event, s.alpha * l1 - correlation, move - way * l1, 3, c * D + j, -1)
                note(event, s.alpha * l1 + correlation, -move - way * l1, 3, c * D + j, 1)


cdef Event first_event(ActiveSet s, double way, double longest) noexcept nogil:
    """The first change of a state along the direction."""
    cdef Py_ssize_t n = s.rows.shape[0], D = s.rows.shape[1], a, t, c, i, j, k
    cdef double move, tiny = 0.0
    cdef Event event
    event.step, event.kind, event.place, event.way = longest, 0, 0, 0
    pair_events(s, way, &event)
    for a in range(s.n_kinks):
        tiny = max(tiny, ROUNDING * fabs(s.kink_move[a]))
    for a in range(s.n_kinks):
        k, i, move = s.kinks[a] // n, s.kinks[a] % n, s.kink_move[a]
        if move < -tiny:
            note(&event, s.x[k, i], -move, 2, a, -1)
        elif move > tiny:
            note(&event, s.bound[k, i] - s.x[k, i], move, 2, a, 1)
    for t in range(s.n_support):
        c, j = s.support[t] // D, s.support[t] % D
        if s.sign[c, j] != 2:
            note(&event, s.sign[c, j] * s.theta[c, j], -s.sign[c, j] * s.slope[t], 4, t, 0)
    weight_events(s, way, &event)
    return event


# A check for None would need the interpreter at each assignment to an attribute.
@cython.nonecheck(False)
cdef void advance(ActiveSet s, double way, double step) noexcept nogil:
    cdef Py_ssize_t n = s.rows.shape[0], D = s.rows.shape[1], a, t, c, i, j
    cdef const int* labels = &s.labels[0]
    cdef const double* demand
    cdef const double* move
    cdef const double* moves = &s.scores_move[0, 0]
    cdef double* violation
    for c in range(s.side.shape[0]):
        demand, move, violation = &s.demand[c, 0], &s.scores_move[c, 0], &s.violation[c, 0]
        for i in range(n):
            violation[i] += step * (way * demand[i] + move[i] - moves[labels[i] * n + i])
    for a in range(s.n_kinks):
        c, i = s.kinks[a] // n, s.kinks[a] % n
        s.x[c, i] += step * s.kink_move[a]
        s.violation[c, i] = 0.0
    for t in range(s.n_support):
        s.theta[s.support[t] // D, s.support[t] % D] += step * s.slope[t]
    for c in range(s.sign.shape[0]):
        for j in range(D):
            s.correlation[c, j] += step * s.correlation_move[c, j]
    s.alpha += way * step


@cython.nonecheck(False)
cdef void change(ActiveSet s, Event event) noexcept nogil:
    """Take a state over an event."""
    cdef Py_ssize_t n = s.rows.shape[0], D = s.rows.shape[1], place = event.place
    if event.kind == 1:
        s.side[place // n, place % n], s.violation[place // n, place % n] = 0, 0.0
        s.kinks[s.n_kinks] = <int> place
        s.n_kinks += 1
    elif event.kind == 2:
        s.n_kinks -= 1
        place = s.kinks[event.place]
        s.kinks[event.place] = s.kinks[s.n_kinks]
        s.side[place // n, place % n] = event.way
        s.x[place // n, place % n] = s.bound[place // n, place % n] if event.way > 0 else 0.0
    elif event.kind == 3:
        s.sign[place // D, place % D] = event.way
        s.support[s.n_support] = <int> place
        s.n_support += 1
    else:
        s.n_support -= 1
        place = s.support[event.place]
        s.support[event.place] = s.support[s.n_support]
        s.sign[place // D, place % D], s.theta[place // D, place % D] = 0, 0.0


@cython.nonecheck(False)
def follow(ActiveSet s not None, double alpha, Py_ssize_t most):
    """Go to another alpha in at most so many changes; how many they were, or -1.

    It fails where its matrices would outgrow their room.
    """
    cdef double way = 1.0 if alpha > s.alpha else -1.0
    cdef Py_ssize_t count = 0
    cdef bint solved = True
    cdef Event event
    event.kind = 1
    with nogil:
        while solved and event.kind:
            solved = count < most and s.n_kinks + s.n_support < s.matrix.shape[0]
            solved = solved and direction(s, way)
            if solved:
                event = first_event(s, way, fabs(alpha - s.alpha))
                advance(s, way, event.step)
                if event.kind:
                    change(s, event)
                    count += 1
        if solved:
            s.alpha = alpha
            solved = settle(s)
    return count if solved else -1
