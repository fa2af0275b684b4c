"""Cross-validated estimators: alpha and l1_ratio chosen in one call."""

from ._base_cv import CrossValidated
from ._softmax import SoftmaxClassifier
from ._svm import SVMClassifier


class SoftmaxClassifierCV(CrossValidated, SoftmaxClassifier):
    """Softmax classifier that chooses alpha and l1_ratio by cross-validation.

    Fits a path of alphas for every fold and every l1_ratio, each to a certified optimum, scores
    the held-out rows and fits all data with the best alpha and l1_ratio. The objective is that
    of `SoftmaxClassifier`.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=100
        The alphas, in any order; or how many, and each l1_ratio then has a geometric grid of
        its own, from the smallest alpha at which all weights are zero on all data to `eps`
        times it (at l1_ratio = 0, from that of l1_ratio = 1e-3).
    eps : float, default=None
        Smallest by largest alpha of a grid. If None, 1e-3, and 1e-6 at l1_ratio = 0, where the
        grid begins a thousand times higher.
    l1_ratios : array-like of shape (n_l1_ratios,), default=(0.0,)
        Shares of the L1 norm in the penalty, each in [0, 1].
    cv : int, cross-validation generator or iterable, default=None
        The folds: their number (stratified; 5 if None), a splitter, or pairs (train, test) of
        indices or masks. An index that occurs twice in `train` counts twice.
    scoring : str or callable, default=None
        Name of a scorer of scikit-learn, or ``scorer(estimator, X, y)``; larger is better.
        If None, minus the mean cross-entropy of the held-out rows ("neg_log_loss").
    selection : {"best", "1se"}, default="best"
        "best" takes the largest mean score. "1se" takes the l1_ratio of the best and the
        largest alpha whose mean is within one standard error of it: a simpler model that is
        not demonstrably worse.
    refit : bool, default=True
        Whether to fit all data with the alpha and the l1_ratio chosen. If not, there is no
        model to predict with.
    store_paths : bool, default=True
        Whether to keep `coefs_paths_`, up to n_folds × n_l1_ratios × n_alphas models.
    fit_intercept : bool, default=True
        Whether to fit an unpenalised intercept.
    tol : float, default=1e-4
        Each fit, of every fold at every alpha, ends when its gap is at most ``tol * F(0)``,
        with F(0) = log C.
    max_iter : int, default=1000
        Largest number of outer iterations of a fit.
    penalty_factor : array-like of shape (n_features,), default=None
        Multiplies the penalty of each feature, all ones if None; a feature of factor 0 is not
        penalised at all. Positive ones lie between 1e-20 and 1e20, none below 1e-15 of the
        largest.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied into the sample weights; classes that a dict does
        not name have weight 1. "balanced" gives all classes the same total weight in all data.
    n_jobs : int, default=None
        Number of threads that take folds and l1_ratios; -1 for all cores. They share X, and
        the threads inside a fit become fewer accordingly.
    random_state : int, RandomState instance or None, default=None
        Seed of solvers that draw samples; the present ones are deterministic.
    verbose : int, default=0
        If positive, report the progress over folds; if 2 or more, print the table of the refit.

    Attributes
    ----------
    alphas_ : ndarray of shape (n_l1_ratios, n_alphas)
        The alphas of each l1_ratio, falling.
    l1_ratios_ : ndarray of shape (n_l1_ratios,)
        The l1_ratios.
    scores_ : ndarray of shape (n_folds, n_l1_ratios, n_alphas)
        Scores of the held-out parts.
    mean_scores_, std_error_ : ndarray of shape (n_l1_ratios, n_alphas)
        Their mean over the folds and its standard error (NaN where there is one fold, or a
        score that is not finite; alphas with a NaN or -inf are not chosen).
    best_index_ : tuple of int
        Place of the chosen pair: ``alphas_[best_index_]`` is `alpha_`.
    alpha_, l1_ratio_ : float
        What was chosen.
    coefs_paths_ : ndarray of shape (n_folds, n_l1_ratios, n_alphas, n_rows, n_features + 1)
        Weights and, in the last column, intercepts of the models on the folds, with n_rows = C,
        or 1 for two classes. Where it takes less memory, an object array of shape (n_folds,
        n_l1_ratios, n_alphas) that holds CSR arrays of shape (n_rows, n_features + 1). A class
        that a fold's training part lacks has weights 0 and the intercept -inf.
    n_iter_ : ndarray of shape (n_folds, n_l1_ratios, n_alphas)
        Number of outer iterations of each fit; 1 where it was interpolated between two others
        and certified, as scikit-learn asks of every `n_iter_` to be at least 1 (`n_iter` of
        `softmax_path` and `svm_path` is 0 there).
    n_nonzero_features_ : ndarray of shape (n_folds, n_l1_ratios, n_alphas)
        Number of features with a non-zero weight for some class.
    coef_ : ndarray of shape (C, n_features), or (1, n_features) for two classes
        Weights of the refit, in the precision of X.
    intercept_ : ndarray of shape (C,), or (1,) for two classes
        Intercept of the refit.
    dual_gap_, objective_ : float
        A proved bound on F(W, b) - min F of the refit, and F(W, b).
    history_ : dict of ndarray
        "seconds", "passes", "objective" and "gap" after each outer iteration of the refit.
    classes_ : ndarray of shape (C,)
        The class labels, sorted.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had names that are all strings.

    See Also
    --------
    SoftmaxClassifier : The model at one alpha and one l1_ratio.
    SVMClassifierCV : The same for the hinge losses.

    Notes
    -----
    All folds share X, which is never copied: a row that is left out has weight zero, and its
    score comes with the fit. On each fold, the alphas fall, and each fit begins at the one
    before.

    A class that a fold's training part lacks is absent from that fold's model: a held-out
    sample of it has probability zero, which counts as the machine epsilon, as in scikit-learn's
    ``log_loss``.
    Any other scorer is given a fitted `SoftmaxClassifier` with the score -inf for that
    class.

    The best is the largest unweighted mean over folds, as in scikit-learn's
    ``GridSearchCV``, which chooses the same on the same folds and alphas, unless class weights
    are "balanced" (there in each fold); of equal means the larger alpha wins. A scorer of
    single columns of the ``decision_function`` may tell them apart: with ``l1_ratio=1`` and an
    even number of classes, four or more, each feature may have its weights shifted for all
    classes at no cost.

    References
    ----------
    Breiman, Friedman, Olshen and Stone, Classification and regression trees, 1984, section
    3.4.3 (the rule of one standard error).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SoftmaxClassifierCV
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftmaxClassifierCV(alphas=20, l1_ratios=[0.5, 1], selection="1se").fit(X, y)
    >>> model.scores_.shape
    (5, 2, 20)
    >>> bool(model.alphas_[model.best_index_] == model.alpha_)
    True
    >>> model.predict(X[:2])
    array([0, 0])
    """

    _model = SoftmaxClassifier
    _default_scoring = "neg_log_loss"

    def __init__(
        self,
        alphas=100,
        *,
        eps=None,
        l1_ratios=(0.0,),
        cv=None,
        scoring=None,
        selection="best",
        refit=True,
        store_paths=True,
        fit_intercept=True,
        tol=1e-4,
        max_iter=1000,
        penalty_factor=None,
        class_weight=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.alphas = alphas
        self.eps = eps
        self.l1_ratios = l1_ratios
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.refit = refit
        self.store_paths = store_paths
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.penalty_factor = penalty_factor
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose


class SVMClassifierCV(CrossValidated, SVMClassifier):
    """Weston-Watkins SVM that chooses alpha and l1_ratio by cross-validation.

    Fits a path of alphas for every fold and every l1_ratio, each to a certified optimum, scores
    the held-out rows and fits all data with the best alpha and l1_ratio. The objective is that
    of `SVMClassifier`.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=100
        The alphas, in any order; or how many, and each l1_ratio then has a geometric grid of
        its own, from the smallest alpha at which all weights are zero on all data
        (for the hinge, a tight upper bound of it) to `eps`
        times it (at l1_ratio = 0, from that of l1_ratio = 1e-3).
    loss : {"hinge", "squared_hinge"}, default="hinge"
        The hinge, or its square for each wrong class.
    eps : float, default=None
        Smallest by largest alpha of a grid. If None, 1e-3, and 1e-6 at l1_ratio = 0, where the
        grid begins a thousand times higher.
    l1_ratios : array-like of shape (n_l1_ratios,), default=(0.0,)
        Shares of the L1 norm in the penalty, each in [0, 1].
    cv : int, cross-validation generator or iterable, default=None
        The folds: their number (stratified; 5 if None), a splitter, or pairs (train, test) of
        indices or masks. An index that occurs twice in `train` counts twice.
    scoring : str or callable, default=None
        Name of a scorer of scikit-learn, or ``scorer(estimator, X, y)``; larger is better.
        If None, the accuracy.
    selection : {"best", "1se"}, default="best"
        "best" takes the largest mean score. "1se" takes the l1_ratio of the best and the
        largest alpha whose mean is within one standard error of it: a simpler model that is
        not demonstrably worse.
    refit : bool, default=True
        Whether to fit all data with the alpha and the l1_ratio chosen. If not, there is no
        model to predict with.
    store_paths : bool, default=True
        Whether to keep `coefs_paths_`, up to n_folds × n_l1_ratios × n_alphas models.
    fit_intercept : bool, default=True
        Whether to fit an unpenalised intercept.
    tol : float, default=1e-4
        Each fit, of every fold at every alpha, ends when its gap is at most ``tol * F(0)``,
        with F(0) = C - 1.
    max_iter : int, default=1000
        Largest number of outer iterations of a fit.
    penalty_factor : array-like of shape (n_features,), default=None
        Multiplies the penalty of each feature, all ones if None; a feature of factor 0 is not
        penalised at all. Positive ones lie between 1e-20 and 1e20, none below 1e-15 of the
        largest.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied into the sample weights; classes that a dict does
        not name have weight 1. "balanced" gives all classes the same total weight in all data.
    n_jobs : int, default=None
        Number of threads that take folds and l1_ratios; -1 for all cores. They share X, and
        the threads inside a fit become fewer accordingly.
    random_state : int, RandomState instance or None, default=None
        Seed of solvers that draw samples; the present ones are deterministic.
    verbose : int, default=0
        If positive, report the progress over folds; if 2 or more, print the table of the refit.

    Attributes
    ----------
    alphas_ : ndarray of shape (n_l1_ratios, n_alphas)
        The alphas of each l1_ratio, falling.
    l1_ratios_ : ndarray of shape (n_l1_ratios,)
        The l1_ratios.
    scores_ : ndarray of shape (n_folds, n_l1_ratios, n_alphas)
        Scores of the held-out parts.
    mean_scores_, std_error_ : ndarray of shape (n_l1_ratios, n_alphas)
        Their mean over the folds and its standard error (NaN where there is one fold, or a
        score that is not finite; alphas with a NaN or -inf are not chosen).
    best_index_ : tuple of int
        Place of the chosen pair: ``alphas_[best_index_]`` is `alpha_`.
    alpha_, l1_ratio_ : float
        What was chosen.
    coefs_paths_ : ndarray of shape (n_folds, n_l1_ratios, n_alphas, n_rows, n_features + 1)
        Weights and, in the last column, intercepts of the models on the folds, with n_rows = C,
        or 1 for two classes. Where it takes less memory, an object array of shape (n_folds,
        n_l1_ratios, n_alphas) that holds CSR arrays of shape (n_rows, n_features + 1). A class
        that a fold's training part lacks has weights 0 and the intercept -inf.
    n_iter_ : ndarray of shape (n_folds, n_l1_ratios, n_alphas)
        Number of outer iterations of each fit; 1 where it was interpolated between two others
        and certified, as scikit-learn asks of every `n_iter_` to be at least 1 (`n_iter` of
        `softmax_path` and `svm_path` is 0 there).
    n_nonzero_features_ : ndarray of shape (n_folds, n_l1_ratios, n_alphas)
        Number of features with a non-zero weight for some class.
    coef_ : ndarray of shape (C, n_features), or (1, n_features) for two classes
        Weights of the refit, in the precision of X.
    intercept_ : ndarray of shape (C,), or (1,) for two classes
        Intercept of the refit.
    dual_gap_, objective_ : float
        A proved bound on F(W, b) - min F of the refit, and F(W, b).
    history_ : dict of ndarray
        "seconds", "passes", "objective" and "gap" after each outer iteration of the refit.
    classes_ : ndarray of shape (C,)
        The class labels, sorted.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had names that are all strings.

    See Also
    --------
    SVMClassifier : The model at one alpha and one l1_ratio.
    SoftmaxClassifierCV : The same for the softmax.

    Notes
    -----
    All folds share X, which is never copied: a row that is left out has weight zero, and its
    score comes with the fit. On each fold, the alphas fall, and each fit begins at the one
    before.

    A class that a fold's training part lacks is absent from that fold's model: it is never
    predicted.
    Any other scorer is given a fitted `SVMClassifier` with the score -inf for that
    class.

    The best is the largest unweighted mean over folds, as in scikit-learn's
    ``GridSearchCV``, which chooses the same on the same folds and alphas, unless class weights
    are "balanced" (there in each fold); of equal means the larger alpha wins. A scorer of
    single columns of the ``decision_function`` may tell them apart: with ``l1_ratio=1`` and an
    even number of classes, four or more, each feature may have its weights shifted for all
    classes at no cost.

    References
    ----------
    Breiman, Friedman, Olshen and Stone, Classification and regression trees, 1984, section
    3.4.3 (the rule of one standard error).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SVMClassifierCV
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SVMClassifierCV(alphas=20, loss="squared_hinge", l1_ratios=[1.0]).fit(X, y)
    >>> model.scores_.shape
    (5, 1, 20)
    >>> model.predict(X[:2])
    array([0, 0])
    """

    _model = SVMClassifier
    _default_scoring = "accuracy"
    _parameter_constraints: dict = {
        **CrossValidated._parameter_constraints,
        "loss": SVMClassifier._parameter_constraints["loss"],
    }

    def __init__(
        self,
        alphas=100,
        *,
        loss="hinge",
        eps=None,
        l1_ratios=(0.0,),
        cv=None,
        scoring=None,
        selection="best",
        refit=True,
        store_paths=True,
        fit_intercept=True,
        tol=1e-4,
        max_iter=1000,
        penalty_factor=None,
        class_weight=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.alphas = alphas
        self.loss = loss
        self.eps = eps
        self.l1_ratios = l1_ratios
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.refit = refit
        self.store_paths = store_paths
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.penalty_factor = penalty_factor
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
