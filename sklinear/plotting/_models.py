"""From what users pass to the linear model in it."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def final_model(estimator):
    """The fitted model at the end of a pipeline, a search, or both within each other."""
    check_is_fitted(estimator)
    if isinstance(estimator, Pipeline):
        return final_model(estimator[-1])
    best = getattr(estimator, "best_estimator_", None)
    return estimator if best is None else final_model(best)


def final_input(estimator, X):
    """X as the steps before the final model transform it."""
    if isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        return final_input(estimator[-1], X)
    best = getattr(estimator, "best_estimator_", None)
    return X if best is None else final_input(best, X)
