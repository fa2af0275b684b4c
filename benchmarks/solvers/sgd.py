from benchmark_utils.ladder import Context
from sklearn.linear_model import SGDClassifier


class Solver(Context):
    """scikit-learn's stochastic gradient descent, one-vs-rest."""

    name = "sgd"
    requirements = ["pip::scikit-learn"]

    def estimator(self, tol):
        return SGDClassifier(
            loss="log_loss" if self.loss == "softmax" else self.loss,
            penalty="elasticnet",
            alpha=self.alpha,
            l1_ratio=self.l1_ratio,
            tol=tol,
        )
