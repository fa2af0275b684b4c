import numpy as np
from benchmark_utils.ladder import Context
from liblinear.liblinearutil import parameter, problem, train

SOLVERS = {
    ("softmax", 0.0): 0,
    ("softmax", 1.0): 6,
    ("squared_hinge", 0.0): 1,
    ("squared_hinge", 1.0): 5,
    ("hinge", 0.0): 4,
}


class Solver(Context):
    """liblinear: one-vs-rest (Crammer and Singer for the hinge), its intercept penalised."""

    name = "liblinear"
    requirements = ["pip::liblinear-official"]

    def skip(self, X, y, loss, alpha, l1_ratio):
        if (loss, l1_ratio) not in SOLVERS:
            return True, f"has no {loss} loss with l1_ratio = {l1_ratio:g}"
        return super().skip(X, y, loss, alpha, l1_ratio)

    def fit(self, tol):
        C = 1 / (self.alpha * self.X.shape[0])
        options = f"-s {SOLVERS[self.loss, self.l1_ratio]} -c {C} -e {tol} -B 1 -q"
        return train(problem(self.y, self.X), parameter(options))

    def weights(self):
        labels = self.model.get_labels()
        decisions = [self.model.get_decfun(i) for i in range(len(labels))]
        order = np.argsort(labels)
        coef, intercept = (np.array(part)[order] for part in zip(*decisions, strict=True))
        first = 1 if self.n_classes == 2 else 0
        return {"coef": coef[first:], "intercept": intercept[first:]}
