"""What both estimators share: validate, encode, weigh, solve, store, predict."""

import warnings
from numbers import Integral, Real

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, _fit_context
from sklearn.callback import CallbackSupportMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model._base import LinearClassifierMixin, SparseCoefMixin
from sklearn.utils._param_validation import Interval, StrOptions

from ._callbacks import FitTasks
from ._data import wrap
from ._dependence import warn_of_near_dependence
from ._driver import Start, solve
from ._messages import plain, way_to_a_smaller_gap
from ._penalty import ElasticNet
from ._problem import Problem
from ._threads import serial_blas
from ._validation import (
    check_alpha,
    check_penalty_factor,
    check_X_y,
    encode_labels,
    sample_probabilities,
    unchanged_features_on_error,
)


class BaseLinearClassifier(
    CallbackSupportMixin, LinearClassifierMixin, SparseCoefMixin, BaseEstimator
):
    """A linear classifier fitted to a certified optimum; a subclass names the loss."""

    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "penalty_factor": ["array-like", None],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "coef_")

    def __getstate__(self):
        state = super().__getstate__()
        state.pop("_warm_dual", None)
        return state

    def _validate_params(self):
        alpha = self.alpha
        if isinstance(alpha, Real) and not (0 < alpha < np.inf):
            raise ValueError(
                f"alpha={plain(alpha)} must be positive and finite: without a penalty there may be "
                "no optimum, and there is no certificate. Use a small alpha instead, for "
                "instance alpha=1e-10."
            )
        super()._validate_params()

    def _loss(self):
        """The loss to minimise."""
        raise NotImplementedError

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model to a certified optimum.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data. float32 and float64 are used as they are, dense in C order or
            CSR with 32- or 64-bit indices; other formats, orders and dtypes are converted once, and
            so are CSR matrices that are half full, to arrays.
        y : array-like of shape (n_samples,)
            Class labels, of at least two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; all ones if None. A weight of k acts as k copies of the
            sample, a weight of 0 as its absence, except that every class in y needs some weight.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X, y, the weights or a parameter can't be used; the message names the value
            and the remedy.
        KeyboardInterrupt
            If interrupted; the estimator then holds the best point so far and its certificate.

        Warns
        -----
        ConvergenceWarning
            If the duality gap is above ``tol * F(0)`` after `max_iter` iterations.
        """
        with unchanged_features_on_error(self):
            problem, classes = self._prepare(X, y, sample_weight)

            def fitted(solution):
                return _fitted_attributes(solution, classes, problem.data.dtype)

            tasks = self._tasks(X, y, sample_weight, fitted)
            with serial_blas:
                solution = solve(
                    problem,
                    self._start(problem, classes),
                    tol=self.tol,
                    max_iter=self.max_iter,
                    dtype=problem.data.dtype,
                    verbose=self.verbose,
                    observer=tasks,
                )
        self._store(fitted(solution), solution, problem)
        self._report(solution, problem)
        if tasks is not None:
            tasks.close()
        return self

    def _prepare(self, X, y, sample_weight):
        """The problem that validated data and parameters pose, and the classes."""
        X, y = check_X_y(self, X, y)
        classes, labels = encode_labels(y)
        weights = sample_probabilities(X, labels, classes, sample_weight, self.class_weight)
        problem = self._problem(wrap(X), labels, weights, len(classes))
        warn_of_near_dependence(problem)
        return problem, classes

    def _tasks(self, X, y, sample_weight, fitted):
        """The tasks of this fit, or None where there are no callbacks."""
        if not hasattr(self, "_skl_callbacks"):
            return None
        # The data as given: a model that knows names of features wants to see them.
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        return FitTasks(self, {"X": X, "y": y, "metadata": metadata}, fitted)

    def _problem(self, data, labels, weights, n_classes):
        check_alpha(self.alpha)
        factor = check_penalty_factor(self.penalty_factor, data.shape[1])
        number, factor = (factor, 1.0) if np.ndim(factor) == 0 else (1.0, factor)
        l1 = number * self.alpha * self.l1_ratio
        # Two classes: the penalty is on v, and W = (-v/2, v/2) has half its square.
        l2 = number * self.alpha * (1 - self.l1_ratio) * (2 if n_classes == 2 else 1)
        return Problem(
            data=data,
            labels=labels,
            weights=weights,
            n_classes=n_classes,
            loss=self._loss(),
            penalty=ElasticNet(float(l1), float(l2), factor, number),
            fit_intercept=self.fit_intercept,
        )

    def _start(self, problem, classes):
        shape = problem.shape
        zero = Start(np.zeros(shape), np.zeros(shape[1]))
        if not (self.warm_start and hasattr(self, "coef_")):
            return zero
        coef, intercept = self.coef_, np.atleast_1d(self.intercept_)
        coef = coef.toarray() if sp.issparse(coef) else coef
        if len(classes) == 2:
            coef, intercept = _two_rows(coef), _two_rows(intercept)
        if coef.T.shape != shape or not np.array_equal(classes, self.classes_):
            return zero
        if not self.fit_intercept:
            intercept = np.zeros(shape[1])
        labels, dual = getattr(self, "_warm_dual", (None, None))
        if not np.array_equal(labels, problem.labels):
            dual = None
        return Start(
            np.ascontiguousarray(coef.T, dtype=np.float64),
            intercept.astype(np.float64),
            None if dual is None else dual.copy(),
        )

    def _store(self, attributes, solution, problem):
        vars(self).update(attributes)
        if self.warm_start:
            self._warm_dual = (problem.labels, solution.iterate.dual)

    def _report(self, solution, problem):
        """Pass an interrupt on, the model being usable; warn of a gap above the target."""
        if solution.interrupted:
            raise KeyboardInterrupt
        if solution.converged or solution.stopped:
            return
        remedy = way_to_a_smaller_gap(self.n_iter_, self.max_iter, self.coef_.dtype)
        warnings.warn(
            f"{type(self).__name__} stopped after {self.n_iter_} iterations with a duality gap "
            f"of {solution.gap:.3g}, above the target tol * F(0) = "
            f"{self.tol * problem.value_at_zero:.3g} (tol={self.tol:g}). To reach it, {remedy}; "
            "or accept this gap by a larger tol, or ask for an easier problem by a larger alpha.",
            ConvergenceWarning,
            stacklevel=4,
        )


def _fitted_attributes(solution, classes, dtype):
    coef, intercept = stored_weights(solution, dtype)
    return {
        "classes_": classes,
        "coef_": coef,
        "intercept_": intercept,
        "objective_": solution.objective,
        "dual_gap_": solution.gap,
        "history_": solution.history,
        "n_iter_": len(solution.history["gap"]) - 1,
    }


def class_vectors(iterate, features=slice(None)):
    """Weights of features and intercept (C,) as users see them; for two classes the one vector."""
    coef, intercept = iterate.coef_of(features).T, iterate.intercept
    if len(intercept) == 2:
        coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
    return coef, intercept


def stored_weights(solution, dtype, features=slice(None)):
    """Weights and intercept for users, in the precision of X and in arrays of their own."""
    coef, intercept = class_vectors(solution.iterate, features)
    return np.array(coef, dtype=dtype, order="C"), intercept.astype(dtype)


def _two_rows(row):
    """(-v/2, v/2) for the one vector v of two classes."""
    return np.concatenate([-row, row]) / 2 if len(row) == 1 else row
