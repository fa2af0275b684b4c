from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Satellite images: 4,435 x 36, 6 classes, standardised."""

    name = "satimage"

    def get_data(self):
        return read("satimage", standardised)
