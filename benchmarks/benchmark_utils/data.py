"""Reading and scaling of the data sets that SKLINEAR_DATA names."""

import importlib.util
import os
from pathlib import Path

from sklearn.preprocessing import StandardScaler


def unchanged(X, X_test):
    return X, X_test


def standardised(X, X_test):
    """Zero mean and unit variance on the training rows, in float64."""
    scaler = StandardScaler().fit(X.astype(float))
    return tuple(part if part is None else scaler.transform(part) for part in (X, X_test))


def pixels(X, X_test):
    """Bytes as float64 in [0, 1]."""
    return tuple(part if part is None else part / 255.0 for part in (X, X_test))


def converted(data, dtype):
    """The same data with X in another precision."""
    parts = {key: data[key].astype(dtype) for key in ("X", "X_test") if data.get(key) is not None}
    return data | parts


def read(name, scaled=unchanged):
    """One set by name; X is None where its file is absent, and the objective then skips it."""
    folder = Path(os.environ.get("SKLINEAR_DATA", "."))
    if not (folder / f"{name}.npz").exists():
        return {"X": None, "y": None}
    X, y, X_test, y_test = _loader(folder).load(name)
    X, X_test = scaled(X, X_test)
    return {"X": X, "y": y, "X_test": X_test, "y_test": y_test}


def _loader(folder):
    spec = importlib.util.spec_from_file_location("load", folder / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
