"""The smallest alpha whose optimum has all weights at zero that a penalty holds.

With the best weights of the free features and the best intercept, W = 0 for all others is optimal
as long as some optimal dual point has |A| <= alpha * l1_ratio.  That of a smooth loss is unique.
That of the hinge is free where a violation is exactly zero, and the smallest max |A| is a linear
program.

    u_ik = 1 where 1 + z_k - z_y > 0,     0 where it is < 0,     in [0, 1] where it is 0
"""

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

MAX_FREE = 5000  # variables of a linear program; beyond, samples that are alike share theirs
MORE_ROWS, MAX_ROUNDS = 100, 50
TIE, ENOUGH = 1e-9, 1e-9
METHODS = "highs", "highs-ipm"
PRICES_OF_SLACK = 0.0, 1e4  # none, and dear
NO_GRID = (
    "The linear program for the alpha that a grid begins with could not be solved; weights of very "
    "different sizes may be the reason. Give the alphas themselves."
)
NOISE, LEAST = 1e-14, 1e-9  # of the largest |A| that weights and dual point allow


def alpha_max(problem, l1_ratio):
    """The smallest alpha with all-zero weights; for the hinge it may come out a little larger.

    Parameters
    ----------
    problem : Problem
        Its penalty plays no part, but for its factors.
    l1_ratio : float
        In (0, 1].

    Returns
    -------
    float
        max |A| / l1_ratio, each |A_jk| by the penalty factor of the feature.  For the hinge it
        is exact where at most some thousand dual variables are free, else an upper bound: a
        few free ones of a class, with the same free features, are then the same.
        That may be zero (rare classes inside another one); what rounding leaves of A is the
        least it returns.
    """
    if problem.loss.smooth:
        zero = problem.evaluate(np.zeros(problem.shape), np.zeros(problem.n_classes))
        dual, correlation = zero.dual, zero.correlation
    else:
        dual, correlation = SmallestCorrelation(problem).solve()
    largest = relative_size(problem, correlation).max(initial=0.0)
    possible = relative_size(problem, upper_bounds(problem, dual)).max(initial=0.0)
    if problem.loss.smooth:
        return float(largest) / l1_ratio if largest > NOISE * possible else 0.0
    return float(max(largest, LEAST * possible)) / l1_ratio


def upper_bounds(problem, dual):
    """|A_jk| <= sqrt(sum_i p_i x_ij^2 sum_i p_i g_ik^2)."""
    return np.sqrt(np.outer(problem.mean_squares, problem.weights @ dual**2))


def relative_size(problem, correlation):
    """|A| by the factor of the penalty of each feature, 0 where there is none."""
    factor, size = _factors(problem), np.zeros_like(correlation)
    return np.divide(np.abs(correlation), factor, out=size, where=factor > 0)


def _factors(problem):
    """The factor of the penalty of each weight."""
    penalty = problem.penalty
    return np.broadcast_to(penalty.shared * penalty.factor, problem.shape)


def centre_of(problem):
    """Means of the features, which with an intercept can be taken off: sum_i p_i g_i = 0."""
    if not problem.fit_intercept:
        return np.zeros(problem.shape[0])
    return problem.correlate(np.ones((len(problem.labels), 1))).ravel()


def minimum(*program, **constraints):
    """The solution of a linear program, or None where rounding leaves it none."""
    for method in METHODS:
        found = linprog(*program, **constraints, method=method)
        if found.x is not None:
            return found
    return None


def least_hinge(features, labels, weights, n_classes):
    """argmin over V of the weighted sum of the hinge at the scores features @ V.

    The multipliers of its dual, a linear program, are V (the last class stays at zero):

        max sum_ik v_ik     s.t.  sum_ik v_ik x_i (e_k - e_y)^T = 0,  0 <= v_ik <= p_i
    """
    if features.shape[1] == 0:
        return np.zeros((0, n_classes))
    sample, wrong = np.nonzero(np.arange(n_classes) != labels[:, None])
    scale = np.abs(features).max(axis=0, initial=np.finfo(float).tiny)
    values, pairs = features[sample] / scale, np.arange(len(sample))
    signs = sp.coo_array(
        (np.repeat([1.0, -1.0], len(pairs)), (np.append(wrong, labels[sample]), np.tile(pairs, 2))),
        shape=(n_classes, len(pairs)),
    ).tocsr()[:-1]
    found = minimum(
        -np.ones(len(pairs)),
        A_eq=sp.vstack([signs.multiply(column) for column in values.T], format="csc"),
        b_eq=np.zeros(values.shape[1] * (n_classes - 1)),
        bounds=np.column_stack([np.zeros(len(pairs)), weights[sample] / weights.max()]),
    )
    if found is None:
        raise ValueError(NO_GRID)
    multipliers = found.eqlin.marginals.reshape(values.shape[1], n_classes - 1)
    return np.pad(multipliers / scale[:, None], ((0, 0), (0, 1)))


def groups(pair):
    """Which free variables are the same: some of one pair, next to each other; none if few."""
    each = -(-len(pair) // MAX_FREE)
    order = np.argsort(pair, kind="stable")
    first = np.searchsorted(pair[order], pair[order])
    of_pair = np.empty_like(pair)
    of_pair[order] = (np.arange(len(pair)) - first) // max(1, each)
    return np.unique(np.column_stack([pair, of_pair]), axis=0, return_inverse=True)[1]


class SmallestCorrelation:
    """min over u of max |A|, A = X^T diag(p) G, over the optimal dual points of the hinge at W = 0.

    The program has a row for each entry of A.  Only the largest enter, more from round to round.

    Attributes
    ----------
    sample, wrong : ndarray of shape (m,)
        The free dual variables.
    group : ndarray of shape (m,)
        Which of them are the same.
    dual : ndarray of shape (n, C)
        The dual point with the free ones at zero.
    """

    def __init__(self, problem):
        self.problem, self.centre = problem, centre_of(problem)
        kind, violation = self._violations()
        self.sample, self.wrong = np.nonzero(np.abs(violation) <= TIE)
        self.dual = np.where(violation > TIE, 1.0, 0.0)
        self._complete(self.dual)
        self.group = groups(kind[self.sample] * problem.n_classes + self.wrong)
        self.size = self.group.max(initial=-1) + 1

    def _violations(self):
        """Which samples no penalty tells apart, and 1 + z_k - z_y; -1 where it is not looked at."""
        problem = self.problem
        counted, unheld = np.flatnonzero(problem.weights), self._unheld()
        table = np.column_stack([problem.labels, unheld])[counted]
        kinds, inverse = np.unique(table, axis=0, return_inverse=True)
        labels, features = kinds[:, 0].astype(int), kinds[:, 1:]
        weights = np.bincount(inverse, problem.weights[counted])
        scores = features @ least_hinge(features, labels, weights, problem.n_classes)
        of_kind = 1.0 + scores - scores[np.arange(len(labels)), labels][:, None]
        of_kind[np.arange(len(labels)), labels] = -1.0
        kind, violation = np.zeros(len(unheld), int), np.full((len(unheld), scores.shape[1]), -1.0)
        kind[counted], violation[counted] = inverse, of_kind[inverse]
        return kind, violation

    def _unheld(self):
        """The features without a penalty and, for the intercept, a column of ones."""
        problem, free = self.problem, self.problem.penalty.free
        columns = np.ones((len(problem.labels), 1))
        if len(free):
            columns = problem.data.columns(slice(None), free)
            columns[:, :-1] -= self.centre[free]
        return columns if problem.fit_intercept else columns[:, :-1]

    def _correlate(self, dual):
        """A, of centred features."""
        weights = self.problem.weights
        return self.problem.correlate(dual) - np.outer(self.centre, weights @ dual)

    def solve(self):
        """The best dual point found, and its correlations."""
        dual, correlation = self.dual, self._correlate(self.dual)
        if self.size == 0:
            return dual, correlation
        start, chosen = correlation, np.zeros(correlation.size, dtype=bool)
        demanded = self._demanded(start)
        for _ in range(MAX_ROUNDS):
            free, bound = self._program(start, np.flatnonzero(chosen), demanded)
            dual = self._dual_point(free)
            correlation = self._correlate(dual)
            size = relative_size(self.problem, correlation).ravel()
            size[chosen] = 0.0
            if size.max() <= bound * (1 + ENOUGH) + np.finfo(float).tiny:
                break
            largest = np.argsort(size)[-MORE_ROWS:]
            chosen[largest[size[largest] > 0]] = True
        return dual, correlation

    def _program(self, start, entries, demanded):
        """Free variables with the smallest largest |A| among some entries, and that.

        Where rounding leaves no solution, what must add up to zero does so as nearly as it can.
        """
        unit = max(relative_size(self.problem, start).max(), np.finfo(float).tiny)
        factor = unit * _factors(self.problem).ravel()[entries]
        rows, fixed = self._rows(entries).multiply(1 / factor[:, None]), start.ravel()[entries]
        bound, (sums, of_others) = sp.csr_array(np.ones((len(entries), 1))), demanded
        slack = sp.eye_array(len(of_others))
        none = sp.csr_array((len(entries), len(of_others)))
        for price in PRICES_OF_SLACK:
            most = np.inf if price else 0.0
            found = minimum(
                np.concatenate([np.zeros(self.size), [1.0], np.full(2 * len(of_others), price)]),
                A_ub=sp.block_array([[rows, -bound, none, none], [-rows, -bound, none, none]]),
                b_ub=np.concatenate([-fixed / factor, fixed / factor]),
                A_eq=sp.hstack([sums, sp.csr_array((len(of_others), 1)), slack, -slack]),
                b_eq=-of_others,
                bounds=[(0, 1)] * self.size + [(0, None)] + [(0, most)] * 2 * len(of_others),
            )
            if found is not None:
                return np.clip(found.x[: self.size], 0.0, 1.0), unit * found.x[self.size]
        raise ValueError(NO_GRID)

    def _demanded(self, start):
        """What adds up to zero, by free variable, and what the others add to it.

        A of the features without a penalty and, with an intercept, sum_i p_i g_i.
        """
        problem, n_classes = self.problem, self.problem.n_classes
        unheld, of_others = problem.penalty.free, start[problem.penalty.free]
        if problem.fit_intercept:
            unheld = np.append(unheld, len(start))
            of_others = np.vstack([of_others, problem.weights @ self.dual])
        sums = self._rows((unheld[:, None] * n_classes + np.arange(n_classes)).ravel())
        size = np.maximum(abs(sums).max(axis=1).toarray(), np.abs(of_others.ravel()))
        size[size == 0] = 1.0
        return sums.multiply(1 / size[:, None]), of_others.ravel() / size

    def _rows(self, entries):
        """What each free variable adds to some entries, those of the intercept last, of A.

        As many at once as there are scores.
        """
        feature, klass = np.divmod(entries, self.problem.n_classes)
        most = max(1, self.dual.size // len(self.sample))
        blocks = [slice(begin, begin + most) for begin in range(0, len(entries), most)]
        parts = [self._grouped(feature[block], klass[block, None]) for block in blocks]
        return sp.vstack([sp.csr_array((0, self.size)), *parts], format="csr")

    def _grouped(self, feature, klass):
        """Sum of p_i g_ik x_ij over the free variables of a group, a row for each j and k."""
        problem, own = self.problem, self.problem.labels[self.sample]
        feature, place = np.unique(feature, return_inverse=True)
        inside = feature[feature < problem.shape[0]]
        columns = problem.data.columns(self.sample, inside)  # a last one of ones
        columns[:, :-1] -= self.centre[inside]
        columns = columns.T[place]
        columns *= problem.weights[self.sample]
        columns *= (klass == self.wrong).astype(np.int8) - (klass == own)
        members = sp.csr_array((np.ones(len(own)), (np.arange(len(own)), self.group)))
        return sp.csr_array(columns) @ members

    def _dual_point(self, free):
        dual = self.dual.copy()
        dual[self.sample, self.wrong] = free[self.group]
        self._complete(dual)
        return dual

    def _complete(self, dual):
        """The entry of the true class, minus the sum of the others."""
        rows = np.arange(len(dual))
        dual[rows, self.problem.labels] = 0.0
        dual[rows, self.problem.labels] = -dual.sum(axis=1)
