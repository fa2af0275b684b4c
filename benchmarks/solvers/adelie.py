import adelie
import numpy as np
from benchmark_utils.ladder import Ladder, n_threads


class Solver(Ladder):
    """adelie; with more than two classes its L1 part is a group norm, so that only L2 is ours."""

    name = "adelie"
    requirements = ["pip::adelie"]
    sparse = False
    first = 1e-3
    last = 1e-12

    def skip(self, X, y, loss, alpha, l1_ratio):
        if y.max() > 1 and l1_ratio > 0:
            return True, "has a group norm over the classes instead of an L1 norm"
        return super().skip(X, y, loss, alpha, l1_ratio)

    def set_objective(self, X, y, loss, alpha, l1_ratio):
        super().set_objective(np.asfortranarray(X, dtype=float), y, loss, alpha, l1_ratio)

    def fit(self, tol):
        binary = self.n_classes == 2
        targets = self.y.astype(float) if binary else np.eye(self.n_classes)[self.y]
        family = adelie.glm.binomial if binary else adelie.glm.multinomial
        # Its multinomial loss is divided by the number of classes.
        scale = 1 if binary else self.n_classes
        return adelie.grpnet(
            self.X,
            family(targets),
            alpha=self.l1_ratio,
            lmda_path=[self.alpha / scale],
            penalty=np.ones(self.X.shape[1]),
            tol=tol,
            irls_tol=tol,
            early_exit=False,
            n_threads=n_threads(),
            progress_bar=False,
        )

    def weights(self):
        coef = self.model.betas.toarray()[-1].reshape(self.X.shape[1], -1).T
        return {"coef": coef, "intercept": self.model.intercepts[-1]}
