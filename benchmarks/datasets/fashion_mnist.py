from benchmark_utils.data import converted, pixels, read
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Images of clothing: 60,000 x 784, 10 classes, pixels in [0, 1]."""

    name = "fashion_mnist"
    parameters = {"dtype": ["float32", "float64"]}

    def get_data(self):
        return converted(read("fashion_mnist", pixels), self.dtype)
