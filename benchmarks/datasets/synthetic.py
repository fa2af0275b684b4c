import numpy as np
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Gaussian features, labels drawn from a softmax of random scores."""

    name = "synthetic"
    parameters = {
        "n_samples, n_features, n_classes": [
            (20_000, 50, 2),
            (20_000, 50, 10),
            (20_000, 50, 100),
            (20_000, 50, 1000),
        ],
    }

    def get_data(self):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.n_samples, self.n_features))
        coef = rng.standard_normal((self.n_features, self.n_classes))
        # The largest of scores with Gumbel noise is a draw from their softmax.
        noise = rng.gumbel(size=(self.n_samples, self.n_classes))
        _, y = np.unique((X @ coef + noise).argmax(axis=1), return_inverse=True)
        return {"X": X, "y": y}
