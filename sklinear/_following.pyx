"""The compiled loop of a parametric active-set method for the hinge.

While no variable changes its state, all of `ActiveSet` moves along straight lines as alpha does;
the next change is found by ratios.
"""

cimport cython
from libc.math cimport fabs

from ._active_set cimport ActiveSet
from ._active_systems cimport enter, leave, solve, solve_again
from ._bordered cimport Bordered
from ._operations cimport cost_of_moves

cdef double ROUNDING = 1e-13
cdef double SETTLED = 1e6
cdef double STILL = 1e-12  # of alpha
cdef Py_ssize_t MOST_STILL = 20  # changes for each variable while alpha stands still


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


cdef bint direction(ActiveSet s, Bordered b, double way) noexcept nogil:
    """Moves of everything per unit of alpha, up (way 1) or down (way -1)."""
    cdef Py_ssize_t n = s.rows.shape[0], D = s.rows.shape[1], a, t, c, j
    for a in range(s.n_kinks):
        s.kink_move[a] = -way * s.demand[s.kinks[a] // n, s.kinks[a] % n]
    for t in range(s.n_support):
        c, j = s.support[t] // D, s.support[t] % D
        s.slope[t] = -way * (s.l1[c, j] * s.sign[c, j] + s.tilt[c, j])
    if not solve_again(s, b):
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
        k, i = s.kinks[a] // n, s.kinks[a] % n
        s.kink_move[a] = -s.alpha * s.demand[k, i] - s.softness * s.x[k, i]
        s.x[k, i] = 0.0
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
cdef void change(ActiveSet s, Bordered b, Event event) noexcept nogil:
    """Take a state over an event."""
    cdef Py_ssize_t n = s.rows.shape[0], D = s.rows.shape[1], place = event.place
    cdef Py_ssize_t n_pairs = s.x.shape[0] * n
    if event.kind == 1:
        s.side[place // n, place % n], s.violation[place // n, place % n] = 0, 0.0
        s.kinks[s.n_kinks] = <int> place
        s.n_kinks += 1
        enter(s, b, <int> place)
    elif event.kind == 2:
        s.n_kinks -= 1
        place = s.kinks[event.place]
        leave(b, <int> place)
        s.kinks[event.place] = s.kinks[s.n_kinks]
        s.side[place // n, place % n] = event.way
        s.x[place // n, place % n] = s.bound[place // n, place % n] if event.way > 0 else 0.0
    elif event.kind == 3:
        s.sign[place // D, place % D] = event.way
        s.support[s.n_support] = <int> place
        s.n_support += 1
        enter(s, b, <int> (n_pairs + place))
    else:
        s.n_support -= 1
        place = s.support[event.place]
        leave(b, <int> (n_pairs + place))
        s.support[event.place] = s.support[s.n_support]
        s.sign[place // D, place % D], s.theta[place // D, place % D] = 0, 0.0


@cython.nonecheck(False)
def follow(ActiveSet s not None, double alpha, double most):
    """Go to another alpha; how many changes that took, or -1.

    It gives up once its operations exceed `most`, where its matrices would outgrow their room, or
    where ties send it round in circles.
    """
    cdef double way = 1.0 if alpha > s.alpha else -1.0
    cdef Py_ssize_t n = s.rows.shape[0], D = s.rows.shape[1], C = s.x.shape[0]
    cdef Py_ssize_t count = 0, since = 0
    cdef bint solved = True
    cdef double mark = s.alpha
    cdef Event event
    cdef Bordered b = s.bordered
    event.kind = 1
    with nogil:
        while solved and event.kind:
            solved = s.operations < most and s.n_kinks + s.n_support < s.matrix.shape[0]
            solved = solved and count - since <= MOST_STILL * (s.n_kinks + s.n_support)
            solved = solved and direction(s, b, way)
            s.operations += cost_of_moves(n, D, C, s.n_kinks, s.n_support)
            if solved:
                event = first_event(s, way, fabs(alpha - s.alpha))
                advance(s, way, event.step)
                if fabs(s.alpha - mark) > STILL * mark:
                    mark, since = s.alpha, count
                if event.kind:
                    change(s, b, event)
                    count += 1
        if solved:
            s.alpha = alpha
            solved = settle(s)
    return count if solved else -1
