"""A path of 100 certified alphas against one fit at its smallest alpha.

    SKLINEAR_DATA=folder OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/paths.py
        [--sets khan,letter] [--losses softmax] [--l1-ratios 0,1] [--print]

Grids from alpha_max to a thousandth of it, `tol=1e-4`.  Seconds of the processor, the least of
some runs of either.  Without --print the table takes its place in README.md.
"""

import argparse
import statistics
import time
import warnings

import numpy as np
import scipy.sparse as sp
from benchmark_utils.data import read, standardised, unchanged
from machine import commit, processor
from markdown import header, insert, line
from scaling import sparse
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
)
from sklearn.exceptions import ConvergenceWarning

from sklinear import SoftmaxClassifier, SVMClassifier, softmax_path, svm_path

ENOUGH_SECONDS, RUNS = 1.0, (3, 5)  # the first run touches new memory


def bundled(load):
    data = load()
    return standardised(data.data, None)[0], data.target


def synthetic():
    return make_classification(20_000, 50, n_informative=20, n_classes=10, random_state=0)


def wide():
    """Like gene expression: 100 x 5,000, 4 classes that differ in 40 features."""
    rng = np.random.default_rng(0)
    y = np.arange(100) % 4
    X = rng.standard_normal((100, 5000))
    X[:, :40] += rng.standard_normal((4, 40))[y]
    return X, y


def text():
    """Like a text: 3,000 x 10,000, 50 non-zeros a row."""
    return sparse(3000, 10_000, 10, 50)


def real(name, scaled):
    data = read(name, scaled)
    return data["X"], data["y"]


SETS = {
    "iris": lambda: bundled(load_iris),
    "wine": lambda: bundled(load_wine),
    "breast_cancer": lambda: bundled(load_breast_cancer),
    "digits": lambda: bundled(load_digits),
    "synthetic": synthetic,
    "wide": wide,
    "text": text,
    "satimage": lambda: real("satimage", standardised),
    "letter": lambda: real("letter", standardised),
    "khan": lambda: real("khan", standardised),
    "nci60": lambda: real("nci60", standardised),
    "reuters_r52": lambda: real("reuters_r52", unchanged),
    "news20_bydate": lambda: real("news20_bydate", unchanged),
}


def estimator(loss, **options):
    if loss == "softmax":
        return SoftmaxClassifier(**options)
    return SVMClassifier(loss=loss, **options)


def path(loss, X, y, l1_ratio):
    if loss == "softmax":
        return softmax_path(X, y, l1_ratio=l1_ratio)
    return svm_path(X, y, loss=loss, l1_ratio=l1_ratio)


def seconds(function):
    """What it returns, and the least seconds of the processor of some calls."""
    times = []
    fewest, most = RUNS
    while len(times) < fewest or (sum(times) < ENOUGH_SECONDS and len(times) < most):
        begin = time.process_time()
        found = function()
        times.append(time.process_time() - begin)
    return found, min(times)


def measure(X, y, loss, l1_ratio):
    """Seconds and passes of a fit and of the path, and how many alphas took iterations."""
    found, path_seconds = seconds(lambda: path(loss, X, y, l1_ratio))
    model = estimator(loss, alpha=found.alphas[-1], l1_ratio=l1_ratio)
    fit, fit_seconds = seconds(lambda: model.fit(X, y))
    bound = 1e-4 * fit.history_["objective"][0]
    return {
        "fit": (fit_seconds, fit.history_["passes"][-1]),
        "path": (path_seconds, found.passes.max()),
        "solved": np.count_nonzero(found.n_iter),
        "missed": np.count_nonzero(found.dual_gaps > bound),
    }


def row(name, loss, l1_ratio, found):
    (fit, fit_passes), (path_seconds, passes) = found["fit"], found["path"]
    cells = [name, loss, f"{l1_ratio:g}", f"{fit:.3f}", f"{path_seconds:.3f}"]
    cells += [f"{path_seconds / fit:.1f}", f"{fit_passes:.0f}", f"{passes:.0f}"]
    cells += [f"{passes / fit_passes:.1f}", str(found["solved"]), str(found["missed"])]
    return line(cells)


def table(sets, losses, l1_ratios):
    names = ["data", "loss", "l1_ratio", "fit, s", "path, s", "ratio", "passes", "path's passes"]
    lines = header([*names, "ratio", "alphas solved", "above tol"])
    print("\n".join(lines), flush=True)
    ratios = {}
    for name in sets:
        X, y = SETS[name]()
        if X is None:
            continue
        X = X.astype(float) if sp.issparse(X) else X
        for loss in losses:
            for l1_ratio in l1_ratios:
                found = measure(X, y, loss, l1_ratio)
                lines.append(row(name, loss, l1_ratio, found))
                print(lines[-1], flush=True)
                pair = [found["path"][i] / found["fit"][i] for i in (0, 1)]
                ratios.setdefault(loss, []).append(pair)
    for loss, pairs in ratios.items():
        lines.append(summary(loss, pairs))
        print(lines[-1])
    return "\n".join(lines)


def summary(loss, pairs):
    """Geometric means of the ratios of seconds and of passes."""
    means = [statistics.geometric_mean(column) for column in zip(*pairs, strict=True)]
    cells = [f"{len(pairs)} cells", loss, "", "", "", f"**{means[0]:.1f}**", "", ""]
    return line([*cells, f"**{means[1]:.1f}**", "", ""])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--losses", default="softmax,squared_hinge,hinge")
    parser.add_argument("--l1-ratios", default="0,0.5,1")
    parser.add_argument("--print", action="store_true", help="leave README.md as it is")
    return parser.parse_args()


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    chosen = arguments()
    l1_ratios = [float(ratio) for ratio in chosen.l1_ratios.split(",")]
    text = table(chosen.sets.split(","), chosen.losses.split(","), l1_ratios)
    if not chosen.print:
        insert("paths", f"{processor()}, one thread, commit {commit()}.\n\n{text}")


if __name__ == "__main__":
    main()
