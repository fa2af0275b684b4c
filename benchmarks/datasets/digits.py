from benchopt import BaseDataset
from sklearn.datasets import load_digits


class Dataset(BaseDataset):
    """scikit-learn's handwritten digits: 1,797 x 64, 10 classes, pixels in [0, 1]."""

    name = "digits"

    def get_data(self):
        X, y = load_digits(return_X_y=True)
        return {"X": X / 16, "y": y}
