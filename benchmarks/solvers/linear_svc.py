from benchmark_utils.ladder import Context
from sklearn.svm import LinearSVC


class Solver(Context):
    """Crammer and Singer's hinge with a penalised intercept."""

    name = "linear-svc"
    requirements = ["pip::scikit-learn"]
    losses = {"hinge"}

    @staticmethod
    def l1_ratios(l1_ratio):
        return l1_ratio == 0

    def estimator(self, tol):
        C = 1 / (self.alpha * self.X.shape[0])
        return LinearSVC(multi_class="crammer_singer", C=C, tol=tol, max_iter=1000)
