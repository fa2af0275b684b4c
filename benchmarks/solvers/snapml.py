import numpy as np
from benchmark_utils.ladder import Context, n_threads
from snapml import LogisticRegression


class Solver(Context):
    """Snap ML's logistic regression: one-vs-rest, its intercept penalised."""

    name = "snapml"
    requirements = ["pip::snapml"]
    losses = {"softmax"}

    @staticmethod
    def l1_ratios(l1_ratio):
        return l1_ratio in (0, 1)

    def estimator(self, tol):
        return LogisticRegression(
            regularizer=self.alpha * self.X.shape[0],
            penalty="l1" if self.l1_ratio else "l2",
            dual=self.l1_ratio == 0,
            fit_intercept=True,
            tol=tol,
            n_jobs=n_threads(),
        )

    def weights(self):
        coef = np.atleast_2d(self.model.coef_)
        return {"coef": coef, "intercept": self.model.intercept_}
