"""The state of a parametric active-set method for the hinge.

With alpha as the parameter and theta = alpha (W; b), x_ik = p_i u_ik, the optima of

    sum_i p_i hinge(x_i W + b) + alpha sum_j (l1_j |W_j| + bend_j W_j^2 / 2)

are the solutions of conditions linear in (theta, x, alpha) while no variable changes its state:

    alpha e + M theta = 0                        violations of the pairs at their kink
    M^T x + bend theta + alpha l1 sign + tilt = 0    weights in the support, the intercept
"""


cdef class ActiveSet:
    """State of the method; arrays of pairs have shape (C, n), those of weights (C, D).

    Attributes
    ----------
    rows, columns : ndarray of shape (n, D) and (D, n)
        Features, and ones for an intercept.
    labels : ndarray of shape (n,), int32
    demand, bound, x, violation : ndarray of shape (C, n)
        e, the largest x, x and alpha e + M theta; e = bound = 0 for true classes.
    l1, bend, tilt, theta, correlation : ndarray of shape (C, D)
        Penalty for alpha = 1; bend 0 stands for weights without one; tilt per unit of alpha above
        `level`; theta; M^T x.
    ridge : ndarray of shape (D,)
        In the place of a bend of 0, in the equations for moves.
    softness : float
        By how much a kink gives way to its x there: where the pairs at a kink are too many for
        the weights, it tells which way they leave it.
    side : ndarray of shape (C, n), int8
        1 where x is at its bound, -1 where it is zero, 0 at a kink and for true classes.
    sign : ndarray of shape (C, D), int8
        0 outside the support, else the sign of the weight, or 2 where it has no L1 part.
    kinks, support : ndarray of int32
        Flat indices of the pairs at a kink and of the weights in the support.
    operations : float
        What all changes so far have cost.
    bordered : Bordered
        The linear system some changes ago, and what has changed.
    """
