from benchmark_utils.ladder import Ladder
from sklearn.svm import SVC


class Solver(Ladder):
    """libsvm; one-vs-one with more than two classes, so that only two are ours."""

    name = "svc"
    requirements = ["pip::scikit-learn"]
    losses = {"hinge"}
    multiclass = False

    @staticmethod
    def l1_ratios(l1_ratio):
        return l1_ratio == 0

    def estimator(self, tol):
        return SVC(kernel="linear", C=1 / (self.alpha * self.X.shape[0]), tol=tol, cache_size=1000)
