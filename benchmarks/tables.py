"""Markdown tables and curves from the rows of `run.py` or of `benchopt run`.

    python benchmarks/tables.py                      # all of results/, into README.md
    python benchmarks/tables.py file.parquet --print

Accuracy is (F - best certified lower bound) / F(0).  Seconds to a level are those of the fastest
fit of the ladder that reaches it, the median over repetitions.
"""

import argparse
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
from markdown import header, insert, line

HERE = Path(__file__).parent
LEVELS = [1e-2, 1e-4, 1e-6]
PROBLEM = ["p_obj_loss", "dataset_name", "p_obj_alpha", "p_obj_l1_ratio", "threads"]


def load(paths):
    """All rows, with their accuracy; benchopt's own runner tells no threads and no memory."""
    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    rows = pd.concat([readers[path.suffix](path) for path in paths], ignore_index=True)
    defaults = {"threads": 1, "status": "done", "memory": np.nan}
    for column, value in defaults.items():
        rows[column] = rows[column].fillna(value) if column in rows else value
    groups = rows.groupby([key for key in PROBLEM if key != "threads"])
    bound = groups["objective_lower_bound"].transform("max")
    unit = groups["objective_value_at_zero"].transform("max")
    rows["accuracy"] = (rows["objective_value"] - bound) / unit
    return rows


def check(rows):
    """Whether any value of the same objective disproves a bound."""
    below = rows[rows["objective_comparable"].eq(True) & (rows["accuracy"] < -1e-9)]
    if below.empty:
        yield "No solver's value is below a certified bound."
    for _, row in below.iterrows():
        yield (
            f"- **below the bound** by {-row['accuracy']:.1e}: {row['solver_name']}, "
            + ", ".join(str(row[key]) for key in PROBLEM)
        )


def fits(rows):
    """One row a fit of a ladder: median seconds, worst accuracy of its repetitions."""
    keys = [*PROBLEM, "solver_name", "stop_val"]
    measures = {
        "time": "median",
        "accuracy": "max",
        "objective_passes": "median",
        "memory": "median",
    }
    # A fit that was stopped at the limit has no tolerance and no accuracy.
    counted = rows[rows["objective_comparable"].eq(True)]
    return counted.groupby(keys, as_index=False, dropna=False).agg(measures)


def seconds(rows, level):
    """Seconds to a level, one column a solver, NaN where it was not reached."""
    reached = rows[rows["accuracy"] <= level]
    times = reached.groupby([*PROBLEM, "solver_name"])["time"].min().unstack()
    every = pd.MultiIndex.from_frame(rows[PROBLEM].drop_duplicates())
    return times.reindex(
        index=every.sort_values(), columns=sorted({*rows["solver_name"], "sklinear"})
    )


def compare(rows, level):
    """sklinear and the fastest rival at a level: seconds, name, ratio, passes."""
    times = seconds(rows, level)
    rivals = times.drop(columns="sklinear")
    table = pd.DataFrame({"ours": times["sklinear"], "rival": rivals.min(axis=1)})
    table["name"] = rivals.dropna(how="all").idxmin(axis=1).reindex(times.index)
    table["ratio"] = table["rival"] / table["ours"]
    others = rows[rows["solver_name"] != "sklinear"].groupby(PROBLEM).size()
    table["has_rival"] = others.reindex(times.index).notna()
    ours = rows[(rows["solver_name"] == "sklinear") & (rows["accuracy"] <= level)]
    table["passes"] = ours.groupby(PROBLEM)["objective_passes"].min().reindex(times.index)
    return table


def show(value, pattern="{:.2g}"):
    return "–" if pd.isna(value) else pattern.format(value)


def short(name):
    """Without the names of the parameters."""
    return re.sub(r"\w+=", "", name)


def rival(row):
    return "–" if pd.isna(row["rival"]) else f"{row['rival']:.2g} {short(row['name'])}"


def lines(tables):
    """One line a problem: ours, passes over X, the fastest rival and the ratio, at three levels."""
    for key in tables[0].index:
        _, dataset, alpha, l1_ratio, _ = key
        cells = [table.loc[key] for table in tables]
        parts = [f"{short(dataset)}, {alpha:g}, {l1_ratio:g}"]
        parts.append(" / ".join(show(cell["ours"]) for cell in cells))
        parts.append(" / ".join(show(cell["passes"]) for cell in cells))
        parts += [rival(cell) for cell in cells]
        parts.append(" / ".join(show(cell["ratio"]) for cell in cells))
        yield line(parts)


def summary(tables):
    """Geometric means of the ratios, and every problem where a rival is faster."""
    for level, table in zip(LEVELS, tables, strict=True):
        ratio = table["ratio"].dropna()
        alone = (table["ours"].notna() & table["rival"].isna() & table["has_rival"]).sum()
        if len(ratio):
            mean = np.exp(np.log(ratio).mean())
            more = f"; no rival arrives at {alone} more" if alone else ""
            yield f"- to {level:g}: {mean:.2g} × over {len(ratio)}, least {ratio.min():.2g} ×{more}"
    yield ""
    yield from losses(tables)


def losses(tables):
    for level, table in zip(LEVELS, tables, strict=True):
        slower = table["ratio"] < 1
        only_rival = table["ours"].isna() & table["rival"].notna()
        for key, row in table[slower | only_rival].iterrows():
            name = f"{short(key[1])}, alpha {key[2]:g}, l1_ratio {key[3]:g}, to {level:g}"
            yield f"- slower than {short(row['name'])}: {name} ({show(row['ratio'])} ×)"


def section(rows, loss, threads):
    """One loss at one number of threads."""
    tables = [compare(rows, level) for level in LEVELS]
    plural = "s" if threads > 1 else ""
    head = [
        "problem: alpha, l1_ratio",
        "sklinear",
        "passes",
        *(f"rival to {x:g}" for x in LEVELS),
        "ratio",
    ]
    yield from [f"### {loss}, {threads} thread{plural}", ""]
    yield from header(head)
    yield from lines(tables)
    yield from ["", *summary(tables), ""]


def context(rows):
    """Seconds of a fit and test accuracy of those that minimise an objective of their own."""
    own = rows[rows["objective_comparable"].eq(False) & rows["status"].eq("done")]
    if own.empty:
        return
    keys = ["p_obj_loss", "dataset_name", "p_obj_alpha", "p_obj_l1_ratio", "solver_name"]
    table = own.groupby(keys)[["time", "objective_accuracy"]].median()
    yield from ["### Objectives of their own", ""]
    yield from header(["problem", "solver", "s", "accuracy"])
    for (loss, dataset, alpha, l1_ratio, solver), row in table.iterrows():
        accuracy = show(row["objective_accuracy"], "{:.3f}")
        problem = f"{loss}, {short(dataset)}, {alpha:g}, {l1_ratio:g}"
        yield line([problem, short(solver), show(row["time"]), accuracy])


def report(rows):
    yield from [*check(rows), ""]
    counted = fits(rows)
    for (loss, threads), part in counted.groupby(["p_obj_loss", "threads"]):
        yield from section(part, loss, int(threads))
    yield from memory(counted)
    yield from context(rows)


def memory(counted):
    """Peak memory of a fit beyond what was there before it, the largest over all rungs."""
    keys = ["dataset_name", "solver_name"]
    table = counted.dropna(subset="memory").groupby(keys)["memory"].max().unstack()
    if table.empty:
        return
    yield from ["### Megabytes beyond X, at most", ""]
    yield from header(["data set", *map(short, table)])
    for dataset, row in table.iterrows():
        yield line([short(dataset), *(show(value, "{:.0f}") for value in row)])
    yield ""


def settings(paths):
    """What the seconds depend on, as it was recorded beside each file."""
    for path in paths:
        record = path.with_suffix(".json")
        if record.exists():
            facts = json.loads(record.read_text())
            packages = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
            yield (
                f"- `{path.name}`: {facts['processor']}, {facts['cores']} cores, "
                f"threads {facts['threads']}, limit {facts['limit']:g} s a cell, "
                f"commit {facts['commit']}; {packages}"
            )


def draw(rows, path, count=6):
    """Accuracy against seconds: the problem of each data set that most solvers were measured on."""
    import matplotlib.pyplot as plt

    counted = fits(rows).dropna(subset="accuracy")
    names = sorted(set(counted["solver_name"]))
    colours = dict(zip(names, plt.get_cmap("tab20").colors, strict=False)) | {"sklinear": "black"}
    solvers = counted.groupby(PROBLEM)["solver_name"].nunique().sort_values(ascending=False)
    chosen = solvers[~solvers.index.get_level_values("dataset_name").duplicated()].index[:count]
    figure, axes = plt.subplots(2, 3, figsize=(13, 8), layout="constrained", sharey=True)
    for axis in axes.flat[len(chosen) :]:
        axis.set_visible(False)
    for axis, key in zip(axes.flat, chosen, strict=False):
        curves(axis, counted.set_index(PROBLEM).sort_index().loc[key], colours)
        axis.set_title(f"{short(key[1])}\n{key[0]}, alpha {key[2]:g}, l1_ratio {key[3]:g}")
    figure.supxlabel("seconds")
    figure.supylabel("(F − lower bound) / F(0)")
    figure.savefig(path, dpi=110)


def curves(axis, problem, colours):
    for name, fit in problem.groupby("solver_name"):
        fit = fit.sort_values("time")
        best = fit["accuracy"].cummin().clip(lower=1e-9)
        style = {"color": colours[name], "linewidth": 3 if name == "sklinear" else 1.2}
        axis.loglog(fit["time"], best, ".-", drawstyle="steps-post", label=short(name), **style)
    axis.legend(fontsize=7)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--print", action="store_true", help="leave README.md and curves.png")
    return parser.parse_args()


def main():
    options = parse()
    paths = options.paths or sorted((HERE / "results").glob("peers*.csv"))
    rows = load(paths)
    text = "\n".join([*settings(paths), "", *report(rows)])
    if options.print:
        print(text)
        return
    draw(rows, HERE / "curves.png")
    insert("results", f"{text}\n\n![Accuracy against seconds](curves.png)")


if __name__ == "__main__":
    main()
