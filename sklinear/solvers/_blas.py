"""In-place sums of arrays, by SciPy's BLAS."""

from scipy.linalg.blas import daxpy


def add_to(target, factor, array):
    """target += factor * array, without a temporary; contiguous float64 arrays."""
    if array.size:
        daxpy(array.ravel(), target.reshape(-1), a=factor)
