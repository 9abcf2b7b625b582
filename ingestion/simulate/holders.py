"""Who holds the planted personas of a simulated world, against who was found to hold them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from kg.lake.parquet import read_parquet

HABIT = 2
"""Intents of a persona that somebody must have had for it to show: one visit is no habit."""
_PAIR = ["person_id", "persona"]


@dataclass(frozen=True)
class Holders:
    """How many people hold a persona; sums over several personas are counts of such pairs.

    Args:
        planted: of the people with a record, who hold it in truth.
        shown: of these, who had an intent of it at least `HABIT` times.
        found: who were found to hold it.
        right: of these, who do; right_shown: and of whom it showed.
    """

    planted: int = 0
    shown: int = 0
    found: int = 0
    right: int = 0
    right_shown: int = 0

    def __add__(self, other: "Holders") -> "Holders":
        return Holders(*(a + b for a, b in zip(self._counts(), other._counts(), strict=True)))

    def _counts(self) -> tuple[int, ...]:
        return self.planted, self.shown, self.found, self.right, self.right_shown

    @property
    def precision(self) -> float:
        """Of those found to hold it, who do."""
        return self.right / max(self.found, 1)

    @property
    def recall(self) -> float:
        """Of those who hold it, who were found."""
        return self.right / max(self.planted, 1)

    @property
    def recall_shown(self) -> float:
        """Of those who hold it and of whom it showed, who were found."""
        return self.right_shown / max(self.shown, 1)


def holders(
    identities: pa.Table, holdings: pa.Table, planted_as: Mapping[str, str], truth: Path
) -> dict[str, Holders]:
    """Per planted persona that was recovered, who holds it and who was found to.

    Args:
        identities: record_key, user_id; holdings: user_id, persona_id, valid_to.
        planted_as: found persona id -> the planted one.
    """
    records = read_parquet(truth / "records.parquet", ["record_key", "person_id"])
    records = records.filter(pc.is_valid(records["person_id"]))
    whose = _distinct(records.join(identities, "record_key", join_type="inner"), "user_id")
    real = _real(truth).join(_distinct(whose), "person_id", join_type="left semi")
    names = pa.table({
        "persona_id": pa.array(planted_as.keys(), pa.string()),
        "persona": pa.array(planted_as.values(), pa.string()),
    })  # fmt: skip
    held = holdings.filter(pc.is_null(holdings["valid_to"])).select(["user_id", "persona_id"])
    held = held.join(names, "persona_id", join_type="inner")
    found = _distinct(held.join(whose, "user_id", join_type="inner"), "persona")
    shown = real.join(_shown(truth), _PAIR, join_type="left semi")
    right, right_shown = (one.join(found, _PAIR, join_type="left semi") for one in (real, shown))
    counts = [_counted(table) for table in (real, shown, found, right, right_shown)]
    return {
        persona: Holders(*(count.get(persona, 0) for count in counts))
        for persona in planted_as.values()
    }


def _real(truth: Path) -> pa.Table:
    """(person, persona) as planted."""
    people = read_parquet(truth / "people.parquet", ["person_id", "personas"])
    personas = people["personas"].combine_chunks()
    owner = people["person_id"].take(pc.list_parent_indices(personas))
    return pa.table({"person_id": owner, "persona": pc.list_flatten(personas)})


def _shown(truth: Path) -> pa.Table:
    """(person, persona) of whom it showed."""
    events = read_parquet(truth / "events.parquet", [*_PAIR, "intent"])
    events = events.filter(pc.is_valid(events["persona"]))
    counted = events.group_by(_PAIR).aggregate([("intent", "count_distinct")])
    often = pc.greater_equal(counted["intent_count_distinct"], HABIT)
    return counted.filter(often).select(_PAIR)


def _distinct(table: pa.Table, *more: str) -> pa.Table:
    names = ["person_id", *more]
    return table.select(names).group_by(names).aggregate([])


def _counted(table: pa.Table) -> dict[str, int]:
    counted = table.group_by("persona").aggregate([("person_id", "count")])
    return dict(
        zip(counted["persona"].to_pylist(), counted["person_id_count"].to_pylist(), strict=True)
    )
