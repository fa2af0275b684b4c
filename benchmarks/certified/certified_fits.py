"""How long a certified fit takes, for every data set, loss, alpha and l1_ratio.

    SKLINEAR_DATA=folder python benchmarks/certified/certified_fits.py --datasets letter khan
    python benchmarks/certified/certified_fits.py --table

Each fit has a process of its own. Rows are appended to results/certified_fits.csv as they come, and
those already there are skipped. The JSON file beside it names the machine and the versions.
"""

import argparse
import csv
import itertools
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from datasets import SCALING
from tables import describe, identity, print_tables
from threadpoolctl import threadpool_info

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "certified_fits.csv"
TOL = 1e-4
AXES = {
    "dataset": list(SCALING),
    "loss": ["softmax", "hinge", "squared_hinge"],
    "alpha": [1e-2, 1e-3, 1e-4, 1e-5],
    "l1_ratio": [0.0, 0.5, 1.0],
}
MEASURES = ["seconds", "relative_gap", "objective", "n_iter", "passes", "status"]
GRACE = 60  # seconds for loading the data, and for the fit to notice the interrupt


def run(cell, limit, threads):
    """Fit one cell in a process of its own."""
    argument = json.dumps(cell | {"tol": TOL, "limit": limit})
    env = os.environ | dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"], str(threads))
    command = [sys.executable, HERE / "fit_cell.py", argument]
    try:
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, timeout=limit + GRACE)
    except subprocess.TimeoutExpired:
        return {"seconds": limit, "status": "killed"}
    return {"status": "failed"} if done.returncode else json.loads(done.stdout)


def read(path):
    """The rows measured so far."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append(path, row):
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, [*AXES, *MEASURES])
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def cpu():
    """The processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(": ")[1] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def record_machine(path, limit, threads):
    """Write what the seconds depend on beside the results."""
    packages = ["sklinear", "scikit-learn", "numpy", "scipy"]
    facts = {
        "processor": cpu(),
        "cores": os.cpu_count(),
        "threads": threads,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "blas": sorted(
            {pool["architecture"] for pool in threadpool_info() if "architecture" in pool}
        ),
        "tol": TOL,
        "limit": limit,
    }
    path.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n")


def measure(options):
    """Run the cells that the file does not hold yet."""
    path = options.results
    path.parent.mkdir(parents=True, exist_ok=True)
    record_machine(path, options.limit, options.threads)
    done = {identity(row) for row in read(path)}
    chosen = options.datasets, options.losses, options.alphas, options.l1_ratios
    for values in itertools.product(*chosen):
        cell = dict(zip(AXES, values, strict=True))
        if identity(cell) in done:
            continue
        row = cell | run(cell, options.limit, options.threads)
        append(path, row)
        print(describe(row), flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--datasets", nargs="+", choices=AXES["dataset"], default=AXES["dataset"])
    add("--losses", nargs="+", choices=AXES["loss"], default=AXES["loss"])
    add("--alphas", nargs="+", type=float, default=AXES["alpha"])
    add("--l1-ratios", nargs="+", type=float, default=AXES["l1_ratio"])
    add("--limit", type=int, default=600, help="seconds a fit")
    add("--threads", type=int, default=1, help="threads of the linear algebra")
    add("--results", type=Path, default=RESULTS, help="the CSV file to continue or to print")
    add("--table", action="store_true", help="print the results as markdown")
    return parser.parse_args()


def main():
    options = parse()
    if options.table:
        print_tables(read(options.results))
    else:
        measure(options)


if __name__ == "__main__":
    main()
