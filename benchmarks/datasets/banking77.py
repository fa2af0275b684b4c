from benchmark_utils.data import read
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Questions to a bank: 10,003 x 22,266, 77 classes, TF-IDF in CSR."""

    name = "banking77"

    def get_data(self):
        return read("banking77")
