from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Capital letters: 15,000 x 16, 26 classes, standardised."""

    name = "letter"

    def get_data(self):
        return read("letter", standardised)
