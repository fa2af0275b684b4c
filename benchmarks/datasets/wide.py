import numpy as np
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """More features than samples, an eighth of the entries above zero, a tenth of use."""

    name = "wide"
    parameters = {"n_samples, n_features, n_classes": [(2_000, 3_000, 2), (1_000, 3_000, 5)]}

    def get_data(self):
        rng = np.random.default_rng(0)
        shape = self.n_samples, self.n_features
        X = np.abs(rng.standard_normal(shape)) * (rng.random(shape) < 0.13)
        coef = rng.standard_normal((self.n_features, self.n_classes))
        coef *= rng.random((self.n_features, 1)) < 0.1
        scores = X @ coef
        return {"X": X, "y": (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)}
