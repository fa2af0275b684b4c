/* Products of rows of X with few columns, for one type of X, one of the columns and one width of
 * vectors; _dense_types.h includes this once for each.  N_VECTORS vectors hold the columns of a row.
 *
 * Macros: NAME(f), ENTRY (of X), NUMBER (of the rest), LANES_OF, TARGET, ROWS_FOR(n_vectors).
 */

typedef NUMBER NAME(vector) __attribute__((vector_size(LANES_OF * sizeof(NUMBER))));

#define VECTOR NAME(vector)
#define EACH(i, n) _Pragma("GCC unroll 8") for (int i = 0; i < (n); i++)

/* out (n_rows, n_columns) = x (n_rows, width) times coef (width, n_vectors * LANES_OF), plus the
 * row that follows on coef */
TARGET void NAME(scores_of_rows)(
    const ENTRY *x, ptrdiff_t width, const NUMBER *coef, const int n_vectors, const int n_rows,
    NUMBER *out, int n_columns
) {
    VECTOR sums[8][4], part[4];
    EACH(r, n_rows) EACH(v, n_vectors) sums[r][v] = (VECTOR) {0};
    for (ptrdiff_t j = 0; j < width; j++) {
        EACH(v, n_vectors)
            memcpy(&part[v], coef + (j * n_vectors + v) * LANES_OF, sizeof(VECTOR));
        EACH(r, n_rows) {
            NUMBER entry = (NUMBER) x[r * width + j];
            EACH(v, n_vectors) sums[r][v] += entry * part[v];
        }
    }
    EACH(v, n_vectors)
        memcpy(&part[v], coef + (width * n_vectors + v) * LANES_OF, sizeof(VECTOR));
    EACH(r, n_rows) EACH(v, n_vectors) sums[r][v] += part[v];
    NUMBER row[4 * LANES_OF];
    EACH(r, n_rows) {
        EACH(v, n_vectors) memcpy(row + v * LANES_OF, &sums[r][v], sizeof(VECTOR));
        memcpy(out + r * n_columns, row, n_columns * sizeof(NUMBER));
    }
}

/* Rows `begin` to `end` of out (width, n_vectors * LANES_OF) += x^T rows */
TARGET void NAME(add_rows)(
    const ENTRY *x, ptrdiff_t width, ptrdiff_t begin, ptrdiff_t end, const NUMBER *rows,
    const int n_vectors, const int n_rows, NUMBER *out
) {
    VECTOR part[8][4], sums[4];
    EACH(r, n_rows) EACH(v, n_vectors)
        memcpy(&part[r][v], rows + (r * n_vectors + v) * LANES_OF, sizeof(VECTOR));
    for (ptrdiff_t j = begin; j < end; j++) {
        NUMBER *target = out + j * n_vectors * LANES_OF;
        EACH(v, n_vectors) memcpy(&sums[v], target + v * LANES_OF, sizeof(VECTOR));
        EACH(r, n_rows) {
            NUMBER entry = (NUMBER) x[r * width + j];
            EACH(v, n_vectors) sums[v] += entry * part[r][v];
        }
        EACH(v, n_vectors) memcpy(target + v * LANES_OF, &sums[v], sizeof(VECTOR));
    }
}

TARGET void NAME(scores_by)(
    const ENTRY *x, ptrdiff_t n_rows, ptrdiff_t width, const NUMBER *coef, const int n_vectors,
    NUMBER *out, int n_columns
) {
    const int step = ROWS_FOR(n_vectors);
    ptrdiff_t i = 0;
    for (; i + step <= n_rows; i += step)
        NAME(scores_of_rows)(
            x + i * width, width, coef, n_vectors, step, out + i * n_columns, n_columns
        );
    for (; i < n_rows; i++)
        NAME(scores_of_rows)(
            x + i * width, width, coef, n_vectors, 1, out + i * n_columns, n_columns
        );
}

TARGET void NAME(correlate_by)(
    const ENTRY *x, ptrdiff_t n_rows, ptrdiff_t width, const NUMBER *rows, const int n_vectors,
    NUMBER *out
) {
    const int step = ROWS_FOR(n_vectors), columns = n_vectors * LANES_OF;
    for (ptrdiff_t begin = 0; begin < width; begin += FEATURES_AT_ONCE) {
        ptrdiff_t end = begin + FEATURES_AT_ONCE < width ? begin + FEATURES_AT_ONCE : width;
        ptrdiff_t i = 0;
        for (; i + step <= n_rows; i += step)
            NAME(add_rows)(
                x + i * width, width, begin, end, rows + i * columns, n_vectors, step, out
            );
        for (; i < n_rows; i++)
            NAME(add_rows)(
                x + i * width, width, begin, end, rows + i * columns, n_vectors, 1, out
            );
    }
}

#define WITH_CONSTANT(call)                                                                  \
    switch (n_vectors) {                                                                     \
    case 1: call(1); break;                                                                  \
    case 2: call(2); break;                                                                  \
    case 3: call(3); break;                                                                  \
    default: call(4);                                                                        \
    }

ENTRY_POINT void NAME(scores)(
    const void *x, ptrdiff_t n_rows, ptrdiff_t width, const void *coef, int n_vectors, void *out,
    int n_columns
) {
#define CALL(n) NAME(scores_by)(x, n_rows, width, coef, n, out, n_columns)
    WITH_CONSTANT(CALL)
#undef CALL
}

ENTRY_POINT void NAME(correlate)(
    const void *x, ptrdiff_t n_rows, ptrdiff_t width, const void *rows, int n_vectors, void *out
) {
#define CALL(n) NAME(correlate_by)(x, n_rows, width, rows, n, out)
    WITH_CONSTANT(CALL)
#undef CALL
}

#undef WITH_CONSTANT
#undef EACH
#undef VECTOR
