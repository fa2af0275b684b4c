"""The second derivative X^T M X of the loss in some variables, kept and corrected over steps.

Arrays are stacked: shape (f + 1, C), a row for each feature that has a free variable; the last
row belongs to the intercept.
"""

import numpy as np

from .._sampling import LEAST_SIZE, draw_by_size
from ._blas import add_to
from ._coordinates import coordinates

SINGLE_LIMIT = 1e8  # of the mean square of features in single precision
FAR = 300.0  # centre of a feature, by its spread
LEAST_CURVATURE = 1e-3
MAX_COPIED = 8  # features by classes
MISSING, MISSING_L1 = 0.01, 0.05  # of the mean curvature


class Hessian:
    """X^T M X at the scores of one iterate, in the free variables.

    Parameters
    ----------
    problem : Problem
        With a smooth loss.
    curvature : Curvature
        M, of all samples.
    free : ndarray of bool, shape (d + 1, C)
        The variables that may move.
    max_rows : int
        About so many samples at the most enter, drawn in proportion to their share in it.
    precise : bool
        Whether products and the explicit matrix are in double precision where X is.

    Attributes
    ----------
    features : ndarray or slice
        Those with a free variable.
    coordinates : Free or Opposite
        In which the explicit matrix is.
    class_mean : ndarray of shape (C, C)
        sum_i p_i M_i of the samples in it.
    age : int
        How many corrections it had.
    """

    def __init__(self, problem, curvature, free, max_rows, precise=True):
        self.loss = problem.loss
        self.all_free = free
        self.kept = np.append(free[:-1].any(axis=1), True)
        self.features = slice(None) if self.kept.all() else np.flatnonzero(self.kept[:-1])
        self.free = free[self.kept]
        self.coordinates = coordinates(self.free)
        single = bears_single(problem)
        self.precise = precise or not single
        self._restrict(problem, curvature, max_rows)
        self.dtype = self.data.dtype if single else np.dtype(np.float64)
        self.dense_dtype = np.dtype(np.float64 if self.precise else np.float32)
        self.narrow = self.curvature.astype(self.dtype)
        self.ones = np.ones(len(self.curvature.labels), dtype=self.dtype)
        self.class_mean = self.curvature.mean()
        self.class_curvature = self.class_mean.diagonal()
        self.mean_curvature = float(self.class_curvature.mean())
        self.corrections, self.age = [], 0
        self._dense, self._n_added = None, 0

    def _restrict(self, problem, curvature, max_rows):
        """Keep the samples that curve and the features that may move, where that is few."""
        rows, factor = curvature.active_rows(), 1.0
        self.sampled = max_rows < len(rows)
        if self.sampled:
            # Few samples make up the curvature along directions that most resist little.
            sizes = curvature.trace()[rows] * (LEAST_SIZE + problem.row_sizes[rows])
            chosen, factor = draw_by_size(sizes, max_rows)
            rows = rows[chosen]
        few = len(rows) <= 0.5 * len(problem.labels) or self.sampled
        features = self.features
        rows = rows if few else slice(None)
        whole = not few and isinstance(features, slice)
        self.data = problem.data if whole else problem.data.take(rows, features)
        # A copy in single precision halves the time of products; it must not be large.
        if not self.precise and (few or self.data.shape[1] <= MAX_COPIED * problem.n_classes):
            self.data = self.data.astype(np.float32)
        self.curvature = curvature.take(rows, factor) if few else curvature

    @property
    def is_exact(self):
        """Whether it is that of all samples at the iterate, in double precision."""
        return self.precise and self.is_fresh and not self.sampled

    @property
    def is_fresh(self):
        """Whether it is that at the iterate, of some samples at least."""
        return self.age == 0 and self.curvature.caution == 0

    def covers(self, free):
        """Whether these variables, shape (d + 1, C), are among its own."""
        return not (free & ~self.all_free).any()

    def product(self, vector):
        """H @ vector, in the precision of X."""
        scores = self.narrow.product(self.scores(vector))
        out = np.empty_like(vector)
        out[:-1] = self.data.correlate(scores)
        out[-1] = self.ones @ scores
        for sign, part in self.corrections:
            add_to(out, sign * np.vdot(part, vector), part)
        return out

    def bend(self, vector):
        """<vector, H vector>."""
        return float(np.vdot(vector, self.product(vector)))

    def scores(self, vector):
        """Scores of a stacked array, in the precision of X."""
        scores = self.data.scores(np.ascontiguousarray(vector[:-1], dtype=self.dtype))
        scores += vector[-1].astype(self.dtype)
        return scores

    def diagonal(self):
        """The diagonal of H before corrections, stacked."""
        weighted = self.curvature.diagonal()
        return np.vstack([self.data.correlate_squares(weighted), weighted.sum(axis=0)])

    def dense(self):
        """H in the coordinates of the free variables."""
        if self._dense is None:
            self._dense = self._gram()
            self._dense *= self.coordinates.multiple
        for sign, part in self.corrections[self._n_added :]:
            vector = self.coordinates.slope(part)
            self._dense += np.outer(sign * vector, vector)
        self._n_added = len(self.corrections)
        return self._dense

    def _gram(self):
        feature, klass = self.coordinates.feature, self.coordinates.klass
        self.data.passes.add(2 * self.data.share)
        if self.data.sparse:
            found = self.data.hessian(self.curvature, feature, klass)
            if found is not None:
                return found
        features, sizes = np.arange(len(self.free) - 1), (*self.free.shape[::-1], len(feature))
        self.data.passes.operations += len(self.ones) * self.curvature.gram_cost(*sizes)
        # Blocks so small that the columns formed of them stay in the cache.
        entries = self.curvature.gram_entries(*sizes) + len(self.free)
        slices = self.data.blocks(4 * entries)

        def columns(rows):
            return self.data.columns(rows, features, self.dense_dtype)

        return self.curvature.gram(slices, columns, feature, klass).astype(float, copy=False)

    def missing(self, has_l1):
        """What a sample may miss of the curvature of a feature with a mean square of one."""
        return self.sampled * (MISSING_L1 if has_l1 else MISSING) * self.mean_curvature

    def learn(self, problem, before, after):
        """Be corrected by a step from one iterate to another."""
        coef = after.coef[self.features] - before.coef[self.features]
        move = np.vstack([coef, after.intercept - before.intercept])
        # The losses do not see a shift of all classes.
        move -= move.mean(axis=1, keepdims=True)
        self.correct(move, (problem.gradient(after) - problem.gradient(before))[self.kept])

    def correct(self, move, change):
        """Learn from a stacked move by which the gradient changed so much (BFGS).

        H <- H - (H s)(H s)^T / s^T H s + y y^T / y^T s, which maps s to y.  Nothing is learnt
        where the move left the free variables or the curvature along it is next to none.
        """
        move, change = move * self.free, change * self.free
        image = self._image(move)
        before, after = np.vdot(move, image), np.vdot(move, change)
        self.age += 1
        if not (before > 0 and after > LEAST_CURVATURE * before):
            return
        self.corrections += [(-1.0, image / np.sqrt(before)), (1.0, change / np.sqrt(after))]

    def _image(self, move):
        if self._dense is None:
            return self.product(move) * self.free
        return self.coordinates.lift_slope(self.dense() @ self.coordinates.point(move))


def bears_single(problem):
    """Whether products in single precision have digits enough.

    Those of large features overflow or lose all, and those of centred data lose what their centre
    is larger than their spread.
    """
    if problem.mean_square >= SINGLE_LIMIT:
        return False
    centre = 0.0 if problem.data.sparse else problem.data.centre
    squares = problem.mean_squares
    return bool((np.square(centre) <= FAR**2 * squares)[squares > 0].all())
