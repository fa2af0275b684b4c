"""How much work was done, without a clock: what is decided by it is the same on every machine."""


class Effort:
    """Operations since it was made, at the speed of a Cholesky factorisation, some 2e10 a second.

    Parameters
    ----------
    passes : Passes
        Counts those of large computations.
    of_a_step : float
        Those of a step of an iteration besides.
    """

    def __init__(self, passes, of_a_step):
        self.passes, self.of_a_step = passes, of_a_step
        self.first = passes.operations

    def spent(self, n_steps):
        """Of all that was done, in so many steps."""
        return self.passes.operations - self.first + self.of_a_step * n_steps
