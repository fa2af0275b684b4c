/* Exponentials and logarithms free of branches, for loops that a compiler can vectorise. */

#ifndef SKLINEAR_VECTOR_H
#define SKLINEAR_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define RESTRICT __restrict

/* A kernel must take all that it calls into itself, or its copies would share the slow ones. */
#if defined(_MSC_VER)
#define INLINE static __forceinline
#else
#define INLINE static inline __attribute__((always_inline))
#endif

/* One copy of a function for each generation of x86-64, chosen when the module is loaded. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && __GNUC__ >= 12
#define MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MULTIVERSION
#endif

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector) && __has_builtin(__builtin_convertvector)
#define HAS_SHUFFLES 1
#endif
#endif
#ifndef HAS_SHUFFLES
#define HAS_SHUFFLES 0
#endif

INLINE int64_t bits_of(double x) {
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

INLINE double from_bits(int64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Zero in the place of what is subnormal in single precision, or soon gives it: processors take
 * many times as long for such numbers.  NaN goes through.
 */
INLINE double without_next_to_nothing(double x) { return x > -1e-30 && x < 1e-30 ? 0 : x; }

static const double LN2_HIGH = 6.93147180369123816490e-01;
static const double LN2_LOW = 1.90821492927058770002e-10;

/* exp(x) for x <= 0 or NaN, to one unit in the last place: x = n log 2 + r, |r| <= log(2) / 2,
 * and exp(r) = 1 + r + r^2 P(r), P interpolating at Chebyshev nodes.
 */
INLINE double exp_nonpositive(double x) {
    const double shift = 6755399441055744.0;  /* 1.5 * 2^52: the sum ends in the integer n */
    double bounded = x < -746.0 ? -746.0 : x;
    double n = (bounded * 1.4426950408889634 + shift) - shift;
    double r = (bounded - n * LN2_HIGH) - n * LN2_LOW;
    double r2 = r * r, r4 = r2 * r2;
    double low = (0.5000000000000001 + r * 0.16666666666666669)
        + r2 * (0.04166666666662348 + r * 0.008333333333330011);
    double high = (0.0013888888917538296 + r * 0.00019841269863303223)
        + r2 * (2.4801520792572694e-05 + r * 2.75572680728901e-06)
        + r4 * (2.762032742826824e-07 + r * 2.5100569275813683e-08);
    double mantissa = 1 + (r + r2 * (low + r4 * high));
    /* 2^n in two factors, lest a result below 2^-1022 be rounded twice. */
    double raised = n < -1000 ? n + 128 : n, lowered = n < -1000 ? 0x1p-128 : 1;
    return mantissa * from_bits(bits_of(raised + (shift + 1023)) << 52) * lowered;
}

/* R of log(1 + f) = 2 s + s R(s^2) with s = f / (2 + f); the polynomial is that of FreeBSD's
 * e_log.c (Sun Microsystems, 1993).
 */
INLINE double log_remainder(double s) {
    double z = s * s, w = z * z;
    double even = w * (3.999999999940941908e-01
        + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    double odd = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01
        + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    return even + odd;
}

/* log(2^n (1 + f)) for 1 + f near 1. */
INLINE double log_parts(double n, double f) {
    double s = f / (2 + f), half = 0.5 * f * f;
    return n * LN2_HIGH - ((half - (s * (half + log_remainder(s)) + n * LN2_LOW)) - f);
}

/* The same from s, to two units in the last place. */
INLINE double log_of_quotient(double n, double s) {
    return n * LN2_HIGH + (s * (2 + log_remainder(s)) + n * LN2_LOW);
}

/* The exponent n and f of x = 2^n (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), for a normal x > 0. */
INLINE void split(double x, double *n, double *f) {
    const int64_t root_half = 0x3fe6a09e667f3bcd, fraction = 0x000fffffffffffff;
    int64_t above = bits_of(x) - root_half;
    *n = from_bits((int64_t)((uint64_t)(above + ((int64_t)1024 << 52)) >> 52)
        | 0x4330000000000000) - (0x1p52 + 1024);
    *f = from_bits((above & fraction) + root_half) - 1;
}

/* log(x) for a normal x > 0; NaN goes through. */
INLINE double log_positive(double x) {
    double n, f;
    split(x, &n, &f);
    return x == x ? log_parts(n, f) : x;
}

#endif
