"""The solvers, and the one function that chooses among them.

A solver is a generator function `solver(problem, start)`: after each outer step it yields an
`Iterate`, and it ends when it can make no more progress.  It knows nothing of tolerances.
Called again with another penalty it goes on with what it has learnt.
"""

from dataclasses import replace
from functools import partial

from ._ascends import ascends
from ._centring import Centred, centre_of
from ._dual_ascent import dual_ascent
from ._newton import Newton, newton
from ._parametric import Followed
from ._proximal_point import Memory, proximal_point
from ._representer import Reduced, applies
from ._rescue import Rescued


def choose(problem, on_path=False):
    """The solver for a problem; on a path it will be called for many alphas."""
    solver = (
        partial(newton, stepper=Newton())
        if problem.loss.smooth
        else partial(proximal_point, memory=Memory())
    )
    if problem.loss.block is not None:
        solver = Rescued(solver)
    if ascends(problem, on_path):
        solver = dual_ascent(solver)
    if on_path and not (problem.loss.smooth or problem.data.sparse):
        solver = Followed(solver)
    if applies(problem, on_path):
        solver = Reduced(solver)
    return _centred(solver, problem)


def _centred(solver, problem):
    """The solver, on centred data if that may help."""
    centre = centre_of(problem)
    return solver if centre is None else Centred(solver, centre)


def follows(solver):
    """Whether the next optimum costs a solver next to nothing, be it near or far."""
    while hasattr(solver, "inner"):
        solver = solver.inner
    return isinstance(solver, Followed) and not solver.failed


def choose_sparse(problem):
    """One whose weights are exactly zero where an L1 part keeps them there.

    Only the ascent begins at the dual point of the start: the others choose a way by the weights.
    """
    solver = newton if problem.loss.smooth else proximal_point
    solver = dual_ascent(solver) if ascends(problem) else _from_weights(solver)
    return _centred(solver, problem)


def _from_weights(solver):
    return lambda problem, start: solver(problem, replace(start, dual=None))


def uses_dual(problem):
    """Whether its solver on a path begins with the dual point of a start, where there is one."""
    return not problem.loss.smooth or ascends(problem, on_path=True)
