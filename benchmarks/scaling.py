"""How the cost of a fit grows: with n, with the non-zeros, with alpha, with badly scaled columns.

    python benchmarks/scaling.py

Passes over X and seconds of fits to `tol=1e-6`; then the peak of what a fit with 100,000 features
allocates.
"""

import tracemalloc
from statistics import median

import numpy as np
import scipy.sparse as sp
from markdown import line

from sklinear import SoftmaxClassifier

REPETITIONS = 3


def dense(n_samples, n_features=50, n_classes=10):
    """Gaussian features, labels drawn from a softmax of random scores."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features))
    scores = X @ rng.standard_normal((n_features, n_classes))
    return X, (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)


def sparse(n_samples, n_features, n_classes, row_size):
    """Rows with so many features drawn by Zipf's law, labels by their random scores."""
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, n_features + 1)
    columns = rng.choice(n_features, size=n_samples * row_size, p=shares / shares.sum())
    rows = np.repeat(np.arange(n_samples), row_size)
    values = np.full(len(rows), 1 / np.sqrt(row_size))
    X = sp.csr_matrix((values, (rows, columns)), shape=(n_samples, n_features))
    scores = X @ rng.standard_normal((n_features, n_classes)) * 3
    return X, (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)


def cost(X, y, alpha=1e-3, l1_ratio=0.0):
    """Median seconds, and the passes over X."""
    fits = [
        SoftmaxClassifier(alpha=alpha, l1_ratio=l1_ratio, tol=1e-6, max_iter=10_000).fit(X, y)
        for _ in range(REPETITIONS)
    ]
    histories = [fit.history_ for fit in fits]
    return median(h["seconds"][-1] for h in histories), histories[0]["passes"][-1]


def memory(l1_ratio):
    """The largest number of megabytes allocated at a time during a fit, and its relative gap."""
    X, y = sparse(20_000, 100_000, 20, 50)
    tracemalloc.start()
    fit = SoftmaxClassifier(alpha=1e-4, l1_ratio=l1_ratio).fit(X, y)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return peak, fit.dual_gap_ / fit.history_["objective"][0]


def table(title, label, cases):
    """Print one line a case, with the ratio of its seconds and passes to those of the first."""
    print(f"\n{title}\n\n{line([label, 'seconds', 'passes', 'seconds by the first', 'passes'])}")
    print(line(["---"] * 5))
    first = None
    for name, arguments in cases:
        seconds, passes = cost(**arguments)
        first = first or (seconds, passes)
        ratios = f"{seconds / first[0]:.2f}", f"{passes / first[1]:.2f}"
        print(line([name, f"{seconds:.3g}", f"{passes:.0f}", *ratios]), flush=True)


def by_samples(l1_ratio):
    for n in (20_000, 40_000, 80_000, 160_000):
        X, y = dense(n)
        yield f"{n:,}", {"X": X, "y": y, "l1_ratio": l1_ratio}


def by_non_zeros(l1_ratio):
    for n in (5_000, 10_000, 20_000, 40_000):
        X, y = sparse(n, 10_000, 10, 50)
        yield f"{X.nnz:,}", {"X": X, "y": y, "l1_ratio": l1_ratio}


def by_alpha(l1_ratio):
    X, y = dense(20_000)
    for alpha in 10.0 ** np.arange(-1, -8, -1):
        yield f"{alpha:.0e}", {"X": X, "y": y, "alpha": alpha, "l1_ratio": l1_ratio}


def by_scale():
    X, y = dense(20_000)
    yield "as drawn", {"X": X, "y": y}
    scales = 10.0 ** np.random.default_rng(0).uniform(-3, 3, X.shape[1])
    yield "times 1e-3 to 1e3", {"X": X * scales, "y": y}


def main():
    for l1_ratio in (0.0, 0.5):
        table(f"Samples, l1_ratio {l1_ratio:g}", "samples", by_samples(l1_ratio))
        table(f"Non-zeros, l1_ratio {l1_ratio:g}", "non-zeros", by_non_zeros(l1_ratio))
        table(f"Penalty, l1_ratio {l1_ratio:g}", "alpha", by_alpha(l1_ratio))
    table("Scale of the columns, l1_ratio 0", "columns", by_scale())
    print("\n100,000 features, 20 classes: megabytes beyond X at most, gap / F(0)\n")
    for l1_ratio in (0.0, 0.5):
        print("- l1_ratio {:g}: {:.0f} MB, {:.1e}".format(l1_ratio, *memory(l1_ratio)))


if __name__ == "__main__":
    main()
