from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Connect-4 positions: 67,557 x 126, 3 classes, standardised."""

    name = "connect4"

    def get_data(self):
        return read("connect4", standardised)
