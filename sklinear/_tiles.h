/* Kernels on a tile: LANES samples side by side, entry (k, r) of class k and sample r at
 * k * LANES + r.  Every lane runs the same arithmetic in the same order, so that what a sample
 * gets depends on nothing but itself; and the loops over lanes become vector instructions.
 *
 * z are scores, y true classes, g dual vectors whose entries sum to zero.  For the hinge losses
 * g_k = u_k for every wrong class k and g_y = -sum u; for the cross-entropy g = q - e_y.  The
 * violation of a wrong class is m_k = 1 + z_k - z_y.
 */

#ifndef SKLINEAR_TILES_H
#define SKLINEAR_TILES_H

#include "_vector.h"

enum { LANES = 32 };

typedef struct {
    int n_classes;
    int n_rows;            /* the samples of a last tile may be fewer than its lanes */
    double sigma;          /* curvature of the smoothed hinge */
    double scale;          /* t of the dual point t g */
    double *z;             /* scores */
    double *g;             /* dual vectors */
    double *c;             /* centre of the smoothed hinge, or room to work in */
    double *d;             /* a direction in the scores */
    int y[LANES];          /* true classes */
    double weight[LANES];
    double value[LANES];   /* what a kernel finds for each sample */
    double slope[LANES];   /* its derivative */
    double bend[LANES];    /* its second derivative */
    double gap[LANES];     /* or its Fenchel-Young gap */
} Tile;

typedef void (*Kernel)(Tile *);

#define EACH_LANE for (ptrdiff_t r = 0; r < LANES; r++)
#define EACH_CLASS for (ptrdiff_t k = 0; k < t->n_classes; k++)
#define AT(a) (a)[k * LANES + r]
#define TRUE_CLASS(a) (a)[t->y[r] * LANES + r]
#define IS_TRUE (t->y[r] == k)
#define WRONG(x) (IS_TRUE ? 0.0 : (x))
#define KERNEL MULTIVERSION static void

/* NaN goes through. */
INLINE double positive(double x) { return x < 0 ? 0 : x; }
INLINE double clip01(double x) { return x < 0 ? 0 : (x > 1 ? 1 : x); }


/* ---------------------------------------------------------------- cross-entropy */

/* out_k = exp(z_k - top), top = max z, total = sum out */
INLINE void exponentials(const Tile *t, double *RESTRICT out, double *top, double *total) {
    const double *RESTRICT z = t->z;
    EACH_LANE top[r] = z[r];
    EACH_LANE total[r] = 0;
    EACH_CLASS EACH_LANE top[r] = AT(z) > top[r] ? AT(z) : top[r];
    EACH_CLASS EACH_LANE {
        double e = exp_nonpositive(AT(z) - top[r]);
        AT(out) = e;
        total[r] += e;
    }
}

KERNEL cross_entropy_dual(Tile *t) {
    double *RESTRICT g = t->g;
    double top[LANES], total[LANES], others[LANES];

    exponentials(t, g, top, total);
    EACH_LANE top[r] -= TRUE_CLASS(t->z);
    EACH_LANE t->value[r] = log_positive(total[r]) + top[r];

    EACH_LANE total[r] = 1 / total[r];
    EACH_LANE others[r] = 0;
    EACH_CLASS EACH_LANE {
        double q = AT(g) * total[r];
        AT(g) = q;
        others[r] += WRONG(q);
    }
    EACH_LANE TRUE_CLASS(g) = -others[r];
}

/* KL(q || softmax z) as a sum of q log(q/s) - q + s, each of them non-negative. */
KERNEL cross_entropy_gap(Tile *t) {
    const double *RESTRICT z = t->z, *RESTRICT g = t->g;
    double *RESTRICT e = t->c;
    double top[LANES], total[LANES], log_total[LANES], gap[LANES];

    exponentials(t, e, top, total);
    EACH_LANE log_total[r] = log_positive(total[r]);
    EACH_LANE t->value[r] = log_total[r] + (top[r] - TRUE_CLASS(z));
    EACH_LANE total[r] = 1 / total[r];
    EACH_LANE gap[r] = 0;
    EACH_CLASS EACH_LANE {
        double s = AT(e) * total[r], log_s = (AT(z) - top[r]) - log_total[r];
        double q = t->scale * AT(g) + (IS_TRUE ? 1.0 : 0.0), change = q - s, n, f;
        int near = -0.1 * s < change && change < 0.1 * s;
        split(q, &n, &f);
        /* One division: with q = s (1 + f) the quotient f / (2 + f) is change / (2 s + change). */
        double quotient = (near ? change : f) / (near ? 2 * s + change : 2 + f);
        double log_ratio = log_of_quotient(near ? 0 : n, quotient) - (near ? 0 : log_s);
        gap[r] += q <= 0 ? s : positive(q * log_ratio - change);
    }
    EACH_LANE t->gap[r] = gap[r];
}

KERNEL cross_entropy_conjugate(Tile *t) {
    const double *RESTRICT g = t->g;
    double value[LANES], slope[LANES], bend[LANES];

    EACH_LANE value[r] = slope[r] = bend[r] = 0;
    EACH_CLASS EACH_LANE {
        double q = t->scale * AT(g) + (IS_TRUE ? 1.0 : 0.0);
        double log_q = q <= 0 ? 0 : log_positive(q);
        value[r] += q * log_q;
        slope[r] += AT(g) * log_q;
        bend[r] += q <= 0 ? 0 : AT(g) * AT(g) / q;
    }
    EACH_LANE t->value[r] = value[r];
    EACH_LANE t->slope[r] = slope[r];
    EACH_LANE t->bend[r] = bend[r];
}


/* ---------------------------------------------------------------- hinge losses */

/* The terms of one wrong class: m its violation, u its dual variable, c and sigma the centre and
 * the curvature of the smoothed hinge, max over 0 <= u <= 1 of u m - (u - c)^2 / (2 sigma).
 */
enum { HINGE, SQUARED, SMOOTHED };

INLINE double best_dual(int loss, double m, double c, double sigma) {
    if (loss == HINGE)
        return m > 0 ? 1 : 0;
    return loss == SQUARED ? 2 * positive(m) : clip01(c + sigma * m);
}

INLINE double loss_term(int loss, double m, double u, double c, double sigma) {
    if (loss == HINGE)
        return positive(m);
    if (loss == SQUARED)
        return positive(m) * positive(m);
    return u * m - (u - c) * (u - c) * (0.5 / sigma);
}

/* The conjugate is this less u. */
INLINE double conjugate_term(int loss, double u, double c, double sigma) {
    if (loss == HINGE)
        return 0;
    return loss == SQUARED ? u * u / 4 : (u - c) * (u - c) * (0.5 / sigma);
}

INLINE double conjugate_slope(int loss, double u, double c, double sigma) {
    if (loss == HINGE)
        return 0;
    return loss == SQUARED ? u / 2 : (u - c) * (1 / sigma);
}

INLINE double conjugate_bend(int loss, double sigma) {
    if (loss == HINGE)
        return 0;
    return loss == SQUARED ? 0.5 : 1 / sigma;
}

/* loss(m) + conjugate(u) - u (m - 1) as a sum of terms that are non-negative. */
INLINE double gap_term(int loss, double m, double u, double best, double c, double sigma) {
    double away = best - u;
    if (loss == HINGE)
        return m > 0 ? positive(1 - u) * m : -u * m;
    if (loss == SQUARED)
        return away * away / 4 + u * positive(-m);
    return positive(away * (m - (best - c) * (1 / sigma))) + away * away * (0.5 / sigma);
}

#define OPERANDS                                                                \
    const double *RESTRICT z = t->z, *RESTRICT c = t->c, sigma = t->sigma;      \
    double *RESTRICT g = t->g, value[LANES]

INLINE void star_dual(Tile *t, int loss) {
    OPERANDS;
    double z_true[LANES], others[LANES];
    EACH_LANE z_true[r] = TRUE_CLASS(z);
    EACH_LANE value[r] = others[r] = 0;
    EACH_CLASS EACH_LANE {
        double m = 1 + (AT(z) - z_true[r]), u = best_dual(loss, m, AT(c), sigma);
        AT(g) = u;
        value[r] += WRONG(loss_term(loss, m, u, AT(c), sigma));
        others[r] += WRONG(u);
    }
    EACH_LANE TRUE_CLASS(g) = -others[r];
    EACH_LANE t->value[r] = value[r];
}

INLINE void star_gap(Tile *t, int loss) {
    OPERANDS;
    double z_true[LANES], gap[LANES];
    EACH_LANE z_true[r] = TRUE_CLASS(z);
    EACH_LANE value[r] = gap[r] = 0;
    EACH_CLASS EACH_LANE {
        double m = 1 + (AT(z) - z_true[r]), u = t->scale * AT(g), centre = AT(c);
        double best = best_dual(loss, m, centre, sigma);
        value[r] += WRONG(loss_term(loss, m, best, centre, sigma));
        gap[r] += WRONG(gap_term(loss, m, u, best, centre, sigma));
    }
    EACH_LANE t->value[r] = value[r];
    EACH_LANE t->gap[r] = gap[r];
}

INLINE void star_conjugate(Tile *t, int loss) {
    OPERANDS;
    double slope[LANES], bend[LANES];
    (void) z;
    EACH_LANE bend[r] = 0;
    EACH_LANE slope[r] = TRUE_CLASS(g);
    EACH_LANE value[r] = t->scale * slope[r];
    EACH_CLASS EACH_LANE {
        double u = t->scale * AT(g);
        value[r] += WRONG(conjugate_term(loss, u, AT(c), sigma));
        slope[r] += WRONG(AT(g) * conjugate_slope(loss, u, AT(c), sigma));
        bend[r] += WRONG(AT(g) * AT(g) * conjugate_bend(loss, sigma));
    }
    EACH_LANE t->value[r] = value[r];
    EACH_LANE t->slope[r] = slope[r];
    EACH_LANE t->bend[r] = bend[r];
}

KERNEL hinge_dual(Tile *t) { star_dual(t, HINGE); }
KERNEL hinge_gap(Tile *t) { star_gap(t, HINGE); }
KERNEL hinge_conjugate(Tile *t) { star_conjugate(t, HINGE); }
KERNEL squared_hinge_dual(Tile *t) { star_dual(t, SQUARED); }
KERNEL squared_hinge_gap(Tile *t) { star_gap(t, SQUARED); }
KERNEL squared_hinge_conjugate(Tile *t) { star_conjugate(t, SQUARED); }
KERNEL smoothed_hinge_dual(Tile *t) { star_dual(t, SMOOTHED); }
KERNEL smoothed_hinge_gap(Tile *t) { star_gap(t, SMOOTHED); }
KERNEL smoothed_hinge_conjugate(Tile *t) { star_conjugate(t, SMOOTHED); }


/* ---------------------------------------------------------------- directions */

/* out = sum of factors times tiles, which lie one after the other */
MULTIVERSION static void combine(
    const Tile *t, double *RESTRICT out, const double *RESTRICT tiles,
    const double *RESTRICT factors, int n_tiles
) {
    EACH_CLASS EACH_LANE AT(out) = factors[0] * AT(tiles);
    for (int i = 1; i < n_tiles; i++) {
        const double *RESTRICT tile = tiles + (ptrdiff_t) i * t->n_classes * LANES;
        EACH_CLASS EACH_LANE AT(out) += factors[i] * AT(tile);
    }
}

/* z <- z + scale * direction */
KERNEL move_scores(Tile *t) {
    double *RESTRICT z = t->z;
    const double *RESTRICT direction = t->d;
    EACH_CLASS EACH_LANE AT(z) += t->scale * AT(direction);
}

/* z <- z + shift */
MULTIVERSION static void shift_scores(Tile *t, const double *RESTRICT shift) {
    double *RESTRICT z = t->z;
    EACH_CLASS EACH_LANE AT(z) += shift[k];
}

/* slope = <g, direction> */
KERNEL slope_along(Tile *t) {
    const double *RESTRICT g = t->g, *RESTRICT direction = t->d;
    double slope[LANES];
    EACH_LANE slope[r] = 0;
    EACH_CLASS EACH_LANE slope[r] += AT(g) * AT(direction);
    EACH_LANE t->slope[r] = slope[r];
}


/* Each class k gives up leak_k of its q_k, and what a sample gives up is shared out again. */
MULTIVERSION static void share_out(
    Tile *t, const double *RESTRICT leak, const double *RESTRICT share
) {
    double *RESTRICT g = t->g;
    double moved[LANES], others[LANES];
    EACH_LANE moved[r] = leak[t->y[r]];
    EACH_LANE others[r] = 0;
    EACH_CLASS EACH_LANE moved[r] += leak[k] * AT(g);
    EACH_CLASS EACH_LANE {
        double q = AT(g) * (1 - leak[k]) + moved[r] * share[k];
        AT(g) = q;
        others[r] += WRONG(q);
    }
    EACH_LANE TRUE_CLASS(g) = -others[r];
}


/* For single precision. */
MULTIVERSION static void drop_next_to_nothing(const Tile *t, double *RESTRICT values) {
    EACH_CLASS EACH_LANE AT(values) = without_next_to_nothing(AT(values));
}


/* In the order of a binary tree. */
INLINE double weighted_sum(const Tile *t, const double *values) {
    double sums[LANES];
    for (ptrdiff_t r = 0; r < t->n_rows; r++)
        sums[r] = t->weight[r] * values[r];
    for (ptrdiff_t r = t->n_rows; r < LANES; r++)
        sums[r] = 0;
    for (ptrdiff_t half = LANES / 2; half > 0; half /= 2)
        for (ptrdiff_t r = 0; r < half; r++)
            sums[r] += sums[r + half];
    return sums[0];
}

/* out_k += weighted sum of the g_k */
MULTIVERSION static void add_dual(const Tile *t, double *RESTRICT out) {
    EACH_CLASS out[k] += weighted_sum(t, t->g + k * LANES);
}


/* ---------------------------------------------------------------- rows to lanes and back */

/* Blocks of four classes and four samples; the last one of a row ends with the row, and what it
 * has in common with the one before is written twice.
 */
#define EACH_FOUR_LANES for (ptrdiff_t r = 0; r < LANES; r += 4)
#define EACH_FOUR_CLASSES for (ptrdiff_t k = 0; k < t->n_classes; k += 4)
#define EACH_OF_FOUR for (int i = 0; i < 4; i++)
#define AS_FAR_AS_IT_GOES(k) ((k) + 4 <= t->n_classes ? (k) : t->n_classes - 4)

INLINE ptrdiff_t row_of(const Tile *t, ptrdiff_t lane) {
    /* Lanes beyond the last sample repeat it. */
    return lane < t->n_rows ? lane : t->n_rows - 1;
}

#if HAS_SHUFFLES

typedef double Quad __attribute__((vector_size(4 * sizeof(double))));

/* q_ij <-> q_ji */
INLINE void turn(Quad *q) {
    Quad even01 = __builtin_shufflevector(q[0], q[1], 0, 4, 2, 6);
    Quad even23 = __builtin_shufflevector(q[2], q[3], 0, 4, 2, 6);
    Quad odd01 = __builtin_shufflevector(q[0], q[1], 1, 5, 3, 7);
    Quad odd23 = __builtin_shufflevector(q[2], q[3], 1, 5, 3, 7);
    q[0] = __builtin_shufflevector(even01, even23, 0, 1, 4, 5);
    q[1] = __builtin_shufflevector(odd01, odd23, 0, 1, 4, 5);
    q[2] = __builtin_shufflevector(even01, even23, 2, 3, 6, 7);
    q[3] = __builtin_shufflevector(odd01, odd23, 2, 3, 6, 7);
}

#endif

#define NAME(f) f##_float
#define ENTRY float
#include "_transposes.h"
#undef NAME
#undef ENTRY

#define NAME(f) f##_double
#define ENTRY double
#include "_transposes.h"
#undef NAME
#undef ENTRY


/* ---------------------------------------------------------------- by code */

static const Kernel DUAL[] = {
    cross_entropy_dual, hinge_dual, squared_hinge_dual, smoothed_hinge_dual
};
static const Kernel GAP[] = {
    cross_entropy_gap, hinge_gap, squared_hinge_gap, smoothed_hinge_gap
};
static const Kernel CONJUGATE[] = {
    cross_entropy_conjugate, hinge_conjugate, squared_hinge_conjugate, smoothed_hinge_conjugate
};

#endif
