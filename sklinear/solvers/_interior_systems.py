"""The linear systems of the interior-point method: in the weights or in the pairs."""

import numpy as np

from .._base_data import BLOCK_ENTRIES
from .._cholesky import ScaledCholesky, diagonal_of
from .._gram_forms import StarMoments
from .._pairs import star_products
from .._threads import run

COLUMN = 60  # operations for each entry of the columns that moments are products of
REFINEMENTS = 1
RIDGES = (1e-15, 1e-13, 1e-11, 1e-9, 1e-7)


def sizes(problem):
    """Numbers of pairs of a sample and a wrong class, and of weights."""
    d, n_classes = problem.shape
    pairs = np.count_nonzero(problem.weights) * (n_classes - 1)
    return pairs, (d + problem.fit_intercept) * n_classes


def system_cost(problem):
    """Operations of a step's system: products of features, and a factor."""
    (n, d), (pairs, weights) = problem.data.shape, sizes(problem)
    if pairs < d * problem.n_classes:
        matrices, width = 1 if problem.n_classes == 2 else problem.n_classes, n
    else:
        matrices, width = problem.n_classes, d
    return matrices * n * d * (width + COLUMN) + min(pairs, weights) ** 3 / 3


def count_system(problem):
    """Note that one was formed: two products with X, and its operations."""
    passes = problem.data.passes
    passes.add(2 * problem.data.share)
    passes.operations += system_cost(problem)


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
        klass, feature = np.indices((problem.n_classes, size), dtype=np.int32).reshape(2, -1)
        self.variables = feature, klass

    def factorise(self, c, bend):
        """Prepare for curvatures c (m,) of the pairs and the diagonal D (d, C)."""
        self.c, (d, n_classes) = c, bend.shape
        count_system(self.problem)
        self.matrix = self._sum(self.entries.factor(c))
        diagonal_of(self.matrix).reshape(n_classes, -1)[:, :d] += bend.T
        self.factor = _factor(self.matrix)

    def _sum(self, factor):
        """S^T c S, from the samples of each class."""
        moments = StarMoments(*self.variables, len(self.rows))
        work = factor.size * self.features[0].shape[1] ** 2

        def add(y):
            moments.add_of_class(self.features[y], factor[self.rows[y]], y)

        run(add, range(len(self.rows)), work)
        return moments.matrix()

    def solve(self, slope, imbalance, rho):
        """dW and db."""
        entries, data = self.entries, self.problem.data
        spread = entries.spread(self.c * rho)
        rhs = slope - data.correlate(spread)
        if self.problem.fit_intercept:
            rhs = np.vstack([rhs, imbalance - spread.sum(axis=0)])
        right = rhs.T.ravel()
        found = self.factor.solve(right)
        found += self.factor.solve(right - self.matrix @ found)
        found = np.ascontiguousarray(found.reshape(rhs.T.shape).T)
        coef = found[: len(slope)]
        return coef, found[-1] if self.problem.fit_intercept else 0.0 * imbalance


class SampleSystem:
    """The same equations in the move R t = c (S (dW, db) + rho), for few samples; R^2 = c.

        (I + R S D^-1 S^T R) t = R (S D^-1 r + S_b db + rho),     S_b^T R t = r_b

    Parameters
    ----------
    problem, entries
        See `WeightSystem`.
    """

    def __init__(self, problem, entries):
        self.problem, self.entries = problem, entries
        pairs = entries.sample, entries.klass, entries.true
        self.pairs = [part.astype(np.intc) for part in pairs]

    def factorise(self, c, bend):
        """Prepare for curvatures c (m,) of the pairs and the diagonal D (d, C)."""
        self.bend, self.root = bend, np.sqrt(c)
        count_system(self.problem)
        matrix = np.zeros((len(c), len(c)))
        star_products(self._grams(1.0 / bend), *self.pairs, self.root, matrix)
        self.factor = _factor(matrix, keep=False)
        pairs, entries = np.arange(len(c)), self.entries
        self.signs = np.zeros((len(c), self.problem.n_classes))
        self.signs[pairs, entries.klass], self.signs[pairs, entries.true] = self.root, -self.root
        self.columns = self.factor.solve(self.signs)

    def _grams(self, inverses):
        """X D_k^-1 X^T for each class k; of two classes half of the sum, which is all it takes."""
        data, (n, d) = self.problem.data, self.problem.data.shape
        if self.problem.n_classes == 2:
            inverses = 0.5 * inverses.sum(axis=1, keepdims=True)
        roots = np.sqrt(inverses)
        out = np.zeros((roots.shape[1], n, n))
        step = max(n, BLOCK_ENTRIES // n)
        for start in range(0, d, step):
            block = np.arange(start, min(start + step, d))
            features = data.columns(slice(None), block)[:, :-1]
            for gram, root in zip(out, roots.T, strict=True):
                part = features * root[block]
                gram += part @ part.T
        return out

    def solve(self, slope, imbalance, rho):
        """dW and db."""
        entries, data = self.entries, self.problem.data
        right = self.root * (entries.difference(data.scores(slope / self.bend)) + rho)
        move, intercept = self._approximate(right, imbalance)
        for _ in range(REFINEMENTS):
            left = right - self._product(move) + self.signs @ intercept
            further, shift = self._approximate(left, imbalance - self.signs.T @ move)
            move, intercept = move + further, intercept + shift
        spread = entries.spread(self.root * move)
        return (slope - data.correlate(spread)) / self.bend, intercept

    def _approximate(self, right, imbalance):
        """t and db, as far as the factor knows."""
        move, intercept = self.factor.solve(right), np.zeros_like(imbalance)
        if self.problem.fit_intercept:
            lack = imbalance - self.signs.T @ move
            intercept = _on_sum_zero(self.signs.T @ self.columns, lack)
            move = move + self.columns @ intercept
        return move, intercept

    def _product(self, move):
        """(I + R S D^-1 S^T R) t."""
        data, entries = self.problem.data, self.entries
        coef = data.correlate(entries.spread(self.root * move)) / self.bend
        return move + self.root * entries.difference(data.scores(coef))


def _factor(matrix, keep=True):
    """Its factor; there is always a ridge, unless something is not finite."""
    factor = ScaledCholesky(matrix, RIDGES, keep)
    if not factor.positive:
        raise np.linalg.LinAlgError("no ridge makes the matrix positive definite")
    return factor


def _on_sum_zero(matrix, rhs):
    """Solve a positive semi-definite system whose null space is the vector of ones."""
    level = np.trace(matrix) / len(rhs)
    solution = np.linalg.solve(matrix + level / len(rhs) + 1e-15 * level * np.eye(len(rhs)), rhs)
    return solution - solution.mean()
