/* Widths of vectors that kernels are compiled for, each on its own: wider code on narrower
 * registers spills.
 */

#ifndef SKLINEAR_TARGETS_H
#define SKLINEAR_TARGETS_H

#if defined(__x86_64__) && defined(__GNUC__)

#define HAS_VECTORS 1
#define INLINE_FOR(isa) static inline __attribute__((always_inline, target(isa)))
#define STATIC_FOR(isa) static __attribute__((target(isa)))
#define WIDE "avx512f,avx512vl,avx512dq,fma"
#define NARROW "avx2,fma"

/* Bytes of a vector, or 0. */
static int vector_bytes(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq"))
        return 64;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 32 : 0;
}

#else

#define HAS_VECTORS 0
static int vector_bytes(void) { return 0; }

#endif
#endif
