"""Handwritten digits: a grid search over both estimators, its certificates and its templates.

Prints one row a loss for the model that cross-validation chose, and draws a figure: how the
objective and the certified gap fell, and the weights of every class as an image.

    python examples/digits.py [figure.png]
"""

import sys

from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from sklinear import SoftmaxClassifier, SVMClassifier
from sklinear.plotting import LossCurveDisplay, TemplatesDisplay

TOL = 1e-4
ESTIMATORS = {
    "softmax": SoftmaxClassifier(tol=TOL),
    "hinge": SVMClassifier(loss="hinge", tol=TOL),
    "squared hinge": SVMClassifier(loss="squared_hinge", tol=TOL),
}
GRID = {"classifier__alpha": [1e-3, 1e-2, 1e-1], "classifier__l1_ratio": [0, 0.5, 1]}


def search(classifier, X, y):
    """Cross-validate the grid and refit its best model on all rows."""
    pipeline = Pipeline([("scaler", MinMaxScaler()), ("classifier", classifier)])
    return GridSearchCV(pipeline, GRID, cv=3).fit(X, y)


def print_table(searches, X_test, y_test):
    """One row a search: its best model, scored on rows that it has not seen."""
    print("loss            alpha  l1_ratio  test accuracy  objective  certified gap  seconds")
    for name, found in searches.items():
        model = found.best_estimator_["classifier"]
        print(
            f"{name:14}{model.alpha:7g}{model.l1_ratio:10g}{found.score(X_test, y_test):15.3f}"
            f"{model.objective_:11.5f}{model.dual_gap_:15.1e}{found.refit_time_:9.2f}"
        )


def draw(models, path):
    """Write the figure of all models: their histories, and the templates of the softmax."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.25])
    LossCurveDisplay.from_estimators(models, ax=left.subplots())
    TemplatesDisplay.from_estimator(models["softmax"], ax=right.subplots(2, 5))
    right.suptitle("Class templates of the softmax")
    figure.savefig(path, dpi=120)


def main(path="digits.png"):
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    searches = {name: search(classifier, X, y) for name, classifier in ESTIMATORS.items()}
    print_table(searches, X_test, y_test)
    draw({name: found.best_estimator_["classifier"] for name, found in searches.items()}, path)
    print(f"figure written to {path}")


if __name__ == "__main__":
    main(*sys.argv[1:])
