"""Threads of our own over parts of the rows, beside a BLAS that is kept at one thread.

The products here are narrow and loops over the scores lie between them.  Threads of BLAS wait
for the next product by spinning, two BLAS libraries (NumPy's and SciPy's) have threads of their
own each, and small fits then take several times as long as on one thread.  Threads that sleep
do no harm, and serve the loops as well.

Parts do not depend on the number of threads, and neither do sums over them.
"""

import itertools
import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401 - its BLAS is then among the libraries found
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from sklearn.utils.parallel import _get_threadpool_controller

N_PARTS = 8
OF_A_SCORE = 4  # a loss costs as much as reading so many numbers and more
WORTHWHILE = 2**19  # numbers to read or write, of a part

_get_threadpool_controller()  # looks for libraries once, 10 ms that the first fit would take

_lock = threading.Lock()
_pools: dict[tuple[str, int], ThreadPoolExecutor] = {}


class SerialBlas:
    """While any thread is inside, BLAS has one thread; the last one out restores the number.

    The number belongs to the process: limits that overlap would restore each other's, and
    threadpoolctl lets only the thread that set one change it.  So one thread sets and restores
    it for all; where the calling thread has a limit of its own in force, that one does.
    """

    def __init__(self):
        self.forget()

    def forget(self):
        """Begin anew, in a child process for instance."""
        self.limits, self.inside = None, weakref.WeakSet()
        self.own = threading.local()

    def __enter__(self):
        visit = _Visit()
        try:
            _in_setter(self._come, visit)
            own = None if _blas_threads() == 1 else _limit_blas()
        except BaseException:
            # An interrupt: what the setter was told to do it has done or will do.
            _in_setter(self._go, visit)
            raise
        self._visits().append((visit, own))

    def __exit__(self, *error):
        visit, own = self._visits().pop()
        if own is not None:
            own.__exit__(*error)
        _in_setter(self._go, visit)

    def _visits(self):
        """Of the calling thread, the innermost last."""
        if not hasattr(self.own, "visits"):
            self.own.visits = []
        return self.own.visits

    def _come(self, visit):
        self.inside.add(visit)
        if self.limits is None:
            self.limits = _limit_blas()

    def _go(self, visit):
        self.inside.discard(visit)
        if not self.inside and self.limits is not None:
            self.limits.__exit__(None, None, None)
            self.limits = None


class _Visit:
    """Somebody inside; one that an interrupt has lost is forgotten with the object."""


def _in_setter(function, visit):
    with _lock:
        pool = _pool("setter", 1)
    pool.submit(function, visit).result()


def _limit_blas():
    """A limit of one thread that this thread has entered."""
    return _get_threadpool_controller().limit(limits=1, user_api="blas").__enter__()


def _blas_threads():
    """The largest number of threads of a BLAS library."""
    libraries = _get_threadpool_controller().lib_controllers
    return max((lib.num_threads or 1 for lib in libraries if lib.user_api == "blas"), default=1)


serial_blas = SerialBlas()


def n_threads():
    """As many as scikit-learn's loops would use: limits of threadpoolctl and joblib hold."""
    return _openmp_effective_n_threads()


@contextmanager
def at_most(count):
    """The loops of the calling thread take so many threads or fewer."""
    count = min(count, n_threads())
    with _get_threadpool_controller().limit(limits=count, user_api="openmp"):
        yield


def parts(n_rows, size, n_parts=N_PARTS):
    """Slices of rows, of data with so many numbers; a single one where there are few."""
    n_parts = min(n_parts, int(size // WORTHWHILE))
    if n_parts < 2:
        return [slice(0, n_rows)]
    edges = np.arange(n_parts + 1) * n_rows // n_parts
    return list(itertools.starmap(slice, itertools.pairwise(edges)))


def run(function, tasks, size=np.inf):
    """[function(task) for task in tasks], on several threads where so many numbers pay."""
    workers = min(n_threads(), len(tasks)) if size >= 2 * WORTHWHILE and len(tasks) > 1 else 1
    if workers <= 1:
        return [function(task) for task in tasks]
    with _lock:
        pool = _pool("rows", workers - 1)
    results, todo = [None] * len(tasks), _Queue(tasks)

    def work():
        for number, task in todo:
            results[number] = function(task)

    helpers = [pool.submit(work) for _ in range(workers - 1)]
    try:
        work()
    finally:
        # After an error too: nobody begins another task, and nobody is left at work.
        todo.close()
        begun = [helper for helper in helpers if not helper.cancel()]
        wait(begun)
    for helper in begun:
        helper.result()
    return results


class _Queue:
    """Numbered tasks, each for the first thread that asks."""

    def __init__(self, tasks):
        self.tasks, self.lock = enumerate(tasks), threading.Lock()

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:
            return next(self.tasks)

    def close(self):
        """There are no more."""
        with self.lock:
            self.tasks = iter(())


def over_rows(function, scores, times=1):
    """Results of a function of slices of rows, for all parts of scores it reads so many times."""
    return run(function, parts(len(scores), OF_A_SCORE * times * scores.size))


def _pool(purpose, workers):
    """Threads that are kept; to be called with the lock."""
    if (purpose, workers) not in _pools:
        name = f"sklinear-{purpose}"
        _pools[purpose, workers] = ThreadPoolExecutor(workers, thread_name_prefix=name)
    return _pools[purpose, workers]


def _after_fork():
    """A child process has none of its parent's threads, and nobody who holds the lock."""
    global _lock
    _lock = threading.Lock()
    _pools.clear()
    serial_blas.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
