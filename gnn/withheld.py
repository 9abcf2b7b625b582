"""How well what the business keeps out can still be told from the personas that were found.

What is kept out shapes no persona, but something else that people do may go with it (the same
thing under another name, a habit of the same people), and then personas give it away. Measured is
what one can measure without asking why: Cramér's V, 0 nothing, 1 all. It is no test, and holders,
who are busier than others, have more of everything.

Source: Cramér 1946, Mathematical Methods of Statistics, p. 282.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from gnn.found import Found
from gnn.tensors import Episodes, Floats
from kg.personas.statistics import MIN_PEOPLE

GOAL = "goal "
"""How the reason of an intent begins that is out so that a goal can be a test, not to be hidden."""


def still_told(
    step: Any, episodes: Episodes, found: Found, manners_out: tuple[str, ...]
) -> list[dict[str, Any]]:
    """What is kept out, each with how strongly personas go with it.

    Channels, verbs and topics: over people, whether they have such an intent and whether they hold
    a persona; of all personas the one that goes with it most. Manners: over episodes, by which
    persona explains each (none included).

    Returns:
        `what`, `association` (None: fewer than 20 people have it, or have it not, so that nothing
        is said) and `persona_id` (None: of a manner, all).
    """
    if not found.rule.personas:
        return []
    labels = found.soft.argmax(1)
    return [*_intents(step, len(episodes.user_ids))] + [
        {
            "what": f"manner {name}",
            "association": _association(_crossed(labels, episodes.manner(name).values)),
            "persona_id": None,
        }
        for name in manners_out
    ]


def _intents(step: Any, population: int) -> Iterator[dict[str, Any]]:
    """By reason of being kept out, but for goals."""
    out, intents = step.table("kept_out"), step.table("intents")
    users = step.table("users")
    having = out.filter(~out.why.startswith(GOAL)).inner_join(intents, "intent_id")
    having = having.semi_join(users.filter(~users.consent_denied), "user_id")
    having = having.select("why", "user_id").distinct()
    holdings = step.table("holdings")
    held = holdings.filter(holdings.valid_to_ms.isnull()).select("user_id", "persona_id")
    both = having.inner_join(held, "user_id").group_by("why", "persona_id")
    sizes = held.group_by("persona_id").agg(people=held.count())
    sizes = {row["persona_id"]: row["people"] for row in step.lake.run(sizes).to_pylist()}
    common = {
        (row["why"], row["persona_id"]): row["people"]
        for row in step.lake.run(both.agg(people=lambda rows: rows.count())).to_pylist()
    }
    counted = having.group_by("why").agg(people=having.count()).order_by("why")
    for row in step.lake.run(counted).to_pylist():
        why, has = row["why"], row["people"]
        strengths = [
            (_association(_four(common.get((why, one), 0), has, holds, population)), one)
            for one, holds in sorted(sizes.items())
        ]
        is_told = min(has, population - has) >= MIN_PEOPLE
        most, persona = max(strengths) if is_told and strengths else (None, None)
        yield {"what": why, "association": most, "persona_id": persona}


def _four(both: int, has: int, holds: int, population: int) -> Floats:
    """The table (2, 2) of who has it and who holds it."""
    return np.array([[both, has - both], [holds - both, population - has - holds + both]], float)


def _crossed(labels: Any, bins: Any) -> Floats:
    """Counts (k, b) of episodes by persona and bin, without those whose bin is not known."""
    known = bins >= 0
    table = np.zeros((int(labels.max()) + 1, int(bins.max(initial=0)) + 1))
    np.add.at(table, (labels[known], bins[known]), 1)
    return table


def _association(table: Floats) -> float:
    """Cramér's V of counts; of what does not differ: 0."""
    from scipy.stats.contingency import association

    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    if min(table.shape) < 2:
        return 0.0
    return round(float(association(table.astype(np.int64), method="cramer")), 3)
