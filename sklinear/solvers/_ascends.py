"""Which problems dual ascent takes: those where it is possible and faster than other solvers."""

import numpy as np

from ._coordinates import coordinates
from ._epochs import has_next_to_no_l2
from ._rescue import is_cheap, is_possible
from ._working_set import all_variables

MAX_EXPLICIT = 1000  # variables of cheap Hessians on dense data
MAX_TINY, MAX_SMALL = 150, 300
MAX_SPARSE = 600
VAST = 10_000
FEW_LARGE = 10  # features
MANY_UNEVEN, MOST_LARGE = 2, 0.7  # samples by features; share of these
MANY_PAIRS, MANY_PAIRS_HARD = 2500, 4000  # of a sample and a wrong class
MANY, MANY_OF_TWO = 20, 2  # samples for each variable
MANY_SAMPLES = 4  # for each feature
MOST_ON_PATH = 20  # the same, along a path of the hinge
STRONG, STRONG_BESIDE = 5.0, 8.0  # L2 parts, the latter beside an L1 part
# The largest alpha that leaves weights, by alpha.
WEAK, WEAK_WIDE, WEAK_SOFTMAX, WEAK_DENSE = 30.0, 300.0, 10.0, 100.0


def ascends(problem, on_path=False):
    """Whether the ascent is possible and faster than the other solvers."""
    if not (problem.loss.ascends and problem.penalty.is_even):
        return False
    possible = _ascends_sparse if problem.data.sparse else _ascends_dense
    return possible(problem, on_path)


def _ascends_sparse(problem, on_path):
    """Where variables are many, for the hinges; for the softmax where samples are not many.

    Of an L1 part that leaves few weights, Newton's steps move those alone; beside an L2 part that
    is seen at each start of a path (`has_few_weights`).
    """
    loss, penalty = problem.loss, problem.penalty
    few = n_variables(problem) <= _few_on_sparse(problem)
    hard = has_next_to_no_l2(penalty)
    if not loss.smooth:
        return not (few and is_cheap(problem))
    if few or (has_few_large(problem) and not _ascends_uneven(problem)):
        return False
    if penalty.l1 == 0:
        return loss.block is not None or not has_many_samples(problem, on_path)
    return (on_path and not hard) or _leaves_many(problem, hard)


def has_few_large(problem):
    """Whether a handful of features is as large as all others together."""
    squares = problem.mean_squares
    return squares.sum() ** 2 < FEW_LARGE * np.square(squares).sum()


def _ascends_uneven(problem):
    """Whether epochs, which the large features hold up, still cost less than Newton's steps.

    With the squared hinge where features are many beside the samples, and an L1 part is weak
    beside the correlations of most of them.
    """
    (n, d), penalty = problem.data.shape, problem.penalty
    if problem.loss.block is None or n >= MANY_UNEVEN * d:
        return False
    if penalty.l1 == 0 or n <= d:
        return True
    large = (np.abs(correlation_at_zero(problem)) > penalty.l1s).any(axis=1)
    return np.count_nonzero(large) >= MOST_LARGE * d


def _few_on_sparse(problem):
    """Up to how many variables Newton's steps are cheaper than epochs on sparse data."""
    if problem.loss.block is None:
        return MAX_SPARSE
    return min(max(MAX_SMALL, len(problem.labels) / MANY), MAX_SPARSE)


def _ascends_dense(problem, on_path):
    """For the hinges, unless interior points are cheap and pairs few, or interior points possible
    where an L1 part keeps few weights of more than there are samples, or a Hessian is cheap: if the
    loss is smooth or the L2 part small, that of few variables beside the samples.

    Along a path with no L1 part Newton's method begins near the optimum, and the hinge needs few
    epochs where samples are not many for each feature.  For the softmax where an L1 part is weak
    beside very many variables: Newton's steps would find many weights by columns.
    """
    loss, penalty, (d, n_classes) = problem.loss, problem.penalty, problem.shape
    n = len(problem.labels)
    wide = d >= n
    if loss.block is None:
        return not on_path and _is_vast(problem) and is_weak(problem, WEAK_DENSE)
    if on_path and penalty.l1 == 0 and (loss.smooth or n > MOST_ON_PATH * d):
        return False
    if wide and penalty.l1 == 0:
        return not is_cheap(problem)
    hard = has_next_to_no_l2(penalty)
    if is_cheap(problem):
        return not (wide or loss.smooth or on_path) and _are_many_pairs(problem, hard)
    if wide and hard:
        return not loss.smooth and not is_possible(problem)
    if loss.smooth or hard:
        return n_variables(problem) > most_explicit(problem)
    return (d + 1) * n_classes > MAX_TINY


def _is_vast(problem):
    """Whether an L1 part chooses among very many variables, of no more features than samples."""
    n, d = problem.data.shape
    chooses = problem.penalty.l1 > 0 and problem.n_classes > 2
    return chooses and d <= n and n_variables(problem) > VAST


def _are_many_pairs(problem, hard):
    """Whether some epochs cost little beside cheap interior points, and are often enough."""
    n, n_classes = len(problem.labels), problem.n_classes
    return n * (n_classes - 1) >= (MANY_PAIRS_HARD if hard else MANY_PAIRS)


def n_variables(problem):
    """Those of an explicit Hessian of all weights and intercepts."""
    return len(coordinates(all_variables(problem)))


def most_explicit(problem):
    """Up to how many variables a Hessian costs less than the epochs it saves.

    More where they are few beside the samples; two classes and a smooth loss need a handful.
    """
    many = MANY_OF_TWO if problem.n_classes == 2 and problem.loss.smooth else MANY
    return min(max(MAX_SMALL, len(problem.labels) / many), MAX_EXPLICIT)


def _leaves_many(problem, hard):
    """Whether an L1 part leaves many weights of sparse data.

    Beside an L2 part it has to be weak for the softmax; for the squared hinge that must not rule.
    """
    (n, d), loss = problem.data.shape, problem.loss
    if hard:
        return is_weak(problem, WEAK_WIDE if d > n else WEAK)
    if loss.block is None:
        return is_weak(problem, WEAK_SOFTMAX)
    return not has_strong_l2(problem, STRONG_BESIDE)


def is_weak(problem, factor):
    """Whether an L1 part so many times as strong would leave weights; a product with X."""
    return problem.penalty.largest_scale(correlation_at_zero(problem)) * factor <= 1


def correlation_at_zero(problem):
    """That of the natural dual point with the best intercept alone; a product with X."""
    return problem.evaluate(np.zeros(problem.shape), np.zeros(problem.n_classes)).correlation


def has_strong_l2(problem, factor):
    """Whether n l2 exceeds the mean squared length of a sample by a factor.

    Two classes have one vector, and l2 is twice that of its penalty.
    """
    l2 = problem.penalty.l2 / (2 if problem.n_classes == 2 else 1)
    return len(problem.labels) * l2 > factor * problem.mean_squares.sum()


def has_many_samples(problem, on_path):
    """Whether they are many for the variables, or more than features and the L2 part is strong."""
    n, d = problem.data.shape
    many = n >= max(MANY_SAMPLES * d, n_variables(problem))
    return many or (n > d and not on_path and has_strong_l2(problem, STRONG))
