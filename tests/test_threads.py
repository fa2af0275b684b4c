"""Threads: the same results with any number of them, and BLAS as it was afterwards."""

import gc
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from joblib import Parallel, cpu_count, delayed
from threadpoolctl import threadpool_info, threadpool_limits

from sklinear import SoftmaxClassifier
from sklinear._data import wrap
from sklinear._losses import CrossEntropy, Hinge, SmoothedHinge, SquaredHinge
from sklinear._threads import (
    N_PARTS,
    WORTHWHILE,
    SerialBlas,
    _in_setter,
    _Visit,
    n_threads,
    parts,
    run,
    serial_blas,
)

N_ROWS, N_CLASSES = 120_000, 20
LOSSES = [CrossEntropy(), Hinge(), SquaredHinge(), SmoothedHinge(0.5, 3.0)]


def blas_threads():
    return [info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"]


def with_threads(number, function):
    """What it returns with so many threads, and one of BLAS as during a fit."""
    with threadpool_limits(number, user_api="openmp"), serial_blas:
        return function()


def assert_same_with_two(function):
    """The numbers it returns, bit for bit the same with one thread and with two."""
    one, two = with_threads(1, function), with_threads(2, function)
    pairs = zip(one, two, strict=True) if isinstance(one, tuple) else [(one, two)]
    for first, second in pairs:
        np.testing.assert_array_equal(first, second)
    return one


@pytest.fixture(scope="module")
def scores():
    """So many that they are worth several parts."""
    values = np.random.default_rng(0).normal(size=(N_ROWS, N_CLASSES))
    assert values.size >= WORTHWHILE
    return values


class TestParts:
    def test_they_are_all_rows_once(self):
        many = 2 * N_PARTS * WORTHWHILE
        rows = np.concatenate([np.arange(1003)[part] for part in parts(1003, many)])
        np.testing.assert_array_equal(rows, np.arange(1003))
        assert len(parts(1003, many)) == N_PARTS

    def test_each_part_is_worth_it(self):
        assert parts(1003, 2 * WORTHWHILE - 1) == [slice(0, 1003)]
        assert parts(1003, 2 * WORTHWHILE) == [slice(0, 501), slice(501, 1003)]

    def test_results_come_in_the_order_of_the_tasks(self):
        tasks = list(range(20))
        assert with_threads(2, lambda: run(lambda k: k * k, tasks)) == [k * k for k in tasks]

    @pytest.mark.skipif(cpu_count() < 2, reason="one core")
    def test_two_threads_work_at_the_same_time(self):
        """Each task waits for another one to begin."""
        barrier = threading.Barrier(2, timeout=30)
        with threadpool_limits(2):
            assert n_threads() == 2
            run(lambda _: barrier.wait(), range(2))

    def test_limits_are_obeyed(self):
        with threadpool_limits(1):
            names = run(lambda _: threading.current_thread().name, range(4))
        assert set(names) == {threading.current_thread().name}

    @pytest.mark.skipif("OMP_NUM_THREADS" in os.environ, reason="a number chosen by hand")
    def test_workers_of_a_grid_search_share_the_cores(self):
        numbers = Parallel(n_jobs=2)(delayed(n_threads)() for _ in range(2))
        assert max(numbers) <= max(1, cpu_count() // 2)

    def test_little_work_stays_on_the_calling_thread(self):
        names = run(lambda _: threading.current_thread().name, range(4), 2 * WORTHWHILE - 1)
        assert set(names) == {threading.current_thread().name}

    def test_errors_are_raised(self):
        with pytest.raises(ZeroDivisionError):
            with_threads(2, lambda: run(lambda k: 1 // k, range(4)))

    @pytest.mark.skipif(cpu_count() < 2, reason="one core")
    def test_errors_of_helpers_are_raised_once_all_have_ended(self):
        caller, ended = threading.current_thread(), []
        barrier = threading.Barrier(2, timeout=30)

        def task(_):
            barrier.wait()
            if threading.current_thread() is not caller:
                raise ZeroDivisionError
            time.sleep(0.05)
            ended.append(1)

        with pytest.raises(ZeroDivisionError):
            with_threads(2, lambda: run(task, range(2)))
        assert ended

    @pytest.mark.skipif(cpu_count() < 2, reason="one core")
    def test_no_task_is_begun_after_an_error_of_the_caller(self):
        caller, begun = threading.current_thread(), []
        barrier = threading.Barrier(2, timeout=30)

        def task(number):
            begun.append(number)
            if number < 2:
                barrier.wait()
            if threading.current_thread() is caller:
                raise ZeroDivisionError
            time.sleep(0.1)

        with pytest.raises(ZeroDivisionError):
            with_threads(2, lambda: run(task, range(20)))
        assert sorted(begun) == [0, 1]

    @pytest.mark.skipif(cpu_count() < 2, reason="one core")
    def test_waits_for_no_helper_that_has_other_work(self):
        busy, begun = threading.Event(), threading.Event()

        def occupy(_):
            begun.set()
            busy.wait(30)

        def run_beside():
            with threadpool_limits(2):
                assert begun.wait(30)
                found = run(lambda k: k, range(3))
            busy.set()
            return found

        with threadpool_limits(2), ThreadPoolExecutor(1) as other:
            result = other.submit(run_beside)
            run(occupy, range(2))
            assert result.result() == [0, 1, 2]


class TestSameResults:
    @pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
    @pytest.mark.parametrize(
        "method", ["value_and_dual", "value_along", "value_at_shift", "fenchel_young"]
    )
    def test_losses(self, loss, method, scores):
        labels = np.arange(N_ROWS, dtype=np.int32) % N_CLASSES
        weights = np.full(N_ROWS, 1 / N_ROWS)
        if isinstance(loss, SmoothedHinge):
            loss = SmoothedHinge(np.full_like(scores, 0.5), 3.0)
        room = np.empty_like(scores), np.empty_like(scores)
        arguments = {
            "value_and_dual": (scores, labels, weights),
            "value_along": (scores, scores[::-1].copy(), 0.3, labels, weights, room),
            "value_at_shift": (scores, np.linspace(-1, 1, N_CLASSES), labels, weights),
            "fenchel_young": (scores, labels, weights, 0.5 * scores, 0.7),
        }
        assert_same_with_two(lambda: getattr(loss, method)(*arguments[method]))

    def test_moves_of_mass(self, scores):
        labels = np.arange(N_ROWS, dtype=np.int32) % N_CLASSES
        weights = np.full(N_ROWS, 1 / N_ROWS)
        loss = CrossEntropy()
        _, dual = loss.value_and_dual(scores, labels, weights)
        found = assert_same_with_two(lambda: loss.balance(dual.copy(), labels, weights))
        assert np.abs(weights @ found).max() < 1e-15 < np.abs(weights @ dual).max()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
    def test_products(self, container, dtype):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(40_000, 60)).astype(dtype)
        data = wrap(container(X))
        coef, rows = rng.normal(size=(60, 3)), rng.normal(size=(40_000, 3))
        found = assert_same_with_two(lambda: data.scores(coef))
        np.testing.assert_allclose(found, X @ coef, rtol=1e-9, atol=1e-9)
        found = assert_same_with_two(lambda: data.correlate(rows))
        np.testing.assert_allclose(found, X.T @ rows, rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
    def test_fits(self, l1_ratio):
        X = np.random.default_rng(0).normal(size=(40_000, 60))
        y = (X[:, :3] + 0.3 * X[:, 3:6]).argmax(axis=1)
        model = SoftmaxClassifier(alpha=1e-3, l1_ratio=l1_ratio)
        assert_same_with_two(lambda: model.fit(X, y).coef_)


class TestSerialBlas:
    def test_one_thread_inside_and_as_many_as_before_afterwards(self):
        before = blas_threads()
        serial = SerialBlas()
        with serial:
            assert set(blas_threads()) == {1}
        assert blas_threads() == before

    def test_overlapping_fits_restore_the_first_number(self):
        """The first one in leaves before the last one."""
        before = blas_threads()
        serial = SerialBlas()
        serial.__enter__()
        serial.__enter__()
        serial.__exit__()
        assert set(blas_threads()) == {1}
        serial.__exit__()
        assert blas_threads() == before

    def test_it_holds_for_fits_of_other_threads(self):
        """Whichever thread was the first to limit anything."""
        with threadpool_limits(2), SerialBlas():
            pass
        serial, found = SerialBlas(), []

        def work():
            with serial:
                found.append(blas_threads())

        workers = [threading.Thread(target=work) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert all(set(numbers) == {1} for numbers in found)
        assert len(found) == 3

    def test_it_holds_inside_a_limit_of_the_calling_thread(self):
        with threadpool_limits(2):
            inner = blas_threads()
            with SerialBlas():
                assert set(blas_threads()) == {1}
            assert blas_threads() == inner

    def test_a_fit_restores_it_even_when_it_fails(self):
        before = blas_threads()
        X, y = np.eye(4), np.array([0, 1, 0, 1])
        SoftmaxClassifier().fit(X, y)
        assert blas_threads() == before
        with pytest.raises(ValueError, match="alpha"):
            SoftmaxClassifier(alpha=-1.0).fit(X, y)
        assert blas_threads() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    with_threads(2, lambda: run(abs, range(4)))
    child = os.fork()
    if child == 0:
        done = with_threads(2, lambda: run(abs, range(4))) == list(range(4))
        os._exit(0 if done else 1)
    assert os.waitpid(child, 0)[1] == 0


class TestInterrupts:
    def test_a_lost_answer_of_the_setter_restores_blas(self, monkeypatch):
        """An interrupt while one waits for the setter, whose work is then done already."""
        blas, original = SerialBlas(), _in_setter

        def interrupted(function, visit):
            original(function, visit)
            if function == blas._come:
                raise KeyboardInterrupt

        monkeypatch.setattr("sklinear._threads._in_setter", interrupted)
        before = blas_threads()
        with pytest.raises(KeyboardInterrupt):
            blas.__enter__()
        assert blas_threads() == before
        assert blas.limits is None
        assert not blas.inside

    def test_a_visit_that_was_lost_is_forgotten(self):
        blas, before = SerialBlas(), blas_threads()
        _in_setter(blas._come, _Visit())
        # The setter forgets its last task with the next one.
        _in_setter(lambda visit: None, None)
        gc.collect()
        assert not blas.inside
        with blas:
            assert len(blas.inside) == 1
        assert blas.limits is None
        assert blas_threads() == before


def test_the_import_finds_every_blas_so_that_no_fit_has_to_look():
    """Fits look no further than what was found then, so nothing may be missing."""
    code = (
        "import sklinear, sklearn.utils.parallel as parallel, threadpoolctl\n"
        "found = parallel._threadpool_controller\n"
        "now = threadpoolctl.ThreadpoolController()\n"
        "paths = [sorted(lib.filepath for lib in every.lib_controllers if lib.user_api == 'blas')"
        " for every in (found, now)]\n"
        "assert paths[0] == paths[1] and paths[0], paths\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
