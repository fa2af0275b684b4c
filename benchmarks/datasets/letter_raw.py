from benchmark_utils.data import converted, read
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Capital letters as integers: 15,000 x 16, 26 classes, not scaled."""

    name = "letter_raw"

    def get_data(self):
        return converted(read("letter"), float)
