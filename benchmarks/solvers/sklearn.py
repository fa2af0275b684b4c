from benchmark_utils.ladder import Ladder
from sklearn.linear_model import LogisticRegression


class Solver(Ladder):
    """scikit-learn's LogisticRegression with each of its multinomial solvers."""

    name = "sklearn"
    requirements = ["pip::scikit-learn"]
    parameters = {"solver": ["lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"]}

    def l1_ratios(self, l1_ratio):
        return l1_ratio == 0 or self.solver == "saga"

    def skip(self, X, y, loss, alpha, l1_ratio):
        if self.solver == "newton-cholesky" and X.shape[1] * (y.max() + 1) > 5000:
            return True, "would need a Hessian of more than 5,000 x 5,000"
        return super().skip(X, y, loss, alpha, l1_ratio)

    def estimator(self, tol):
        return LogisticRegression(
            C=1 / (self.alpha * self.X.shape[0]),
            l1_ratio=self.l1_ratio,
            solver=self.solver,
            tol=tol,
            max_iter=10**6,
        )
