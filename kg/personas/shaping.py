"""Which intents may not shape personas, and why: looked up in the lake, written down, reported.

Invariant: `kept_out` has a row for every intent that belongs to no persona because the business
said so, with the reason; what is in it is also outside every claim but those of goals.
"""

import difflib
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import InputError
from kg.personas.constraints import Condition, Constraints, Goal
from kg.personas.kinds import silenced
from kg.personas.named import Named


def shape(step: Any, constraints: Constraints) -> dict[str, Any]:
    """Write `kept_out` and say what is left out, how many intents that is, and of what is left the
    topic that most are about.

    Where nothing is, and never was, the table is not written.

    Raises:
        InputError: a name that this workspace does not know.
    """
    parts = _parts(step, constraints)
    told: dict[str, Any] = {"keep_out": [], "intents_kept_out": 0}
    if not parts and step.lake.version("kept_out") is None:
        told["largest_topic"] = _largest_topic(step, step.table("intents"))
        return _with_rest(told, constraints)
    rows = _reasoned(step, parts)
    step.overwrite("kept_out", rows)
    left = step.table("intents").anti_join(step.table("kept_out"), "intent_id")
    told["largest_topic"] = _largest_topic(step, left)
    counts = rows.group_by("why").aggregate([("intent_id", "count")]).sort_by("why").to_pylist()
    told["keep_out"] = [{"what": row["why"], "intents": row["intent_id_count"]} for row in counts]
    empty = {why for why, _ in parts} - {row["why"] for row in counts}
    told["keep_out"] += [{"what": why, "intents": 0} for why in sorted(empty)]
    told["intents_kept_out"] = rows.num_rows
    return _with_rest(told, constraints)


def check(lake: Any, constraints: Constraints) -> None:
    """Look up every name in the file, as the next run would.

    Raises:
        InputError: a name or an id that this workspace does not know.
    """
    check_must_keep(lake, constraints)
    _parts(lake, constraints)
    named, intents = Named(lake, constraints), lake.table("intents")
    for name, goal in constraints.goals.items():
        if not goal.is_return:
            named.intents(intents, goal, "goals", name)
    for name, conditions in constraints.rules.items():
        for place, condition in enumerate(conditions):
            named.intents(intents, condition, "rules", name, place)


def check_read(lake: Any, constraints: Constraints) -> None:
    """Look up, as soon as the files are read, what events alone can tell: verbs, channels,
    campaigns. (Topics are known once texts and items are grouped.)

    Raises:
        InputError: a name that no event has.
    """
    named, out = Named(lake, constraints, ("events",)), constraints.keep_out
    for place, name in enumerate(out.channels):
        named.channel(name, "keep_out", "channels", place)
    for place, name in enumerate(out.verbs):
        named.verb(name, "keep_out", "verbs", place)
    asked: list[tuple[Goal | Condition, tuple[str | int, ...]]] = [
        (goal, ("goals", name)) for name, goal in constraints.goals.items()
    ]
    for name, conditions in constraints.rules.items():
        asked += [(one, ("rules", name, place)) for place, one in enumerate(conditions)]
    for one, path in asked:
        named.check(one, *path)


def _with_rest(told: dict[str, Any], constraints: Constraints) -> dict[str, Any]:
    told["silenced"] = silenced(constraints.keep_out.manners, bool(constraints.keep_out.channels))
    told["manners_kept_out"] = list(constraints.keep_out.manners)
    told["manners_kept_in"] = list(constraints.keep_in.manners)
    told["must_keep"] = list(constraints.must_keep)
    return told


def _largest_topic(step: Any, intents: Any) -> dict[str, Any] | None:
    """The topic that most of these intents are about: `topic`, its `label`, of how many `topics`,
    and its `share` of the intents; None where there is no intent."""
    sizes = intents.group_by("topic").agg(intents=intents.count())
    counts = step.lake.run(sizes).sort_by([("intents", "descending"), ("topic", "ascending")])
    if not counts.num_rows:
        return None
    topic = counts["topic"][0].as_py()
    known = step.table("topics")
    label = step.lake.run(known.filter(known.topic == topic).select("label").limit(1))["label"]
    return {
        "topic": topic,
        "label": label[0].as_py() if len(label) else topic,
        "topics": counts.num_rows,
        "share": counts["intents"][0].as_py() / pc.sum(counts["intents"]).as_py(),
    }


def _parts(step: Any, constraints: Constraints) -> list[tuple[str, Any]]:
    """Reason -> the intents left out for it; the first reason of an intent counts."""
    named, intents, out = Named(step, constraints), step.table("intents"), constraints.keep_out
    parts = []
    for place, name in enumerate(out.channels):
        channel = named.channel(name, "keep_out", "channels", place)
        parts.append((f"channel {name}", intents.filter(intents.channel == channel)))
    for place, name in enumerate(out.verbs):
        verb = named.verb(name, "keep_out", "verbs", place)
        parts.append((f"verb {name}", intents.filter(intents.verb == verb)))
    for place, name in enumerate(out.topics):
        topics = named.topics(name, "keep_out", "topics", place)
        parts.append((f"topic {name}", intents.filter(intents.topic.isin(topics))))
    for name, goal in constraints.goals.items():
        if goal.is_outside:
            parts.append((f"goal {name}", named.intents(intents, goal, "goals", name)))
    return parts


def _reasoned(step: Any, parts: list[tuple[str, Any]]) -> pa.Table:
    """(intent_id, why), one row an intent, by intent."""
    import ibis

    rows = [
        part.select("intent_id", place=ibis.literal(place, "int64"))
        for place, (_, part) in enumerate(parts)
    ]
    if not rows:
        return pa.table({"intent_id": pa.array([], pa.string()), "why": pa.array([], pa.string())})
    every = ibis.union(*rows) if len(rows) > 1 else rows[0]
    first = every.group_by("intent_id").agg(place=every.place.min()).order_by("intent_id")
    found = step.lake.run(first)
    why = pa.array([why for why, _ in parts], pa.string()).take(found["place"])
    return pa.table({"intent_id": found["intent_id"], "why": why})


def check_must_keep(step: Any, constraints: Constraints) -> None:
    """Refuse ids that no persona of this workspace ever had.

    Raises:
        InputError: names the line and the nearest id.
    """
    ever = step.arrow("persona_runs", ["persona_id"])["persona_id"].to_pylist()
    known = sorted({*ever, *step.arrow("persona_rules", ["persona_id"])["persona_id"].to_pylist()})
    for place, one in enumerate(constraints.must_keep):
        if one not in known:
            near = difflib.get_close_matches(one, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
            where = constraints.at("must_keep", place)
            raise InputError(
                f"{where}: there never was a persona {one!r} in this workspace.",
                hint=hint if known else "Run once without it: no run has found personas yet.",
            )
