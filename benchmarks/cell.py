"""One cell: a solver climbs its ladder of tolerances in a process of its own."""

import multiprocessing
import resource
import time

# A forked process shares the data and the imported packages with its parent.
FORK = multiprocessing.get_context("fork")
READY, DONE = "ready", "done"


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
    """Rows until the other end is done, fails or exceeds the limit; then how it ended."""
    rows = []
    try:
        receiver.recv()
        last = time.monotonic()
        deadline = last + limit
        while receiver.poll(max(0.0, deadline - time.monotonic())):
            message = receiver.recv()
            if message == DONE:
                return rows, {"status": "done"}
            rows.append(message)
            last = time.monotonic()
    except EOFError:
        return rows, {"status": "failed"}
    return rows, {"status": "limit", "time": time.monotonic() - last}


def repeat(sender, objective, solver, goal, options):
    """Climb, and climb again while that takes a small part of the limit."""
    solver.set_objective(**objective.get_objective())
    solver.warm_up()
    sender.send(READY)
    start = time.monotonic()
    for repetition in range(options.repetitions):
        for row in climb(objective, solver, goal):
            sender.send(row | {"idx_rep": repetition})
        if (repetition + 2) * (time.monotonic() - start) > 0.5 * options.limit:
            break
    sender.send(DONE)


def climb(objective, solver, goal):
    """Rows of fits at ever smaller tolerances, until one reaches the goal or proves itself."""
    before = peak_memory()
    for tol in solver.rungs():
        start = time.perf_counter()
        solver.run(tol)
        seconds = time.perf_counter() - start
        result = objective.evaluate_result(**solver.get_result())
        yield (
            {"stop_val": tol, "time": seconds, "status": "done", "memory": peak_memory() - before}
            | {f"objective_{key}": value for key, value in result.items()}
        )
        proved = result["value"] - result["lower_bound"] <= 1e-7 * result["value_at_zero"]
        if proved or result["value"] <= goal:
            return


def peak_memory():
    """Megabytes of the largest resident set so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
