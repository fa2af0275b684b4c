"""The rows of `certified_fits.py` as markdown."""

import itertools


def identity(row):
    """What tells cells apart, whether they come from the grid or from the file."""
    return row["dataset"], row["loss"], float(row["alpha"]), float(row["l1_ratio"])


def seconds(row):
    return float(row.get("seconds") or "nan")


def measured(row):
    """Seconds and relative gap, in bold where the tolerance was not met."""
    gap = float(row.get("relative_gap") or "nan")
    text = f"{seconds(row):.3g} s, {gap:.1e}"
    return text if row["status"] == "met" else f"**{text}**"


def describe(row):
    """One cell in one line."""
    dataset, loss, alpha, l1_ratio = identity(row)
    name = f"{dataset}, {loss}, alpha {alpha:g}, l1_ratio {l1_ratio:g}"
    return f"{name}: {measured(row)} ({row['status']})"


def grid(rows):
    """Data sets and l1_ratio down, alpha across."""
    cells = {identity(row): measured(row) for row in rows}
    axes = zip(*cells, strict=True)
    datasets, losses, alphas, ratios = (list(dict.fromkeys(axis)) for axis in axes)
    alphas.sort(reverse=True)
    yield "| data set | l1_ratio | " + " | ".join(f"alpha {alpha:g}" for alpha in alphas) + " |"
    yield "|---" * (2 + len(alphas)) + "|"
    for dataset, ratio in itertools.product(datasets, sorted(ratios)):
        line = (cells.get((dataset, losses[0], alpha, ratio), "") for alpha in alphas)
        yield f"| {dataset} | {ratio:g} | " + " | ".join(line) + " |"


def worst(rows, count=10):
    """The cells that missed the tolerance, and the slowest of those that met it."""
    missed = [row for row in rows if row["status"] != "met"]
    met = sorted((row for row in rows if row["status"] == "met"), key=seconds, reverse=True)
    yield f"{len(met)} of {len(rows)} fits met the tolerance. Missed:"
    yield ""
    yield from (f"- {describe(row)}" for row in missed)
    yield ""
    yield "Slowest of those that met it:"
    yield ""
    yield from (f"- {describe(row)}" for row in met[:count])


def print_tables(rows):
    """One grid a loss, then the worst cells."""
    for loss in dict.fromkeys(row["loss"] for row in rows):
        print(f"## {loss}\n")
        print(*grid([row for row in rows if row["loss"] == loss]), "", sep="\n")
    print("## Worst cells\n")
    print(*worst(rows), sep="\n")
