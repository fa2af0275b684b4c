from benchmark_utils.data import pixels, read
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Colour images: 15,000 x 3,072, 10 classes, in [0, 1]."""

    name = "cifar10_15k"

    def get_data(self):
        return read("cifar10_15k", pixels)
