"""Primal-dual interior-point method for the hinge losses, on problems of moderate size.

With x_ik = p_i u_ik for the wrong classes k (0 <= u <= h) the problem is

    min over W, b   max over 0 <= x <= p h, |a| <= l1
        sum_ik (x_ik m_ik - s x_ik^2 / (2 p_i))  +  <a, W>  +  l2/2 ||W||^2

and every bound has a multiplier.  A Newton step on the optimality conditions, in which a product
of multiplier and slack is mu instead of zero, is a linear system with a curvature for each
violation m and a penalty for each weight.  However badly the features are scaled, however weak
the penalty and however uneven the weights are, mu falls to nothing in some 10 to 40 steps, where
Newton's method on the loss itself changes its active set hundreds of times.

References
----------
Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2, 1992.
"""

from dataclasses import replace

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from .._threads import run

TO_BOUNDARY = 0.995
SHORT, MAX_SHORT = 1e-2, 3
MAX_STEPS = 100
LEAST_SLACK = 1e-17  # of the bound
SMALLEST = 1e-14  # of the objective at zero
WIDEST_WEIGHTS = 10.0
SHARE_WIDE = 10.0  # of the L1 part by the loss, where it has more terms
RIDGES = (1e-15, 1e-13, 1e-11, 1e-9, 1e-7)


class Box:
    """Dual variables between bounds, and what the conditions say of them.

        f - s x + low - high = 0,     (x - lower) low = mu t,     (upper - x) high = mu t

    where f is linear in the primal variables.

    Parameters
    ----------
    lower, upper : ndarray of shape (m,)
        The upper ones all finite or all infinite.
    x : ndarray of shape (m,)
        Strictly inside.
    low, high : ndarray of shape (m,)
        Multipliers, positive but for those of infinite bounds, which are zero.
    s : ndarray of shape (m,) or float
        Curvature of the dual objective.
    share : ndarray of shape (m,) or float
        t, the share of each product in mu.
    """

    def __init__(self, lower, upper, x, low, high, s, share):
        self.lower, self.upper, self.s, self.share = lower, upper, s, share
        self.x, self.low, self.high = x, low, high
        self.bounded = bool(np.isfinite(upper).all())
        self.total = np.broadcast_to(share, x.shape).sum() * (2 if self.bounded else 1)

    def products(self, step=0.0, move=None):
        """The sum of all products of multiplier and slack, after a step."""
        dx, dlow, dhigh = move or (0.0, 0.0, 0.0)
        x = self.x + step * dx
        total = (x - self.lower) @ (self.low + step * dlow)
        if self.bounded:
            total += (self.upper - x) @ (self.high + step * dhigh)
        return total

    def linearise(self, f):
        """dx = c (df + rho) for targets of zero: slacks, c and s x - f."""
        # Rounding may leave no slack at all.
        self.below = np.maximum(self.x - self.lower, LEAST_SLACK * np.abs(self.lower))
        self.above = np.maximum(self.upper - self.x, LEAST_SLACK * np.abs(self.upper))
        self.c = 1.0 / (self.s + self.low / self.below + self.high / self.above)
        self.residual = f - self.s * self.x

    def rho(self, targets):
        """The part of dx / c that does not depend on the primal move."""
        return self.residual + targets[0] / self.below - targets[1] / self.above

    def move(self, df, targets):
        """Moves of x and of both multipliers for a primal move, which changes f by df."""
        dx = self.c * (df + self.rho(targets))
        dlow = (targets[0] - self.low * dx) / self.below - self.low
        dhigh = (targets[1] + self.high * dx) / self.above - self.high
        return dx, dlow, dhigh

    def targets(self, mu, move):
        """mu t less what the linearisation leaves out along a move (of low - high and x)."""
        dx, dlow, dhigh = move
        return mu * self.share - dx * dlow, mu * self.share + dx * dhigh

    def longest(self, move):
        """The step at which the first slack or multiplier becomes zero."""
        dx, dlow, dhigh = move
        pairs = ((self.below, dx), (self.low, dlow), (self.above, -dx), (self.high, dhigh))
        return min(_first_zero(value, change) for value, change in pairs)

    def advance(self, step, move):
        """Take a step."""
        dx, dlow, dhigh = move
        self.x = self.x + step * dx
        self.low, self.high = self.low + step * dlow, self.high + step * dhigh


def _first_zero(value, change):
    falling = change < 0
    return np.min(value[falling] / -change[falling], initial=np.inf)


class Entries:
    """The pairs of a sample and a wrong class, in one line, and sums over them.

    Attributes
    ----------
    sample, klass, true : ndarray of shape (m,)
        Of each pair.
    """

    def __init__(self, problem):
        self.shape = len(problem.labels), problem.n_classes
        wrong = np.arange(problem.n_classes) != problem.labels[:, None]
        self.sample, self.klass = np.nonzero(wrong & (problem.weights > 0)[:, None])
        self.labels, self.true = problem.labels, problem.labels[self.sample]

    def difference(self, scores):
        """z_k - z_y of each pair."""
        return scores[self.sample, self.klass] - scores[self.sample, self.true]

    def spread(self, values):
        """Numbers of the pairs at (i, k), minus their sum at (i, y_i), shape (n, C)."""
        out = np.zeros(self.shape)
        out[self.sample, self.klass] = values
        out[np.arange(self.shape[0]), self.labels] = -out.sum(axis=1)
        return out

    def factor(self, values):
        """Numbers of the pairs at (i, k), shape (n, C)."""
        out = np.zeros(self.shape)
        out[self.sample, self.klass] = values
        return out


class InteriorPoint:
    """The iterate and its steps.

    Attributes
    ----------
    coef, intercept, scores : ndarray
    boxes : list of Box
        Of x and, with an L1 part, of a.
    """

    def __init__(self, problem):
        self.problem, self.entries = problem, Entries(problem)
        self.coef, self.intercept = np.zeros(problem.shape), np.zeros(problem.n_classes)
        self.scores = np.zeros(self.entries.shape)
        smoothing, largest = problem.loss.block
        weights = problem.weights[self.entries.sample]
        self.boxes = [_violations(weights, smoothing, largest)]
        wide = len(weights) < self.coef.size
        if problem.penalty.l1 > 0:
            share = (SHARE_WIDE if wide else 1.0) * weights.sum() / self.coef.size
            self.boxes.append(_signs(problem, share))
        self.system = (SampleSystem if wide else WeightSystem)(problem, self.entries)

    @property
    def products(self):
        """What the products of multipliers and slacks sum up to."""
        return sum(box.products() for box in self.boxes)

    def step(self):
        """A step ahead to mu = 0, which tells how far mu may fall, then the true one."""
        self._linearise()
        self.system.factorise(self.boxes[0].c, self.bend)
        targets = [(0.0, 0.0)] * len(self.boxes)
        _, moves = self._solve(targets)
        step = min(1.0, self._longest(moves))
        pairs = list(zip(self.boxes, moves, strict=True))
        ahead = sum(box.products(step, move) for box, move in pairs)
        present = self.products
        mu = (ahead / present) ** 3 * present / sum(box.total for box in self.boxes)
        targets = [box.targets(mu, move) for box, move in pairs]
        (coef, intercept, scores), moves = self._solve(targets)
        step = min(1.0, TO_BOUNDARY * self._longest(moves))
        for box, move in zip(self.boxes, moves, strict=True):
            box.advance(step, move)
        self.coef = self.coef + step * coef
        self.intercept = self.intercept + step * intercept
        self.scores = self.scores + step * scores
        return step

    def iterate(self):
        """The present point for a certificate, with zeros where weights go to zero."""
        problem = self.problem
        weights = np.where(problem.weights > 0, problem.weights, 1.0)
        dual = self.entries.spread(self.boxes[0].x) / weights[:, None]
        found = problem.certified(self.coef, self.intercept, self.scores.copy(), dual)
        coef = self._sparse_coef()
        sparse = replace(found, coef=coef, scores=problem.scores(coef, self.intercept))
        ceiling = (1 + 1e-14) * problem.objective(found) + self.products
        return sparse if problem.objective(sparse) <= ceiling else found

    def _sparse_coef(self):
        """Weights that are small beside the slack of their bound, both on their scales, go."""
        if len(self.boxes) == 1:
            return self.coef
        size, l1 = np.abs(self.coef), self.problem.penalty.l1
        slack = l1 - np.abs(self.boxes[1].x).reshape(size.shape)
        return np.where(size * l1 < slack * size.max(), 0.0, self.coef)

    def _linearise(self):
        problem, x = self.problem, self.entries.spread(self.boxes[0].x)
        self.boxes[0].linearise(1.0 + self.entries.difference(self.scores))
        self.slope = problem.penalty.l2 * self.coef + problem.data.correlate(x)
        self.imbalance = x.sum(axis=0) * problem.fit_intercept
        self.bend = np.full(problem.shape, problem.penalty.l2)
        if len(self.boxes) > 1:
            self.boxes[1].linearise(self.coef.ravel())
            self.slope += self.boxes[1].x.reshape(problem.shape)
            self.bend += self.boxes[1].c.reshape(problem.shape)

    def _solve(self, targets):
        """The moves of weights, intercept and scores, and those of the boxes."""
        slope = -self.slope
        if len(self.boxes) > 1:
            box = self.boxes[1]
            slope -= (box.c * box.rho(targets[1])).reshape(slope.shape)
        coef, intercept = self.system.solve(slope, -self.imbalance, self.boxes[0].rho(targets[0]))
        scores = self.problem.scores(coef, intercept)
        changes = self.entries.difference(scores), coef.ravel()
        states = zip(self.boxes, changes, targets, strict=False)
        return (coef, intercept, scores), [box.move(df, target) for box, df, target in states]

    def _longest(self, moves):
        return min(box.longest(move) for box, move in zip(self.boxes, moves, strict=True))


def _violations(weights, smoothing, largest):
    """x inside its box and multipliers for m = 1, products in proportion to their shares.

    The shares are the weights, so that a sample of weight two is the same as two samples; but
    samples of next to no weight would hold all others up.
    """
    share = np.maximum(weights, weights.max(initial=0.0) / WIDEST_WEIGHTS)
    ratio, zero = share / weights, np.zeros_like(weights)
    bend = smoothing / weights
    if np.isfinite(largest):
        low, x = 0.5 * ratio, 0.5 * largest * weights
        return Box(zero, largest * weights, x, low, low + 1.0, bend, share)
    low = 0.5 * (np.sqrt(1.0 + 3.0 * ratio) - 1.0)
    x = weights * (1.0 + low) / smoothing
    return Box(zero, np.full_like(weights, largest), x, low, zero, bend, share)


def _signs(problem, share):
    """a = 0, which belongs to W = 0."""
    l1 = np.full(problem.shape[0] * problem.n_classes, problem.penalty.l1)
    product = share / (4.0 * l1)
    return Box(-l1, l1, np.zeros_like(l1), product, product, 0.0, share)


class WeightSystem:
    """The equations of a step in the weights and the intercept, ordered by classes.

        (D + S^T c S) (dW, db) = (r, r_b) - S^T c rho

    where a row of S maps (W, b) to z_k - z_y of one pair.

    Parameters
    ----------
    problem : Problem
    entries : Entries
    """

    def __init__(self, problem, entries):
        self.problem, self.entries = problem, entries
        d, size = problem.shape[0], problem.shape[0] + problem.fit_intercept
        self.rows = [np.flatnonzero(problem.labels == y) for y in range(problem.n_classes)]
        columns = [
            problem.data.columns(rows, np.arange(d), np.dtype(np.float64)) for rows in self.rows
        ]
        self.features = [np.ascontiguousarray(part[:, :size]) for part in columns]

    def factorise(self, c, bend):
        """Prepare for curvatures c (m,) of the pairs and the diagonal D (d, C)."""
        self.c, (d, n_classes) = c, bend.shape
        self.problem.data.passes.add(2 * self.problem.data.share)
        blocks = self._blocks(self.entries.factor(c))
        blocks[np.arange(n_classes), np.arange(n_classes), :d, :d] += bend.T[:, :, None] * np.eye(d)
        size = n_classes * blocks.shape[-1]
        matrix = blocks.transpose(0, 2, 1, 3).reshape(size, size)
        self.scale = 1.0 / np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
        matrix *= self.scale
        matrix *= self.scale[:, None]
        self.matrix, self.factor = matrix, _cholesky(matrix)

    def _blocks(self, factor):
        """S^T c S, shape (C, C, d, d): T_yk = sum over samples of class y of c_k x x^T enters
        (k, k) and (y, y) and, negated, (k, y) and (y, k).
        """
        n_classes, size = factor.shape[1], self.features[0].shape[1]
        out = np.zeros((n_classes, n_classes, size, size))
        work = factor.size * size * size
        parts = list(zip(self.rows, self.features, strict=True))
        found = run(lambda part: _moments(part[1], factor[part[0]]), parts, work)
        for y, moments in enumerate(found):
            out[y, y] += moments.sum(axis=0)
            out[np.arange(n_classes), np.arange(n_classes)] += moments
            out[y] -= moments
            out[:, y] -= moments
        return out

    def solve(self, slope, imbalance, rho):
        """dW and db."""
        entries, data = self.entries, self.problem.data
        spread = entries.spread(self.c * rho)
        rhs = slope - data.correlate(spread)
        if self.problem.fit_intercept:
            rhs = np.vstack([rhs, imbalance - spread.sum(axis=0)])
        right = self.scale * rhs.T.ravel()
        found = dpotrs(self.factor, right, lower=True)[0]
        found += dpotrs(self.factor, right - self.matrix @ found, lower=True)[0]
        found = np.ascontiguousarray((self.scale * found).reshape(rhs.T.shape).T)
        coef = found[: len(slope)]
        return coef, found[-1] if self.problem.fit_intercept else 0.0 * imbalance


def _moments(features, factor):
    """sum_i c_ik x_i x_i^T for each class k, shape (C, d, d)."""
    size, n_classes = features.shape[1], factor.shape[1]
    weighted = (factor[:, :, None] * features[:, None, :]).reshape(len(features), -1)
    return (weighted.T @ features).reshape(n_classes, size, size)


class SampleSystem:
    """The same equations in the move v = c (S (dW, db) + rho), for few samples.

        (1/c + S D^-1 S^T) v = S D^-1 r + S_b db + rho,     S_b^T v = r_b

    Parameters
    ----------
    problem, entries
        See `WeightSystem`.
    """

    def __init__(self, problem, entries):
        self.problem, self.entries = problem, entries
        pairs = np.arange(len(entries.sample))
        self.signs = np.zeros((len(pairs), problem.n_classes))
        self.signs[pairs, entries.klass], self.signs[pairs, entries.true] = 1.0, -1.0
        features = np.arange(problem.shape[0])
        self.features = problem.data.columns(slice(None), features, np.dtype(np.float64))[:, :-1]

    def factorise(self, c, bend):
        """Prepare for curvatures c (m,) of the pairs and the diagonal D (d, C)."""
        self.bend, self.root = bend, np.sqrt(c)
        self.problem.data.passes.add(2 * self.problem.data.share)
        matrix = self._products()
        matrix *= self.root
        matrix *= self.root[:, None]
        matrix[np.diag_indices_from(matrix)] += 1.0
        self.factor = _cholesky(matrix)

    def _products(self):
        """S D^-1 S^T; one Gram matrix for each class."""
        sample = self.entries.sample
        out = np.zeros((len(sample), len(sample)))
        for k, sign in enumerate(self.signs.T):
            part = self.features / np.sqrt(self.bend[:, k])
            gram = part @ part.T
            touched = np.flatnonzero(sign)
            rows, sign = sample[touched], sign[touched]
            out[np.ix_(touched, touched)] += gram[np.ix_(rows, rows)] * (sign * sign[:, None])
        return out

    def solve(self, slope, imbalance, rho):
        """dW and db."""
        first = self.entries.difference(self.problem.data.scores(slope / self.bend)) + rho
        move, intercept = self._inverse(first), np.zeros_like(imbalance)
        if self.problem.fit_intercept:
            columns = self._inverse(self.signs)
            intercept = _on_sum_zero(self.signs.T @ columns, imbalance - self.signs.T @ move)
            move = move + columns @ intercept
        return (
            slope - self.problem.data.correlate(self.entries.spread(move))
        ) / self.bend, intercept

    def _inverse(self, rhs):
        root = self.root if rhs.ndim == 1 else self.root[:, None]
        return root * dpotrs(self.factor, root * rhs, lower=True)[0]


def _on_sum_zero(matrix, rhs):
    """Solve a positive semi-definite system whose null space is the vector of ones."""
    level = np.trace(matrix) / len(rhs)
    solution = np.linalg.solve(matrix + level / len(rhs) + 1e-15 * level * np.eye(len(rhs)), rhs)
    return solution - solution.mean()


def _cholesky(matrix):
    """The lower factor of a matrix with a diagonal of about one, and a ridge where it needs one."""
    for ridge in RIDGES:
        factor = matrix.copy()
        factor[np.diag_indices_from(factor)] += ridge
        lower, info = dpotrf(factor.T, lower=True, clean=False, overwrite_a=True)
        if info == 0:
            return lower
    raise np.linalg.LinAlgError("no ridge makes the matrix positive definite")


def interior_point(problem):
    """Yield the iterates of the method, which begins at W = 0."""
    method, short = InteriorPoint(problem), 0
    for _ in range(MAX_STEPS):
        try:
            short = short + 1 if method.step() < SHORT else 0
        except np.linalg.LinAlgError:
            return
        yield method.iterate()
        if short == MAX_SHORT or method.products <= SMALLEST * problem.value_at_zero:
            return
