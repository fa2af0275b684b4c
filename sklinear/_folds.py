"""One fold of a cross-validation: its problem, its path, its scores.

A fold is the whole X with other weights: a row left out weighs nothing, a row that occurs twice
weighs double.  So no fold copies X, and the scores of the rows left out come with each solution.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone

from ._base import stored_weights
from ._data import wrap
from ._messages import plain
from ._path import solve_path
from ._problem import Problem
from ._threads import serial_blas


@dataclass(frozen=True)
class Samples:
    """The training data: labels as they were given, the classes (C,), and the problem of all."""

    y: np.ndarray
    classes: np.ndarray
    problem: Problem

    @property
    def X(self):
        """The one matrix of all folds."""
        return self.problem.data.X


@dataclass(frozen=True)
class Fold:
    """Rows to fit and rows to score, as indices, and the number of the fold for messages."""

    number: int
    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class FoldPath:
    """What a path on a fold leaves: an entry for each alpha.

    Attributes
    ----------
    scores : ndarray of shape (n_alphas,)
    n_iter, n_nonzero : ndarray of shape (n_alphas,), int
        Iterations, at least 1 as scikit-learn's checks ask; features with a non-zero weight.
    converged : ndarray of shape (n_alphas,), bool
    coefs : tuple
        Weights and intercepts (see `FoldModel.compact`), or None for each alpha.
    """

    scores: np.ndarray
    n_iter: np.ndarray
    n_nonzero: np.ndarray
    converged: np.ndarray
    coefs: tuple


def make_folds(splits, samples):
    """The folds of (train, test) pairs of indices or masks, all usable."""
    n = len(samples.y)
    folds = [
        Fold(number, _indices(train, n), _indices(test, n))
        for number, (train, test) in enumerate(splits)
    ]
    if not folds:
        raise ValueError("cv yields no fold. Give a splitter or pairs of indices, at least one.")
    for fold in folds:
        if not len(fold.test):
            raise ValueError(
                f"The held-out part of fold {fold.number} is empty, so there is nothing to "
                "score. Use fewer folds, or pass other splits as cv."
            )
    return folds


def _indices(rows, n):
    """Indices of rows, given so or as a mask."""
    rows = np.asarray(rows)
    if rows.ndim != 1:
        raise ValueError(
            f"cv gives {plain(rows)} as rows of a fold; give a list of indices, or a mask of the "
            "length of X."
        )
    if rows.dtype == bool and len(rows) == n:
        return np.flatnonzero(rows)
    if len(rows) and not (rows.dtype.kind in "iu" and rows.min() >= 0 and rows.max() < n):
        raise ValueError(
            f"cv gives rows that X does not have: {plain(rows)}, where X has {n} rows. Give "
            "indices from 0 on, or a mask of the length of X."
        )
    return rows.astype(np.intp)


def fold_problem(samples, fold):
    """The problem of the rows to fit, on all of X, and the indices of the classes it has."""
    whole, n_classes = samples.problem, len(samples.classes)
    weights = whole.weights * np.bincount(fold.train, minlength=len(whole.weights))
    present = np.flatnonzero(np.bincount(whole.labels, weights, minlength=n_classes))
    if len(present) < 2:
        raise ValueError(
            f"The training part of fold {fold.number} holds {len(present)} of the {n_classes} "
            "classes; a model needs two. Use a stratified splitter, fewer folds, or pass other "
            "splits as cv."
        )
    code = np.zeros(n_classes, dtype=np.int32)  # that of an absent class does not matter
    code[present] = np.arange(len(present))
    problem = replace(
        whole,
        data=wrap(whole.data.X),
        labels=code[whole.labels],
        weights=weights / weights.sum(),
        n_classes=len(present),
    )
    return problem, present


def fold_path(model, samples, fold, alphas, scoring, keep_coefs):
    """Fit and score a fold at falling alphas.

    Parameters
    ----------
    model : estimator
        Names loss, l1_ratio, tol and all else but alpha.
    samples : Samples
    fold : Fold
    alphas : ndarray of shape (n_alphas,)
    scoring : Scoring
    keep_coefs : bool

    Returns
    -------
    FoldPath
    """
    problem, present = fold_problem(samples, fold)
    rows, score = [], scoring.on(fold, samples, model)
    with serial_blas:
        for solution in solve_path(
            problem,
            alphas,
            model.l1_ratio,
            tol=model.tol,
            max_iter=model.max_iter,
            dtype=samples.X.dtype,
        ):
            fitted = FoldModel(samples, fold, present, solution)
            kept = fitted.compact() if keep_coefs else None
            n_iter = max(1, len(solution.history["gap"]) - 1)
            n_used = len(solution.iterate.used)
            rows.append((score(fitted), n_iter, n_used, solution.converged, kept))
    *numbers, coefs = zip(*rows, strict=True)
    return FoldPath(*map(np.array, numbers), coefs)


@dataclass(frozen=True)
class FoldModel:
    """A solution on a fold, in terms of all classes: one that it lacks has scores of -inf."""

    samples: Samples
    fold: Fold
    present: np.ndarray
    solution: object

    def scores(self):
        """Scores of the rows left out, shape (m, C)."""
        test = self.fold.test
        scores = np.full((len(test), len(self.samples.classes)), -np.inf)
        scores[:, self.present] = self.solution.iterate.scores_of(test)
        return scores

    def weights(self, features=slice(None)):
        """Weights (C, m) of features and intercepts (C,); one row for two classes."""
        dtype, n_classes = self.samples.X.dtype, len(self.samples.classes)
        if len(self.present) == n_classes:
            return stored_weights(self.solution, dtype, features)
        iterate = self.solution.iterate
        part = iterate.coef_of(features)
        coef = np.zeros((n_classes, len(part)), dtype)
        intercept = np.full(n_classes, -np.inf, dtype)
        coef[self.present], intercept[self.present] = part.T, iterate.intercept
        return coef, intercept

    def compact(self):
        """Weights and, in the last column, intercepts; in CSR where that is smaller."""
        d, used = self.samples.X.shape[1], self.solution.iterate.used
        rows = np.column_stack(self.weights(used))
        shape = len(rows), d + 1
        if _size_of_csr(rows) < shape[0] * shape[1] * rows.itemsize:
            row, place = np.nonzero(rows)
            ends = np.searchsorted(row, np.arange(len(rows) + 1)).astype(np.int32)
            column = np.append(used, d)[place].astype(np.int32)
            return Csr(rows[row, place], column, ends, shape)
        return rows if len(used) == d else np.column_stack(self.weights())

    def estimator(self, model):
        """A fitted estimator with the parameters of `model`."""
        fitted = clone(model)
        fitted.classes_ = self.samples.classes
        fitted.coef_, fitted.intercept_ = self.weights()
        fitted.n_features_in_ = fitted.coef_.shape[1]
        return fitted


class Csr(NamedTuple):
    """The parts of a CSR array, which SciPy needs a tenth of a millisecond to put together."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    shape: tuple[int, int]

    def together(self):
        """The array."""
        return sp.csr_array(self[:3], self.shape)


def _size_of_csr(rows):
    """Bytes that an array takes in CSR format."""
    n_values = rows.nnz if sp.issparse(rows) else np.count_nonzero(rows)
    return n_values * (rows.dtype.itemsize + 4) + 4 * (rows.shape[0] + 1)


def stack_coefs(coefs, shape):
    """Paths as one array (..., rows, d + 1), or an array of CSR arrays where that is smaller."""
    coefs = [each.together() if isinstance(each, Csr) else each for each in coefs]
    rows, dtype = coefs[0].shape, coefs[0].dtype
    if sum(map(_size_of_csr, coefs)) < len(coefs) * rows[0] * rows[1] * dtype.itemsize:
        stacked = np.empty(len(coefs), dtype=object)
        stacked[:] = [each if sp.issparse(each) else sp.csr_array(each) for each in coefs]
        return stacked.reshape(shape)
    stacked = np.empty((len(coefs), *rows), dtype)
    for place, each in zip(stacked, coefs, strict=True):
        place[...] = each.toarray() if sp.issparse(each) else each
    return stacked.reshape(*shape, *rows)
