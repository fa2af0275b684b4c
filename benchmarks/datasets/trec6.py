from benchmark_utils.data import read
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Questions: 5,452 x 33,408, 6 classes, TF-IDF in CSR."""

    name = "trec6"

    def get_data(self):
        return read("trec6")
