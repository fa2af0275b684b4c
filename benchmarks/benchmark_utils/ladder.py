"""Solvers that are fitted anew at each rung of a ladder of tolerances."""

import os
import warnings

import numpy as np
import scipy.sparse as sp
from benchopt import BaseSolver
from benchopt.stopping_criterion import StoppingCriterion


def n_threads():
    """The threads that the runner grants."""
    return int(os.environ.get("OMP_NUM_THREADS", 1))


def is_proved(row):
    """Whether a row of results is certified well below the finest level."""
    gap = row["objective_value"] - row["objective_lower_bound"]
    return gap <= 1e-7 * row["objective_value_at_zero"]


class LastRung(StoppingCriterion):
    """Stops once the solver's last tolerance has been tried, or where no better one is needed."""

    def check_convergence(self, objective_list):
        row = objective_list[-1]
        return row["stop_val"] <= self.solver.last or is_proved(row), 0


class Ladder(BaseSolver):
    """A solver of the objective; subclasses say what they can solve and how they are fitted.

    Class attributes
    ----------------
    losses : set of str
    l1_ratios : callable
        Whether an l1_ratio is possible.
    sparse, multiclass : bool
        Whether CSR data, and more than two classes, are possible.
    comparable : bool
        Whether it minimises the objective; the others are shown for context only.
    first, last, factor : float
        The ladder of tolerances.
    """

    sampling_strategy = "tolerance"
    stopping_criterion = LastRung()
    losses = {"softmax"}
    sparse = multiclass = comparable = True
    first, last, factor = 1.0, 1e-10, 10**0.5

    @staticmethod
    def l1_ratios(l1_ratio):
        return True

    def skip(self, X, y, loss, alpha, l1_ratio):
        obstacles = {
            f"has no {loss} loss": loss not in self.losses,
            f"cannot take l1_ratio = {l1_ratio:g}": not self.l1_ratios(l1_ratio),
            "takes no sparse X": sp.issparse(X) and not self.sparse,
            "is for two classes": y.max() > 1 and not self.multiclass,
        }
        reason = next((text for text, is_met in obstacles.items() if is_met), None)
        return reason is not None, reason

    def set_objective(self, X, y, loss, alpha, l1_ratio):
        self.X, self.y, self.loss, self.alpha, self.l1_ratio = X, y, loss, alpha, l1_ratio
        self.n_classes = int(y.max()) + 1

    def get_next(self, tol):
        return min(self.first, tol / self.factor)

    def rungs(self):
        """The ladder as a list."""
        count = 1 + round(np.log(self.first / self.last) / np.log(self.factor))
        return np.geomspace(self.first, self.last, count)

    def run(self, tol):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.model = self.fit(tol)

    def fit(self, tol):
        return self.estimator(tol).fit(self.X, self.y)

    def get_result(self):
        return self.weights() | {"comparable": self.comparable}

    def weights(self):
        return {"coef": self.model.coef_, "intercept": self.model.intercept_}


class Context(Ladder):
    """A solver of an objective of its own, fitted once at its usual tolerance."""

    losses = {"softmax", "hinge", "squared_hinge"}
    comparable = False
    first = last = 1e-4
