"""Dual block coordinate ascent: the whole dual vector of one sample at a time.

Which problems it takes, and when it hands over to the solver behind it.

References
----------
Wang and Scott, An exact solver for the Weston-Watkins SVM subproblem, ICML 2021.
"""

import math
from dataclasses import replace

import numpy as np

from .._certificate import certify
from ._coordinates import coordinates
from ._epochs import DualAscent, has_next_to_no_l2, pulls
from ._rescue import is_cheap, is_possible
from ._working_set import all_variables, dense_limit

TALL, TALL_WEAK = 8, 2  # samples for each variable
PATIENCE, SLOW = 50, 0.5
PATIENCE_LONG, SLOW_LONG = 200, 0.9
# Where Newton's method wins, few epochs show it.
PATIENCE_DENSE, PATIENCE_SMOOTH, SLOW_DENSE = 8, 20, 0.2
PATIENCE_FEW, SLOW_FEW = 24, 0.1  # an L1 part, and Hessians that cost little
PATIENCE_SUPPORT, STEPS = 16, 16
HELD = 0.5  # weights for each active sample
LEAST_POWER = 0.01
# Newton's steps near the end converge fast where the loss is smooth.
PATIENCE_SIMPLEX, SLOW_SIMPLEX = 20, 0.1
NEAR = 0.01
MAX_EXPLICIT = 1000  # variables of cheap Hessians on dense data
MAX_TINY, MAX_SMALL = 150, 300
MAX_SPARSE = 600
MANY, MANY_OF_TWO = 20, 2  # samples for each variable
MOST_L2 = 0.1  # of the mean squared length of a sample
SHARE = 0.25  # of the passes of the last problem of a path
FEW_WEIGHTS = 0.12  # for each sample
# The largest alpha that leaves weights, by alpha.
WEAK, WEAK_WIDE, WEAK_SOFTMAX = 30.0, 300.0, 10.0
STRONG, STRONG_BESIDE = 5.0, 8.0  # L2 parts, the latter beside an L1 part
MANY_SAMPLES = 4  # for each feature


def ascends(problem, on_path=False):
    """Whether the ascent is possible and faster than the other solvers."""
    if not (problem.loss.ascends and problem.penalty.is_even):
        return False
    possible = _ascends_sparse if problem.data.sparse else _ascends_dense
    return possible(problem, on_path)


def _ascends_sparse(problem, on_path):
    """Where variables are many, for the hinges; for the softmax where samples are not many.

    Of an L1 part that leaves few weights, Newton's steps move those alone; beside an L2 part that
    is seen at each start of a path (`keeps_few`).
    """
    loss, penalty = problem.loss, problem.penalty
    few = _n_variables(problem) <= _few_on_sparse(problem)
    hard = has_next_to_no_l2(penalty)
    if not loss.smooth:
        return not (few and is_cheap(problem))
    if few:
        return False
    if penalty.l1 == 0:
        return loss.block is not None or not has_many_samples(problem, on_path)
    return (on_path and not hard) or is_weak(problem)


def _few_on_sparse(problem):
    """Up to how many variables Newton's steps are cheaper than epochs on sparse data."""
    if problem.loss.block is None:
        return MAX_SPARSE
    return min(max(MAX_SMALL, len(problem.labels) / MANY), MAX_SPARSE)


def _ascends_dense(problem, on_path):
    """For the hinges, unless interior points are cheap, or possible where an L1 part keeps few
    weights of more than there are samples, or a Hessian is cheap: if the loss is smooth or the L2
    part small, that of few variables beside the samples.

    Along a path with no L1 part Newton's method begins near the optimum.
    """
    loss, penalty, (d, n_classes) = problem.loss, problem.penalty, problem.shape
    wide = d >= len(problem.labels)
    if loss.block is None or (on_path and loss.smooth):
        return False
    if wide and penalty.l1 == 0:
        return not is_cheap(problem)
    if (on_path and penalty.l1 == 0) or is_cheap(problem):
        return False
    hard = has_next_to_no_l2(penalty)
    if wide and hard:
        return not loss.smooth and not is_possible(problem)
    if loss.smooth or hard:
        return _n_variables(problem) > most_explicit(problem)
    return (d + 1) * n_classes > MAX_TINY


def _n_variables(problem):
    """Those of an explicit Hessian of all weights and intercepts."""
    return len(coordinates(all_variables(problem)))


def most_explicit(problem):
    """Up to how many variables a Hessian costs less than the epochs it saves.

    More where they are few beside the samples; two classes and a smooth loss need a handful.
    """
    many = MANY_OF_TWO if problem.n_classes == 2 and problem.loss.smooth else MANY
    return min(max(MAX_SMALL, len(problem.labels) / many), MAX_EXPLICIT)


def has_few_variables(problem):
    """Whether an explicit Hessian of all is cheap."""
    d, n_classes = problem.shape
    return (d + 1) * n_classes <= dense_limit(problem)


def is_weak(problem):
    """Whether a penalty with an L1 part leaves many weights; a product with X.

    Beside an L2 part it has to be weak for the softmax; for the squared hinge that must not rule.
    """
    if has_next_to_no_l2(problem.penalty):
        n, d = problem.data.shape
        least = WEAK_WIDE if d > n else WEAK
    elif problem.loss.block is None:
        least = WEAK_SOFTMAX
    else:
        return strength(problem) <= STRONG_BESIDE
    zero = problem.evaluate(np.zeros(problem.shape), np.zeros(problem.n_classes))
    return problem.penalty.largest_scale(zero.correlation) * least <= 1


def strength(problem):
    """Of the L2 part: by what factor n l2 exceeds the mean squared length of a sample.

    Two classes have one vector, and l2 is twice that of its penalty.
    """
    l2 = problem.penalty.l2 / (2 if problem.n_classes == 2 else 1)
    return len(problem.labels) * l2 / problem.mean_squares.sum()


def has_many_samples(problem, on_path):
    """Whether they are many for the features, or more and the L2 part is strong."""
    n, d = problem.data.shape
    return n >= MANY_SAMPLES * d or (n > d and not on_path and strength(problem) > STRONG)


def is_tall(problem):
    """Whether there are many samples for each variable: fewer are many for a weak penalty."""
    n, d = problem.data.shape
    samples = n / ((d + 1) * problem.n_classes)
    if samples < TALL_WEAK:
        return False
    return samples >= TALL or n * problem.penalty.l2 < problem.mean_squares.sum()


def dual_ascent(successor):
    """The ascent, and the solver that takes over when the ascent has become slow, or at once where
    the L2 part rules.

    Along a path one with a centre is not looked at before a share of the passes of the one before.
    """
    taken = 0.0

    def ascending(problem, start):
        nonlocal taken
        if rules(problem) or keeps_few(problem, start):
            yield from successor(problem, start)
            return
        if start.dual is not None:
            if start.scores is None:
                scores = problem.scores(start.coef, start.intercept)
            else:
                scores = start.scores.copy()
            first = problem.certified(start.coef, start.intercept, scores, start.dual.copy())
            yield first
            start, correlation = replace(start, dual=first.dual), first.correlation
        else:
            correlation = None
        ascent, gaps = DualAscent(problem, start, correlation), {0.0: np.inf}
        most, least = limits(problem), SHARE * taken if pulls(problem) else 0.0
        # Where an ascent has long, one gap that is small by chance must not end it.
        summary = median_of_three if has_long(problem) else min
        work, iterate, found = problem.data.passes, None, []
        begin = work.operations
        while not (slow(gaps, *most) or outdone(problem, iterate, gaps, work.operations - begin)):
            ascent.run(least)
            taken, iterate = ascent.passes, ascent.iterate()
            yield iterate
            found.append(gap(problem, iterate))
            gaps[ascent.passes] = summary(found)
            ascent.refine(min(found))
            ascent.adapt(iterate)
        if min(found) <= NEAR * problem.value_at_zero:
            start = start.at(iterate)
        yield from successor(problem, start)

    return ascending


def rules(problem):
    """Whether a sparse problem of the hinges hardly has weights beside its L2 part.

    The intercept, which the ascent moves in steps by 1 / l2, is far away then.
    """
    if problem.loss.block is None or not (problem.data.sparse and problem.fit_intercept):
        return False
    return problem.penalty.l2 > MOST_L2 * problem.mean_squares.sum()


def keeps_few(problem, start):
    """Whether Newton steps on the few weights of a start from nearby cost less than epochs."""
    if start.dual is None or not (problem.loss.smooth and problem.penalty.l1 > 0):
        return False
    return np.count_nonzero(start.coef) <= FEW_WEIGHTS * np.count_nonzero(problem.weights)


def median_of_three(gaps):
    """Of the latest."""
    return float(np.median(gaps[-3:]))


def gap(problem, iterate):
    """The gap of an iterate, without a centre that of weights which are the best for its dual."""
    if pulls(problem):
        return certify(problem, iterate, search=False).gap
    return problem.loss.fenchel_young(iterate.scores, problem.labels, problem.weights, iterate.dual)


def slow(gaps, patience=PATIENCE, share=SLOW):
    """Whether the last three quarters of the passes have left that share of the smallest gap."""
    latest = max(gaps)
    return latest > patience and gaps[latest] > share * gaps[_quarter(gaps)]


def outdone(problem, iterate, gaps, spent):
    """Whether epochs to a tenth of the gap cost more than Newton steps on the support.

    The latter are right where samples hold the support; a step costs the sum of an explicit Hessian
    over those that are active, and its factor.  `spent` are the operations of all epochs so far.
    """
    if max(gaps) < PATIENCE_SUPPORT or not (problem.loss.smooth and problem.penalty.l1 > 0):
        return False
    size = np.count_nonzero(iterate.coef)
    active = np.count_nonzero(iterate.dual.any(axis=1))
    step = active * size**2 + size**3 / 3
    return size <= HELD * active and STEPS * step < spent * to_a_tenth(gaps)


def to_a_tenth(gaps):
    """How many times the passes so far bring a tenth of the gap; it falls with a power of them.

    None where the first gap is too late to tell.
    """
    latest, earlier = max(gaps), _quarter(gaps)
    if earlier == 0 or gaps[latest] == 0:
        return 0.0
    power = math.log(gaps[earlier] / gaps[latest]) / math.log(latest / earlier)
    return 10 ** (1 / power) - 1 if power > LEAST_POWER else np.inf


def _quarter(gaps):
    """The most passes, of those with a gap, that are at most a quarter of the latest."""
    return max(passes for passes in gaps if passes <= 0.25 * max(gaps))


def limits(problem):
    """Those of `slow`."""
    loss, has_l1 = problem.loss, problem.penalty.l1 > 0
    if loss.block is None:
        return PATIENCE_SIMPLEX, SLOW_SIMPLEX
    if has_long(problem):
        return PATIENCE_LONG, SLOW_LONG
    if others_are_dear(problem):
        return PATIENCE, SLOW
    if has_l1 and not problem.data.sparse:
        return PATIENCE_FEW, SLOW_FEW
    return PATIENCE_SMOOTH if loss.smooth else PATIENCE_DENSE, SLOW_DENSE


def has_long(problem):
    """Whether Newton's steps on a large support would change their active set again and again."""
    return problem.loss.smooth and not problem.data.sparse and others_are_dear(problem)


def others_are_dear(problem):
    """Whether the successor needs many passes, or systems of many variables."""
    if problem.data.sparse:
        return not (is_cheap(problem) or is_tall(problem) or has_few_variables(problem))
    return problem.penalty.l1 > 0 and _n_variables(problem) > MAX_EXPLICIT
