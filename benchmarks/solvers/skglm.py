from benchmark_utils.ladder import Ladder
from skglm import SparseLogisticRegression


class Solver(Ladder):
    """skglm; one-vs-rest with more than two classes, so that only two are ours."""

    name = "skglm"
    requirements = ["pip::skglm"]
    multiclass = False

    @staticmethod
    def l1_ratios(l1_ratio):
        return l1_ratio > 0

    def estimator(self, tol):
        return SparseLogisticRegression(
            alpha=self.alpha, l1_ratio=self.l1_ratio, tol=tol, max_iter=1000
        )

    def warm_up(self):
        """Compile on a few rows before the first fit is timed."""
        self.estimator(tol=1e-4).fit(self.X[:200], self.y[:200])
