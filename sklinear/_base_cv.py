"""What both cross-validated estimators share: folds, paths on them, the choice, the refit."""

import inspect
import itertools
import warnings
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils._metadata_requests import (
    UNUSED,
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.parallel import Parallel, delayed

from ._base import BaseLinearClassifier
from ._folds import Samples, fold_path, make_folds, stack_coefs
from ._messages import plain
from ._path import falling_alphas
from ._scoring import Scoring, accepts_sample_weight, with_labels
from ._selection import SELECTIONS, check_mean_scores, mean_and_error
from ._threads import at_most, n_threads
from ._validation import check_X_y, unchanged_features_on_error

EPS, EPS_WITHOUT_L1 = 1e-3, 1e-6
OF_THE_REFIT = ("coef_", "intercept_", "dual_gap_", "objective_", "history_")


class CrossValidated(BaseEstimator):
    """Paths on folds, the choice among them, and the fit to all data.

    To be put before the estimator of one alpha and one l1_ratio, which `_model` names.
    """

    # The request of `score` is the scorer's.
    __metadata_request__score = {"sample_weight": UNUSED}

    _parameter_constraints: dict = {
        **{
            name: allowed
            for name, allowed in BaseLinearClassifier._parameter_constraints.items()
            if name not in ("alpha", "l1_ratio", "warm_start")
        },
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "eps": [Interval(Real, 0, 1, closed="neither"), None],
        "l1_ratios": ["array-like"],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "selection": [StrOptions(set(SELECTIONS))],
        "refit": ["boolean"],
        "store_paths": ["boolean"],
        "n_jobs": [Integral, None],
    }
    _model: type
    _default_scoring: str

    def _validate_params(self):
        BaseEstimator._validate_params(self)
        ratios = np.asarray(self.l1_ratios)
        usable = ratios.ndim == 1 and ratios.size and ratios.dtype.kind in "iuf"
        if not (usable and ((ratios >= 0) & (ratios <= 1)).all()):
            raise ValueError(
                f"l1_ratios={plain(self.l1_ratios)} must be a one-dimensional array-like of "
                "numbers in [0, 1], at least one."
            )

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        """Choose alpha and l1_ratio by cross-validation, and fit all data with them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data. float32 and float64 are used as they are, dense in C order or
            CSR with 32- or 64-bit indices; other formats, orders and dtypes are converted once. All
            folds share it.
        y : array-like of shape (n_samples,)
            Class labels, of at least two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, some for every class; all ones if None. Used to fit; to score
            as well if the scorer accepts weights or, with metadata routing enabled, requests them.
        **params : dict
            Metadata for the splitter (`groups`, for instance) and the scorer; only with
            ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X, y, the weights, a fold or a parameter can't be used; the message names the
            value and the remedy.

        Warns
        -----
        ConvergenceWarning
            If the duality gap of some fit is above ``tol * F(0)`` after `max_iter` iterations.
        UserWarning
            If a score is NaN or infinite; alphas with a NaN or -inf rank last.
        """
        _raise_for_params(params, self, "fit")
        with unchanged_features_on_error(self):
            X, y = check_X_y(self, X, y)
            if isinstance(sample_weight, Real):
                sample_weight = np.full(len(y), sample_weight)
            problem, classes = self._estimator()._prepare(X, y, sample_weight)
            samples = Samples(y, classes, problem)
            routed = self._route_fit(sample_weight, params)
            folds = make_folds(self._splits(X, y, routed), samples)
            if self.selection == "1se" and len(folds) < 2:
                raise ValueError(
                    "selection='1se' needs a standard error, so two folds or more; cv yields "
                    "one. Use more folds, or selection='best'."
                )
            alphas = np.array(
                [falling_alphas(self.alphas, problem, r, self._eps(r)) for r in self.l1_ratios]
            )
            paths = self._paths(samples, folds, alphas, routed)
        for name in (*OF_THE_REFIT, "coefs_paths_"):  # of an earlier fit
            vars(self).pop(name, None)
        self.classes_, self.alphas_, self.l1_ratios_ = classes, alphas, np.array(self.l1_ratios)
        self._store_paths(paths, len(folds))
        self._choose()
        if self.refit:
            model = self._estimator(self.alpha_, self.l1_ratio_, max(0, self.verbose - 1))
            if hasattr(self, "_skl_callbacks"):
                model.set_callbacks(*self._skl_callbacks)
            model.fit(X, y, sample_weight)
            vars(self).update({name: getattr(model, name) for name in OF_THE_REFIT})
        return self

    def _eps(self, l1_ratio):
        if self.eps is not None:
            return self.eps
        return EPS if l1_ratio > 0 else EPS_WITHOUT_L1

    def _chosen(self):
        """The estimator of one alpha and one l1_ratio that the refit is."""
        model = self._estimator(self.alpha_, self.l1_ratio_)
        names = (*OF_THE_REFIT, "classes_", "n_features_in_", "feature_names_in_")
        vars(model).update({name: vars(self)[name] for name in names if name in vars(self)})
        return model

    def _scorer(self):
        return get_scorer(self.scoring or self._default_scoring)

    def _route_fit(self, sample_weight, params):
        """Metadata for the splitter and for the scorer."""
        if _routing_enabled():
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            return routed.splitter.split, routed.scorer.score
        weigh = sample_weight is not None and accepts_sample_weight(self._scorer())
        return {}, {"sample_weight": sample_weight} if weigh else {}

    def _splits(self, X, y, routed):
        return check_cv(self.cv, y, classifier=True).split(X, y, **routed[0])

    def _paths(self, samples, folds, alphas, routed):
        """The paths of all folds, and in each of all l1_ratios."""
        models = [self._estimator(l1_ratio=ratio) for ratio in self.l1_ratios]
        scoring = Scoring(self.scoring or self._default_scoring, routed[1])
        tasks = list(itertools.product(folds, zip(models, alphas, strict=True)))
        n_jobs = min(effective_n_jobs(self.n_jobs), len(tasks))
        each = max(1, n_threads() // n_jobs)

        def path(fold, model, alphas):
            with at_most(each):
                return fold_path(model, samples, fold, alphas, scoring, self.store_paths)

        run = Parallel(n_jobs=n_jobs, require="sharedmem", verbose=self.verbose)
        return run(delayed(path)(fold, model, grid) for fold, (model, grid) in tasks)

    def _estimator(self, alpha=1.0, l1_ratio=0.0, verbose=0):
        """The estimator of one alpha and one l1_ratio, with the parameters of this one."""
        names = inspect.signature(self._model).parameters
        shared = {name: value for name, value in vars(self).items() if name in names}
        return self._model(**{**shared, "alpha": alpha, "l1_ratio": l1_ratio, "verbose": verbose})

    def _store_paths(self, paths, n_folds):
        shape = n_folds, *self.alphas_.shape
        self.scores_ = np.reshape([path.scores for path in paths], shape)
        self.n_iter_ = np.reshape([path.n_iter for path in paths], shape)
        self.n_nonzero_features_ = np.reshape([path.n_nonzero for path in paths], shape)
        self.mean_scores_, self.std_error_ = mean_and_error(self.scores_)
        if self.store_paths:
            coefs = [coef for path in paths for coef in path.coefs]
            self.coefs_paths_ = stack_coefs(coefs, shape)
        unfinished = sum(np.count_nonzero(~path.converged) for path in paths)
        if unfinished:
            warnings.warn(
                f"{unfinished} of the {self.scores_.size} fits of {type(self).__name__} on folds "
                f"stopped with a duality gap above tol * F(0) (tol={self.tol:g}). Raise max_iter "
                f"(now {self.max_iter}), standardise the features, or leave the smallest alphas "
                "out by a larger eps.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _choose(self):
        check_mean_scores(self.mean_scores_, self.scoring)
        self.best_index_ = SELECTIONS[self.selection](self.mean_scores_, self.std_error_)
        self.alpha_ = float(self.alphas_[self.best_index_])
        self.l1_ratio_ = float(self.l1_ratios_[self.best_index_[0]])

    def decision_function(self, X):
        """Scores of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, C), or (n_samples,) for two classes
            ``X @ coef_.T + intercept_``.
        """
        if not self.refit and hasattr(self, "alpha_"):
            raise AttributeError(
                f"This {type(self).__name__} has refit=False, so it chose alpha_ and l1_ratio_ "
                f"but holds no model. Fit {self._model.__name__} with them, or set refit=True."
            )
        return super().decision_function(X)

    def score(self, X, y, sample_weight=None, **params):
        """Score by `scoring`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Their classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, for the scorer.
        **params : dict
            Metadata for the scorer; only with
            ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        float
            The score; larger is better.
        """
        _raise_for_params(params, self, "score")
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        if _routing_enabled():
            params = process_routing(self, "score", **params).scorer.score
        # Not of self, whose own score a scorer may ask for.
        model = self._chosen() if hasattr(self, "coef_") else self
        return with_labels(self._scorer(), self.classes_)(model, X, y, **params)

    def get_metadata_routing(self):
        """Which metadata go where: to the splitter, and to the scorer.

        Returns
        -------
        MetadataRouter
        """
        to_scorer = MethodMapping().add(caller="fit", callee="score")
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=check_cv(self.cv),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
            .add(
                scorer=self._scorer(),
                method_mapping=to_scorer.add(caller="score", callee="score"),
            )
        )
