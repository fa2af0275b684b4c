"""At the door: what users pass becomes a matrix, labels and weights, or a clear error."""

from contextlib import contextmanager
from numbers import Real

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data

from ._messages import plain

LARGEST_FACTOR = 1e20
LEAST_SHARE = 1e-15  # of the largest factor
SMALLEST_ALPHA = 1e-100
# Squared features must not come near overflow.
LARGEST_VALUE = {np.dtype(np.float64): 1e75, np.dtype(np.float32): 1e15}


@contextmanager
def unchanged_features_on_error(estimator):
    """What the estimator says of its features is as before where a fit comes to nothing."""
    names = ("n_features_in_", "feature_names_in_")
    before = {name: vars(estimator)[name] for name in names if name in vars(estimator)}
    try:
        yield
    except BaseException:
        for name in names:
            vars(estimator).pop(name, None)
        vars(estimator).update(before)
        raise


def check_X_y(estimator, X, y, reset=True):
    """X as float32 or float64, dense or canonical CSR, and y as a 1-D array.

    `reset` says whether the estimator takes its features from X or X must have those it knows.
    """
    for name, values in (("X", X), ("y", y)):
        _refuse_masks(values, name)
    X, y = validate_data(
        estimator,
        X,
        y,
        reset=reset,
        accept_sparse="csr",
        dtype=float_dtype(X),
        accept_large_sparse=True,
    )
    _check_labels(y)
    if sp.issparse(X):
        _check_structure(X)
        X = canonical_csr(X)
    _check_magnitude(X)
    return X, y


def _refuse_masks(values, name):
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name} is a masked array with {np.ma.count_masked(values)} masked entries, which "
            "would count as if they had no mask. Leave these samples out, or fill them, for "
            f"instance by {name}.filled(value)."
        )


def _check_labels(y):
    """Whether labels are those of classes, and can be sorted."""
    try:
        check_classification_targets(y)
    except TypeError as error:
        kinds = {type(label).__name__: label for label in y.tolist()}
        shown = ", ".join(f"{plain(label)} ({kind})" for kind, label in kinds.items())
        raise ValueError(
            f"y holds labels that have no order, such as {shown}: {error}. Give labels of one "
            "type, for instance by y.astype(str), and leave samples without a label out."
        ) from error


def _check_structure(X):
    """Refuse a CSR matrix whose indices lead out of its arrays."""
    (n, d), indptr, size = X.shape, X.indptr, min(len(X.indices), len(X.data))
    ordered = len(indptr) == n + 1 and indptr[0] == 0 and (np.diff(indptr) >= 0).all()
    if not (ordered and indptr[-1] <= size):
        raise ValueError(
            f"X is a CSR matrix whose indptr is no rising sequence from 0 to at most {size}, the "
            "number of its entries. Build it anew, for instance from rows, columns and values by "
            "scipy.sparse.coo_array."
        )
    columns = X.indices[: indptr[-1]]
    if len(columns) and not (columns.min() >= 0 and columns.max() < d):
        wrong = columns[(columns < 0) | (columns >= d)][0]
        raise ValueError(
            f"X is a CSR matrix with an entry in column {wrong}, but has {d} columns. Build it "
            "anew, for instance from rows, columns and values by scipy.sparse.coo_array."
        )


def float_dtype(X):
    """float32 for floats and integers it holds exactly (up to 16 bits), else float64."""
    if hasattr(X, "dtypes") and hasattr(X, "columns"):
        dtypes = [getattr(dtype, "numpy_dtype", dtype) for dtype in X.dtypes]
    else:
        dtypes = [getattr(X, "dtype", np.dtype(object))]
    exact = all(isinstance(t, np.dtype) and _fits_float32(t) for t in dtypes)
    return np.float32 if exact and dtypes else np.float64


def _fits_float32(dtype):
    return dtype.kind in "biuf" and (dtype == np.float32 or dtype.itemsize <= 2)


def canonical_csr(X):
    """CSR with indices of one dtype and no duplicates; the caller's arrays stay as they are."""
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    if X.indices.dtype != X.indptr.dtype:
        X = sp.csr_matrix(X, copy=False)
        X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def _check_magnitude(X):
    values = X.data if sp.issparse(X) else X
    largest = max(values.max(initial=0), -values.min(initial=0))
    limit = LARGEST_VALUE[values.dtype]
    if largest > limit:
        raise ValueError(
            f"X holds a value of size {largest:.3g}; in {values.dtype} the squares of features "
            f"above {limit:.0e} come near overflow. Scale the features first, for instance "
            "with StandardScaler or MaxAbsScaler, or divide them by a constant."
        )


def encode_labels(y):
    """Sorted classes and the index of each label among them (int32)."""
    classes, labels = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"y holds only one class, {plain(classes[0])}; a classifier needs samples of at least "
            "two classes. Check how y was selected or split."
        )
    return classes, labels.astype(np.int32)


def encode_known_labels(y, classes):
    """The index of each label among the given classes (int32)."""
    places = {label: k for k, label in enumerate(classes.tolist())}
    codes = [places.get(label, -1) for label in y.tolist()]
    if -1 in codes:
        i = codes.index(-1)
        raise ValueError(
            f"y[{i}] is {plain(y[i])}, which is none of the {len(classes)} classes "
            f"{plain(classes)}. Correct the label, or leave the sample out."
        )
    return np.array(codes, dtype=np.int32)


def check_scores(scores):
    """Scores (n, C) as float32 or float64 in C order, all finite."""
    scores = check_array(
        scores,
        dtype=[np.float64, np.float32],
        order="C",
        ensure_all_finite=False,
        ensure_2d=False,
        allow_nd=True,
        ensure_min_samples=0,
    )
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise ValueError(
            f"scores have the shape {scores.shape}; they need a row for each sample and a column "
            "for each class, so at least one row and two columns. The scores z of one sample are "
            "z[np.newaxis]; the one score s of a two-class model is the columns (-s/2, s/2)."
        )
    if not np.isfinite(scores).all():
        i, k = np.argwhere(~np.isfinite(scores))[0]
        raise ValueError(
            f"scores[{i}, {k}] is {scores[i, k]}; scores must be finite. Check the features and "
            "weights they come from, or leave the sample out."
        )
    return scores


def check_columns(y, scores, labels=None):
    """The column of each label (int32); `labels` are the names of the columns, 0..C-1 if None."""
    y = column_or_1d(y)
    n_samples, n_classes = scores.shape
    if len(y) != n_samples:
        raise ValueError(
            f"scores have {n_samples} rows and y has {len(y)} labels; give one label a row."
        )
    names = np.arange(n_classes) if labels is None else column_or_1d(labels)
    if len(names) != n_classes or len(set(names.tolist())) < n_classes:
        raise ValueError(
            f"labels are {plain(names)}, and scores have {n_classes} columns; "
            "give each column one name of its own, for instance labels=model.classes_."
        )
    try:
        return encode_known_labels(y, names)
    except ValueError as error:
        if labels is not None:
            raise
        raise ValueError(f"{error} Or name the columns: labels=model.classes_.") from None


def sample_probabilities(X, labels, classes, sample_weight, class_weight):
    """p_i = s_i / sum s with s = sample_weight * class_weight, float64; every class has some."""
    weights = combined_weights(X, labels, classes, sample_weight, class_weight)
    totals = np.bincount(labels, weights, minlength=len(classes))
    if not totals.all():
        empty = classes[np.flatnonzero(totals == 0)[0]]
        raise ValueError(
            f"All samples of class {plain(empty)} have weight zero by sample_weight and "
            "class_weight together, so the data say nothing of it. Give some of them a positive "
            f"weight, or leave them out of X and y, for instance by kept = y != {plain(empty)}."
        )
    return weights / weights.sum()


def check_alpha(alpha):
    """Refuse what is positive and yet lost in products."""
    if alpha < SMALLEST_ALPHA:
        raise ValueError(
            f"alpha={alpha:g} is so small that products with it vanish in double precision. Use "
            f"{SMALLEST_ALPHA:g} or more."
        )


def check_penalty_factor(factor, n_features):
    """Multipliers of the penalty, shape (d, 1), or a number where they are all the same."""
    if factor is None:
        return 1.0
    _refuse_words(factor, "penalty_factor")
    factor = check_array(
        factor, ensure_2d=False, dtype=np.float64, input_name="penalty_factor", copy=True
    )
    if factor.shape != (n_features,):
        raise ValueError(
            f"penalty_factor has shape {factor.shape}, but X has {n_features} features; give one "
            f"number for each feature, in an array of shape ({n_features},)."
        )
    if factor.min() < 0:
        place = int(factor.argmin())
        raise ValueError(
            f"penalty_factor[{place}] is {factor[place]:g}; factors must not be negative. Use 0 "
            "to leave a feature without a penalty."
        )
    positive = factor[factor > 0]
    far = positive[(positive < 1 / LARGEST_FACTOR) | (positive > LARGEST_FACTOR)]
    if len(far):
        raise ValueError(
            f"penalty_factor holds {far[0]:g}; positive factors must lie between "
            f"{1 / LARGEST_FACTOR:g} and {LARGEST_FACTOR:g}. Use 0 to leave a feature without a "
            "penalty, or leave a feature out that is to have no weight."
        )
    if len(positive) and positive.min() < LEAST_SHARE * positive.max():
        raise ValueError(
            f"penalty_factor holds {positive.min():g} beside {positive.max():g}; so small a one "
            "vanishes beside the other in double precision. Use 0 to leave a feature without a "
            f"penalty, or no less than {LEAST_SHARE:g} of the largest factor."
        )
    if factor.max() == 0:
        raise ValueError(
            "All penalty_factor values are zero: without a penalty there may be no optimum, and "
            "there is no certificate. Give some feature a positive factor."
        )
    return float(factor[0]) if (factor == factor[0]).all() else factor[:, None]


def combined_weights(X, labels, classes, sample_weight, class_weight):
    """s = sample_weight * class_weight up to a factor, float64."""
    weights = check_weights(sample_weight, X)
    weights = weights / weights.max()
    if class_weight is None:
        return weights
    by_class = _class_weights(class_weight, classes, labels, weights)
    return weights * (by_class / max(by_class.max(), np.finfo(float).tiny))[labels]


def check_weights(sample_weight, X):
    """Weights (n,) as float64, none negative and not all zero; ones for None."""
    _refuse_words(sample_weight, "sample_weight")
    _refuse_masks(sample_weight, "sample_weight")
    if isinstance(sample_weight, Real) and not np.isfinite(sample_weight):
        raise ValueError(
            f"sample_weight is {plain(sample_weight)}; weights must be finite. Leave it out where "
            "all samples count alike."
        )
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64, allow_all_zero_weights=True)
    if weights.min() < 0:
        place = int(weights.argmin())
        raise ValueError(
            f"sample_weight[{place}] is {weights[place]:g}; weights must not be negative. "
            "Use 0 to leave a sample out."
        )
    if weights.max() == 0:
        raise ValueError(
            "All sample_weight values are zero, so no sample counts. Give at least one "
            "sample of each class a positive weight."
        )
    return weights


def _refuse_words(values, name):
    """Say which entry of an array-like is no number, if one is text that can't be read as one."""
    if not (isinstance(values, list | tuple) or hasattr(values, "__array__")):
        return
    array = np.asarray(values)
    if array.ndim != 1:
        return
    for place, value in enumerate(array if array.dtype.kind in "OUS" else ()):
        try:
            float(value)
        except ValueError:
            raise ValueError(
                f"{name}[{place}] is {plain(value)}, which is no number; give numbers."
            ) from None
        except TypeError:
            return  # the general check knows what it is


def _class_weights(class_weight, classes, labels, sample_weight):
    """One weight a class."""
    if isinstance(class_weight, dict):
        check_class_weight(class_weight, classes)
    if class_weight == "balanced":
        totals = np.bincount(labels, sample_weight, minlength=len(classes))
        return np.divide(
            totals.sum(), len(classes) * totals, out=np.zeros(len(classes)), where=totals > 0
        )
    return compute_class_weight(class_weight, classes=classes, y=classes[labels])


def check_class_weight(class_weight, classes):
    """A dict of usable weights, that of a class without samples beside those of all others.

    Part of the data may lack a rare class; where others have no weight, a name may be wrong.
    """
    known = classes.tolist()
    unnamed, strange = [k for k in known if k not in class_weight], set(class_weight) - set(known)
    for label, weight in class_weight.items():
        if label in strange and unnamed:
            raise ValueError(
                f"class_weight names the class {plain(label)}, which does not occur in y; the "
                f"classes are {plain(classes)}, and {plain(unnamed[0])} has no weight. Remove it "
                "or correct its name, or name all classes."
            )
        if not (isinstance(weight, Real) and 0 <= weight < np.inf):
            raise ValueError(
                f"class_weight[{plain(label)}] is {plain(weight)}; class weights must be finite "
                "numbers and not negative. Use 1 for a class that is to count as it is."
            )
