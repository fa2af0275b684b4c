from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Chemical measurements of wines: 1,599 x 11, 6 classes, standardised."""

    name = "winequality_red"

    def get_data(self):
        return read("winequality_red", standardised)
