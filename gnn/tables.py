"""What was found about personas as rows of the lake: memberships, holdings, personas and rules.

Ids stay: a persona that shares more than half of its intents with one of the run before keeps its
id; its version rises when its rule changed.
"""

import json
from typing import Any

import numpy as np
import pyarrow as pa

from gnn.memberships import Rule, Soft
from gnn.personas import Found, PersonaConfig, holders, signature_id
from gnn.tensors import Episodes, Ints

SHOWN_TYPES = 12
LEAST_OVERLAP = 0.5


def write(step: Any, episodes: Episodes, found: Found, config: PersonaConfig) -> None:
    """Write the four tables of a step."""
    labels = found.soft.argmax(1)[episodes.intents.episode] - 1
    signatures = [signature(step, episodes, found, number) for number in range(found.rule.personas)]
    rules = [
        json.dumps(rule_of(episodes, found.rule, n), sort_keys=True) for n in range(len(signatures))
    ]
    ids, versions = _ids(step, episodes, labels, signatures, rules)
    names = np.array([*ids, None], dtype=object)
    step.overwrite("memberships", _memberships(episodes, found.soft, names))
    held = holders(episodes, found.soft, config)
    step.overwrite("holdings", _holdings(episodes, labels, held, ids))
    step.overwrite(
        "personas", _personas(episodes, labels, found, (held, ids, versions, signatures))
    )
    step.overwrite(
        "persona_rules",
        pa.table({"persona_id": _texts(ids), "version": _whole(versions), "rule": _texts(rules)}),
    )


def _texts(values: list[Any]) -> pa.Array:
    return pa.array(values, pa.string())


def _whole(values: Any) -> pa.Array:
    return pa.array(values, pa.int64())


def _memberships(episodes: Episodes, soft: Soft, names: Any) -> pa.Table:
    labels, episode = soft.argmax(1) - 1, episodes.intents.episode
    owners = np.array(episodes.user_ids, dtype=object)[episodes.user]
    table = pa.table(
        {
            "intent_id": episodes.intents.ids,
            "user_id": _texts(owners[episode].tolist()),
            "persona_id": _texts(names[labels][episode].tolist()),
            "probability": pa.array(soft.max(1)[episode], pa.float64()),
        }
    )
    return table.sort_by("intent_id")


def _holdings(episodes: Episodes, labels: Ints, held: Any, ids: list[str]) -> pa.Table:
    """Who holds what, with which weight: the share of a person's intents.

    The interval is that of the share of *episodes*, since the intents of one are no independent
    witnesses.
    """
    from scipy.special import betaincinv

    owner = episodes.user[episodes.intents.episode]
    counts = np.zeros((len(episodes.user_ids), len(ids)), np.int64)
    np.add.at(counts, (owner[labels >= 0], labels[labels >= 0]), 1)
    total = np.bincount(owner, minlength=len(episodes.user_ids))
    user, persona = np.nonzero(held)
    inside, n = counts[user, persona], total[user]
    # The first row of each (user, persona) is the earliest: intents are sorted by user and time.
    keys, first = np.unique(owner * (len(ids) + 1) + labels + 1, return_index=True)
    place = np.searchsorted(keys, user * (len(ids) + 1) + persona + 1)
    since = episodes.intents.started_at_ms[first[place]]
    # Jeffreys' interval of a share (Brown et al. 2001, doi:10.1214/ss/1009213286).
    seen = np.bincount(episodes.user, minlength=len(episodes.user_ids))[user]
    yes = inside / n * seen
    low, high = (betaincinv(yes + 0.5, seen - yes + 0.5, edge) for edge in (0.025, 0.975))
    high = np.where(inside == n, 1.0, high)  # as Brown et al. mend it where all are inside
    table = pa.table(
        {
            "user_id": _texts([episodes.user_ids[number] for number in user]),
            "persona_id": _texts([ids[number] for number in persona]),
            "weight": pa.array(inside / n, pa.float64()),
            "low": pa.array(low, pa.float64()),
            "high": pa.array(high, pa.float64()),
            "intents": _whole(inside),
            "valid_from_ms": _whole(since),
            "valid_to_ms": pa.nulls(len(user), pa.int64()),
        }
    )
    return table.sort_by([("user_id", "ascending"), ("persona_id", "ascending")])


def _personas(
    episodes: Episodes,
    labels: Ints,
    found: Found,
    names: tuple[Any, list[str], list[int], list[str]],
) -> pa.Table:
    held, ids, versions, signatures = names
    people, population = held.sum(0), len(episodes.user_ids)
    low, high = wilson(people, population)
    counts = np.bincount(labels + 1, minlength=len(ids) + 1)[1:]
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
        }
    ).sort_by("persona_id")


def wilson(count: Any, total: int, z: float = 1.959964) -> tuple[Soft, Soft]:
    """The 95 % interval of a share. Source: Wilson 1927, doi:10.1080/01621459.1927.10502953."""
    n = max(total, 1)
    share = np.asarray(count, float) / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def signature(step: Any, episodes: Episodes, found: Found, number: int) -> str:
    """The types and manners that make a persona, strongest first, as JSON."""
    labels = {
        row["topic"]: row["label"] for row in step.arrow("topics", ["topic", "label"]).to_pylist()
    }
    mine = found.soft.argmax(1) == number + 1
    share = np.bincount(episodes.type[mine], minlength=episodes.type_count) / max(mine.sum(), 1)
    usual = np.bincount(episodes.type, minlength=episodes.type_count) / max(len(episodes), 1)
    lift = share / np.maximum(usual, 1e-12)
    worth = share * np.log(np.maximum(lift, 1e-12))
    types = []
    for kind in np.argsort(-worth, kind="stable")[:SHOWN_TYPES]:
        if worth[kind] > 0:
            verb, topic = episodes.type_parts[kind]
            name = episodes.topics[topic]
            types.append(
                {
                    "verb": episodes.verbs[verb],
                    "topic": name,
                    "label": labels.get(name, name),
                    "weight": round(float(share[kind]), 4),
                    "lift": round(float(lift[kind]), 2),
                }
            )
    return json.dumps({"types": types, "manners": _manner_rows(episodes, mine)}, sort_keys=True)


def _manner_rows(episodes: Episodes, mine: Any) -> list[dict[str, Any]]:
    rows = []
    for manner in episodes.manners:
        share = np.bincount(manner.values[mine], minlength=len(manner.bins)) / max(mine.sum(), 1)
        usual = np.bincount(manner.values, minlength=len(manner.bins)) / len(manner.values)
        best = int(np.argmax(share * np.log(np.maximum(share, 1e-12) / np.maximum(usual, 1e-12))))
        lift = float(share[best] / max(usual[best], 1e-12))
        if lift > 1.15:
            rows.append(
                {
                    "manner": manner.name,
                    "value": manner.bins[best],
                    "weight": round(float(share[best]), 4),
                    "lift": round(lift, 2),
                }
            )
    return sorted(rows, key=lambda row: -row["lift"])


def rule_of(episodes: Episodes, rule: Rule, number: int) -> dict[str, Any]:
    """One persona's part of the rule, with the background, so that the rules together assign.

    The probability of persona k for an episode is proportional to (1 - none) * share_k *
    exp(sum of preferences), that of no persona to none * exp(sum of background preferences), where
    share_k is the person's count of episodes in k plus `concentration`, over the sum of these; all
    the shares, none's too, are drawn to those of the other episodes of the occasion, the more the
    smaller `occasion` is. Then k counts as far as the person holds it: with the odds `held` / (1 -
    `held`), over one plus the number of their occasions, times the product over these of 1 / (1 -
    mean probability of k).
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
    }


def _ids(
    step: Any, episodes: Episodes, labels: Ints, signatures: list[str], rules: list[str]
) -> tuple[list[str], list[int]]:
    """Ids and versions: those of the run before where half of the intents are the same."""
    before = step.arrow("memberships", ["intent_id", "persona_id"])
    old = step.arrow("persona_rules", ["persona_id", "version", "rule"]).to_pylist()
    old = sorted(old, key=lambda row: row["persona_id"])
    ids = [signature_id(text) for text in signatures]
    versions = [1] * len(ids)
    if not old or not before.num_rows or not ids:
        return ids, versions
    for number, match in _matches(
        episodes, labels, before, [row["persona_id"] for row in old], len(ids)
    ):
        ids[number] = old[match]["persona_id"]
        same = old[match]["rule"] == rules[number]
        versions[number] = old[match]["version"] + (0 if same else 1)
    return ids, versions


def _matches(
    episodes: Episodes, labels: Ints, before: pa.Table, old: list[str], count: int
) -> list[tuple[int, int]]:
    from scipy.optimize import linear_sum_assignment

    place = {name: number for number, name in enumerate(old)}
    was = dict(zip(before["intent_id"].to_pylist(), before["persona_id"].to_pylist(), strict=True))
    former = np.array(
        [place.get(was.get(i, ""), -1) for i in episodes.intents.ids.to_pylist()], np.int64
    )
    known = np.array([i in was for i in episodes.intents.ids.to_pylist()], bool)
    table = np.zeros((count + 1, len(old) + 1))
    np.add.at(table, (labels[known] + 1, former[known] + 1), 1)
    union = table.sum(1, keepdims=True) + table.sum(0) - table
    share = (table / np.maximum(union, 1))[1:, 1:]
    rows, columns = linear_sum_assignment(-share)
    return [(r, c) for r, c in zip(rows, columns, strict=True) if share[r, c] >= LEAST_OVERLAP]
