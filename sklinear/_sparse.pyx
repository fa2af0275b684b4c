"""Products of a CSR matrix and of its transpose with a dense one."""

from cython cimport floating

ctypedef fused index_t:
    int
    long long

# Data and weights vary independently: float32 data may meet float64 weights.
ctypedef fused real_t:
    float
    double

cdef enum:
    MAX_NARROW = 8


cdef inline void axpy(
    real_t value, const real_t* source, real_t* target, Py_ssize_t size
) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(size):
        target[k] += value * source[k]


cdef inline void add_part(
    const index_t* indices,
    const floating* data,
    Py_ssize_t size,
    const real_t* coef,
    Py_ssize_t n_classes,
    real_t* out,
    int width,
) noexcept nogil:
    # A few classes, whose sums the compiler can keep in registers when it knows their number.
    cdef real_t[4] sums
    cdef const real_t* row
    cdef real_t value
    cdef Py_ssize_t t
    cdef int k
    for k in range(width):
        sums[k] = out[k]
    for t in range(size):
        row = coef + indices[t] * n_classes
        value = <real_t> data[t]
        for k in range(width):
            sums[k] += value * row[k]
    for k in range(width):
        out[k] = sums[k]


cdef inline void add_row(
    const index_t* indices,
    const floating* data,
    Py_ssize_t size,
    const real_t* coef,
    Py_ssize_t n_classes,
    real_t* out,
) noexcept nogil:
    cdef Py_ssize_t t
    for t in range(size):
        axpy(<real_t> data[t], coef + indices[t] * n_classes, out, n_classes)


cdef inline void add_narrow_row(
    const index_t* indices,
    const floating* data,
    Py_ssize_t size,
    const real_t* coef,
    Py_ssize_t n_classes,
    real_t* out,
) noexcept nogil:
    # Where the classes are few, each sum waits for the one before to come back from memory.
    cdef Py_ssize_t k, rest = n_classes % 4
    for k in range(n_classes // 4):
        add_part(indices, data, size, coef + 4 * k, n_classes, out + 4 * k, 4)
    k = n_classes - rest
    if rest == 3:
        add_part(indices, data, size, coef + k, n_classes, out + k, 3)
    elif rest == 2:
        add_part(indices, data, size, coef + k, n_classes, out + k, 2)
    elif rest == 1:
        add_part(indices, data, size, coef + k, n_classes, out + k, 1)


def csr_scores(
    const index_t[::1] indptr,
    const index_t[::1] indices,
    const floating[::1] data,
    const real_t[:, ::1] coef,
    real_t[:, ::1] out,
):
    """Add X @ coef to `out`, X a CSR matrix of shape (n, d), coef (d, C)."""
    cdef Py_ssize_t i, start, size, n_classes = coef.shape[1]
    if data.shape[0] == 0 or n_classes == 0:
        return
    with nogil:
        for i in range(out.shape[0]):
            start = indptr[i]
            size = indptr[i + 1] - start
            if size == 0:
                continue
            if n_classes <= MAX_NARROW:
                add_narrow_row(
                    &indices[start], &data[start], size, &coef[0, 0], n_classes, &out[i, 0]
                )
            else:
                add_row(&indices[start], &data[start], size, &coef[0, 0], n_classes, &out[i, 0])


def number_rows(const real_t[:, ::1] coef, int[::1] place):
    """Number the rows that are not all zero, the others get -1; how many they are."""
    cdef Py_ssize_t j, k
    cdef int count = 0
    with nogil:
        for j in range(coef.shape[0]):
            place[j] = -1
            for k in range(coef.shape[1]):
                if coef[j, k] != 0:
                    place[j] = count
                    count += 1
                    break
    return count


def csr_scores_of_some(
    const index_t[::1] indptr,
    const index_t[::1] indices,
    const floating[::1] data,
    const int[::1] place,
    const real_t[:, ::1] coef,
    real_t[:, ::1] out,
):
    """Add X @ W to `out` where the row of W for feature j is coef[place[j]], or zero for -1."""
    cdef Py_ssize_t i, t, n_classes = coef.shape[1]
    cdef int row
    with nogil:
        for i in range(out.shape[0]):
            for t in range(indptr[i], indptr[i + 1]):
                row = place[indices[t]]
                if row >= 0:
                    axpy(<real_t> data[t], &coef[row, 0], &out[i, 0], n_classes)


def csr_gradient(
    const index_t[::1] indptr,
    const index_t[::1] indices,
    const floating[::1] data,
    const real_t[:, ::1] rows,
    real_t[:, ::1] out,
):
    """Add X^T @ rows to `out`, X a CSR matrix of shape (n, d), rows (n, C)."""
    cdef Py_ssize_t i, t, n_classes = rows.shape[1]
    with nogil:
        for i in range(rows.shape[0]):
            for t in range(indptr[i], indptr[i + 1]):
                axpy(<real_t> data[t], &rows[i, 0], &out[indices[t], 0], n_classes)


cdef inline void softmax_bend(
    const double* q, double weight, double* out, Py_ssize_t n_classes
) noexcept nogil:
    cdef Py_ssize_t k, other
    for k in range(n_classes):
        for other in range(n_classes):
            out[k * n_classes + other] = -weight * q[k] * q[other]
        out[k * n_classes + k] = weight * q[k] * (1 - q[k])


cdef inline void star_bend(
    const double* a, int y, double weight, double* out, Py_ssize_t n_classes
) noexcept nogil:
    cdef Py_ssize_t k
    cdef double total = 0
    for k in range(n_classes * n_classes):
        out[k] = 0
    for k in range(n_classes):
        out[k * n_classes + k] = weight * a[k]
        out[k * n_classes + y] = out[y * n_classes + k] = -weight * a[k]
        total += weight * a[k]
    out[y * n_classes + y] = total


cdef inline Py_ssize_t list_variables(
    const index_t* indices,
    const floating* data,
    Py_ssize_t size,
    const int* first,
    int* place,
    double* value,
) noexcept nogil:
    cdef Py_ssize_t t, count = 0
    cdef int v
    for t in range(size):
        for v in range(first[indices[t]], first[indices[t] + 1]):
            place[count] = v
            value[count] = data[t]
            count += 1
    return count


cdef inline void add_pairs(
    const int* place,
    const double* value,
    Py_ssize_t size,
    const int* klass,
    const double* bend,
    Py_ssize_t n_classes,
    double* out,
    Py_ssize_t width,
) noexcept nogil:
    cdef Py_ssize_t s, t
    cdef const double* row
    cdef double* target
    for s in range(size):
        row = bend + klass[place[s]] * n_classes
        target = out + place[s] * width
        for t in range(s):
            target[place[t]] += value[s] * value[t] * row[klass[place[t]]]
        target[place[s]] += 0.5 * value[s] * value[s] * row[klass[place[s]]]


def csr_hessian(
    const index_t[::1] indptr,
    const index_t[::1] indices,
    const floating[::1] data,
    const int[::1] first,
    const int[::1] klass,
    const double[:, ::1] factor,
    const int[::1] labels,
    const double[::1] weights,
    bint star,
    int[::1] place,
    double[::1] value,
    double[::1] bend,
    double[:, ::1] out,
):
    """Add H to `out`, up to a transposition: `out` + `out`^T grows by the Hessian.

    Variables v from first[j] to first[j + 1] are those of feature j, klass[v] their classes;
    columns of `out` beyond them, if there are any, belong to the intercepts of all classes.
    `place` and `value` have room for the variables of a row of X, `bend` for p M.
    """
    cdef Py_ssize_t i, s, k, start, size, width = out.shape[1]
    cdef Py_ssize_t n_classes = factor.shape[1], n_variables = klass.shape[0]
    with nogil:
        for i in range(factor.shape[0]):
            if star:
                star_bend(&factor[i, 0], labels[i], weights[i], &bend[0], n_classes)
            else:
                softmax_bend(&factor[i, 0], weights[i], &bend[0], n_classes)
            start, size = indptr[i], 0
            if indptr[i + 1] > start:
                size = list_variables(
                    &indices[start], &data[start], indptr[i + 1] - start, &first[0], &place[0],
                    &value[0],
                )
            add_pairs(
                &place[0], &value[0], size, &klass[0], &bend[0], n_classes, &out[0, 0], width
            )
            if width == n_variables:
                continue
            for s in range(size):
                k = klass[place[s]]
                axpy(
                    value[s], &bend[k * n_classes], &out[place[s], n_variables], n_classes
                )
            for k in range(n_classes):
                axpy(
                    0.5, &bend[k * n_classes], &out[n_variables + k, n_variables], n_classes
                )
