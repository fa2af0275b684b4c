from benchmark_utils.data import read, standardised
from benchopt import BaseDataset

UCI = ["arrhythmia", "audiology", "optdigits", "soybean", "spambase", "splice"]


class Dataset(BaseDataset):
    """Of UCI (categories one-hot) and of the scikit-feature repository, standardised."""

    name = "public"
    parameters = {"source": [*UCI, "Isolet", "TOX-171"]}

    def get_data(self):
        return read(self.source, standardised)
