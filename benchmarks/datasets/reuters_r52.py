from benchmark_utils.data import read
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """News wires: 6,532 x 13,406, 52 classes, TF-IDF in CSR."""

    name = "reuters_r52"

    def get_data(self):
        return read("reuters_r52")
