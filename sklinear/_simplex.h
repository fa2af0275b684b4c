/* The block step of dual ascent for the cross-entropy. */

#ifndef SKLINEAR_SIMPLEX_H
#define SKLINEAR_SIMPLEX_H

#include "_vector.h"

#define EACH for (ptrdiff_t k = 0; k < n; k++)

/* q = softmax z, x = log q. */
INLINE void log_softmax(const double *RESTRICT z, double *RESTRICT x, double *RESTRICT q, int n) {
    double top = z[0], total = 0;
    EACH top = z[k] > top ? z[k] : top;
    EACH q[k] = exp_nonpositive(z[k] - top);
    EACH total += q[k];
    top += log_positive(total);
    total = 1 / total;
    EACH x[k] = z[k] < top ? z[k] - top : 0;
    EACH q[k] *= total;
}

/* argmax over the simplex of <z, q> - sum q log q - kappa/2 |q - old|^2.
 *
 * Newton's method for  log q_k + kappa q_k = a_k - t,  sum q = 1  in x = log q and t, where
 * a = z + kappa old.  Both sides are convex in x, so sum q >= 1 after each step and x only falls
 * once it is too large; it never has to be above 0.  On return x holds q - old.
 */
MULTIVERSION static void simplex_block(
    const double *RESTRICT z, const double *RESTRICT old, double kappa, double *RESTRICT q,
    double *RESTRICT x, double *RESTRICT slope, int n
) {
    log_softmax(z, x, q, n);
    for (int number = 0; number < 100; number++) {
        double total = 0, bend = 0, pull = 0, change = 0;
        EACH {
            double share = q[k] / (1 + kappa * q[k]);
            double rest = z[k] - x[k] + kappa * (old[k] - q[k]);
            slope[k] = rest;
            total += q[k];
            bend += share;
            pull += share * rest;
        }
        double t = (pull - (1 - total)) / bend;
        EACH {
            double step = (slope[k] - t) / (1 + kappa * q[k]);
            double next = x[k] + step;
            x[k] = next < 0 ? next : 0;
        }
        EACH {
            double next = exp_nonpositive(x[k]), size = next > q[k] ? next - q[k] : q[k] - next;
            change = size > change ? size : change;
            q[k] = next;
        }
        if (change * (1 + (kappa < 1e6 ? kappa : 1e6)) <= 1e-5)
            break;
    }
    double total = 0;
    EACH total += q[k];
    EACH q[k] /= total;
    EACH x[k] = q[k] - old[k];
}

#endif
