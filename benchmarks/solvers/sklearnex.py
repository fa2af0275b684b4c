from benchmark_utils.ladder import Ladder
from sklearnex.linear_model import LogisticRegression


class Solver(Ladder):
    """LogisticRegression of Intel's extension for scikit-learn."""

    name = "sklearnex"
    requirements = ["pip::scikit-learn-intelex"]
    sparse = False

    @staticmethod
    def l1_ratios(l1_ratio):
        return l1_ratio == 0

    def estimator(self, tol):
        return LogisticRegression(C=1 / (self.alpha * len(self.X)), tol=tol, max_iter=10**6)
