"""Memory that freed arrays leave to the next ones."""

import sys

import numpy as np

LARGEST = 2**25 - 2**14  # bytes; with all rounding no more than 32 MiB


def keep_freed_memory():
    """Have glibc keep some of the memory that is freed, instead of giving it back to the system.

    It gives back what is free at the end of its heap beyond twice the largest block that it has
    mapped and freed, of up to 32 MiB. Where that is little, a fit has its memory cleared page by
    page again and again. A block that nothing is written to takes no memory.

    References
    ----------
    mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
    """
    if sys.platform == "linux":
        np.empty(LARGEST, dtype=np.uint8)
