"""Cross-validation of a path: sklinear, LogisticRegressionCV and python-glmnet on the same folds.

    python benchmarks/cross_validation.py [SET ...] [--alphas 100] [--folds 10] [--limit 300]

One table row a solver: CPU seconds, the ratio to sklinear's, the largest distance of its objectives
from the lowest known ones in units of F(0), and the chosen alpha.  Then, for each set, the model
of the rule of one standard error.  A solver that exceeds the limit is stopped.
There are no more folds than the smallest class has members.
"""

import argparse
import time
import warnings

import numpy as np
from benchmark_utils.data import pixels, read, standardised
from cell import FORK
from markdown import header, line
from scipy.special import log_softmax
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold

from sklinear import SoftmaxClassifierCV, softmax_path

SETS = {
    "digits": lambda: load_digits(return_X_y=True, as_frame=False),
    "khan": lambda: data("khan", standardised),
    "nci60": lambda: data("nci60", standardised),
    "usps": lambda: data("usps", lambda X, X_test: (X / np.abs(X).max(), X_test)),
    "letter": lambda: data("letter", standardised),
    "fashion_mnist": lambda: data("fashion_mnist", pixels),
}
L1_RATIOS = (1.0, 0.5, 0.0)
RARE = 5  # classes with fewer members are left out


def data(name, scaled):
    """X and y of a set, or None where its file is absent."""
    found = read(name, scaled)
    return None if found["X"] is None else (found["X"], found["y"])


class Problem:
    """Data, folds of equal size, and one grid for all solvers."""

    def __init__(self, X, y, l1_ratio, n_alphas, n_folds):
        size = np.bincount(y)
        rows = np.random.default_rng(0).permutation(np.flatnonzero(size[y] >= RARE))
        n_folds = min(n_folds, size[size >= RARE].min())
        rows = rows[: len(rows) // n_folds * n_folds]
        self.X, self.l1_ratio = X[rows], l1_ratio
        self.y = np.unique(y[rows], return_inverse=True)[1]
        self.splitter = StratifiedKFold(n_folds, shuffle=True, random_state=0)
        self.folds = list(self.splitter.split(self.X, self.y))
        grid = softmax_path(self.X, self.y, alphas=2, l1_ratio=max(l1_ratio, 1e-3)).alphas
        self.alphas = np.geomspace(*grid, n_alphas)

    def objectives(self, paths):
        """F of each fold's models (n_folds, n_alphas, C, d + 1), or of all data's if one."""
        folds = [train for train, _ in self.folds] if len(paths) > 1 else [slice(None)]
        return np.array(
            [
                [self.objective(rows, *model) for model in zip(path, self.alphas, strict=True)]
                for rows, path in zip(folds, paths, strict=True)
            ]
        )

    def objective(self, rows, weights, alpha):
        X, y, coef = self.X[rows], self.y[rows], weights[:, :-1]
        scores = X @ coef.T + weights[:, -1]
        if len(coef) == 1:
            scores = np.hstack([-scores, scores]) / 2
        loss = -log_softmax(scores, axis=1)[np.arange(len(y)), y].mean()
        l1, l2 = alpha * self.l1_ratio, alpha * (1 - self.l1_ratio)
        return loss + l1 * np.abs(coef).sum() + l2 / 2 * (coef**2).sum()


def sklinear(problem, **params):
    model = SoftmaxClassifierCV(
        problem.alphas,
        l1_ratios=[problem.l1_ratio],
        cv=problem.folds,
        scoring="accuracy",
        **params,
    ).fit(problem.X, problem.y)
    paths = model.coefs_paths_[:, 0]
    if paths.dtype == object:
        paths = np.array([[rows.toarray() for rows in path] for path in paths])
    return model.alpha_, paths


def sklinear_1se(problem):
    """The model within one standard error: features, cross-validated error and its error."""
    model = SoftmaxClassifierCV(
        problem.alphas, l1_ratios=[problem.l1_ratio], cv=problem.folds, selection="1se"
    ).fit(problem.X, problem.y)
    correct = SoftmaxClassifierCV(
        [model.alpha_], l1_ratios=[problem.l1_ratio], cv=problem.folds, scoring="accuracy"
    ).fit(problem.X, problem.y)
    used = np.count_nonzero(model.coef_.any(axis=0))
    return used, 1 - correct.mean_scores_[0, 0], correct.std_error_[0, 0]


def scikit_learn(problem, tol=1e-4):
    n_train = len(problem.folds[0][0])
    model = LogisticRegressionCV(
        Cs=1 / (problem.alphas * n_train),
        l1_ratios=(problem.l1_ratio,),
        cv=problem.folds,
        solver="saga" if problem.l1_ratio else "lbfgs",
        scoring="accuracy",
        tol=tol,
        max_iter=10_000,
        random_state=0,
        use_legacy_attributes=False,
    ).fit(problem.X, problem.y)
    return 1 / (model.C_ * n_train), model.coefs_paths_[:, 0]


def glmnet(problem, tol=1e-7):
    from glmnet import LogitNet

    model = LogitNet(
        alpha=problem.l1_ratio,
        lambda_path=problem.alphas,
        standardize=False,
        n_splits=len(problem.folds),
        random_state=0,
        tol=tol,
        max_iter=10**6,
        max_features=problem.X.shape[1] + 1,
        scoring="accuracy",
    ).fit(problem.X, problem.y)
    if len(model.lambda_path_) < len(problem.alphas):
        raise RuntimeError(f"glmnet gave up after {len(model.lambda_path_)} alphas")
    coef = np.moveaxis(np.atleast_3d(model.coef_path_), -1, 0)
    intercept = np.atleast_2d(model.intercept_path_).T
    return float(model.lambda_max_), np.dstack([coef, intercept])[None]


SOLVERS = {
    "sklinear": sklinear,
    "LogisticRegressionCV": scikit_learn,
    "LogisticRegressionCV, tol 1e-2": lambda problem: scikit_learn(problem, 1e-2),
    "glmnet": glmnet,
    "glmnet, tol 1e-5": lambda problem: glmnet(problem, 1e-5),
}


def timed(solver, problem, limit):
    """CPU seconds and results of a solver in a process of its own, or the limit and None."""
    receiver, sender = FORK.Pipe(duplex=False)

    def work():
        warnings.simplefilter("ignore")
        begin = time.process_time()
        try:
            result = solver(problem)
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
        sender.send((time.process_time() - begin, result))

    process = FORK.Process(target=work)
    process.start()
    seconds, result = receiver.recv() if receiver.poll(limit) else (limit, None)
    process.kill()
    process.join()
    return seconds, result


def distance(problem, paths, lowest):
    """The largest one from the lowest objectives, of the folds or of all data."""
    return (problem.objectives(paths) - lowest[len(paths)]).max() / np.log(len(set(problem.y)))


def compare(name, problem, limit):
    """The rows of the table of one problem."""
    results = {solver: timed(run, problem, limit) for solver, run in SOLVERS.items()}
    whole = softmax_path(
        problem.X, problem.y, alphas=problem.alphas, l1_ratio=problem.l1_ratio, tol=1e-7
    )
    _, precise = sklinear(problem, tol=1e-7, refit=False)
    best = np.concatenate([whole.coefs, whole.intercepts[:, :, None]], axis=2)[None]
    lowest = {len(paths): problem.objectives(paths) for paths in (best, precise)}
    reference = results["sklinear"][0]
    for solver, (seconds, result) in results.items():
        cells = [name, f"{problem.l1_ratio:g}", solver]
        if result is None:
            ratio = f"> {limit / reference:.0f}"
            yield [*cells, f"> {limit:.0f}", ratio, "-", "-"]
        elif isinstance(result, str):
            yield [*cells, result, "-", "-", "-"]
        else:
            alpha, paths = result
            far = f"{distance(problem, paths, lowest):.0e}"
            yield [*cells, f"{seconds:.2f}", f"{seconds / reference:.1f}", far, f"{alpha:.3g}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--alphas", type=int, default=100)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("--l1-ratios", type=float, nargs="*", default=L1_RATIOS)
    parser.add_argument("--samples", type=int, default=None, help="at most so many rows")
    options = parser.parse_args()
    names = ["set", "l1_ratio", "solver", "seconds", "by sklinear's", "distance", "alpha"]
    print("\n".join(header(names)), flush=True)
    chosen = []
    for name in options.sets:
        found = SETS[name]()
        if found is None:
            print(f"{name}: no file")
            continue
        X, y = (part[: options.samples] for part in found)
        for l1_ratio in options.l1_ratios:
            problem = Problem(X, y, l1_ratio, options.alphas, options.folds)
            for row in compare(name, problem, options.limit):
                print(line(row), flush=True)
            chosen.append((name, l1_ratio, X.shape[1], *sklinear_1se(problem)))
    print("\nOne standard error:\n")
    print("\n".join(header(["set", "l1_ratio", "features", "used", "error", "± s.e."])))
    for name, l1_ratio, n_features, used, error, spread in chosen:
        cells = [f"{l1_ratio:g}", str(n_features), str(used), f"{error:.3f}", f"{spread:.3f}"]
        print(line([name, *cells]))


if __name__ == "__main__":
    main()
