"""Small problems whose numbers are exact in float32, and the containers X may come in."""

import numpy as np
from scipy import sparse


def make_classes(n_classes, n_samples=None, n_features=5, seed=0):
    """X with 30 % zeros, overlapping classes, and y = 0 … C-1 in turn."""
    rng = np.random.default_rng(seed)
    n_samples = n_samples or max(40, 6 * n_classes)
    y = np.arange(n_samples) % n_classes
    centres = rng.normal(size=(n_classes, n_features))
    X = centres[y] + 1.5 * rng.normal(size=(n_samples, n_features)) + 0.5
    X[rng.random(X.shape) < 0.3] = 0
    return X.astype(np.float32).astype(np.float64), y


def no_weights(y):
    return None


def random_weights(y):
    return np.random.default_rng(1).integers(1, 17, size=len(y)) / 8


def some_zero_weights(y):
    """A third of every class has no weight."""
    turn = np.arange(len(y)) // (y.max() + 1)
    return np.where(turn % 3 == 0, 0, random_weights(y))


def csr(X, index_dtype=np.int32):
    X = sparse.csr_array(X)
    X.indices, X.indptr = X.indices.astype(index_dtype), X.indptr.astype(index_dtype)
    return X


def messy_csr(X, index_dtype=np.int32):
    """CSR with every entry in two halves, the columns of a row in falling order."""
    mirrored = csr(X[:, ::-1])
    indices = np.repeat(X.shape[1] - 1 - mirrored.indices, 2)
    parts = np.repeat(mirrored.data / 2, 2), indices, 2 * mirrored.indptr
    messy = sparse.csr_array(parts, shape=X.shape)
    messy.indices, messy.indptr = (a.astype(index_dtype) for a in parts[1:])
    return messy


WEIGHTS = {"unweighted": no_weights, "weighted": random_weights, "some zero": some_zero_weights}

CONTAINERS = {
    "dense float64": np.float64,
    "dense float32": np.float32,
    "csr int32": lambda X: csr(X, np.int32),
    "csr int64": lambda X: csr(X, np.int64),
}
