"""Handwritten digits: a grid search over both estimators, its certificates and its templates.

Prints one row a loss for the model that cross-validation chose, and draws a figure: how the
objective and the certified gap fell, and the weights of every class as an image.

    python examples/digits.py [figure.png]
"""

import sys

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from sklinear import SoftmaxClassifier, SVMClassifier

TOL = 1e-4
ESTIMATORS = {
    "softmax": SoftmaxClassifier(tol=TOL),
    "hinge": SVMClassifier(loss="hinge", tol=TOL),
    "squared hinge": SVMClassifier(loss="squared_hinge", tol=TOL),
}
GRID = {"classifier__alpha": [1e-3, 1e-2, 1e-1], "classifier__l1_ratio": [0, 0.5, 1]}
COLOURS = {"softmax": "#0072B2", "hinge": "#D55E00", "squared hinge": "#009E73"}


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


def draw_history(axes, models):
    """Objective and gap against iterations, both relative to the objective at zero weights."""
    for name, model in models.items():
        history = model.history_
        start = history["objective"][0]
        axes.plot(history["objective"] / start, color=COLOURS[name], label=name)
        axes.plot(history["gap"] / start, color=COLOURS[name], linestyle="--")
    axes.plot([], color="black", label="objective")
    axes.plot([], color="black", linestyle="--", label="certified gap")
    axes.axhline(TOL, color="grey", linestyle=":", label="tol")
    axes.set(yscale="log", xlabel="iteration", ylabel="relative to F(0)", title="The falling loss")
    axes.legend(ncols=2, frameon=False)


def draw_templates(axes, model):
    """The weights of each class as an image of 8 × 8 pixels, all on one symmetric scale."""
    limit = np.abs(model.coef_).max()
    for axis, label, coef in zip(axes.flat, model.classes_, model.coef_, strict=True):
        image = axis.imshow(coef.reshape(8, 8), cmap="RdBu_r", vmin=-limit, vmax=limit)
        axis.set_title(label)
        axis.set_axis_off()
    return image


def draw(models, path):
    """Write the figure of all models: their histories, and the templates of the softmax."""
    figure = Figure(figsize=(11, 3.7), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.25])
    draw_history(left.subplots(), models)
    templates = right.subplots(2, 5)
    image = draw_templates(templates, models["softmax"])
    right.suptitle("Class templates of the softmax")
    right.colorbar(image, ax=templates, shrink=0.8, label="weight")
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
