"""Linear multiclass classification with an elastic net and an unpenalised intercept."""

import numpy as np
from benchmark_utils.certificate import lower_bound
from benchmark_utils.referee import LOSSES, penalty, scores, value_at_zero
from benchopt import BaseObjective


class Objective(BaseObjective):
    """F(W, b), and the lower bound on its minimum where a solver proves one."""

    name = "linear classification"
    min_benchopt_version = "1.9"
    test_dataset_name = "digits"
    parameters = {
        "loss": ["softmax", "squared_hinge", "hinge"],
        "alpha": [1e-3, 1e-5],
        "l1_ratio": [0.0, 0.5, 1.0],
    }

    def skip(self, X, y, X_test=None, y_test=None):
        return X is None, "SKLINEAR_DATA names no folder with this data set"

    def set_data(self, X, y, X_test=None, y_test=None):
        self.X, self.y, self.X_test, self.y_test = X, y, X_test, y_test
        self.n_classes = int(y.max()) + 1

    def get_objective(self):
        return {
            "X": self.X,
            "y": self.y,
            "loss": self.loss,
            "alpha": self.alpha,
            "l1_ratio": self.l1_ratio,
        }

    def get_one_result(self):
        shape = self.n_classes, self.X.shape[1]
        return {"coef": np.zeros(shape), "intercept": np.zeros(self.n_classes)}

    def evaluate_result(self, coef, intercept, dual_gap=np.inf, passes=np.nan, comparable=True):
        Z = scores(self.X, coef, intercept)
        value = LOSSES[self.loss](Z, self.y).mean() + self.alpha * penalty(coef, self.l1_ratio)
        return {
            "value": value,
            "lower_bound": max(value - dual_gap, self.lower_bound(Z, single=len(coef) == 1)),
            "value_at_zero": value_at_zero(self.loss, self.n_classes),
            "accuracy": self.accuracy(coef, intercept),
            "passes": passes,
            "comparable": comparable,
        }

    def lower_bound(self, Z, single):
        """The referee's own bound from the scores."""
        data = self.X, self.y
        return lower_bound(self.loss, data, Z, self.alpha, self.l1_ratio, single)

    def accuracy(self, coef, intercept):
        """Share of test rows that are classified correctly."""
        if self.y_test is None:
            return np.nan
        guess = scores(self.X_test, coef, intercept).argmax(axis=1)
        return float((guess == self.y_test).mean())
