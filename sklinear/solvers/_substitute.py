"""The problem on other data of the same samples, for solvers that see these instead."""

from dataclasses import replace


class Substitute:
    """Makes the data once; with another penalty, what is known of them is kept.

    Parameters
    ----------
    make : callable
        Gives the other data of a problem.
    """

    def __init__(self, make):
        self.make, self.given, self.problem = make, None, None

    def of(self, problem):
        """The problem on the other data."""
        if self.given is problem.data:
            self.problem = self.problem.with_penalty(problem.penalty)
        else:
            self.given = problem.data
            self.problem = replace(problem, data=self.make(problem))
        return self.problem
