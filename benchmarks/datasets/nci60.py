from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Gene expression: 64 x 6,830, 14 classes, standardised."""

    name = "nci60"

    def get_data(self):
        return read("nci60", standardised)
