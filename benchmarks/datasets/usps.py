from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Handwritten digits: 7,291 x 256, 10 classes, standardised."""

    name = "usps"

    def get_data(self):
        return read("usps", standardised)
