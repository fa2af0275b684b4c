"""One fit under a time limit: reads a cell as JSON from its argument, prints its result as JSON.

At the limit the fit is interrupted as by Ctrl-C, which leaves the last iterate and its gap.
"""

import json
import math
import signal
import sys
import time
import warnings

from datasets import load

from sklinear import SoftmaxClassifier, SVMClassifier


def estimator(cell):
    """The unfitted model of a cell; the clock is the only limit on its iterations."""
    params = {key: cell[key] for key in ("alpha", "l1_ratio", "tol")} | {"max_iter": 1_000_000}
    if cell["loss"] == "softmax":
        return SoftmaxClassifier(**params)
    return SVMClassifier(loss=cell["loss"], **params)


def fit(model, X, y, limit):
    """Fit for at most `limit` seconds; returns the seconds taken and whether it was interrupted."""
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(limit)
    start = time.perf_counter()
    try:
        model.fit(X, y)
        interrupted = False
    except KeyboardInterrupt:
        interrupted = True
    signal.alarm(0)
    return time.perf_counter() - start, interrupted


def result(model, seconds, interrupted):
    """What a fit achieved; NaN where it was interrupted before its first iterate."""
    if not hasattr(model, "history_"):
        return {"seconds": seconds, "status": "limit"}
    history = model.history_
    relative_gap = model.dual_gap_ / history["objective"][0]
    met = relative_gap <= model.tol * (1 + 1e-12)
    return {
        "seconds": seconds,
        "relative_gap": float(relative_gap),
        "objective": float(model.objective_),
        "n_iter": int(model.n_iter_),
        "passes": float(history["passes"][-1]),
        "status": "met" if met else "limit" if interrupted else "stalled",
    }


def main(cell):
    X, y = load(cell["dataset"])
    model = estimator(cell)
    warnings.simplefilter("ignore")
    print(json.dumps(result(model, *fit(model, X, y, math.ceil(cell["limit"])))))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
