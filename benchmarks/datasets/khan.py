from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Gene expression: 63 x 2,308, 4 classes, standardised."""

    name = "khan"

    def get_data(self):
        return read("khan", standardised)
