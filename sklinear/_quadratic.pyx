"""Compiled steps to the minimiser of a quadratic plus sum_j l1_j |x_j|.

`gradient` is that of the quadratic at `x`; steps change both in place.
"""

from libc.math cimport INFINITY, fabs, isfinite, sqrt
from libc.stddef cimport ptrdiff_t
from scipy.linalg.cython_blas cimport dgemv
from scipy.linalg.cython_lapack cimport dpotrf, dpotrs

cdef extern from "_descent.h" nogil:
    double minimising_step(double x, double gradient, double curvature, double l1)
    void add_multiple(ptrdiff_t size, double factor, const double* row, double* out)

cdef double CROSSED = 1e-14  # of x, below which a variable has reached zero
cdef double WON = 0.4  # of what a solution should win, below which it is none
cdef double LEAST_DIAGONAL = 1e-20  # of the largest, as in `_cholesky.py`


def least_subgradient(const double[::1] x, const double[::1] gradient, const double[::1] l1):
    """Norm of the smallest subgradient."""
    cdef Py_ssize_t j
    cdef double slope, total = 0
    with nogil:
        for j in range(x.shape[0]):
            if x[j] != 0:
                slope = gradient[j] + (l1[j] if x[j] > 0 else -l1[j])
            else:
                slope = max(fabs(gradient[j]) - l1[j], 0.0)
            total += slope * slope
    return sqrt(total)


def sweep(
    const double[:, ::1] hessian,
    double[::1] x,
    double[::1] gradient,
    const double[::1] l1,
    int n_sweeps,
):
    """Sweeps of exact coordinate minimisation; they end early when one moves nothing."""
    cdef Py_ssize_t j, size = x.shape[0]
    cdef double step
    cdef bint moved
    cdef int _sweep
    with nogil:
        for _sweep in range(n_sweeps):
            moved = False
            for j in range(size):
                if hessian[j, j] <= 0:
                    continue
                step = minimising_step(x[j], gradient[j], hessian[j, j], l1[j])
                if step == 0:
                    continue
                x[j] = 0 if step == -x[j] else x[j] + step
                add_multiple(size, step, &hessian[j, 0], &gradient[0])
                moved = True
            if not moved:
                break


def newton_step(
    const double[:, ::1] hessian,
    double[::1] x,
    double[::1] gradient,
    const double[::1] l1,
    const double[::1] ridges,
    double[::1] room,
    Py_ssize_t[::1] support,
):
    """A Newton step on the support, the longest tried that lowers the function.

    Variables that change sign become zero.  It works in `room`, for m (m + 5) numbers, and
    `support`, for m.
    """
    cdef Py_ssize_t i, j, count = 0, size = x.shape[0]
    cdef double *direction
    cdef double *slope
    cdef double *solution
    cdef double *matrix
    if size == 0:
        return
    direction, slope, solution = &room[0], &room[size], &room[2 * size]
    matrix = &room[3 * size]
    with nogil:
        for j in range(size):
            direction[j] = 0
            if x[j] != 0 or l1[j] == 0:
                support[count] = j
                count += 1
        for i in range(count):
            j = support[i]
            slope[i] = -gradient[j] - (l1[j] if x[j] > 0 else -l1[j])
            gather(&hessian[j, 0], &support[0], count, matrix + i * count)
        if count > 0:
            solve_scaled(matrix, slope, solution, <int> count, ridges)
            for i in range(count):
                direction[support[i]] = solution[i]
            cut_step(&hessian[0, 0], x, gradient, l1, direction)


def solve(
    double[:, ::1] matrix, const double[::1] rhs, const double[::1] ridges, double[::1] solution
):
    """Solve a positive semi-definite system with a small ridge.

    The ridge grows where rounding leaves a solution that is none; the solution is zero where
    none helps.  The matrix, of shape (m + 2, m) with two rows to work in, is overwritten.
    """
    if rhs.shape[0]:
        with nogil:
            solve_scaled(&matrix[0, 0], &rhs[0], &solution[0], <int> rhs.shape[0], ridges)


def best_shifts(
    const double[:, ::1] ordered,
    const double[::1] l1,
    const double[::1] l2,
    const double[::1] centre,
    double[::1] shifts,
):
    """argmin over t_j of  sum_k l1_j |W_jk - t_j| + C l2_j/2 (t_j - centre_j)^2.

    The rows of W must be sorted; `shifts` is overwritten.
    """
    cdef Py_ssize_t j, size = ordered.shape[1]
    with nogil:
        for j in range(ordered.shape[0]):
            if l1[j] == 0:
                shifts[j] = centre[j]
            elif l2[j] == 0:
                shifts[j] = min(max(ordered[j, (size - 1) // 2], 0.0), ordered[j, size // 2])
            else:
                shifts[j] = crossing(&ordered[j, 0], size, centre[j], l1[j] / (size * l2[j]))


cdef double crossing(
    const double *ordered, Py_ssize_t size, double centre, double scale
) noexcept nogil:
    """Where  t - centre = scale * (entries above t - entries below t).

    Entries and the roots of the pieces between them interleave around it, so it is the median
    of both lists together.
    """
    cdef Py_ssize_t entries = 0, roots = 0, _number
    cdef double entry, root, median = centre
    for _number in range(size + 1):
        entry = ordered[entries] if entries < size else INFINITY
        root = centre + scale * (2 * roots - size)
        if entry <= root:
            median = entry
            entries += 1
        else:
            median = root
            roots += 1
    return median


cdef void gather(
    const double *row, const Py_ssize_t *chosen, Py_ssize_t count, double *out
) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(count):
        out[k] = row[chosen[k]]


cdef void solve_scaled(
    double *matrix, const double *rhs, double *solution, int size, const double[::1] ridges
) noexcept nogil:
    """By the Cholesky factor of the matrix scaled to a unit diagonal, plus a ridge.

    The factor is on and above the diagonal, the scaled matrix below; its diagonal and the
    scale are behind.  The solution is zero where no ridge makes the matrix positive.
    """
    cdef Py_ssize_t i, k
    cdef int one = 1, info
    cdef bint solved = False
    cdef double largest = 0, hoped
    cdef double *diagonal = matrix + <Py_ssize_t> size * size
    cdef double *scale = diagonal + size
    for i in range(size):
        largest = max(largest, matrix[i * size + i])
        solution[i] = 0
    for i in range(size):
        scale[i] = 1 / sqrt(max(matrix[i * size + i], LEAST_DIAGONAL * largest))
        diagonal[i] = matrix[i * size + i] * scale[i] * scale[i]
        for k in range(i):
            matrix[i * size + k] *= scale[i] * scale[k]
    for k in range(ridges.shape[0]):
        if not factored(matrix, diagonal, size, ridges[k]):
            continue
        for i in range(size):
            solution[i] = scale[i] * rhs[i]
        solved = True
        dpotrs("L", &size, &one, matrix, &size, solution, &size, &info)
        hoped = 0
        for i in range(size):
            hoped += scale[i] * rhs[i] * solution[i]
        # Half the product with the right side is what the quadratic wins at the solution.
        if hoped - 0.5 * energy(matrix, diagonal, solution, size) >= WON * hoped >= 0:
            break
    if solved:
        for i in range(size):
            solution[i] *= scale[i]


cdef bint factored(
    double *matrix, const double *diagonal, int size, double ridge
) noexcept nogil:
    cdef Py_ssize_t i, k
    cdef int info
    cdef double trace = 0
    for i in range(size):
        matrix[i * size + i] = diagonal[i] + ridge
        for k in range(i):
            matrix[k * size + i] = matrix[i * size + k]
    # What is above the diagonal is below it in Fortran's order.
    dpotrf("L", &size, matrix, &size, &info)
    for i in range(size):
        trace += matrix[i * size + i]
    return info == 0 and isfinite(trace)


cdef double energy(
    const double *matrix, const double *diagonal, const double *x, Py_ssize_t size
) noexcept nogil:
    """x' A x, by the diagonal of A and what is below it."""
    cdef Py_ssize_t i, k
    cdef double total = 0, image
    for i in range(size):
        image = 0
        for k in range(i):
            image += matrix[i * size + k] * x[k]
        total += x[i] * (diagonal[i] * x[i] + 2 * image)
    return total


cdef void cut_step(
    const double *hessian,
    double[::1] x,
    double[::1] gradient,
    const double[::1] l1,
    double *direction,
) noexcept nogil:
    """Take the first step tried that lowers the function, at last one that changes no sign.

    Behind the direction is room for the move and for its product with the Hessian.
    """
    cdef Py_ssize_t j, size = x.shape[0]
    cdef double *move = direction + size
    cdef double *change = direction + 2 * size
    cdef double step = 1, first = 1
    cdef int number
    for j in range(size):
        if l1[j] > 0 and x[j] * direction[j] < 0:
            first = min(first, -x[j] / direction[j])
    for number in range(5):
        if cut(hessian, x, gradient, l1, direction, first if number == 4 else step) < 0:
            for j in range(size):
                x[j] += move[j]
                gradient[j] += change[j]
            return
        step /= 2


cdef double cut(
    const double *hessian,
    const double[::1] x,
    const double[::1] gradient,
    const double[::1] l1,
    double *direction,
    double step,
) noexcept nogil:
    """What a step adds to the function."""
    cdef Py_ssize_t j, size = x.shape[0]
    cdef double *move = direction + size
    cdef double *change = direction + 2 * size
    cdef double end, decrease = 0
    for j in range(size):
        end = x[j] + step * direction[j]
        if l1[j] > 0 and x[j] != 0 and end * x[j] <= CROSSED * x[j] * x[j]:
            end = 0
        move[j] = end - x[j]
        decrease += gradient[j] * move[j] + l1[j] * (fabs(end) - fabs(x[j]))
    multiply(hessian, move, change, <int> size)
    for j in range(size):
        decrease += 0.5 * move[j] * change[j]
    return decrease


cdef void multiply(
    const double *matrix, const double *vector, double *out, int size
) noexcept nogil:
    """Product of a symmetric matrix with a vector, of which many entries may be zero."""
    cdef Py_ssize_t j, count = 0
    cdef int one = 1
    cdef double alpha = 1, beta = 0
    for j in range(size):
        out[j] = 0
        count += vector[j] != 0
    if 2 * count > size:
        dgemv(
            "N", &size, &size, &alpha, <double *> matrix, &size, <double *> vector, &one,
            &beta, out, &one,
        )
        return
    for j in range(size):
        if vector[j] != 0:
            add_multiple(size, vector[j], matrix + j * <Py_ssize_t> size, out)
