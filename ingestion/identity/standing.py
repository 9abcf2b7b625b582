"""Which of what people said stands: of a pair of records the latest verdict not taken back."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.links import Flags

AUTHOR = "rule"
MODEL_AUTHOR = "model"
WITHDRAWN = "withdrawn"
"""What a person says who takes back what holds of a pair; what was said before holds again."""


def by_rule(table: pa.Table) -> Flags:
    """Which rows of the log are judgements of rules and of the model: (rows,)."""
    authors = pa.array([AUTHOR, MODEL_AUTHOR])
    return np.asarray(pc.is_in(table["author"], authors).to_numpy())


def by_people(table: pa.Table) -> Flags:
    """Which rows of the log are verdicts of people that hold: (rows,).

    Of a pair it is one row, or none; people give few by nature.
    """
    holds = np.zeros(len(table), bool)
    rows = np.flatnonzero(~by_rule(table))
    rows = rows[np.argsort(table["judged_at_ms"].to_numpy()[rows], kind="stable")]
    standing: dict[tuple[str, ...], list[tuple[int, str]]] = {}
    columns = table.select(["left_record_key", "right_record_key", "verdict"]).take(pa.array(rows))
    for row, one in zip(rows.tolist(), columns.to_pylist(), strict=True):
        pair = tuple(sorted((one["left_record_key"], one["right_record_key"])))
        before = standing.setdefault(pair, [])
        # Who takes a verdict back takes it back though it was given twice.
        if before and one["verdict"] in (WITHDRAWN, before[-1][1]):
            before.pop()
        if one["verdict"] != WITHDRAWN:
            before.append((row, one["verdict"]))
    holds[[of_pair[-1][0] for of_pair in standing.values() if of_pair]] = True
    return holds


def standing(table: pa.Table) -> list[tuple[int, dict[str, Any]]]:
    """The verdicts of people that hold, oldest first; a number is a place in the log."""
    holds = by_people(table)
    numbers = (holds.nonzero()[0] + 1).tolist()
    return list(zip(numbers, table.filter(pa.array(holds)).to_pylist(), strict=True))
