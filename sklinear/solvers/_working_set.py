"""Which variables a step may move, and how many of them an explicit Hessian may have."""

import numpy as np

MAX_DENSE_VARIABLES = 1000
MAX_DENSE_VARIABLES_SMOOTH, MAX_DENSE_VARIABLES_TINY = 300, 100
MAX_DENSE_VARIABLES_CHEAP = 3000
MAX_DENSE_VARIABLES_BENT = 1500
MAX_DENSE_VARIABLES_DEAR = 700  # where conjugate gradients took many products
MAX_DENSE_VARIABLES_HARD = 1500  # where they were not enough
MAX_DENSE_VARIABLES_LARGE, PRODUCTS = 5000, 20  # products of a step that moves all features
SWEEPS = 6e4  # through the scores, in place of m^3 for a factor of m variables
BENT = 0.1
THIN = 0.05  # share of the entries of sparse data
FEW_VARIABLES = 600
ROOM, ROOM_SPARSE, ROOM_WIDE = 300, 200, 100
FEW_SAMPLES = 4  # for each feature


def is_wide(problem):
    """Whether few samples are dwarfed by their features: all Hessians have a low rank."""
    n, d = problem.data.shape
    return n < d and n <= 1000


def has_few_samples(problem):
    """Whether a weak L1 part leaves many more weights than it keeps in the end.

    Few samples are soon told apart, and models of a loss that is next to zero are flat.
    """
    n, d = problem.data.shape
    return is_wide(problem) or (not problem.data.sparse and n <= FEW_SAMPLES * d)


def is_thin(data):
    """Whether few pairs of variables meet in a sample, so that Hessians cost little."""
    n, d = data.shape
    return data.sparse and data.X.nnz <= THIN * n * d


def dense_limit(problem):
    """How many variables an explicit Hessian may have.

    More where samples are few or sparse; less where conjugate gradients soon end: without an
    L1 part they need no signs, with an L2 part beside it the model bends in all directions.
    """
    few, has_l1 = max(MAX_DENSE_VARIABLES_TINY, len(problem.labels)), problem.penalty.l1 > 0
    if not (has_l1 or problem.data.sparse or problem.loss.rests):
        # The sum of fewer samples than variables costs more than the products it saves.
        return min(MAX_DENSE_VARIABLES_SMOOTH, few)
    if is_wide(problem):
        return MAX_DENSE_VARIABLES_CHEAP
    if not has_l1:
        return MAX_DENSE_VARIABLES_SMOOTH
    if not is_thin(problem.data):
        # Products with two columns cost hardly less than with many.
        most = (2 if problem.n_classes == 2 else 1) * MAX_DENSE_VARIABLES
        return max(most, _as_dear_as_all(problem))
    bent = problem.penalty.l2 > BENT * problem.penalty.l1
    most = MAX_DENSE_VARIABLES_BENT if bent else MAX_DENSE_VARIABLES_CHEAP
    return min(most, max(MAX_DENSE_VARIABLES, _as_dear_as_columns(problem)))


def _as_dear_as_columns(problem):
    """How many variables make factors of an explicit Hessian as dear as steps along columns.

    Those go through the scores again and again.
    """
    return round((SWEEPS * len(problem.labels) * problem.n_classes) ** (1 / 3))


def _as_dear_as_all(problem):
    """How many variables make an explicit Hessian as dear as steps that move all of them.

    Those factor a matrix of all features for each class and take tens of products; there are none
    on sparse data or with more features than samples.
    """
    (n, d), n_classes = problem.data.shape, problem.n_classes
    if problem.data.sparse or d > n:
        return 0
    cost = n_classes * d**3 + PRODUCTS * n * n_classes * d
    return min(int(cost ** (1 / 3)), MAX_DENSE_VARIABLES_LARGE)


def all_variables(problem):
    """Weights, and intercepts where they are fitted, shape (d + 1, C)."""
    free = np.ones((problem.shape[0] + 1, problem.n_classes), dtype=bool)
    free[-1] = problem.fit_intercept
    return free


def free_variables(problem, iterate):
    """The variables a step may move, shape (d + 1, C).

    All of them without an L1 part or where they are few; else the support and the pairs that
    violate optimality most, a few hundred or as many as the support has.  Where samples are few
    the support grows along a path of penalties and needs less room.
    """
    n, d = problem.data.shape
    free, penalty = all_variables(problem), problem.penalty
    if penalty.l1 == 0 or free.size <= FEW_VARIABLES:
        return free
    support = iterate.coef != 0
    support[penalty.free] = True
    excess = np.where(support, 0.0, np.abs(problem.gradient(iterate)[:-1]) - penalty.l1s)
    size = np.count_nonzero(support)
    least = ROOM_WIDE if is_wide(problem) else ROOM if n > d else ROOM_SPARSE
    room = max(least, size // 4 if has_few_samples(problem) else size)
    if np.count_nonzero(excess > 0) > room:
        cut = np.partition(excess, -room, axis=None)[-room]
        free[:-1] = support | (excess >= cut)
    else:
        free[:-1] = support | (excess > 0)
    # Of two classes rounding must not choose one.
    return free | free[:, ::-1] if problem.n_classes == 2 else free
