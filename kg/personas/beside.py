"""Found personas and personas by rule, side by side: who and what each covers, how fresh it is.

Holders of both kinds are read alike: who holds it now, the intents that are in it. Nothing here
changes anything. Accuracy, which needs the rule of the found ones, is in `gnn.foretell`.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.personas.kinds import DAY_MS
from kg.personas.lineage import held_at, names_of
from kg.personas.named import Named
from kg.personas.rules import defined, meeting, rule_id, seen_intents, with_occasions
from kg.personas.statistics import MIN_PEOPLE, wilson

if TYPE_CHECKING:
    from kg.lake import Lake

FOUND, RULE = "found", "rule"
_OF_PEOPLE = ("people", "share", "share_low", "share_high", "still_held", "fresh")
"""Figures of a persona that are about its people; of too few nothing is said."""


class Beside:
    """The personas of both kinds of a lake as tables over everybody with an intent.

    Args:
        end_ms: the newest event.
        days: how long is recent.

    Shapes: user_ids (u,), held (u, p) bool for p personas of both kinds.
    """

    def __init__(self, lake: "Lake", end_ms: int, days: int) -> None:
        self.lake, self.end_ms, self.days = lake, end_ms, days
        self.rules = defined(lake)
        self.seen = seen_intents(lake)
        people = lake.run(self.seen.select("user_id").distinct().order_by("user_id"))
        self.user_ids = people["user_id"].combine_chunks()
        self.personas = _personas(lake)
        self.held = self._table(_holding(lake))

    def _table(self, rows: Any) -> Any:
        """Rows user_id, persona_id as (u, p) bool."""
        ids = pa.array([one["persona_id"] for one in self.personas], pa.string())
        found = self.lake.run(rows.select("user_id", "persona_id").distinct())
        user, is_there = _places(found["user_id"].combine_chunks(), self.user_ids)
        persona, is_known = _places(found["persona_id"].combine_chunks(), ids)
        table = np.zeros((len(self.user_ids), len(ids)), bool)
        both = is_there & is_known
        table[user[both], persona[both]] = True
        return table

    def _of(self, kind: str) -> Any:
        return np.array([one["kind"] == kind for one in self.personas], bool)

    def coverage(self) -> dict[str, Any]:
        """The share of people who hold any, and of intents that are in any, of each kind.

        Where too few hold one of a kind, these are null: beside the others they would give it away.
        """
        intents = int(self.seen.count().to_pyarrow().as_py())
        told = {}
        for kind, table in ((FOUND, "memberships"), (RULE, "rule_memberships")):
            rows = self.lake.table(table)
            rows = rows.filter(rows.persona_id.notnull()).semi_join(self.seen, "intent_id")
            inside = int(rows.intent_id.nunique().to_pyarrow().as_py())
            held = self.held[:, self._of(kind)]
            people, sizes = int(held.any(1).sum()), held.sum(0)
            told[kind] = {
                "personas": len(sizes),
                "people": people,
                "share_of_people": _share(people, len(self.user_ids)),
                "share_of_intents": _share(inside, intents),
            }
            if ((sizes > 0) & (sizes < MIN_PEOPLE)).any():
                told[kind] |= dict.fromkeys(("people", "share_of_people", "share_of_intents"))
        return {"people": len(self.user_ids), "intents": intents, **told}

    def overlap(self) -> list[dict[str, Any]]:
        """For every found persona and every one by rule: who holds both, Jaccard, adjusted Rand.

        Adjusted Rand of the two partitions of people into holders and others (Hubert and Arabie
        1985, doi:10.1007/BF01908075): 0 by chance, 1 when they are the same.
        """
        told = []
        for one in np.flatnonzero(self._of(FOUND)).tolist():
            for other in np.flatnonzero(self._of(RULE)).tolist():
                left, right = self.held[:, one], self.held[:, other]
                told.append(
                    {
                        "found": self.personas[one]["persona_id"],
                        "rule": self.personas[other]["persona_id"],
                        **shared(left, right),
                    }
                )
        return told

    def each(self) -> list[dict[str, Any]]:
        """Every persona: its size, stability and freshness.

        `stability` is that of two halves of the people (a rule has none), `still_held` the share of
        those who held it so many days ago that hold it now, `fresh` the share of its holders with a
        recent intent in it. A share over resampled people is a binomial: its interval is Wilson's.
        """
        before = self._before()
        recent = self._table(self._recent())
        told = []
        for place, persona in enumerate(self.personas):
            now, then = self.held[:, place], before[:, place]
            people = int(now.sum())
            row: dict[str, Any] = dict(persona) | {"people": people}
            row["share"] = _share(people, len(now))
            low, high = wilson(people, len(now))
            row["share_low"], row["share_high"] = round(float(low), 4), round(float(high), 4)
            still = _share(int((now & then).sum()), int(then.sum()))
            row["still_held"] = still if then.sum() >= MIN_PEOPLE else None
            row["fresh"] = _share(int((now & recent[:, place]).sum()), people)
            row["definition_days"] = (self.end_ms - row.pop("defined_as_of_ms")) // DAY_MS
            row["said"] = _said(row, len(now), int(then.sum()), self.days)
            if 0 < people < MIN_PEOPLE:
                row |= dict.fromkeys(_OF_PEOPLE)
            told.append(row)
        return told

    def by_rule_at(self, at_ms: int, user_ids: tuple[str, ...]) -> Any:
        """Who met each rule at a moment, by what had happened until then. -> (u, r) bool"""
        table = self._table(self._meeting(at_ms))[:, self._of(RULE)]
        place, known = _places(pa.array(user_ids, pa.string()), self.user_ids)
        found = np.zeros((len(user_ids), table.shape[1]), bool)
        found[known] = table[place[known]]
        return found

    def _meeting(self, at_ms: int) -> Any:
        """user_id, persona_id of everybody who met a rule at a moment."""
        import ibis

        named, intents = Named(self.lake, self.rules), with_occasions(self.seen)
        nothing = self.lake.table("rule_holdings").limit(0).select("user_id", "persona_id")
        rows = [
            meeting(intents, named, name, conditions, at_ms).select(
                "user_id", persona_id=ibis.literal(rule_id(name))
            )
            for name, conditions in self.rules.rules.items()
        ]
        return ibis.union(nothing, *rows) if rows else nothing

    def _before(self) -> Any:
        """Who held what so many days ago, by what they had done until then."""
        at_ms = self.end_ms - self.days * DAY_MS
        found = held_at(self.lake, at_ms).select("user_id", "persona_id")
        return self._table(found.union(self._meeting(at_ms)))

    def _recent(self) -> Any:
        """user_id, persona_id of everybody with a recent intent in a persona."""
        intents = self.seen.filter(self.seen.started_at_ms > self.end_ms - self.days * DAY_MS)
        parts = [
            self.lake.table(table).semi_join(intents, "intent_id").select("user_id", "persona_id")
            for table in ("memberships", "rule_memberships")
        ]
        both = parts[0].union(parts[1])
        return both.filter(both.persona_id.notnull())


def _places(column: Any, names: Any) -> tuple[Any, Any]:
    """Where each value stands among the names, and whether it does. -> (n,) int64, (n,) bool"""
    found = pc.index_in(column, value_set=names)
    return (
        pc.fill_null(found, 0).to_numpy(zero_copy_only=False).astype(np.int64),
        found.is_valid().to_numpy(zero_copy_only=False),
    )


def shared(left: Any, right: Any) -> dict[str, Any]:
    """Who holds two personas both; nothing is said where these, or who holds one, are too few.

    Shapes: (u,) bool twice.
    """
    from sklearn.metrics import adjusted_rand_score

    both, either = int((left & right).sum()), int((left | right).sum())
    if 0 < both < MIN_PEOPLE or 0 < min(left.sum(), right.sum()) < MIN_PEOPLE:
        return dict.fromkeys(("both", "of_found", "of_rule", "jaccard", "adjusted_rand"))
    return {
        "both": both,
        "of_found": _share(both, int(left.sum())),
        "of_rule": _share(both, int(right.sum())),
        "jaccard": _share(both, either),
        "adjusted_rand": round(float(adjusted_rand_score(left, right)), 4),
    }


def _share(part: int, whole: int) -> float | None:
    """None: of nothing there is no share."""
    return round(part / whole, 4) if whole else None


def _personas(lake: "Lake") -> list[dict[str, Any]]:
    """Both kinds, found ones first: persona_id, name, kind, stability, when it was defined."""
    runs = lake.table("persona_runs")
    since = runs.group_by("persona_id", "version").agg(defined_as_of_ms=runs.as_of_ms.min())
    found = lake.table("personas").inner_join(since, ["persona_id", "version"])
    columns = ("persona_id", "stability", "kept_by", "defined_as_of_ms")
    names = names_of(lake)
    told = [
        row | {"kind": FOUND, "name": names.get(row["persona_id"], row["persona_id"])}
        for row in lake.run(found.select(*columns).order_by("persona_id")).to_pylist()
    ]
    rules = lake.table("rule_personas").select("persona_id", "name", "kind", "defined_as_of_ms")
    return told + [
        row | {"stability": None, "kept_by": None}
        for row in lake.run(rules.order_by("persona_id")).to_pylist()
    ]


def _holding(lake: "Lake") -> Any:
    held = lake.table("holdings")
    held = held.filter(held.valid_to_ms.isnull()).select("user_id", "persona_id")
    return held.union(lake.table("rule_holdings").select("user_id", "persona_id"))


def _said(row: dict[str, Any], population: int, before: int, days: int) -> list[str]:
    """What of a persona cannot be had, or must not be misread, in words."""
    told = []
    if row["people"] == 0:
        told.append("nobody holds it")
    elif row["people"] < MIN_PEOPLE:
        told.append(f"fewer than {MIN_PEOPLE} people hold it, so nothing is said of them")
    if row["people"] == population > 0:
        told.append("everybody holds it: it tells nobody apart")
    if before < MIN_PEOPLE:
        told.append(f"{'nobody' if not before else 'too few'} held it {days} days ago")
    if row["kept_by"]:
        told.append(f"kept by the {row['kept_by']}; its stability is that last measured")
    return told
