from benchopt import BaseDataset
from sklearn import datasets
from sklearn.preprocessing import StandardScaler


class Dataset(BaseDataset):
    """Small data that come with scikit-learn, standardised."""

    name = "bundled"
    parameters = {"source": ["iris", "wine", "breast_cancer"]}

    def get_data(self):
        X, y = getattr(datasets, f"load_{self.source}")(return_X_y=True)
        return {"X": StandardScaler().fit_transform(X), "y": y}
