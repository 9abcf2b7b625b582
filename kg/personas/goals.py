"""Goals of the business: which intents reach one, and who has had the time to.

Invariant: what reaches a goal follows from its definition and the lake's intents alone.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from kg.lake.tables import schema_of
from kg.personas.constraints import Constraints, Goal
from kg.personas.counts import newest_ms
from kg.personas.kinds import DAY_MS, GOALS
from kg.personas.named import Named
from kg.personas.statistics import unless_few


def aim(step: Any, constraints: Constraints) -> None:
    """Write `goals` and `reached`, and say how many people reached each.

    Raises:
        InputError: a name that this workspace does not know.
    """
    import ibis

    named, end = Named(step, constraints), newest_ms(step)
    goals = [_row(name, goal, end) for name, goal in constraints.goals.items()]
    fields = [field for field in schema_of("goals") if field.name != "run_id"]
    step.overwrite("goals", pa.Table.from_pylist(goals, schema=pa.schema(fields)))
    rows = [
        reaching(step, named, name, goal).mutate(goal=ibis.literal(name))
        for name, goal in constraints.goals.items()
    ]
    columns = [name for name in schema_of("reached").names if name != "run_id"]
    nothing = step.table("reached").limit(0).select(*columns)
    every = ibis.union(nothing, *[one.select(*columns) for one in rows]) if rows else nothing
    step.overwrite("reached", every.order_by("goal", "intent_id"))
    reached = step.table("reached")
    counted = reached.group_by("goal").agg(people=reached.user_id.nunique())
    people = {row["goal"]: row["people"] for row in step.lake.run(counted).to_pylist()}
    step.summary["people"] = {name: unless_few(people.get(name, 0)) for name in constraints.goals}


def rates(lake: Any) -> list[dict[str, Any]]:
    """How many holders of each persona reach each goal, claimed or not, beside others as active.

    From the counts that `claim/goal` gives; pairs of too few people are left out.
    """
    from kg.personas.claims import by_pair
    from kg.personas.counts import Scan, counts
    from kg.personas.statistics import LEAST_COMPARED, MIN_PEOPLE, comparable, measured

    scan, told = Scan(lake), []
    for kind in GOALS:
        pairs = by_pair(lake.run(counts(scan, kind)).to_pylist())
        for (version, goal), boxes in sorted(pairs.items()):
            if not (comparable(boxes.n1, boxes.n0) & (np.array(boxes.n1) > 0)).any():
                continue
            found = measured(boxes)
            if min(found.people, found.others) < MIN_PEOPLE or found.compared < LEAST_COMPARED:
                continue
            told.append(
                {
                    "goal": goal,
                    "persona_id": version.partition("@")[0],
                    "people": found.people,
                    "value": round(found.value, 4),
                    "low": round(found.low, 4),
                    "high": round(found.high, 4),
                    "reference_value": round(found.reference_value or 0.0, 4),
                }
            )
    return told


def reaching(lake: Any, named: Named, name: str, goal: Goal) -> Any:
    """The intents that reach a goal: intent_id, user_id, at_ms (Ibis)."""
    intents = lake.table("intents")
    if goal.returns_within_days is not None:
        rows = _coming_again(intents, goal.returns_within_days * DAY_MS)
    else:
        rows = named.intents(intents, goal, "goals", name)
    return rows.select("intent_id", "user_id", at_ms=rows.started_at_ms)


def _coming_again(intents: Any, within_ms: int) -> Any:
    """The first intent of everybody's second visit, where that began so soon after the first."""
    import ibis

    visits = intents.group_by("user_id", "session_id").agg(since=intents.started_at_ms.min())
    order = {"group_by": visits.user_id, "order_by": [visits.since, visits.session_id]}
    visits = visits.mutate(
        number=ibis.row_number().over(**order), before=visits.since.lag().over(**order)
    )
    second = visits.filter(visits.number == 1, visits.since - visits.before <= within_ms)
    inside = intents.semi_join(second, "session_id")
    place = ibis.row_number().over(
        group_by=inside.session_id, order_by=[inside.started_at_ms, inside.intent_id]
    )
    inside = inside.mutate(place=place)
    return inside.filter(inside.place == 0)


def _row(name: str, goal: Goal, end_ms: int) -> Mapping[str, Any]:
    kind = "goal" if goal.is_outside else "goal_inside"
    within = (goal.returns_within_days or 0) * DAY_MS
    told = goal.model_dump(exclude_none=True)
    return {
        "goal": name,
        "kind": "goal_return" if goal.is_return else kind,
        "definition": json.dumps(told, sort_keys=True),
        "before_ms": end_ms - within,
    }
