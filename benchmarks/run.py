"""Run a config file's grid with a limit of seconds a cell, and go on where it was left.

    SKLINEAR_DATA=folder python benchmarks/run.py benchmarks/configs/quick.yml --limit 60

A cell is one solver on one problem, in a process of its own that is killed at the limit.  Rows are
those of `benchopt run`, appended to results/NAME.csv as the cells end; a cell that is there
already is not measured again.
"""

import argparse
import os
from pathlib import Path

import yaml

HERE = Path(__file__).parent


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("config", type=Path)
    add("-d", "--dataset", nargs="+", help="instead of those in the config file")
    add("-o", "--objective", nargs="+", help="instead of those in the config file")
    add("-s", "--solver", nargs="+", help="instead of those in the config file")
    add("--limit", type=float, default=60, help="seconds a cell")
    add("--total", type=float, default=float("inf"), help="seconds after which no cell is begun")
    add("--threads", type=int, default=1)
    add("--repetitions", type=int, default=3, help="of fits that take less than a second")
    add("--name", default="peers", help="of the file of results")
    return parser.parse_args()


def main():
    options = parse()
    # Thread pools read these when NumPy is loaded, hence the late import.
    os.environ |= dict.fromkeys(
        ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], str(options.threads)
    )
    from grid import run_grid

    config = yaml.safe_load(options.config.read_text())
    chosen = {key: getattr(options, key) for key in ("dataset", "objective", "solver")}
    config |= {key: patterns for key, patterns in chosen.items() if patterns}
    run_grid(HERE, config, HERE / "results" / f"{options.name}.csv", options)


if __name__ == "__main__":
    main()
