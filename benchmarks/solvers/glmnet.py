import numpy as np
from benchmark_utils.ladder import Ladder
from glmnet import LogitNet


class Solver(Ladder):
    """glmnet on a path down to `alpha`; it diverges where it begins at a small one."""

    name = "glmnet"
    requirements = ["pip::python-glmnet"]
    parameters = {"n_lambda": [30, 100]}
    first = 1e-3
    last = 1e-12

    def set_objective(self, X, y, loss, alpha, l1_ratio):
        super().set_objective(X, y, loss, alpha, l1_ratio)
        onehot = np.eye(self.n_classes)[y]
        largest = np.abs(X.T @ (onehot - onehot.mean(axis=0))).max() / len(y)
        start = max(largest / max(l1_ratio, 1e-3), 2 * alpha)
        self.path = np.geomspace(start, alpha, self.n_lambda)

    def estimator(self, tol):
        return LogitNet(
            alpha=self.l1_ratio,
            lambda_path=self.path,
            standardize=False,
            n_splits=0,
            tol=tol,
            max_iter=10**6,
            max_features=self.X.shape[1] + 1,
        )

    def weights(self):
        coef, intercept = self.model.coef_path_[..., -1], self.model.intercept_path_[..., -1]
        # The path ends early where glmnet gives up; that is no result.
        gave_up = len(self.model.lambda_path_) < self.n_lambda
        return {"coef": np.where(gave_up, np.nan, coef), "intercept": intercept}
