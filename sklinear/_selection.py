"""The choice of a cross-validation: means of scores, their errors, and which place is taken.

Scores that are not finite rank last, NaN below -inf, as in scikit-learn's searches.
"""

import warnings

import numpy as np

from ._messages import plain


def mean_and_error(scores):
    """Mean over the folds and its standard error, NaN for one fold or scores that are not finite.

    Parameters
    ----------
    scores : ndarray of shape (n_folds, n_l1_ratios, n_alphas)

    Returns
    -------
    mean_scores, std_error : ndarray of shape (n_l1_ratios, n_alphas)
    """
    n_folds = len(scores)
    with np.errstate(invalid="ignore"):
        mean = scores.mean(axis=0)
        if n_folds == 1:
            return mean, np.full_like(mean, np.nan)
        return mean, scores.std(axis=0, ddof=1) / np.sqrt(n_folds)


def check_mean_scores(mean_scores, scoring):
    """Warn where some are not finite; refuse them where they leave no choice."""
    finite = np.isfinite(mean_scores)
    if finite.all():
        return
    if not (mean_scores > -np.inf).any():
        raise ValueError(
            f"scoring={scoring!r} gave NaN or -inf on some fold for every alpha. Use a score "
            "that is defined on every held-out part, or other folds."
        )
    warnings.warn(
        f"scoring={scoring!r} gave values that are not finite on some fold for "
        f"{np.count_nonzero(~finite)} of the {finite.size} pairs of l1_ratio and alpha, among them "
        f"{plain(mean_scores[~finite][0])}. NaN and -inf rank last. Use a score that is finite on "
        "every held-out part, or other folds.",
        UserWarning,
        stacklevel=5,
    )


def best_index(mean_scores):
    """Place (l1_ratio, alpha) of the largest mean; of equal ones the first, the larger alpha."""
    means = np.where(np.isnan(mean_scores), -np.inf, mean_scores)
    row, column = np.unravel_index(means.argmax(), means.shape)
    return int(row), int(column)


def one_standard_error_index(mean_scores, std_error):
    """At the best l1_ratio, the largest alpha whose mean is within a standard error of the best.

    Parameters
    ----------
    mean_scores, std_error : ndarray of shape (n_l1_ratios, n_alphas)
        Alphas fall along the rows. An error that is NaN counts as 0.

    References
    ----------
    Breiman, Friedman, Olshen and Stone, Classification and regression trees, 1984, section
    3.4.3.
    """
    row, column = best_index(mean_scores)
    floor = mean_scores[row, column] - np.nan_to_num(std_error[row, column])
    return row, int((mean_scores[row] >= floor).argmax())


SELECTIONS = {
    "best": lambda mean_scores, std_error: best_index(mean_scores),
    "1se": one_standard_error_index,
}
