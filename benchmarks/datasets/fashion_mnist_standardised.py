from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Images of clothing: 60,000 x 784, 10 classes, standardised: features with heavy tails."""

    name = "fashion_mnist_standardised"

    def get_data(self):
        return read("fashion_mnist", standardised)
