"""The dual points of the hinge at W = 0, and the one with the smallest correlations.

With z the scores of the best intercept and the best weights of the free features, the optimal ones
are all those that the intercept and the free features allow, with

    u_ik = 1 where 1 + z_k - z_y > 0,     0 where it is < 0,     in [0, 1] where it is 0

Both z and the smallest max |A|, A = X^T diag(p) G, are the solutions of linear programs.
"""

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

MAX_FREE = 5000  # variables of a linear program
N_SHARED = 1000  # about so many where they are more: samples that are alike share theirs
MORE_ROWS, MAX_ROUNDS = 100, 50
TIE, ENOUGH = 1e-9, 1e-9
METHODS = "highs", "highs-ipm"
PRICE_OF_SLACK = 1e4
NO_GRID = (
    "The linear program for the alpha that a grid begins with could not be solved; weights of very "
    "different sizes may be the reason. Give the alphas themselves."
)


def centre_of(problem):
    """Means of the features, which with an intercept can be taken off: sum_i p_i g_i = 0."""
    if not problem.fit_intercept:
        return np.zeros(problem.shape[0])
    return problem.correlate(np.ones((len(problem.labels), 1))).ravel()


def linear_program(*program, **constraints):
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
    found = linear_program(
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
    each = 1 if len(pair) <= MAX_FREE else -(-len(pair) // N_SHARED)
    order = np.argsort(pair, kind="stable")
    first = np.searchsorted(pair[order], pair[order])
    of_pair = np.empty_like(pair)
    of_pair[order] = (np.arange(len(pair)) - first) // each
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
            size = self.problem.penalty.relative_size(correlation).ravel()
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
        penalty, shape = self.problem.penalty, self.problem.shape
        unit = penalty.relative_size(start).max() or 1.0
        factor = unit * penalty.factors(shape).ravel()[entries]
        rows = self._rows(entries).multiply(1 / factor[:, None])
        programs = rows, start.ravel()[entries] / factor, demanded
        found = self._least_bound(*programs, price=None) or self._least_bound(
            *programs, PRICE_OF_SLACK
        )
        if found is None:
            raise ValueError(NO_GRID)
        return np.clip(found.x[: self.size], 0.0, 1.0), unit * found.x[self.size]

    def _least_bound(self, rows, fixed, demanded, price):
        """The program in u, the bound and, at a price, the slack of what must add up to zero."""
        (sums, of_others), bound = demanded, sp.csr_array(np.ones((len(fixed), 1)))
        n_slack = 0 if price is None else 2 * len(of_others)
        slack = sp.eye_array(len(of_others), format="csr")[:, : n_slack // 2]
        none, no_bound = sp.csr_array((len(fixed), n_slack)), sp.csr_array((len(of_others), 1))
        return linear_program(
            np.concatenate([np.zeros(self.size), [1.0], np.full(n_slack, price or 0.0)]),
            A_ub=sp.vstack([sp.hstack([rows, -bound, none]), sp.hstack([-rows, -bound, none])]),
            b_ub=np.concatenate([-fixed, fixed]),
            A_eq=sp.hstack([sums, no_bound, slack, -slack]),
            b_eq=-of_others,
            bounds=[(0, 1)] * self.size + [(0, None)] * (1 + n_slack),
        )

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
