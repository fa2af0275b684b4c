from benchmark_utils.ladder import Ladder

from sklinear import SoftmaxClassifier, SVMClassifier


class Solver(Ladder):
    """sklinear; `tol` bounds its certified gap in units of F(0)."""

    name = "sklinear"
    losses = {"softmax", "hinge", "squared_hinge"}
    last = 1e-7

    def estimator(self, tol):
        params = {"alpha": self.alpha, "l1_ratio": self.l1_ratio, "tol": tol, "max_iter": 10**6}
        if self.loss == "softmax":
            return SoftmaxClassifier(**params)
        return SVMClassifier(loss=self.loss, **params)

    def get_result(self):
        certificate = {
            "dual_gap": self.model.dual_gap_,
            "passes": self.model.history_["passes"][-1],
        }
        return super().get_result() | certificate
