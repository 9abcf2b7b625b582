"""Tables that the mapping calls otherwise than it did when their files were read."""

from collections import defaultdict

from ingestion.fit import Fitted
from kg.lake.tables import TABLES
from kg.lake.writer import Step

_OF_DATASETS = ("records", "events", "files")


def rename_datasets(step: Step, fitted: Fitted) -> None:
    """What was read has the name that its table has now, also where the file is gone: else its rows
    would count twice when a later file has them.

    A table has another name where the mapping does not know its own any more, and all its files
    that are still in the folder are of one other table.
    """
    new = _new_names(step, fitted)
    if not new:
        return
    for name in _OF_DATASETS:
        rows = step.table(name)
        called = rows.dataset.cases(*new.items(), else_=rows.dataset)
        empty = TABLES[name].empty_table().drop_columns("run_id")
        step.rewrite(name, rows.mutate(dataset=called), empty)


def _new_names(step: Step, fitted: Fitted) -> dict[str, str]:
    now = {one.name: data.name for data in fitted.datasets for one in data.sources}
    theirs = set(now.values())
    found: dict[str, set[str]] = defaultdict(set)
    for row in step.arrow("files", ["source", "dataset"]).to_pylist():
        if row["dataset"] not in theirs and row["source"] in now:
            found[row["dataset"]].add(now[row["source"]])
    return {old: names.pop() for old, names in found.items() if len(names) == 1}
