from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Methylation: 217 x 1,413, 3 classes, standardised."""

    name = "christensen"

    def get_data(self):
        return read("christensen", standardised)
