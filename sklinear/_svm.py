"""Multiclass support vector machine."""

from sklearn.utils._param_validation import StrOptions

from ._base import BaseLinearClassifier
from ._losses import Hinge, SquaredHinge

LOSSES = {"hinge": Hinge, "squared_hinge": SquaredHinge}


class SVMClassifier(BaseLinearClassifier):
    r"""Weston-Watkins SVM with L1, L2 or elastic-net penalty, fitted to a certified optimum.

    Minimises over weights W (n_features, C) and intercept b (C,)

    .. math::

        F(W, b) = \sum_i p_i \sum_{k \ne y_i} \max(0, 1 + z_{ik} - z_{i y_i})^e
            + \alpha \sum_j f_j \Bigl[\rho \|W_j\|_1 + \tfrac{1 - \rho}{2} \|W_j\|^2\Bigr],
        \qquad z_i = x_i W + b,

    e = 1 for the hinge and 2 for the squared hinge, with :math:`p_i = s_i / \sum s`, s the
    product of sample and class weights, and f the `penalty_factor`. The intercept is never
    penalised. With two classes there is one weight vector v with the penalty on v and scores
    ∓(x·v + b)/2, so that the model is the binary SVM at ``C = 1 / (alpha * sum(s))``.

    Parameters
    ----------
    alpha : float, default=1e-4
        Weight of the penalty, positive (1e-100 or more).
    loss : {"hinge", "squared_hinge"}, default="hinge"
        The hinge, or its square for each wrong class.
    l1_ratio : float, default=0.0
        Share ρ of the L1 norm in the penalty, in [0, 1]: 0 is L2, 1 is L1. To select the features
        with a weight, give ``SelectFromModel`` ``threshold=1e-5``.
    fit_intercept : bool, default=True
        Whether to fit an unpenalised intercept.
    tol : float, default=1e-4
        The fit ends when ``dual_gap_ <= tol * F(0)``, with F(0) = C - 1.
    max_iter : int, default=1000
        Largest number of outer iterations.
    penalty_factor : array-like of shape (n_features,), default=None
        Multiplies the penalty of each feature, all ones if None. Not negative; a feature of
        factor 0 is not penalised at all. The factors are used as they are, not rescaled.
        Positive ones lie between 1e-20 and 1e20, none below 1e-15 of the largest.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied into the sample weights; classes that a dict does
        not name have weight 1. "balanced" gives all classes the same total weight.
    warm_start : bool, default=False
        Whether to start from the previous solution when shapes and classes agree. What else a
        solver has learnt is forgotten, and the first iterations certify the start: a fit that
        `max_iter` ended may come no nearer by fits as short after it. Raise `max_iter` instead.
    random_state : int, RandomState instance or None, default=None
        Seed of solvers that draw samples; the present ones are deterministic.
    verbose : int, default=0
        If positive, print a table of iteration, objective, gap and seconds.

    Attributes
    ----------
    coef_ : ndarray of shape (C, n_features), or (1, n_features) for two classes
        Weights, in the precision of X.
    intercept_ : ndarray of shape (C,), or (1,) for two classes
        Intercept; sums to zero for three classes or more.
    classes_ : ndarray of shape (C,)
        The class labels, sorted.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had names that are all strings.
    n_iter_ : int
        Number of outer iterations.
    dual_gap_ : float
        A proved bound on F(W, b) - min F, in the units of the objective.
    objective_ : float
        F(W, b).
    history_ : dict of ndarray
        Of shape ``(n_iter_ + 1,)``: "seconds", "passes" (over X; may be fractional), "objective"
        and "gap" after each outer iteration. The first row is W = 0, b = 0, where F is C - 1.

    See Also
    --------
    SoftmaxClassifier : Softmax cross-entropy, with probabilities.

    Notes
    -----
    The gap is that of Fenchel duality: with dual variables u_ik for the wrong classes k,
    g_ik = u_ik, g_iy = -sum_k u_ik and A = X^T diag(p) G, the dual objective is ``sum p_i
    sum_k (u_ik - q(u_ik)) - sum_jk max(0, |A_jk| - alpha rho f_j)^2 / (2 alpha (1 - rho) f_j)``,
    subject to sum_i p_i g_i = 0 and to A_j = 0 where f_j = 0; q = 0 and 0 <= u <= 1 for the
    hinge, q(u) = u^2 / 4 and u >= 0 for the squared hinge.

    References
    ----------
    Weston and Watkins, Support vector machines for multi-class pattern recognition, 1999.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklinear import SVMClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SVMClassifier(alpha=1e-2, loss="squared_hinge").fit(X, y)
    >>> round(model.score(X, y), 2)
    0.99
    >>> bool(model.dual_gap_ <= 1e-4 * model.history_["objective"][0])
    True
    """

    _parameter_constraints: dict = {
        **BaseLinearClassifier._parameter_constraints,
        "loss": [StrOptions(set(LOSSES))],
    }

    def __init__(
        self,
        alpha=1e-4,
        *,
        loss="hinge",
        l1_ratio=0.0,
        fit_intercept=True,
        tol=1e-4,
        max_iter=1000,
        penalty_factor=None,
        class_weight=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.alpha = alpha
        self.loss = loss
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.penalty_factor = penalty_factor
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def __getattr__(self, name):
        if name in ("predict_proba", "predict_log_proba"):
            raise AttributeError(
                f"{type(self).__name__} has no {name}: the hinge losses define no "
                "probabilities. Use sklearn.calibration.CalibratedClassifierCV(model, "
                'method="temperature"), which fits them to the scores.'
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _loss(self):
        return LOSSES[self.loss]()
