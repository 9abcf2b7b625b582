"""The rule of the last search, read back from the lake over today's episodes.

`gnn.tables.rule_of` writes a persona's part of it; together they assign. What the search did not
know of has no place in the rule: an episode of an unseen type belongs to no persona until the next
search, and a value of a manner that was never seen speaks for nobody.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnn.memberships import MixtureConfig, Rule, Soft, assign
from gnn.recurrence import Recurrence
from gnn.tables import Kept
from gnn.tensors import Episodes, Ints


@dataclass(frozen=True)
class Stored:
    """What the last search found, k personas in the order of their ids.

    Attributes:
        rule: over the types and manners of the episodes it was read for.
        seen: (t,) which of their types the search knew.
        kept: ids, versions and the rule as it is written.
        tests, stability: what the search had measured, k each.
    """

    rule: Rule
    seen: Any
    kept: Kept
    tests: list[Recurrence]
    stability: list[float]

    def only(self, places: Ints) -> "Stored":
        """The same of some personas, 0 the first."""
        some = places.tolist()
        return Stored(
            self.rule.only(places),
            self.seen,
            Kept(
                [self.kept.ids[n] for n in some],
                [self.kept.versions[n] for n in some],
                [self.kept.rules[n] for n in some],
            ),
            [self.tests[n] for n in some],
            [self.stability[n] for n in some],
        )


def read(step: Any, episodes: Episodes) -> Stored:
    """What the step finds in the lake.

    At least one persona is there.
    """
    rows = step.arrow("persona_rules", ["persona_id", "version", "rule"]).sort_by("persona_id")
    kept = Kept(*(rows[name].to_pylist() for name in rows.column_names))
    rule, seen = rule_over(episodes, kept.rules)
    stood = {row["persona_id"]: row for row in step.arrow("personas").to_pylist()}
    return Stored(
        rule,
        seen,
        kept,
        [_tested(stood[one]) for one in kept.ids],
        [stood[one]["stability"] for one in kept.ids],
    )


def _tested(row: dict[str, Any]) -> Recurrence:
    lift, p, q = (row[f"recurrence_{name}"] for name in ("lift", "p", "q"))
    return Recurrence(0, 0.0, lift, p, q, passed=True)


def rule_over(episodes: Episodes, texts: list[str]) -> tuple[Rule, Any]:
    """The rule that these parts make, and which of the episodes' types it knows.

    Shapes: k texts -> the rule (k + 1, t), (t,) bool.
    """
    parts = [json.loads(text) for text in texts]
    first = parts[0]
    tables = [first["background"], *(part["persona"] for part in parts)]
    names = tuple(
        sorted(first["background"]["manners"].keys() & {m.name for m in episodes.manners})
    )
    types = [episodes.type_name(number) for number in range(episodes.type_count)]
    config = MixtureConfig(
        none=first["none"], concentration=first["concentration"], fold_in_rounds=first["rounds"]
    )
    rule = Rule(
        types=_table([table["types"] for table in tables], types),
        manners=tuple(
            _table([table["manners"][name] for table in tables], episodes.manner(name).bins)
            for name in names
        ),
        names=names,
        trust=(1.0,) * len(names),  # is in the tables already
        occasion=np.inf if first["occasion"] is None else first["occasion"],
        held=np.array([part["held"] for part in parts]),
        config=config,
    )
    return rule, np.array([name in first["background"]["types"] for name in types], bool)


def _table(rows: list[dict[str, float]], columns: Any) -> Soft:
    return np.array([[row.get(name, 0.0) for name in columns] for row in rows]).reshape(
        len(rows), -1
    )


def assigned(episodes: Episodes, stored: Stored) -> Soft:
    """Everyone's episodes by the stored rule; those of unseen types belong to none.

    Shapes: -> (n, k + 1), column 0 no persona.
    """
    soft = np.zeros((len(episodes), stored.rule.personas + 1), np.float32)
    soft[:, 0] = 1
    rows = np.flatnonzero(stored.seen[episodes.type])
    if len(rows) and stored.rule.personas:
        soft[rows] = assign(episodes, rows, episodes.manners, stored.rule)
    return soft
