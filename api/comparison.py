"""Found personas against rule-based ones, put together from the lake; what `--json` prints.

Nothing of it is stored: it says how the two stand now, by the rules and goals of `personas.yaml`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from kg.personas.holes import days, holes

if TYPE_CHECKING:
    import pyarrow as pa

    from kg.lake import Lake
    from kg.personas.beside import Beside

NO_GOAL = "personas.yaml states no goal, so there is nothing to foretell"
NO_RULE = "personas.yaml states no rule to compare found personas with ({} begins it)"
NO_PERSONA = "no persona was found"
UNLEARNED = "a rule is not learned, so it cannot fail to come back on other people: no stability"
INSIDE = "its own intents shape personas, so holding one partly says that it was reached before"


def comparison(lake: "Lake", days: int) -> dict[str, Any]:
    """Coverage, overlap, each persona, and how well each kind foretells the goals.

    Args:
        days: how long is recent, and how far a goal lies ahead (one of coming again says itself).
    """
    from kg.personas.beside import FOUND, RULE, Beside
    from kg.personas.counts import newest_ms
    from kg.personas.goals import rates
    from kg.personas.kinds import DAY_MS

    beside = Beside(lake, newest_ms(lake), days)
    each = beside.each()
    kinds = {one["kind"] for one in each}
    said = [NO_PERSONA] * (FOUND not in kinds)
    command = lake.workspace.command("personas constraints --write")
    said.append(UNLEARNED if RULE in kinds else NO_RULE.format(command))
    said += _missing(lake, beside.end_ms - 2 * days * DAY_MS)
    goals = _foretold(lake, beside, days)
    return {
        "days": days,
        "coverage": beside.coverage(),
        "personas": each,
        "overlap": beside.overlap(),
        "goals": rates(lake),
        "accuracy": goals,
        "said": said + [NO_GOAL] * (not goals),
    }


def _missing(lake: "Lake", since_ms: float) -> Iterator[str]:
    """The holes in tables of events that reach into the time that freshness and accuracy are of."""
    since = datetime.fromtimestamp(since_ms / 1000, UTC).date().isoformat()
    for hole in holes(lake):
        if hole["last"] >= since:
            yield (
                f"{hole['dataset']} has {days(hole)}: how fresh a persona is, who still holds "
                "it and what it foretells may be less for want of it"
            )


def _foretold(lake: "Lake", beside: "Beside", days: int) -> list[dict[str, Any]]:
    from gnn.foretell import Moment, Task, accuracy, moment
    from kg.personas.kinds import DAY_MS

    rules = lake.arrow("persona_rules", ["persona_id", "rule"]).sort_by("persona_id")
    trees = [orjson.loads(rule) for rule in rules["rule"].to_pylist()]
    moments: dict[int, tuple[Moment, Any]] = {}

    def at(at_ms: int) -> tuple[Moment, Any]:
        if at_ms not in moments:
            found = moment(lake, trees, at_ms)
            moments[at_ms] = found, beside.by_rule_at(at_ms, found.user_ids)
        return moments[at_ms]

    told = []
    for goal in lake.arrow("goals").sort_by("goal").to_pylist():
        within = orjson.loads(goal["definition"]).get("returns_within_days", days) * DAY_MS
        (later, rules_later), (earlier, rules_earlier) = (
            at(beside.end_ms - times * within) for times in (1, 2)
        )
        task = Task(
            goal["goal"],
            _reached(lake, goal),
            within,
            earlier,
            later,
            (rules_earlier, rules_later),
        )
        said = [INSIDE] * (goal["kind"] == "goal_inside")
        told.append(accuracy(task) | {"said": said})
    return told


def _reached(lake: "Lake", goal: dict[str, Any]) -> "pa.Table":
    """(user_id, at_ms) of what reaches a goal; of coming again, whatever was done."""
    from kg.personas.rules import seen_intents

    if goal["kind"] == "goal_return":
        intents = seen_intents(lake)
        return lake.run(intents.select("user_id", at_ms=intents.started_at_ms))
    rows = lake.table("reached")
    return lake.run(rows.filter(rows.goal == goal["goal"]).select("user_id", "at_ms"))
