"""Weights that the dual point says are zero at the optimum.

With an L1 part a weight is zero where |A| < l1.  Solvers that approach the optimum from inside,
or stop as soon as the gap allows, leave small weights there instead.  Of weight and slack of its
bound, one is zero at the optimum: the one that is the smaller on its own scale.

The hinge has a kink at the optimum, so that small weights may hold up the margins of many samples.
There a fit that met its target goes on while the gap falls, and if that is not enough, the other
weights are fitted anew, without the features that lose all theirs.
"""

from dataclasses import dataclass, replace

import numpy as np

from ._certificate import certify
from ._penalty import pick
from ._stored import stored_intercept

MARGINS = (1.0, 1e2, 1e4)  # by which the weight has to be the smaller one
COST = 0.1  # of the target, what zeros may cost
FAST, PATIENCE = 0.95, 2  # fall of the gap in an iterate, and how many may do without it
WAIT_EFFORT = 0.5  # by that of the fit


def with_zeros(problem, iterate, certificate, target, dtype=np.float64):
    """The iterate with such weights set to zero, as far as it stays good.

    Parameters
    ----------
    problem : Problem
    iterate : Iterate
        As it is to be stored.
    certificate : Certificate
    target : float
        A gap that was at most this stays so.
    dtype : dtype
        In which the intercept will be stored.

    Returns
    -------
    iterate, certificate
    margin : float
        That of `MARGINS` by which weights had to be small, the first if there were none; infinite
        where it can do without none of them.
    """
    if problem.penalty.l1 == 0:
        return iterate, certificate, MARGINS[0]
    small, most = None, problem.objective(iterate) + COST * target
    for margin in MARGINS:
        chosen = _smaller_than_slack(problem, iterate, certificate.scale, margin)
        if not chosen.any():
            break
        if small is not None and np.array_equal(small, chosen):
            continue
        small = chosen
        found = _without(problem, iterate, small, dtype)
        if found[1].objective <= most and found[1].gap <= max(target, certificate.gap):
            return *found, margin
    return iterate, certificate, MARGINS[0] if small is None else np.inf


@dataclass
class Waiting:
    """Whether a fit that met its target may go on for zeros.

    Attributes
    ----------
    first : float
        Operations until the target was met.
    gap : float
        Of the last iterate.
    idle : int
        How many iterates on end brought no fall.
    """

    first: float
    gap: float = np.inf
    idle: int = 0

    def goes_on(self, gap, spent):
        """Whether it may, from the gap and the operations so far."""
        self.idle = 0 if gap <= FAST * self.gap else self.idle + 1
        self.gap = gap
        return self.idle < PATIENCE and spent <= (1 + WAIT_EFFORT) * self.first


def fitted_anew(problem, iterate, certificate, target, refit):
    """The best weights on the features that have one left, and the certificate.

    None where all features have, or the target is not met.

    Parameters
    ----------
    problem, iterate, certificate, target
        See `with_zeros`.
    refit : callable
        refit(problem, coef, intercept, dual) are weights and intercept near its optimum.
    """
    small = _smaller_than_slack(problem, iterate, certificate.scale, MARGINS[0])
    found = _on_fewer_features(problem, iterate, np.where(small, 0.0, iterate.coef), refit)
    return found if found is not None and found[1].gap <= target else None


def _smaller_than_slack(problem, iterate, scale, margin):
    chosen = iterate.coef != 0
    size, l1 = np.abs(iterate.coef[chosen]), pick(problem.penalty.l1s, chosen)
    slack = l1 - scale * np.abs(iterate.correlation[chosen])
    chosen[chosen] = margin * size * l1 < slack * size.max(initial=0.0)
    return chosen


def _without(problem, iterate, small, dtype):
    """The iterate without small weights, and its certificate.

    The intercept makes up for what the scores lose in the mean, where features are off zero.
    """
    coef, intercept = np.where(small, 0.0, iterate.coef), iterate.intercept
    scores = problem.scores(coef, intercept)
    if problem.fit_intercept:
        lost = problem.weights @ (iterate.scores - scores)
        moved = stored_intercept(intercept + lost, dtype)
        intercept, scores = moved, scores + (moved - intercept)
    return _certified(problem, iterate, coef, intercept, scores)


def _certified(problem, iterate, coef, intercept, scores):
    """The iterate with other weights and its own dual point, and the certificate."""
    moved = replace(iterate, coef=coef, intercept=intercept, scores=scores)
    moved = replace(moved, loss_value=None, gradient=None)
    return moved, certify(problem, moved)


def _on_fewer_features(problem, iterate, coef, refit):
    """The best weights on the features that have one; None where all have."""
    kept = np.flatnonzero(
        coef.any(axis=1) | (np.broadcast_to(problem.penalty.l1s, coef.shape)[:, 0] == 0)
    )
    if len(kept) == len(coef) or len(kept) == 0:
        return None
    small = replace(
        problem, data=problem.data.take(slice(None), kept), penalty=problem.penalty.take(kept)
    )
    out = np.zeros_like(coef)
    out[kept], intercept = refit(small, coef[kept], iterate.intercept, iterate.dual)
    return _certified(problem, iterate, out, intercept, problem.scores(out, intercept))
