"""The smallest alpha whose optimum has all weights at zero.

With the best intercept alone, W = 0 is optimal as long as some optimal dual point has
|A| <= alpha * l1_ratio.  That of a smooth loss is unique.  That of the hinge is free where a
violation is exactly zero, and the smallest max |A| is a linear program.

    u_ik = 1 where 1 + b_k - b_y > 0,     0 where it is < 0,     in [0, 1] where it is 0
"""

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

MAX_FREE = 5000  # variables of a linear program; beyond, samples of a class share theirs
MORE_ROWS, MAX_ROUNDS = 100, 50
TIE, ENOUGH = 1e-9, 1e-9


def alpha_max(problem, l1_ratio):
    """The smallest alpha with all-zero weights; for the hinge it may come out a little larger.

    Parameters
    ----------
    problem : Problem
        Its penalty plays no part.
    l1_ratio : float
        In (0, 1].

    Returns
    -------
    float
        max |A| / l1_ratio, each |A_jk| by the penalty factor of the feature.  For the hinge it
        is exact where at most some thousand dual variables are free, else an upper bound: the
        free ones of a class are then the same.
    """
    if len(problem.penalty.free) and not problem.loss.smooth:
        raise ValueError(
            "The hinge has no grid of alphas where penalty_factor is 0 for some features. Give "
            "the alphas themselves, or small factors instead of 0."
        )
    if problem.loss.smooth or not problem.fit_intercept:
        zero = problem.evaluate(np.zeros(problem.shape), np.zeros(problem.n_classes))
        correlation = zero.correlation
    else:
        correlation = SmallestCorrelation(problem).solve()
    return float(relative_size(problem, correlation).max(initial=0.0)) / l1_ratio


def relative_size(problem, correlation):
    """|A| by the factor of the penalty of each feature, 0 where there is none."""
    penalty = problem.penalty
    factor = np.broadcast_to(penalty.shared * penalty.factor, correlation.shape)
    size = np.zeros_like(correlation)
    return np.divide(np.abs(correlation), factor, out=size, where=factor > 0)


def best_intercept(frequencies):
    """argmin over b of the mean hinge at W = 0, by a linear program.

    sum_l pi_l sum_{k != l} xi_lk,     xi_lk >= 1 + b_k - b_l,  xi >= 0
    """
    size = len(frequencies)
    own, wrong = np.nonzero(~np.eye(size, dtype=bool))
    pairs = np.arange(len(own))
    rows = np.zeros((len(own), size))
    rows[pairs, wrong] += 1.0
    rows[pairs, own] -= 1.0
    found = linprog(
        np.concatenate([np.zeros(size), frequencies[own]]),
        A_ub=np.hstack([rows, -np.eye(len(own))]),
        b_ub=-np.ones(len(own)),
        bounds=[(None, None)] * size + [(0, None)] * len(own),
    )
    return found.x[:size] - found.x[:size].mean()


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
        self.problem = problem
        intercept = best_intercept(problem.frequencies)
        violation = 1.0 + intercept[None, :] - intercept[problem.labels][:, None]
        rows = np.arange(len(problem.labels))
        violation[rows, problem.labels] = -1.0
        violation[problem.weights == 0] = -1.0
        self.sample, self.wrong = np.nonzero(np.abs(violation) <= TIE)
        self.dual = np.where(violation > TIE, 1.0, 0.0)
        self._complete(self.dual)
        if len(self.sample) <= MAX_FREE:
            self.group = np.arange(len(self.sample))
        else:
            pair = problem.labels[self.sample] * problem.n_classes + self.wrong
            self.group = np.unique(pair, return_inverse=True)[1]
        self.size = self.group.max(initial=-1) + 1

    def solve(self):
        """The correlations of the best dual point found."""
        correlation = self.problem.correlate(self.dual)
        if self.size == 0:
            return correlation
        start, chosen = correlation, np.zeros(correlation.size, dtype=bool)
        for _ in range(MAX_ROUNDS):
            free, bound = self._program(start, np.flatnonzero(chosen))
            correlation = self.problem.correlate(self._dual_point(free))
            size = relative_size(self.problem, correlation).ravel()
            if size.max() <= bound * (1 + ENOUGH) + np.finfo(float).tiny:
                break
            size[chosen] = 0.0
            chosen[np.argsort(size)[-MORE_ROWS:]] = True
        return correlation

    def _program(self, start, entries):
        """Free variables with the smallest largest |A| among some entries, and that."""
        factor = np.broadcast_to(self.problem.penalty.factor, start.shape).ravel()[entries]
        rows, fixed = self._rows(entries) / factor[:, None], start.ravel()[entries] / factor
        ones = np.ones((len(entries), 1))
        found = linprog(
            np.append(np.zeros(self.size), 1.0),
            A_ub=np.block([[rows, -ones], [-rows, -ones]]),
            b_ub=np.concatenate([-fixed, fixed]),
            A_eq=np.column_stack([self._balance(), np.zeros(self.problem.n_classes)]),
            b_eq=-(self.problem.weights @ self.dual),
            bounds=[(0, 1)] * self.size + [(0, None)],
        )
        return np.clip(found.x[:-1], 0.0, 1.0), found.x[-1]

    def _rows(self, entries):
        """What each free variable adds to some entries of A."""
        problem = self.problem
        feature, klass = np.divmod(entries, problem.n_classes)
        columns = problem.data.columns(self.sample, feature)[:, :-1].T
        return self._grouped(columns, klass[:, None])

    def _balance(self):
        """What each free variable adds to sum_i p_i g_i."""
        return self._grouped(1.0, np.arange(self.problem.n_classes)[:, None])

    def _grouped(self, values, klass):
        """Sum of p_i g_ik times the values over the free variables of a group."""
        own = self.problem.labels[self.sample]
        sign = (klass == self.wrong).astype(float) - (klass == own)
        entries = sign * self.problem.weights[self.sample] * values
        members = sp.csr_array((np.ones(len(self.group)), (np.arange(len(self.group)), self.group)))
        return entries @ members

    def _dual_point(self, free):
        dual = self.dual.copy()
        dual[self.sample, self.wrong] = free[self.group]
        self._complete(dual)
        return self.problem.balanced(dual)

    def _complete(self, dual):
        """The entry of the true class, minus the sum of the others."""
        rows = np.arange(len(dual))
        dual[rows, self.problem.labels] = 0.0
        dual[rows, self.problem.labels] = -dual.sum(axis=1)
