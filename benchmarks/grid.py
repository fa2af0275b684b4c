"""The cells of a grid, one after the other."""

import time
import warnings

import numpy as np
import pandas as pd
from benchopt.benchmark import Benchmark, _list_parametrized_classes
from cell import measure
from machine import commit, record

FINEST = 1e-6


def instances(selected):
    """The configured objects of the classes that can be imported."""
    return [item for item, installed in _list_parametrized_classes(*selected) if installed]


def problems(benchmark, config):
    """Data sets with their objectives; a data set is loaded once and then dropped."""
    for dataset in instances(benchmark.check_dataset_patterns(config.get("dataset"))):
        data = dataset.get_data()
        for objective in instances(benchmark.check_objective_filters(config.get("objective"))):
            skipped, reason = objective.skip(**data)
            if skipped:
                print(f"{dataset}: {reason}")
                break
            objective.set_data(**data)
            yield dataset, objective


def solvers(benchmark, config):
    """The chosen solvers, sklinear first: its bound tells the others when to stop."""
    chosen = instances(benchmark.check_solver_patterns(config.get("solver")))
    return sorted(chosen, key=lambda solver: solver.name != "sklinear")


def identity(dataset, objective, solver, threads):
    """The columns that name a cell, as benchopt calls them, and its threads."""
    parameters = {f"p_obj_{key}": value for key, value in objective._parameters.items()}
    names = {"dataset_name": str(dataset), "objective_name": str(objective)}
    return names | {"solver_name": str(solver), "threads": threads} | parameters


def read(path):
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def write(path, rows):
    """In one step, so that an interrupt leaves the old file or the new one."""
    unfinished = path.with_suffix(".tmp")
    rows.to_csv(unfinished, index=False)
    unfinished.replace(path)


def select(rows, cell):
    """The rows of one cell, or of all that share its given columns."""
    if rows.empty:
        return rows
    return rows[np.logical_and.reduce([rows[key] == value for key, value in cell.items()])]


def goal(rows, cell):
    """The value at which the finest level is certainly reached."""
    rows = select(rows, {key: cell[key] for key in ("dataset_name", "objective_name")})
    if rows.empty or cell["solver_name"] == "sklinear":
        return -np.inf
    return rows["objective_lower_bound"].max() + FINEST * rows["objective_value_at_zero"].max()


def run_grid(folder, config, path, options):
    """Measure what `path` does not hold yet."""
    deadline = time.monotonic() + options.total
    path.parent.mkdir(exist_ok=True)
    record(path.with_suffix(".json"), options.threads, options.limit)
    warnings.simplefilter("ignore")
    benchmark = Benchmark(folder)
    chosen = solvers(benchmark, config)
    for dataset, objective in problems(benchmark, config):
        for solver in chosen:
            cell = identity(dataset, objective, solver, options.threads)
            rows = read(path)
            if len(select(rows, cell)) or solver.skip(**objective.get_objective())[0]:
                continue
            if time.monotonic() > deadline:
                return
            measured = measure(objective, solver, goal(rows, cell), options)
            facts = cell | {"objective_comparable": solver.comparable, "commit": commit()}
            measured = pd.DataFrame([facts | row for row in measured])
            write(path, pd.concat([rows, measured]))
            print(describe(cell, measured), flush=True)


def describe(cell, measured):
    last = measured.iloc[-1]
    name = ", ".join(str(cell[key]) for key in ("dataset_name", "objective_name", "solver_name"))
    return f"{name}: {len(measured)} fits, last {last['time']:.3g} s ({last['status']})"
