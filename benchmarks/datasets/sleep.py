from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Stages of sleep: 105,908 x 13, 5 classes, standardised."""

    name = "sleep"

    def get_data(self):
        return read("sleep", standardised)
