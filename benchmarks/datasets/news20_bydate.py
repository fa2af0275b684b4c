from benchmark_utils.data import read
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """News articles: 11,314 x 56,436, 20 classes, TF-IDF in CSR."""

    name = "news20_bydate"

    def get_data(self):
        return read("news20_bydate")
