"""Markdown tables and curves from the rows of `run.py` or of `benchopt run`.

    python benchmarks/tables.py                      # all of results/, into README.md
    python benchmarks/tables.py file.parquet --print

Accuracy is (F - best certified lower bound) / F(0).  Seconds to a level are those of the fastest
fit of the ladder that reaches it, the median over repetitions.
"""

import argparse
import re
from pathlib import Path

import numpy as np
import pandas as pd

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
    counted = rows[rows["objective_comparable"].eq(True) & rows["status"].eq("done")]
    measures = {
        "time": "median",
        "accuracy": "max",
        "objective_passes": "median",
        "memory": "median",
    }
    return counted.groupby(keys, as_index=False).agg(measures)


def seconds(rows, level):
    """Seconds to a level, one column a solver, NaN where it was not reached."""
    reached = rows[rows["accuracy"] <= level]
    times = reached.groupby([*PROBLEM, "solver_name"])["time"].min().unstack()
    every = pd.MultiIndex.from_frame(rows[PROBLEM].drop_duplicates())
    return times.reindex(index=every.sort_values(), columns=sorted(set(rows["solver_name"])))


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
        yield "| " + " | ".join(parts) + " |"


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
    yield from ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    yield from lines(tables)
    yield from ["", *summary(tables), ""]


def context(rows):
    """Seconds of a fit and test accuracy of those that minimise an objective of their own."""
    own = rows[rows["objective_comparable"].eq(False)]
    if own.empty:
        return
    keys = ["p_obj_loss", "dataset_name", "p_obj_alpha", "p_obj_l1_ratio", "solver_name"]
    table = own.groupby(keys)[["time", "objective_accuracy"]].median()
    yield from ["### Objectives of their own", "", "| problem | solver | s | accuracy |"]
    yield "|---" * 4 + "|"
    for (loss, dataset, alpha, l1_ratio, solver), row in table.iterrows():
        accuracy = show(row["objective_accuracy"], "{:.3f}")
        problem = f"{loss}, {short(dataset)}, {alpha:g}, {l1_ratio:g}"
        yield f"| {problem} | {short(solver)} | {row['time']:.2g} | {accuracy} |"


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
    yield "| data set | " + " | ".join(map(short, table)) + " |"
    yield "|---" * (1 + table.shape[1]) + "|"
    for dataset, row in table.iterrows():
        yield f"| {short(dataset)} | " + " | ".join(show(value, "{:.0f}") for value in row) + " |"
    yield ""


def insert(path, text):
    """Fill the place between the two marks of a Markdown file."""
    begin, end = "<!-- results -->", "<!-- end of results -->"
    before, rest = path.read_text().split(begin)
    path.write_text(f"{before}{begin}\n\n{text}\n{end}{rest.split(end)[1]}")


def draw(rows, path, count=6):
    """Accuracy against seconds for the problems that most solvers were measured on."""
    import matplotlib.pyplot as plt

    counted = fits(rows)
    solvers = counted.groupby(PROBLEM)["solver_name"].nunique().sort_values(ascending=False)
    figure, axes = plt.subplots(2, 3, figsize=(13, 7.5), layout="constrained", sharey=True)
    for axis, key in zip(axes.flat, solvers.index[:count], strict=False):
        curves(axis, counted.set_index(PROBLEM).loc[key])
        axis.set_title(
            f"{short(key[1])}, {key[0]}, alpha {key[2]:g}, l1_ratio {key[3]:g}", fontsize=9
        )
    figure.supxlabel("seconds")
    figure.supylabel("(F − lower bound) / F(0)")
    figure.savefig(path, dpi=110)


def curves(axis, problem):
    for name, fit in problem.groupby("solver_name"):
        fit = fit.sort_values("time")
        best = fit["accuracy"].cummin().clip(lower=1e-9)
        width = 2.5 if name == "sklinear" else 1
        axis.loglog(fit["time"], best, drawstyle="steps-post", label=short(name), linewidth=width)
    axis.legend(fontsize=7)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--print", action="store_true", help="leave README.md and curves.png")
    return parser.parse_args()


def main():
    options = parse()
    rows = load(options.paths or sorted((HERE / "results").glob("peers*.csv")))
    text = "\n".join(report(rows))
    if options.print:
        print(text)
        return
    insert(HERE / "README.md", text)
    draw(rows, HERE / "curves.png")


if __name__ == "__main__":
    main()
