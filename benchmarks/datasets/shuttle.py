from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Space shuttle, very unbalanced: 43,500 x 9, 7 classes, standardised."""

    name = "shuttle"

    def get_data(self):
        return read("shuttle", standardised)
