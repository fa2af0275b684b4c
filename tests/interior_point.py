"""Minimise f(v) + Σ φ(t), t = Bv + h, with f smooth and φ(t) = c t₊ or t₊² / (2 softness).

A primal-dual interior-point method with Mehrotra's corrector (Nocedal and Wright, Numerical
Optimization, section 16.6) on the conditions

    ∇f + Bᵀu = 0,   t + s = softness u + r,   u s = 0,   (c - u) r = 0,   u, s, r, c - u >= 0,

where softness = 0 for the first kind of φ, and c = ∞, r = 0 for the second.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Point(NamedTuple):
    v: np.ndarray
    u: np.ndarray
    s: np.ndarray
    r: np.ndarray

    def moved(self, t, direction):
        return Point(*(a + t * da for a, da in zip(self, direction, strict=True)))


@dataclass
class Terms:
    """The sum of φ: a row of B and an entry of h, c and softness for each."""

    B: np.ndarray
    h: np.ndarray
    c: np.ndarray
    softness: np.ndarray

    def __post_init__(self):
        self.bounded = np.isfinite(self.c)

    def start(self):
        u = np.where(self.bounded, self.c / 2, 2 / np.maximum(self.softness, 1e-300))
        r = np.where(self.bounded, 2.0, 0.0)
        return Point(np.zeros(self.B.shape[1]), u, self.softness * u + r - self.h, r)

    def room(self, u):
        """c - u, or 1 where nothing bounds u."""
        return np.where(self.bounded, self.c - u, 1.0)

    def complementarity(self, x):
        return x.u @ x.s + x.r @ np.where(self.bounded, self.room(x.u), 0)

    def newton(self, x, hessian, residual):
        """The direction to u s = mu - a and (c - u) r = mu - b, as a function of mu, a, b."""
        room = self.room(x.u)
        D = 1 / (x.s / x.u + self.softness + x.r / room)
        matrix = hessian + self.B.T * D @ self.B

        def direction(mu, a, b):
            e = mu - a - x.u * x.s
            k = np.where(self.bounded, mu - b - x.r * room, 0)
            shift = e / x.u - k / room
            dv = np.linalg.solve(matrix, -residual - self.B.T @ (D * shift))
            dt = self.B @ dv
            du = D * (dt + shift)
            dr = (k + x.r * du) / room
            return Point(dv, du, self.softness * du + dr - dt, dr)

        return direction

    def longest_step(self, x, d):
        """Largest t <= 1 that keeps u, s, r and c - u non-negative."""
        values = np.concatenate([x.u, x.s, x.r, self.room(x.u)])
        slopes = np.concatenate([d.u, d.s, d.r, -d.u * self.bounded])
        falling = slopes < 0
        return (values[falling] / -slopes[falling]).min(initial=1.0)


def interior_point(derivatives, terms, max_steps=200):
    """v and u at the minimum, to about 1e-12 in the objective."""
    x = terms.start()
    for _ in range(max_steps):
        gradient, hessian = derivatives(x.v)
        residual = gradient + terms.B.T @ x.u
        gap = terms.complementarity(x)
        if gap <= 1e-12 and np.abs(residual).max() <= 1e-11:
            return x.v, x.u
        direction = terms.newton(x, hessian, residual)
        d = direction(0, 0, 0)
        if gap > 0:
            left = terms.complementarity(x.moved(terms.longest_step(x, d), d)) / gap
            mu = max(left**3 * gap, 1e-13) / (len(x.u) + terms.bounded.sum())
            d = direction(mu, d.u * d.s, -d.u * d.r)
        t = backtrack(derivatives, terms, x, d, np.linalg.norm(residual))
        x = x.moved(t, d)
    raise ArithmeticError(f"no convergence: gap {gap}, residual {np.abs(residual).max()}")


def backtrack(derivatives, terms, x, d, norm):
    """A step along d that lowers the norm of ∇f + Bᵀu, which for a quadratic f the first does."""
    t = min(1, 0.99 * terms.longest_step(x, d)) if len(x.u) else 1
    while t > 1e-6:
        y = x.moved(t, d)
        if np.linalg.norm(derivatives(y.v)[0] + terms.B.T @ y.u) <= max(1e-9, (1 - t / 10) * norm):
            break
        t /= 2
    return t
