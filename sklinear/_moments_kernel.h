/* Sums of products of columns for one type of numbers and one width of vectors; _moments.h
 * includes this once for each.
 *
 * Macros: NAME(f), NUMBER, LANES_OF, TARGET, ENTRY_POINT, N_SUMS (vectors that stay in registers).
 */

typedef NUMBER NAME(vector) __attribute__((vector_size(LANES_OF * sizeof(NUMBER))));

#define VECTOR NAME(vector)
#define EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < (n); i++)

/* out_pul += sum_i w_ip x_i,first[u] x_i,second[u] + l; a plane for each p. */
TARGET void NAME(add_products)(
    const NUMBER *x, ptrdiff_t stride, ptrdiff_t n_rows, const NUMBER *weights, const int n_weights,
    const int *first, const int *second, const int n_units, NUMBER *out, ptrdiff_t plane
) {
    VECTOR sums[12][8], part[8];
    EACH(p, n_weights) EACH(u, n_units)
        memcpy(&sums[p][u], out + p * plane + u * LANES_OF, sizeof(VECTOR));
    for (ptrdiff_t i = 0; i < n_rows; i++) {
        EACH(u, n_units) {
            memcpy(&part[u], x + second[u], sizeof(VECTOR));
            part[u] *= x[first[u]];
        }
        EACH(p, n_weights) {
            NUMBER weight = weights[p];
            EACH(u, n_units) sums[p][u] += weight * part[u];
        }
        x += stride;
        weights += n_weights;
    }
    EACH(p, n_weights) EACH(u, n_units)
        memcpy(out + p * plane + u * LANES_OF, &sums[p][u], sizeof(VECTOR));
}

#define ADD(n_weights, at_once)                                                              \
    for (ptrdiff_t u = 0; u < n_units; u += (at_once))                                       \
        NAME(add_products)(                                                                  \
            x, stride, n_rows, weights, n_weights, first + u, second + u, at_once,           \
            (NUMBER *) out + u * LANES_OF, plane                                             \
        )

ENTRY_POINT void NAME(moments)(
    const void *x, ptrdiff_t stride, ptrdiff_t n_rows, const void *weights, int n_weights,
    const int *first, const int *second, ptrdiff_t n_units, void *out, ptrdiff_t plane
) {
    switch (n_weights) {
    case 1: ADD(1, N_SUMS / 3); break;
    case 3: ADD(3, N_SUMS / 3); break;
    case 6: ADD(6, N_SUMS / 6); break;
    default: ADD(12, N_SUMS / 12);
    }
}

#undef ADD

/* out_ujl += sum_i y_i,j x_i,l + u LANES_OF, for ROWS_OF_ONE columns j of y and n_units vectors u */
TARGET void NAME(add_columns)(
    const NUMBER *x, const NUMBER *y, ptrdiff_t stride, ptrdiff_t n_rows, const int n_units,
    NUMBER *out
) {
    VECTOR sums[ROWS_OF_ONE][8], part[8];
    EACH(j, ROWS_OF_ONE) EACH(u, n_units)
        memcpy(&sums[j][u], out + (u * ROWS_OF_ONE + j) * LANES_OF, sizeof(VECTOR));
    for (ptrdiff_t i = 0; i < n_rows; i++) {
        EACH(u, n_units) memcpy(&part[u], x + u * LANES_OF, sizeof(VECTOR));
        EACH(j, ROWS_OF_ONE) {
            NUMBER entry = y[j];
            EACH(u, n_units) sums[j][u] += entry * part[u];
        }
        x += stride;
        y += stride;
    }
    EACH(j, ROWS_OF_ONE) EACH(u, n_units)
        memcpy(out + (u * ROWS_OF_ONE + j) * LANES_OF, &sums[j][u], sizeof(VECTOR));
}

/* The same for one weight, which y = w x has in it; units in the order of blocks of columns. */
ENTRY_POINT void NAME(moment)(
    const void *x, const void *y, ptrdiff_t stride, ptrdiff_t n_rows, ptrdiff_t width, void *out
) {
    NUMBER *sums = out;
    for (ptrdiff_t j = 0; j < width; j += ROWS_OF_ONE) {
        ptrdiff_t left = (width - j + LANES_OF - 1) / LANES_OF;
        const NUMBER *from = (const NUMBER *) x + j, *by = (const NUMBER *) y + j;
        while (left > 0) {
            const ptrdiff_t most = N_SUMS / ROWS_OF_ONE;
            ptrdiff_t n_units = left >= 2 * most ? most : left > most ? (left + 1) / 2 : left;
#define CALL(n) NAME(add_columns)(from, by, stride, n_rows, n, sums)
            switch (n_units) {
            case 1: CALL(1); break;
            case 2: CALL(2); break;
            case 3: CALL(3); break;
            case 4: CALL(4); break;
            case 5: CALL(5); break;
            default: CALL(6);
            }
#undef CALL
            left -= n_units;
            from += n_units * LANES_OF;
            sums += n_units * ROWS_OF_ONE * LANES_OF;
        }
    }
}

#undef EACH
#undef VECTOR
