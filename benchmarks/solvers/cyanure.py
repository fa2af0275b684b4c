from benchmark_utils.ladder import Ladder, n_threads
from cyanure.estimators import Classifier


class Solver(Ladder):
    """Cyanure: variance reduction and proximal methods with quasi-Newton acceleration."""

    name = "cyanure"
    requirements = ["pip::cyanure"]
    parameters = {"solver": ["auto", "qning-miso", "catalyst-miso"]}
    losses = {"softmax", "squared_hinge"}

    def skip(self, X, y, loss, alpha, l1_ratio):
        if loss == "squared_hinge" and y.max() > 1:
            return True, "has a one-vs-rest squared hinge only"
        return super().skip(X, y, loss, alpha, l1_ratio)

    def estimator(self, tol):
        return Classifier(
            loss=self.loss_name(),
            fit_intercept=True,
            tol=tol,
            max_iter=10**6,
            solver=self.solver,
            n_threads=n_threads(),
            verbose=False,
            **self.penalty(),
        )

    def loss_name(self):
        if self.loss == "squared_hinge":
            return "sqhinge"
        return "logistic" if self.n_classes == 2 else "multiclass-logistic"

    def penalty(self):
        # Its squared hinge is half of ours.
        alpha = self.alpha / 2 if self.loss == "squared_hinge" else self.alpha
        if self.l1_ratio in (0, 1):
            return {"penalty": "l1" if self.l1_ratio else "l2", "lambda_1": alpha}
        lambda_1, lambda_2 = alpha * self.l1_ratio, alpha * (1 - self.l1_ratio)
        return {"penalty": "elasticnet", "lambda_1": lambda_1, "lambda_2": lambda_2}

    def weights(self):
        coef = self.model.coef_
        coef = coef.reshape(1, -1) if self.n_classes == 2 else coef.T
        return {"coef": coef, "intercept": self.model.intercept_}
