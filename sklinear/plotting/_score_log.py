"""Scores of the iterations of one fit, out of the log of scikit-learn's `ScoringMonitor`."""

import numpy as np

TASK_COLUMNS = {
    "task_id_path",
    "parent_task_id_path",
    "estimator_name",
    "task_name",
    "task_id",
    "sequential_subtasks",
}


def scores_of_fit(log, n_iter, score_name=None):
    """Scores after iterations 1 to `n_iter`, and their name.

    Parameters
    ----------
    log : ScoringMonitorLog, DataFrame or list of dict
        Rows that are no iterations are passed over. Of several fits, as a search has them, it
        is the one least deep inside, the final one.
    n_iter : int
        Iterations of the fit.
    score_name : str, optional
        Needed only where the log holds several scores.

    Returns
    -------
    scores : ndarray of shape (n_iter,)
    score_name : str
    """
    rows = [row for row in _rows(log) if row.get("task_name") == "iteration"]
    if not rows:
        raise ValueError(
            "The log of the ScoringMonitor has no row of an iteration. Set the monitor by "
            "set_callbacks on the estimator of this package before the fit; of a pipeline, on "
            "its last step."
        )
    name = _score_name(rows, score_name)
    scores = {row["task_id"]: row[name] for row in _one_fit(rows)}
    if sorted(scores) != list(range(n_iter)):
        raise ValueError(
            f"The log of the ScoringMonitor holds {len(scores)} iterations and the estimator has "
            f"{n_iter}: they belong to different fits. Take the log right after the fit, "
            'get_logs(select="most_recent").'
        )
    return np.array([scores[number] for number in range(n_iter)], dtype=float), name


def _rows(log):
    data = getattr(log, "data", log)
    return data.to_dict("records") if hasattr(data, "to_dict") else list(data)


def _one_fit(rows):
    """The rows of the fit that is least deep inside others."""
    depth = min(len(row["parent_task_id_path"]) for row in rows)
    fits = {path for row in rows if len(path := tuple(row["parent_task_id_path"])) == depth}
    if len(fits) > 1:
        raise ValueError(
            f"The log of the ScoringMonitor holds {len(fits)} fits beside each other, with the "
            f"parent_task_id_path {sorted(fits)}. Pass the rows of one of them, chosen from "
            "log.data."
        )
    return [row for row in rows if tuple(row["parent_task_id_path"]) in fits]


def _score_name(rows, score_name):
    names = [name for name in rows[0] if name not in TASK_COLUMNS]
    if score_name in names:
        return score_name
    if score_name is None and len(names) == 1:
        return names[0]
    raise ValueError(
        f"score_name is {score_name!r} and the log of the ScoringMonitor holds the scores "
        f"{names}. Set score_name to one of them."
    )
