"""Compiled loops over pairs of a sample and a wrong class."""


def star_products(
    const double[:, :, ::1] grams,
    const int[::1] sample,
    const int[::1] klass,
    const int[::1] true,
    const double[::1] root,
    double[:, ::1] out,
):
    """I + R S D^-1 S^T R of pairs, on the diagonal and above, from X D_k^-1 X^T of each class k.

    A row of S maps the weights to the score of the wrong class of a pair less that of the true
    one; R is diagonal.  Of two classes one matrix, half of the sum of both, serves for each.
    """
    cdef Py_ssize_t p, q, i, last = grams.shape[0] - 1
    cdef int k, y
    cdef double wrong, right
    cdef const double* of_wrong
    cdef const double* of_true
    with nogil:
        for p in range(sample.shape[0]):
            i, k, y = sample[p], klass[p], true[p]
            of_wrong, of_true = &grams[min(k, last), i, 0], &grams[min(y, last), i, 0]
            for q in range(p, sample.shape[0]):
                wrong = of_wrong[sample[q]] * ((klass[q] == k) - (true[q] == k))
                right = of_true[sample[q]] * ((true[q] == y) - (klass[q] == y))
                out[p, q] = root[p] * root[q] * (wrong + right)
            out[p, p] += 1
