"""What was found about personas as rows of the lake: memberships, holdings, personas and rules.

What names a persona keeps from the run before, and what is left of one that has gone, lies in
`gnn.ancestry`.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from gnn import ancestry, holdings, levels
from gnn.found import Found, PersonaConfig, holders
from gnn.memberships import Rule, Soft
from gnn.signatures import signature, topic_labels
from gnn.tensors import Episodes, Ints
from kg.personas.statistics import wilson

BUSINESS = "business"


@dataclass(frozen=True)
class Standing:
    """Personas that were not sought anew: their ids, versions and rules, in the rule's order."""

    ids: list[str]
    versions: list[int]
    rules: list[str]


def write(
    step: Any,
    episodes: Episodes,
    both: tuple[Found, levels.Levels],
    config: PersonaConfig,
    standing: Standing | None = None,
) -> None:
    """Write the tables of a step; `standing`: what its personas are called and stay."""
    found, beside = both
    labels = found.soft.argmax(1)[episodes.intents.episode] - 1
    called, everyone = topic_labels(step), np.ones(len(episodes), bool)
    signatures = [
        signature(
            episodes, found.soft.argmax(1) == number + 1, called, everyone, config.manners_out
        )
        for number in range(found.rule.personas)
    ]
    rules = (
        standing.rules
        if standing
        else [
            json.dumps(rule_of(episodes, found.rule, n), sort_keys=True)
            for n in range(len(signatures))
        ]
    )
    held = holders(episodes, found.soft, config)
    former = ancestry.read(step, episodes)
    kept = tuple(one.persona_id for one in found.kept)
    now = ancestry.Now(labels, held, signatures, rules, kept)
    names = (
        ancestry.same(former, now, standing.ids, standing.versions)
        if standing
        else ancestry.name(former, now, episodes)
    )
    ids, versions = names.ids, names.versions
    about = (held, ids, former.number)
    tree = levels.name(step, episodes, both, about, config.manners_out)
    spells = holdings.spells(episodes, found.soft, config)
    ever = [
        holdings.table_of(spells, episodes.user_ids, ids),
        ancestry.past_holdings(step, ids, former.as_of_ms),
    ]
    order = [("user_id", "ascending"), ("persona_id", "ascending")]
    step.overwrite("past_memberships", ancestry.past_memberships(step, ids))
    step.overwrite("holdings", pa.concat_tables(ever).sort_by(order))
    step.overwrite("levels", tree.rows)
    step.overwrite("micro_holdings", tree.micro_holdings)
    known_as = np.array([*ids, None], dtype=object)
    parts = np.array([*tree.micro_ids, None], dtype=object)[beside.micro.labels]
    members = _memberships(episodes, found.soft, known_as, parts)
    step.overwrite("memberships", _with_left_out(step, members))
    personas = _personas(episodes, labels, found, (held, ids, versions, signatures))
    place = personas.column_names.index("parent_id")
    parents = [tree.family_of[one] for one in personas["persona_id"].to_pylist()]
    personas = personas.set_column(place, "parent_id", _texts(parents))
    step.overwrite("personas", personas)
    step.overwrite(
        "persona_rules",
        pa.table({"persona_id": _texts(ids), "version": _whole(versions), "rule": _texts(rules)}),
    )
    ancestry.write(step, former, names, personas)


def _texts(values: list[Any]) -> pa.Array:
    return pa.array(values, pa.string())


def _whole(values: Any) -> pa.Array:
    return pa.array(values, pa.int64())


def _memberships(episodes: Episodes, soft: Soft, names: Any, parts: Any) -> pa.Table:
    labels, episode = soft.argmax(1) - 1, episodes.intents.episode
    owners = np.array(episodes.user_ids, dtype=object)[episodes.user]
    table = pa.table(
        {
            "intent_id": episodes.intents.ids,
            "user_id": _texts(owners[episode].tolist()),
            "persona_id": _texts(names[labels][episode].tolist()),
            "probability": pa.array(soft.max(1)[episode], pa.float64()),
            "micro_persona_id": _texts(parts[episode].tolist()),
        }
    )
    return table.sort_by("intent_id")


def _with_left_out(step: Any, members: pa.Table) -> pa.Table:
    """The memberships, with the intents that the business keeps out: of no persona, for certain."""
    import ibis

    rows = step.table("intents").semi_join(step.table("kept_out"), "intent_id")
    out = step.lake.run(
        rows.select(
            "intent_id",
            "user_id",
            persona_id=ibis.null().cast("string"),
            probability=ibis.literal(1.0, "float64"),
            micro_persona_id=ibis.null().cast("string"),
        )
    )
    return pa.concat_tables(
        [members, out.select(members.column_names).cast(members.schema)]
    ).sort_by("intent_id")


def _personas(
    episodes: Episodes,
    labels: Ints,
    found: Found,
    names: tuple[Any, list[str], list[int], list[str]],
) -> pa.Table:
    held, ids, versions, signatures = names
    people, population = held.sum(0), len(episodes.user_ids)
    low, high = wilson(people, np.full(len(people), population))
    counts = np.bincount(labels + 1, minlength=len(ids) + 1)[1:]
    own = len(ids) - len(found.kept)
    return pa.table(
        {
            "persona_id": _texts(ids),
            "version": _whole(versions),
            "parent_id": pa.nulls(len(ids), pa.string()),
            "stability": pa.array(found.stability, pa.float64()),
            "intents": _whole(counts),
            "people": _whole(people),
            "population": _whole([population] * len(ids)),
            "share": pa.array(people / max(population, 1), pa.float64()),
            "share_low": pa.array(low, pa.float64()),
            "share_high": pa.array(high, pa.float64()),
            "signature": _texts(signatures),
            "recurrence_lift": pa.array([test.lift for test in found.tests], pa.float64()),
            "recurrence_p": pa.array([test.p for test in found.tests], pa.float64()),
            "recurrence_q": pa.array([test.q for test in found.tests], pa.float64()),
            "kept_by": _texts([*[None] * own, *[BUSINESS] * len(found.kept)]),
            "kept_because": _texts([*[None] * own, *(one.because for one in found.kept)]),
        }
    ).sort_by("persona_id")


def rule_of(episodes: Episodes, rule: Rule, number: int) -> dict[str, Any]:
    """One persona's part of the rule, with the background, so that the rules together assign.

    The probability of persona k for an episode is proportional to (1 - none) * share_k *
    exp(sum of preferences), that of no persona to none * exp(sum of background preferences), where
    share_k is the person's count of episodes in k plus `concentration`, over the sum of these; all
    the shares, none's too, are drawn to those of the other episodes of the occasion, the more the
    smaller `occasion` is. Then k counts as far as the person holds it: with the odds `held` / (1 -
    `held`), over one plus the number of their occasions, times the product over these of 1 / (1 -
    mean probability of k). Unnamed groups compete as personas do; what is theirs is no persona's.
    """

    def tables(row: int) -> dict[str, Any]:
        types = {
            episodes.type_name(kind): round(float(rule.types[row, kind]), 4)
            for kind in range(episodes.type_count)
        }
        bins = {manner.name: manner.bins for manner in episodes.manners}
        manners = {
            name: {
                value: round(float(table[row, place]), 4) for place, value in enumerate(bins[name])
            }
            for name, table in zip(rule.names, rule.manners, strict=True)
        }
        return {"types": types, "manners": manners}

    return {
        "none": rule.config.none,
        "concentration": rule.config.concentration,
        "occasion": rule.occasion if np.isfinite(rule.occasion) else None,
        "held": round(float(rule.held[number]), 4),
        "rounds": rule.config.fold_in_rounds,
        "persona": tables(number + 1),
        "background": tables(0),
        "unnamed": [
            {"persona": tables(place + 1), "held": round(float(rule.held[place]), 4)}
            for place in range(rule.personas, len(rule.held))
        ],
    }
