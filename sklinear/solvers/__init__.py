"""The solvers, and the one function that chooses among them.

A solver is a generator function `solver(problem, start)`: after each outer step it yields an
`Iterate`, and it ends when it can make no more progress.  It knows nothing of tolerances.
Called again with another penalty it goes on with what it has learnt.
"""

from functools import partial

from ._dual_ascent import ascends, dual_ascent
from ._newton import Newton, newton
from ._parametric import Followed
from ._proximal_point import Memory, proximal_point
from ._representer import applies, representer
from ._rescue import rescued


def choose(problem, on_path=False):
    """The solver for a problem; on a path it will be called for many alphas."""
    solver = (
        partial(newton, stepper=Newton())
        if problem.loss.smooth
        else partial(proximal_point, memory=Memory())
    )
    if problem.loss.block is not None:
        solver = rescued(solver)
    if ascends(problem):
        solver = dual_ascent(solver)
    if on_path and not (problem.loss.smooth or problem.data.sparse):
        solver = Followed(solver)
    return representer(solver) if applies(problem, on_path) else solver


def follows(solver):
    """Whether the next optimum costs a solver next to nothing, be it near or far."""
    solver = getattr(solver, "inner", solver)
    return isinstance(solver, Followed) and not solver.failed


def choose_sparse(problem):
    """One whose weights are exactly zero where an L1 part keeps them there."""
    return newton if problem.loss.smooth else proximal_point


def uses_dual(problem):
    """Whether its solver begins with the dual point of a start, where there is one."""
    return not problem.loss.smooth or ascends(problem)
