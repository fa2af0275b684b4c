from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Forest cover: 15,120 x 54, 7 classes, standardised."""

    name = "covtype15k"

    def get_data(self):
        return read("covtype15k", standardised)
