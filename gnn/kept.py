"""Personas that the business must keep: where a run does not find one again, its old rule competes.

Invariant: what is kept so is never said to be found; it carries what speaks against it. A persona
that the run finds again is a found one, as any other.
"""

import json
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from gnn import ancestry
from gnn.apart import apart
from gnn.found import Found, Kept, PersonaConfig, Report, holders
from gnn.memberships import Rule, Soft, assign
from gnn.personas import recurring
from gnn.tensors import Episodes
from kg.personas.statistics import MIN_PEOPLE

Tree = dict[str, Any]
"""A row of `persona_rules`; see `gnn.tables.rule_of`."""
NOT_FOUND = "the search of this run did not find it"
STANDS = "its tests hold"


def with_kept(
    step: Any, episodes: Episodes, found: Found, config: PersonaConfig, report: Report
) -> Found:
    """What was found, and after it the personas that must be kept and were not found again.

    They take intents from the others; of those found, who has too few people left is dropped.
    """
    if not config.must_keep:
        return found
    ids = _ids(step, episodes, found, config)
    missing = [one for one in dict.fromkeys(config.must_keep) if one not in ids]
    if not missing:
        return found
    kept = np.arange(found.rule.personas)
    while True:
        trees = stored(step, missing)
        rule = joined(episodes, found.rule.only(kept), [trees[one] for one in missing], config)
        soft = assign(episodes, np.arange(len(episodes)), episodes.manners, rule)
        held = holders(episodes, soft, config)
        people = held.sum(0)[: len(kept)]
        if not len(kept) or people.min() >= config.least_people:
            break
        least = int(people.argmin())
        missing += [ids[kept[least]]] if ids[kept[least]] in config.must_keep else []
        kept = np.delete(kept, least)
    tests = recurring(episodes, (), rule, config)[len(kept) :]
    tells = apart(episodes, held, config.recurrence.most_q, config.manners_out)[len(kept) :]
    last = _last_stability(step)
    whole = [
        Kept(one, _because(int(count), test.passed, bool(tell), config))
        for one, count, test, tell in zip(
            missing, held.sum(0)[len(kept) :], tests, tells, strict=True
        )
    ]
    report.summary["kept_by_business"] = [
        {"persona_id": one.persona_id, "because": one.because} for one in whole
    ]
    report.summary["unassigned_share"] = round(float((soft.argmax(1) == 0).mean()), 4)
    if "personas" in report.summary:
        report.summary["personas"] = len(kept)
    return Found(
        rule,
        soft,
        [*(found.tests[n] for n in kept), *tests],
        [*(found.stability[n] for n in kept), *(last.get(one, 0.0) for one in missing)],
        tuple(whole),
    )


def _because(people: int, recurs: bool, tells: bool, config: PersonaConfig) -> str:
    """What speaks against it. Of as few people the search keeps none, found or not."""
    against = []
    if not recurs:
        against.append("its intents do not recur in the same people more than chance")
    if not tells:
        against.append("nothing tells its people from equally active others")
    if people >= config.least_people:
        return "; ".join([NOT_FOUND, *(against or [STANDS])])
    who = "personas.yaml asks for more" if config.least_people > MIN_PEOPLE else "too few"
    few = f"fewer than {config.least_people:,} people hold it ({who})"
    return "; ".join([few, *against])


def _ids(step: Any, episodes: Episodes, found: Found, config: PersonaConfig) -> list[str]:
    """The ids that the personas found would take; those of new ones say nothing."""
    labels = found.soft.argmax(1)[episodes.intents.episode] - 1
    nameless = [str(number) for number in range(found.rule.personas)]
    now = ancestry.Now(labels, holders(episodes, found.soft, config), nameless, nameless)
    return ancestry.name(ancestry.read(step, episodes), now, episodes).ids


def stored(step: Any, ids: list[str]) -> dict[str, Tree]:
    """The rule that each of these personas had last: of the run before, or of an earlier one."""
    found: dict[str, Tree] = {}
    for table in chain([step.table("persona_rules")], step.lake.earlier("persona_rules")):
        rows = table.filter(table.persona_id.isin(ids)).select("persona_id", "rule")
        for row in step.lake.run(rows).to_pylist():
            found.setdefault(row["persona_id"], json.loads(row["rule"]))
        if len(found) == len(ids):
            break
    return found


def _last_stability(step: Any) -> dict[str, float]:
    runs = step.table("persona_runs")
    last = runs.group_by("persona_id").agg(stability=runs.stability.argmax(runs.number))
    return {row["persona_id"]: row["stability"] for row in step.lake.run(last).to_pylist()}


def joined(episodes: Episodes, rule: Rule, trees: list[Tree], config: PersonaConfig) -> Rule:
    """A rule with personas of stored rules after its own.

    Preferences are logs of how much more often than everyone, so those of two runs compare. A type
    that a stored rule does not know is as unlikely as the unlikeliest that it knows; a bin of a
    manner, as likely as for everyone.
    """
    kinds = [episodes.type_name(number) for number in range(episodes.type_count)]
    own, personas = len(rule.held), [*range(rule.personas)]
    personas += [own + number for number in range(len(trees))]
    if rule.personas == 0 and trees:
        trees = [*trees, *trees[0]["unnamed"]]
    types = [_row(tree["persona"]["types"], kinds, min) for tree in trees]
    there = {manner.name: manner.bins for manner in episodes.manners}
    more = {name for tree in trees for name in tree["persona"]["manners"]}
    more = {name for name in more if name in there and name not in config.manners_out}
    names = (*rule.names, *sorted(more - {*rule.names}))
    known = dict(zip(rule.names, rule.manners, strict=True))
    manners = tuple(
        np.concatenate(
            [
                known.get(name, np.zeros((own + 1, len(there[name])))),
                [_row(t["persona"]["manners"].get(name, {}), there[name], None) for t in trees],
            ]
        )
        for name in names
    )
    background = rule.types[:1]
    if rule.personas == 0 and trees:
        background = np.array([_row(trees[0]["background"]["types"], kinds, min)])
        occasion = trees[0]["occasion"]
        rule = replace(rule, occasion=np.inf if occasion is None else float(occasion))
    return replace(
        rule,
        types=np.concatenate([background, rule.types[1:], types]),
        manners=manners,
        names=names,
        trust=(*rule.trust, *[1.0] * (len(names) - len(rule.names))),
        held=np.concatenate([rule.held, [tree["held"] for tree in trees]]),
    ).naming(np.array(personas, np.int64))


def _row(known: dict[str, float], names: Any, otherwise: Any) -> Soft:
    """The preferences under these names; `otherwise` says of all known what an unknown one is."""
    rest = otherwise(known.values()) if otherwise and known else 0.0
    return np.array([known.get(name, rest) for name in names], float)
