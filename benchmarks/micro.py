"""One pass of loss and gradient over X, and one Hessian, against what the machine allows.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/micro.py [--print]

The limit is the larger of two times: X read once, and the two products X W and X^T G with
NumPy or SciPy plus one vectorised exponential a score.  A Hessian of all weights is measured
against the products with BLAS that it would take, a symmetric one for each pair of classes.  All
are measured in turn, in one process.
"""

import statistics
import sys
import time

import numpy as np
import scipy.sparse as sp
from benchmark_utils.data import pixels, read, standardised
from machine import commit, processor
from markdown import header, insert, line
from scipy.linalg.blas import dsyrk

from sklinear import SoftmaxClassifier, SVMClassifier
from sklinear._data import wrap
from sklinear.solvers._hessian import Hessian
from sklinear.solvers._working_set import all_variables

LOSSES = {
    "softmax": SoftmaxClassifier(),
    "squared_hinge": SVMClassifier(loss="squared_hinge"),
    "hinge": SVMClassifier(loss="hinge"),
}
# X as (n, d) with C classes; a set that is absent gives way to random numbers of its shape.
SHAPES = {
    "fashion_mnist": (60_000, 784, 10, pixels),
    "letter": (15_000, 16, 26, standardised),
    "news20_bydate": (11_314, 56_436, 20, None),
}
# (n, d) with C classes, of random numbers.
HESSIANS = [(15_000, 16, 26), (5620, 62, 10), (4435, 36, 6), (5000, 40, 3), (4601, 57, 2)]


def matrix(name, n, d, scaled):
    """X in float64; CSR where there is no scaling."""
    X = read(name, scaled)["X"] if scaled else read(name)["X"]
    if X is not None:
        return X.astype(float)
    rng = np.random.default_rng(0)
    if scaled:
        return rng.standard_normal((n, d))
    return sp.random_array((n, d), density=2e-3, format="csr", rng=rng)


def posed(loss, X, y, n_classes):
    """The problem, which the next two functions call the internals of."""
    labels, weights = y.astype(np.int32), np.full(len(y), 1 / len(y))
    return LOSSES[loss]._problem(wrap(X), labels, weights, n_classes)


def sklinear_hessian(loss, X, y, scores):
    """That of all weights and intercepts, a function without arguments."""
    problem = posed(loss, X, y, scores.shape[1])
    curvature, free = problem.curvature(scores), all_variables(problem)
    return lambda: Hessian(problem, curvature, free, len(y)).dense()


def sklinear_pass(loss, X, y, coef):
    """The project's own pass, a function without arguments."""
    problem = posed(loss, X, y, coef.shape[1])

    def run():
        scores = problem.data.scores(coef)
        _, dual = problem.loss.value_and_dual(scores, problem.labels, problem.weights)
        return problem.correlate(dual)

    return run


def limits(X, coef, scores):
    """Functions that read X once, that multiply twice, and that take the exponentials."""
    values = X.data if sp.issparse(X) else X.ravel()
    ones = np.ones_like(values)
    return (
        lambda: values @ ones,
        lambda: (X @ coef, X.T @ scores),
        lambda: np.exp(scores),
    )


def seconds(functions, rounds=5):
    """Median time of each, one after the other in every round."""
    times = [[] for _ in functions]
    for _ in range(rounds + 1):
        for function, taken in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken[1:]) for taken in times]


def measure(loss, X, n_classes):
    """Seconds of our pass, and of the limit."""
    rng = np.random.default_rng(0)
    n, d = X.shape
    y = rng.integers(n_classes, size=n)
    coef = (0.01 * rng.standard_normal((d, n_classes))).astype(X.dtype)
    scores = np.ascontiguousarray(X @ coef)
    functions = [sklinear_pass(loss, X, y, coef), *limits(X, coef, scores)]
    ours, stream, products, exponentials = seconds(functions)
    return ours, max(stream / 2, products + exponentials), stream / 2


def table():
    yield from header(["X", "dtype", "loss", "pass, ms", "limit, ms", "ratio", "X read once, ms"])
    for name, (n, d, n_classes, scaled) in SHAPES.items():
        X = matrix(name, n, d, scaled)
        for dtype in ("float32", "float64"):
            part = X.astype(dtype)
            for loss in LOSSES:
                ours, limit, stream = measure(loss, part, n_classes)
                times = [f"{1e3 * ours:.3g}", f"{1e3 * limit:.3g}", f"{ours / limit:.2f}"]
                yield line([name, dtype, loss, *times, f"{1e3 * stream:.2g}"])


def table_of_hessians():
    yield from header(["n × d, C", "loss", "Hessian, ms", "BLAS, ms", "ratio"])
    rng = np.random.default_rng(0)
    for n, d, n_classes in HESSIANS:
        X, y = rng.standard_normal((n, d)), rng.integers(n_classes, size=n)
        scores = rng.standard_normal((n, n_classes))
        for loss in ("softmax", "squared_hinge"):
            ours, product = seconds(
                [sklinear_hessian(loss, X, y, scores), lambda X=X: dsyrk(1.0, X.T)]
            )
            blas = n_classes * (n_classes - 1) / 2 * product
            times = [f"{1e3 * ours:.3g}", f"{1e3 * blas:.3g}", f"{ours / blas:.2f}"]
            yield line([f"{n:,} × {d}, {n_classes}", loss, *times])


def main():
    text = "\n".join([*table(), "", *table_of_hessians()])
    print(text)
    if "--print" not in sys.argv:
        insert("kernels", f"{processor()}, commit {commit()}\n\n{text}")


if __name__ == "__main__":
    main()
