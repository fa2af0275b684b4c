/* Rows of one type of entry to the lanes of a tile and back; _tiles.h includes this for each type.
 *
 * Macros: NAME(f), ENTRY.
 */

#if HAS_SHUFFLES

typedef ENTRY NAME(Entries) __attribute__((vector_size(4 * sizeof(ENTRY))));

/* From four places to four others, turned in registers. */
INLINE void NAME(load_block)(const ENTRY *const *from, ptrdiff_t k, double *to) {
    Quad q[4];
    EACH_OF_FOUR {
        NAME(Entries) entries;
        memcpy(&entries, from[i] + k, sizeof entries);
        q[i] = __builtin_convertvector(entries, Quad);
    }
    turn(q);
    EACH_OF_FOUR memcpy(to + (k + i) * LANES, &q[i], sizeof(Quad));
}

INLINE void NAME(store_block)(const double *from, ENTRY *const *to, ptrdiff_t k) {
    Quad q[4];
    EACH_OF_FOUR memcpy(&q[i], from + (k + i) * LANES, sizeof(Quad));
    turn(q);
    EACH_OF_FOUR {
        NAME(Entries) entries = __builtin_convertvector(q[i], NAME(Entries));
        memcpy(to[i] + k, &entries, sizeof entries);
    }
}

#else

INLINE void NAME(load_block)(const ENTRY *const *from, ptrdiff_t k, double *to) {
    EACH_OF_FOUR for (ptrdiff_t l = k; l < k + 4; l++) to[l * LANES + i] = from[i][l];
}

INLINE void NAME(store_block)(const double *from, ENTRY *const *to, ptrdiff_t k) {
    EACH_OF_FOUR for (ptrdiff_t l = k; l < k + 4; l++) to[i][l] = (ENTRY) from[l * LANES + i];
}

#endif

MULTIVERSION static void NAME(load)(
    const Tile *t, double *RESTRICT tile, const ENTRY *RESTRICT rows
) {
    EACH_FOUR_LANES {
        const ENTRY *from[4];
        EACH_OF_FOUR from[i] = rows + row_of(t, r + i) * t->n_classes;
        if (t->n_classes < 4)
            EACH_CLASS EACH_OF_FOUR tile[k * LANES + r + i] = from[i][k];
        else
            EACH_FOUR_CLASSES NAME(load_block)(from, AS_FAR_AS_IT_GOES(k), tile + r);
    }
}

MULTIVERSION static void NAME(store)(
    const Tile *t, const double *RESTRICT tile, ENTRY *RESTRICT rows
) {
    EACH_FOUR_LANES {
        ENTRY *to[4];
        EACH_OF_FOUR to[i] = rows + row_of(t, r + i) * t->n_classes;
        if (t->n_classes < 4)
            EACH_CLASS EACH_OF_FOUR to[i][k] = (ENTRY) tile[k * LANES + r + i];
        else
            EACH_FOUR_CLASSES NAME(store_block)(tile + r, to, AS_FAR_AS_IT_GOES(k));
    }
}
