import numpy as np
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Features that are nearly combinations of 40 factors of falling size, as of many sensors."""

    name = "correlated"
    parameters = {"n_samples, n_features, n_classes": [(7_000, 561, 6)]}

    def get_data(self):
        rng = np.random.default_rng(0)
        factors = rng.standard_normal((self.n_samples, 40)) * np.logspace(0, -2, 40)
        scores = 3 * factors[:, : self.n_classes]
        y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
        X = factors @ rng.standard_normal((40, self.n_features))
        X += 0.02 * rng.standard_normal(X.shape)
        return {"X": X, "y": y}
