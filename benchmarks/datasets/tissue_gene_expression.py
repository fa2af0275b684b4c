from benchmark_utils.data import read, standardised
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Gene expression: 189 x 500, 7 classes, standardised."""

    name = "tissue_gene_expression"

    def get_data(self):
        return read("tissue_gene_expression", standardised)
