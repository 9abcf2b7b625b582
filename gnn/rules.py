"""The rule of the last search, read back from the lake over today's episodes.

`gnn.tables.rule_of` writes a persona's part of it; together they assign. What the search did not
know of has no place in the rule: an episode of an unseen type belongs to no persona until the next
search, and a value of a manner that was never seen speaks for nobody.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnn.found import Kept
from gnn.memberships import MixtureConfig, Rule, Soft, assign
from gnn.recurrence import Recurrence
from gnn.tables import Standing
from gnn.tensors import Episodes, Ints


@dataclass(frozen=True)
class Stored:
    """What the last search found, k personas: those found by id, then those kept.

    Attributes:
        rule: over the types and manners of the episodes it was read for.
        seen: (t,) which of their types the search knew.
        standing: ids, versions and the rule as it is written.
        because: why the business keeps the last of them; one for each of these.
        tests, stability: what the search had measured, k each.
    """

    rule: Rule
    seen: Any
    standing: Standing
    because: list[str]
    tests: list[Recurrence]
    stability: list[float]

    @property
    def found(self) -> int:
        """How many of them a search found; the business keeps the others."""
        return len(self.stability) - len(self.because)

    def kept(self) -> tuple[Kept, ...]:
        """Those that the business keeps."""
        ids = self.standing.ids[self.found :]
        return tuple(Kept(*one) for one in zip(ids, self.because, strict=True))

    def only(self, places: Ints) -> "Stored":
        """The same of some personas, 0 the first."""
        some = places.tolist()
        return Stored(
            self.rule.only(places),
            self.seen,
            Standing(
                [self.standing.ids[n] for n in some],
                [self.standing.versions[n] for n in some],
                [self.standing.rules[n] for n in some],
            ),
            [why for n, why in enumerate(self.because, self.found) if n in some],
            [self.tests[n] for n in some],
            [self.stability[n] for n in some],
        )


def read(step: Any, episodes: Episodes) -> Stored:
    """What the step finds in the lake.

    At least one persona is there.
    """
    stood = {row["persona_id"]: row for row in step.arrow("personas").to_pylist()}
    rows = step.arrow("persona_rules", ["persona_id", "version", "rule"]).to_pylist()
    why = {one: stood[one]["kept_because"] for one in stood}
    rows.sort(key=lambda row: (why[row["persona_id"]] is not None, row["persona_id"]))
    names = ("persona_id", "version", "rule")
    standing = Standing(*([row[name] for row in rows] for name in names))
    rule, seen = rule_over(episodes, standing.rules)
    return Stored(
        rule,
        seen,
        standing,
        [why[one] for one in standing.ids if why[one] is not None],
        [_tested(stood[one]) for one in standing.ids],
        [stood[one]["stability"] for one in standing.ids],
    )


def _tested(row: dict[str, Any]) -> Recurrence:
    lift, p, q = (row[f"recurrence_{name}"] for name in ("lift", "p", "q"))
    return Recurrence(0, 0.0, lift, p, q, passed=True)


def rule_over(episodes: Episodes, texts: list[str]) -> tuple[Rule, Any]:
    """The rule that these parts make, and which of the episodes' types it knows.

    Shapes: k texts -> the rule of k personas, (t,) bool.
    """
    parts = [json.loads(text) for text in texts]
    first = parts[0]
    groups = [*parts, *first["unnamed"]]
    tables = [first["background"], *(group["persona"] for group in groups)]
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
        held=np.array([group["held"] for group in groups]),
        config=config,
        unnamed=len(first["unnamed"]),
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
