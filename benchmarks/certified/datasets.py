"""The benchmarks' data sets, scaled as the benchmarks use them.

They are read by the `load.py` in the folder that the environment variable SKLINEAR_DATA names.
"""

import importlib.util
import os
from pathlib import Path

import numpy as np
from sklearn.preprocessing import StandardScaler


def standardised(X):
    """Columns of zero mean and unit variance, in float64; constant columns become zero."""
    return StandardScaler().fit_transform(X.astype(np.float64))


def pixels(X):
    """Bytes as float32 in [0, 1]."""
    return X.astype(np.float32) / np.float32(255)


def unchanged(X):
    return X


SCALING = {
    "letter": standardised,
    "satimage": standardised,
    "khan": standardised,
    "nci60": standardised,
    "fashion_mnist": pixels,
    "cifar10_15k": pixels,
    "news20_bydate": unchanged,
}


def load(name):
    """Training rows and labels of one set."""
    folder = Path(os.environ["SKLINEAR_DATA"])
    spec = importlib.util.spec_from_file_location("load", folder / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    X, y, _, _ = module.load(name)
    return SCALING[name](X), y
