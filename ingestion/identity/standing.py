"""Which of what people said stands: of a pair of records the latest verdict not taken back.

A verdict is about two users. It names a record of each, and `verdict_records` keeps which others
each of them had, so that it holds when a record has left the files or its user comes apart.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.links import Flags

AUTHOR = "rule"
MODEL_AUTHOR = "model"
WITHDRAWN = "withdrawn"
"""What a person says who takes back what holds of a pair; what was said before holds again."""
LEFT, RIGHT = "left", "right"


@dataclass(frozen=True)
class Said:
    """A verdict of a person that stands.

    Attributes:
        number: its place in the log.
        row: what the log says.
        left_keys, right_keys: the records of the two it is about, those that it names among them.
        leaves: it takes its right record out of a user, and says nothing of others.
    """

    number: int
    row: dict[str, Any]
    left_keys: frozenset[str]
    right_keys: frozenset[str]
    leaves: bool

    @property
    def same(self) -> bool:
        """Whether they are one person."""
        return bool(self.row["verdict"] == "same")

    @property
    def left(self) -> str:
        """The record that it names first."""
        return str(self.row["left_record_key"])

    @property
    def right(self) -> str:
        """The record that it names second."""
        return str(self.row["right_record_key"])

    def between(self, one: set[str], other: set[str]) -> bool:
        """Whether it is about these two groups of records."""
        left, right = self.left_keys, self.right_keys
        return not (
            (left.isdisjoint(one) or right.isdisjoint(other))
            and (left.isdisjoint(other) or right.isdisjoint(one))
        )


def by_rule(table: pa.Table) -> Flags:
    """Which rows of the log are judgements of rules and of the model: (rows,)."""
    authors = pa.array([AUTHOR, MODEL_AUTHOR])
    return np.asarray(pc.is_in(table["author"], authors).to_numpy())


def said_by_people(step: Any) -> list[Said]:
    """The verdicts of people that stand, oldest first.

    Args:
        step: of a lake, or whatever reads one.
    """
    if by_rule(step.arrow("judgements", ["author"])).all():  # as nearly always
        return []
    log = step.arrow("judgements")
    holds = _holds(log)
    if not holds.any():
        return []
    rows = log.filter(pa.array(holds)).to_pylist()
    numbers = (np.flatnonzero(holds) + 1).tolist()
    kept: dict[tuple[int, str], set[str]] = defaultdict(set)
    for one in step.arrow("verdict_records").to_pylist():
        kept[one["judged_at_ms"], one["side"]].add(one["record_key"])
    found = [_said(number, row, kept) for number, row in zip(numbers, rows, strict=True)]
    return sorted(found, key=lambda one: int(one.row["judged_at_ms"]))


def _said(number: int, row: dict[str, Any], kept: dict[tuple[int, str], set[str]]) -> Said:
    left, right = (kept.get((row["judged_at_ms"], side), set()) for side in (LEFT, RIGHT))
    return Said(
        number,
        row,
        frozenset({row["left_record_key"], *left}),
        frozenset({row["right_record_key"], *right}),
        leaves=row["verdict"] == "different" and not right,
    )


def _holds(table: pa.Table) -> Flags:
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
