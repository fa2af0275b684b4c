from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Spoken vowels: 528 x 10, 11 classes, standardised."""

    name = "vowel"

    def get_data(self):
        return read("vowel", standardised)
