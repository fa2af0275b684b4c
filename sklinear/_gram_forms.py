"""Ways to sum an explicit Hessian, sum_i p_i M_i kron x_i x_i^T, from blocks of rows.

By pairs of classes where most variables of some features are chosen, or else by columns, one for
each variable.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np

from . import _dense
from ._gram import VECTOR, WeightedMoments, square, symmetric

MIN_ENTRIES = 2**22
COLUMN = 150  # operations for each entry of the columns that blocks are products of
MARGIN, WEIGHT = 4, 10  # the same for a feature and for a weight of moments
SORTED, WEIGHED = 80, 220  # the same for a feature and a class of samples in the order of classes
MAX_SUMS = 2**23  # for all pairs of classes
FAVOUR = 1.2  # cost of moments by that of columns
FEW_FEATURES, MANY_FEATURES = 64, 100


def form_of_softmax(n_classes, width, size):
    """By moments, unless these are few of the variables of so many features, or sums too large."""
    sizes = n_classes, width, size
    few = n_classes * (n_classes - 1) / 2 * width**2 <= MAX_SUMS
    cheap = SoftmaxMoments.cost(*sizes) <= FAVOUR * SoftmaxColumns.cost(*sizes)
    usable = VECTOR or width > FEW_FEATURES
    return SoftmaxMoments if few and cheap and usable else SoftmaxColumns


def form_of_star(n_classes, width, size):
    """The same, where columns skip the samples that do not curve for a class."""
    n_products = n_classes * (n_classes - 1) / 2 * width**2
    most = width <= FEW_FEATURES or n_products * width <= MANY_FEATURES * size**2
    return StarMoments if most and n_products <= MAX_SUMS else StarColumns


def cost_of_moment(width):
    """About the operations that add a sample to a second moment of so many features."""
    return width**2 / 2 + MARGIN * width + WEIGHT


class PairMoments:
    """sum_i sum_{k<l} c_ikl (e_k - e_l)(e_k - e_l)^T kron x_i x_i^T, for variables (j, k).

    Curvatures of all losses are such sums, in which the blocks of two classes tell the others.
    """

    def __init__(self, feature, klass, n_classes):
        self.variables = [each.astype(np.int32, copy=False) for each in (feature, klass)]
        self.n_classes = n_classes

    @staticmethod
    def entries(width, size):
        """How many numbers are formed of a sample."""
        return width

    def matrix(self):
        """The sum for the variables."""
        ends, place = pairs_of(self.n_classes)
        of_pairs = self._of_pairs()
        n_pairs, *shape = of_pairs.shape
        blocks = np.zeros((n_pairs + self.n_classes, *shape), of_pairs.dtype)
        _dense.add_pairs(of_pairs, *ends, blocks)
        out = np.empty((len(self.variables[0]),) * 2, blocks.dtype)
        _dense.gather(blocks, place, *self.variables, out)
        return out

    def _of_pairs(self):
        """Sums of c_kl x x^T, shape (C (C - 1) / 2, f, f)."""
        raise NotImplementedError


@lru_cache(maxsize=8)
def pairs_of(n_classes):
    """All pairs of classes k < l, as two rows.

    And the places of their blocks, shape (C, C), with those of single classes behind them.
    """
    first, second = ends = np.array(np.triu_indices(n_classes, 1), dtype=np.int32)
    place = np.diag(len(first) + np.arange(n_classes, dtype=np.int32))
    place[first, second] = place[second, first] = np.arange(len(first))
    return ends, place


class SoftmaxMoments(PairMoments):
    """With c_kl = p q_k q_l."""

    def __init__(self, feature, klass, n_classes):
        super().__init__(feature, klass, n_classes)
        self.sums = WeightedMoments(*pairs_of(n_classes)[0])

    def add(self, features, root, share):
        """More samples, with the square root of p, shape (n, 1), and their q."""
        self.sums.add(features, root * share)

    @staticmethod
    def cost(n_classes, width, size):
        """About the operations for a sample, with so many features in so many variables."""
        return n_classes * (n_classes - 1) / 2 * cost_of_moment(width)

    def _of_pairs(self):
        return self.sums.matrices()


class StarMoments(PairMoments):
    """With c_yk = c_k for a sample of class y and no others."""

    def __init__(self, feature, klass, n_classes):
        super().__init__(feature, klass, n_classes)
        self.sums = [WeightedMoments(*pairs) for pairs in stars_of(n_classes)[0]]

    def add(self, features, entries, labels):
        """More samples, with their c_k, shape (n, C), and their classes."""
        order = np.argsort(labels, kind="stable")
        features, entries = features[order], entries[order]
        ends = np.cumsum(np.bincount(labels, minlength=self.n_classes))
        for y, (start, stop) in enumerate(pairwise([0, *ends.tolist()])):
            self.add_of_class(features[start:stop], entries[start:stop], y)

    def add_of_class(self, features, entries, y):
        """More samples of class y."""
        shares = np.ones((len(entries), self.n_classes + 1), features.dtype)
        shares[:, :-1] = entries
        self.sums[y].add(features, shares)

    @staticmethod
    def cost(n_classes, width, size):
        """About the operations for a sample, with so many features in so many variables."""
        return (n_classes - 1) * cost_of_moment(width) + SORTED * width + WEIGHED * n_classes

    def _of_pairs(self):
        _, first, second = stars_of(self.n_classes)
        own, *others = self.sums
        return own.joined(others, first, second).matrices()


@lru_cache(maxsize=8)
def stars_of(n_classes):
    """For each class the pairs of columns that its samples weigh: c_k of the others, and one.

    And where the two ends of a pair of classes stand among the pairs of all.
    """
    classes = np.arange(n_classes, dtype=np.int32)
    ones = np.full(n_classes - 1, n_classes, dtype=np.int32)
    pairs = [(classes[classes != y], ones) for y in range(n_classes)]
    (first, second), _ = pairs_of(n_classes)
    return pairs, first * (n_classes - 1) + second - 1, second * (n_classes - 1) + first


class StarColumns:
    """The sum of StarMoments from the variables and samples that each pair of classes takes.

    Samples are gathered until they make products worth their while, variables ordered by class.
    """

    def __init__(self, feature, klass, n_classes):
        order = np.argsort(klass, kind="stable")
        self.back = np.argsort(order)
        ends = np.searchsorted(klass[order], np.arange(n_classes + 1))
        self.places = [slice(*pair) for pair in pairwise(ends)]
        self.features = [feature[order[place]] for place in self.places]
        self.total = np.zeros((len(feature), len(feature)))
        self.waiting, self.n_entries = [], 0

    def add(self, features, entries, labels):
        """More samples, with their c_ik, shape (n, C), and their classes."""
        self.waiting.append((features, entries, labels))
        self.n_entries += features.size
        if self.n_entries >= MIN_ENTRIES:
            self._sum()

    def matrix(self):
        """The sum for the variables."""
        self._sum()
        return self.total[np.ix_(self.back, self.back)]

    @staticmethod
    def cost(n_classes, width, size):
        """About the operations for a sample: the columns of its own class meet all."""
        return size * (size / n_classes + COLUMN)

    @staticmethod
    def entries(width, size):
        """How many numbers are formed of a sample."""
        return size

    def _sum(self):
        if not self.waiting:
            return
        features, entries, labels = map(np.concatenate, zip(*self.waiting, strict=True))
        self.waiting, self.n_entries = [], 0
        for y, place in enumerate(self.places):
            rows = np.flatnonzero(labels == y)
            own, shares = features[rows], entries[rows]
            self._add_star(y, own, shares.astype(features.dtype))
            rows = np.flatnonzero(entries[:, y])
            part = features[np.ix_(rows, self.features[y])]
            shares = entries[rows, y, None].astype(features.dtype)
            self.total[place, place] += part.T @ (shares * part)

    def _add_star(self, y, features, entries):
        """What samples of class y add to its own block, and to those with other classes."""
        place, own = self.places[y], features[:, self.features[y]]
        self.total[place, place] += own.T @ (entries.sum(axis=1, keepdims=True) * own)
        for k, other in enumerate(self.places):
            rows = np.flatnonzero(entries[:, k])
            if len(rows) == 0 or other.start == other.stop:
                continue
            left = own[rows] * entries[rows, k, None]
            block = left.T @ features[np.ix_(rows, self.features[k])]
            self.total[place, other] -= block
            self.total[other, place] -= block.T


class SoftmaxColumns:
    """Minus a product of the columns q_k x_j with itself, for variables (j, k).

    The blocks of single classes, where that would cancel with sum p q_k x x', have their own.
    """

    def __init__(self, feature, klass, n_classes):
        self.own, self.columns = OwnBlocks(feature, klass), MixedColumns(feature, klass)
        self.total = None

    def add(self, features, root, share):
        """More samples, with the square root of p, shape (n, 1), and their q."""
        shares = root * share
        self.total = square(self.columns(features, shares), self.total, -1.0)
        self.own.add(features, shares * (root - shares))

    def matrix(self):
        """The sum for the variables."""
        hessian = symmetric(self.total)
        self.own.write(hessian)
        return hessian

    @staticmethod
    def cost(n_classes, width, size):
        """About the operations for a sample."""
        return size * (size / 2 + COLUMN)

    @staticmethod
    def entries(width, size):
        """How many numbers are formed of a sample."""
        return size


class OwnBlocks:
    """sum_i p_i q_ik (1 - q_ik) x_ij x_ij' for the variables (j, k), (j', k) of each class."""

    def __init__(self, feature, klass):
        order = np.argsort(klass, kind="stable")
        self.columns, kinds = MixedColumns(feature[order], klass[order]), np.unique(klass)
        edges = np.append(np.searchsorted(klass[order], kinds), len(klass))
        self.places = [slice(*pair) for pair in pairwise(edges)]
        self.members = [order[place] for place in self.places]
        self.totals = [0.0] * len(self.members)

    def add(self, features, shares):
        """More samples, with p_i q_ik (1 - q_ik)."""
        columns = self.columns(features, np.sqrt(np.maximum(shares, 0)))
        for number, place in enumerate(self.places):
            part = columns[:, place]
            self.totals[number] += part.T @ part

    def write(self, hessian):
        """Write the blocks into a matrix of all variables."""
        for chosen, total in zip(self.members, self.totals, strict=True):
            hessian[np.ix_(chosen, chosen)] = total


class MixedColumns:
    """Columns x_j q_k of the variables (j, k)."""

    def __init__(self, feature, klass):
        self.feature, self.klass = feature.astype(np.int32), klass.astype(np.int32)

    def __call__(self, features, shares):
        """Those of samples with features x and shares q, shape (n, m)."""
        out = np.empty((len(features), len(self.feature)), features.dtype)
        _dense.mixed_columns(features, shares, self.feature, self.klass, out)
        return out
