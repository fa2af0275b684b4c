import numpy as np
import scipy.sparse as sp
from benchopt import BaseDataset

LEVELS = [9, 16, 7, 15, 6, 5, 2, 41, 8, 10, 20, 30]


class Dataset(BaseDataset):
    """A table of twelve categorical columns, one-hot in CSR, labels drawn from a softmax."""

    name = "one_hot"
    parameters = {"n_samples, n_classes": [(30_000, 2), (30_000, 8)]}

    def get_data(self):
        rng = np.random.default_rng(0)
        columns, scores, begin = [], 0.0, 0
        for n_levels in LEVELS:
            shares = rng.dirichlet(np.full(n_levels, 0.4))
            level = rng.choice(n_levels, self.n_samples, p=shares)
            scores = scores + rng.standard_normal((n_levels, self.n_classes))[level]
            columns.append(begin + level)
            begin += n_levels
        indices = np.stack(columns, axis=1)
        indptr = np.arange(0, indices.size + 1, len(LEVELS))
        X = sp.csr_matrix((np.ones(indices.size), indices.ravel(), indptr), (len(scores), begin))
        y = (scores + 2 * rng.gumbel(size=scores.shape)).argmax(axis=1)
        return {"X": X, "y": np.unique(y, return_inverse=True)[1]}
