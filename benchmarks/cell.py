"""One cell: a solver climbs its ladder of tolerances in a process of its own."""

import math
import multiprocessing
import time
from pathlib import Path

from benchmark_utils.ladder import is_proved

# A forked process shares the data and the imported packages with its parent.
FORK = multiprocessing.get_context("fork")
READY, DONE = "ready", "done"
STATUS = Path("/proc/self/status")


def measure(objective, solver, goal, options):
    """Rows of the fits that ended within the limit, then one for a fit that did not."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=repeat, args=(sender, objective, solver, goal, options))
    process.start()
    sender.close()
    rows, ended = receive(receiver, options.limit)
    process.kill()
    process.join()
    return rows if ended["status"] == "done" else [*rows, ended]


def receive(receiver, limit):
    """Rows until the other end is done, fails or exceeds the limit; then how it ended.

    The limit is on the seconds of all fits; the referee's own are left out.
    """
    rows = []
    try:
        receiver.recv()
        last, left = time.monotonic(), limit
        while receiver.poll(max(0.0, left)):
            message = receiver.recv()
            if message == DONE:
                return rows, {"status": "done"}
            rows.append(message)
            last, left = time.monotonic(), left - message["time"]
    except EOFError:
        return rows, {"status": "failed"}
    return rows, {"status": "limit", "time": time.monotonic() - last}


def repeat(sender, objective, solver, goal, options):
    """Climb, and climb again while that takes a small part of the limit."""
    solver.set_objective(**objective.get_objective())
    solver.warm_up()
    sender.send(READY)
    spent = 0.0
    for repetition in range(options.repetitions):
        for row in climb(objective, solver, goal):
            sender.send(row | {"idx_rep": repetition})
            spent += row["time"]
        if spent > options.limit / 4:
            break
    sender.send(DONE)


def climb(objective, solver, goal):
    """Rows of fits at ever smaller tolerances, until one reaches the goal or proves itself."""
    for tol in solver.rungs():
        before = start_of_peak()
        start = time.perf_counter()
        solver.run(tol)
        seconds = time.perf_counter() - start
        row = {"stop_val": tol, "time": seconds, "status": "done", "memory": peak() - before}
        result = objective.evaluate_result(**solver.get_result())
        row |= {f"objective_{key}": value for key, value in result.items()}
        yield row
        if is_proved(row) or result["value"] <= goal:
            return


def start_of_peak():
    """Forget the peak of the resident set, and return its present size."""
    if STATUS.exists():
        (STATUS.parent / "clear_refs").write_text("5")
    return resident("VmRSS")


def peak():
    """The largest resident set since then."""
    return resident("VmHWM")


def resident(field):
    """Megabytes, where the system tells them; NaN elsewhere."""
    lines = STATUS.read_text().splitlines() if STATUS.exists() else []
    sizes = [float(line.split()[1]) / 1024 for line in lines if line.startswith(field)]
    return sizes[0] if sizes else math.nan
