"""Dual variables between bounds: where they begin, and the step of an interior-point method."""

import numpy as np

LEAST_SLACK = 1e-17  # of the bound
WIDEST_WEIGHTS = 10.0
TO_BOUNDARY = 0.995
LONG = 0.7
HELD, KEPT = 1e-3, 0.3  # a share of all pairs, and of their slacks and multipliers


class Box:
    """Dual variables between bounds, and what the conditions say of them.

        f - s x + low - high = 0,     (x - lower) low = mu t,     (upper - x) high = mu t

    where f is linear in the primal variables.

    Parameters
    ----------
    lower, upper : ndarray of shape (m,)
        The upper ones all finite or all infinite.
    x : ndarray of shape (m,)
        Strictly inside.
    low, high : ndarray of shape (m,)
        Multipliers, positive but for those of infinite bounds, which are zero.
    s : ndarray of shape (m,) or float
        Curvature of the dual objective.
    share : ndarray of shape (m,) or float
        t, the share of each product in mu.
    """

    def __init__(self, lower, upper, x, low, high, s, share):
        self.lower, self.upper, self.s, self.share = lower, upper, s, share
        self.x, self.low, self.high = x, low, high
        self.bounded = bool(np.isfinite(upper).all())
        self.total = np.broadcast_to(share, x.shape).sum() * (2 if self.bounded else 1)

    def centre(self, f, mu):
        """Go where every product is its share of mu and the condition holds, for a given f."""
        target = mu * self.share
        if self.bounded:  # and s = 0
            half = 0.5 * (self.upper - self.lower)
            away = half**2 * np.abs(f) / (target + np.hypot(target, half * f))
            # The slack of the bound that is farther away has all its digits.
            other = target / (half + away)
            self.low = np.maximum(-f, 0.0) + other
            self.high = np.maximum(f, 0.0) + other
            below, above = target / self.low, target / self.high
            self.x = np.where(f < 0, self.lower + below, self.upper - above)
        else:
            larger = 0.5 * (np.abs(f) + np.sqrt(f**2 + 4 * self.s * target))
            self.low = np.where(f > 0, self.s * target / larger, larger)
            self.x = target / self.low

    def products(self):
        """The sum of all products of multiplier and slack."""
        return self._products(self.x, self.low, self.high)

    def products_after(self, step, move):
        """The same after a step along which what comes to zero stays there."""
        return self._products(*self._after(step, move, 0.0))

    def _products(self, x, low, high):
        total = (x - self.lower) @ low
        return total + (self.upper - x) @ high if self.bounded else total

    def linearise(self, f):
        """dx = c (df + rho) for targets of zero: slacks, c and s x - f."""
        # Rounding may leave no slack at all.
        self.below = np.maximum(self.x - self.lower, LEAST_SLACK * np.abs(self.lower))
        self.above = np.maximum(self.upper - self.x, LEAST_SLACK * np.abs(self.upper))
        with np.errstate(over="ignore"):  # a sample of next to no weight: it does not move
            self.c = 1.0 / (self.s + self.low / self.below + self.high / self.above)
        self.residual = f - self.s * self.x

    def rho(self, targets):
        """The part of dx / c that does not depend on the primal move."""
        return self.residual + targets[0] / self.below - targets[1] / self.above

    def move(self, df, targets):
        """Moves of x and of both multipliers for a primal move, which changes f by df."""
        dx = self.c * (df + self.rho(targets))
        dlow = (targets[0] - self.low * dx) / self.below - self.low
        dhigh = (targets[1] + self.high * dx) / self.above - self.high
        return dx, dlow, dhigh

    def targets(self, mu, move):
        """mu t less what the linearisation leaves out along a move (of low - high and x)."""
        dx, dlow, dhigh = move
        return mu * self.share - dx * dlow, mu * self.share + dx * dhigh

    def ends(self, move, limit):
        """The steps below a limit at which slacks or multipliers become zero."""
        dx, dlow, dhigh = move
        pairs = ((self.below, dx), (self.low, dlow), (self.above, -dx), (self.high, dhigh))
        return np.concatenate([_zeros(value, change, limit) for value, change in pairs])

    def advance(self, step, move, kept):
        """Take a step, but keep a share of each slack and multiplier."""
        self.x, self.low, self.high = self._after(step, move, kept)

    def _after(self, step, move, kept):
        dx, dlow, dhigh = move
        x = np.maximum(self.x + step * dx, self.lower + kept * self.below)
        if self.bounded:
            x = np.minimum(x, self.upper - kept * self.above)
        low = np.maximum(self.low + step * dlow, kept * self.low)
        return x, low, np.maximum(self.high + step * dhigh, kept * self.high)


def _zeros(value, change, limit):
    soon = value < -limit * change
    return value[soon] / -change[soon]


def corrected_step(boxes, solve):
    """Mehrotra's step: one ahead to mu = 0 tells how far mu may fall, and what bends on the way.

    Parameters
    ----------
    boxes : list of Box
        Linearised where they are.
    solve : callable
        solve(targets) are a primal move and the moves of the boxes; it is linear.

    Returns
    -------
    primal, step, kept, moves
        The move, how much of it to take, and what the boxes need for `advance`.
    """
    _, moves = solve([(0.0, 0.0)] * len(boxes))
    step, _ = _longest(boxes, moves)
    pairs = list(zip(boxes, moves, strict=True))
    ahead = sum(box.products_after(step, move) for box, move in pairs)
    present = sum(box.products() for box in boxes)
    mu = (ahead / present) ** 3 * present / sum(box.total for box in boxes)
    primal, moves = solve([box.targets(mu, move) for box, move in pairs])
    return primal, *_longest(boxes, moves), moves


def _longest(boxes, moves):
    """The step to the boundary, and what each slack and multiplier keeps of itself at least.

    A few of them do not shorten a step: they stop before zero on their own.
    """
    limit = 1.0 / TO_BOUNDARY
    ends = [box.ends(move, limit) for box, move in zip(boxes, moves, strict=True)]
    ends = np.append(np.concatenate(ends), limit)
    if ends.min() >= LONG:
        return TO_BOUNDARY * ends.min(), 1.0 - TO_BOUNDARY
    few = min(int(HELD * sum(box.x.size for box in boxes)), ends.size - 1)
    return TO_BOUNDARY * np.partition(ends, few)[few], KEPT


def violations(weights, smoothing, largest):
    """x inside its box and multipliers for m = 1, products in proportion to their shares.

    The shares are the weights, so that a sample of weight two is the same as two samples; but
    samples of next to no weight would hold all others up.
    """
    share = np.maximum(weights, weights.max(initial=0.0) / WIDEST_WEIGHTS)
    ratio, zero = share / weights, np.zeros_like(weights)
    bend = smoothing / weights
    if np.isfinite(largest):
        low, x = 0.5 * ratio, 0.5 * largest * weights
        return Box(zero, largest * weights, x, low, low + 1.0, bend, share)
    low = 0.5 * (np.sqrt(1.0 + 3.0 * ratio) - 1.0)
    x = weights * (1.0 + low) / smoothing
    return Box(zero, np.full_like(weights, largest), x, low, zero, bend, share)


def signs(problem, share):
    """a = 0, which belongs to W = 0."""
    l1 = np.broadcast_to(problem.penalty.l1s, problem.shape).ravel()
    product = share / (4.0 * l1)
    return Box(-l1, l1, np.zeros_like(l1), product, product, 0.0, share)
