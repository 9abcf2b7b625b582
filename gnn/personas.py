"""From intents to personas: proposals by a graph encoder, a fitted rule, tests they must pass.

1. The people of half `fit` are halved, several times over. Each half proposes for itself
   (`proposals`): communities of vectors from content and company, and parts of histories, at
   several resolutions. From each proposal a mixture is fitted, which becomes a rule
   (`memberships`). The way to propose is taken by which most is said that comes back in both
   halves (`race`, `returning`).
2. In this way all of half `fit` is grouped, and a rule fitted. What does not come back in the
   halves is no persona, but goes on to explain what it did.
3. What the personas leave unexplained is proposed as well (`overlooked`): what halves of the people
   saw time and again, and types that go together. Fitted to all of half `fit` (`wider`), it must
   come back when both halves are fitted from there.
4. Half `test` judges: a group of types that does not recur in the same people is a topic and no
   persona (`recurrence`), nor is one that tells its holders from nobody (`apart`). Nothing
   left is a legal answer.
5. The rule assigns everyone. A person holds a persona when they were in it on at least two
   occasions, and one in twenty of their episodes is.
6. Above and below them stand families and micro-personas (`levels`), where there are any.
"""

from typing import Any

import numpy as np

from gnn.apart import apart, busier
from gnn.communities import Leiden
from gnn.device import one_thread
from gnn.found import (
    ASKED_FOR,
    NO_INTENT,
    NO_STRUCTURE,
    ONE_TOPIC,
    TOO_FEW,
    UNTOLD,
    Found,
    PersonaConfig,
    Report,
    alike,
    held_by_few,
    holders,
    information,
)
from gnn.memberships import Rule, explained, merged
from gnn.proposals import kinds_of
from gnn.race import Race, halves
from gnn.recurrence import Having, Recurrence, recurrence
from gnn.tensors import Episodes, Manner, informative
from gnn.wider import Told, Wider
from kg.personas.statistics import MIN_PEOPLE
from kg.words import some


def discover(episodes: Episodes, config: PersonaConfig, leiden: Leiden, report: Report) -> Found:
    """The personas in episodes; no lake needed."""
    with one_thread():
        return _discovered(episodes, config, leiden, report)


def _discovered(episodes: Episodes, config: PersonaConfig, leiden: Leiden, report: Report) -> Found:
    rows = np.flatnonzero(episodes.fit[episodes.user])
    report.summary.update(
        intents=len(episodes.intents),
        episodes=len(episodes),
        people=len(episodes.user_ids),
        types=episodes.type_count,
    )
    if why := _too_few(episodes, len(np.unique(episodes.user[rows])), config):
        return _nothing(episodes, config, report, why)
    if len(episodes.topics) == 1:
        return _nothing(episodes, config, report, ONE_TOPIC)
    with report.clock("manners"):
        manners, ratios = informative(episodes, rows)
        manners = _allowed(episodes, manners, config)
        report.summary.update(manners=ratios, manners_used=[manner.name for manner in manners])
    race = Race(episodes, manners, config, (leiden, report))
    best = race.winner()
    if best is None:
        return _nothing(episodes, config, report, alike(episodes) or NO_STRUCTURE)
    with report.progress.task("Fitting personas to all", 2) as task:
        rule = race.fitted(best)
        task.advance()
        with report.clock("mixture"):
            stability = race.stability(best, rule)
            kept = np.flatnonzero(stability >= config.least_return)
            told = Told(rule, kept, stability[kept])
            wider = Wider(race, told).looked() if config.overlooked.most_groups else told
        task.advance()
    came = {"personas": rule.personas, "come_back": len(kept)}
    report.summary["taken"] = best.told() | came
    report.summary["overlooked"] = len(wider.kept) - len(kept)
    if not len(wider.kept):
        return _nothing(episodes, config, report, alike(episodes) or NO_STRUCTURE)
    return _judged(episodes, manners, wider, config, report)


def _too_few(episodes: Episodes, people: int, config: PersonaConfig) -> str:
    """Why personas cannot be looked for among these people of half `fit`; empty: they can."""
    if not len(episodes):
        return NO_INTENT
    needed = 2 * min(config.least_people, MIN_PEOPLE)
    if people < needed:
        return (
            f"{TOO_FEW}: {some(len(episodes.user_ids), 'person')} had an intent; in the half of "
            f"them to find personas in are {people:,}, and {needed:,} are needed, so about "
            f"{2 * needed:,} in all (are all records here, and under one id for each person?)"
        )
    if not all(len(half) for half in halves(episodes, config)):
        return f"{TOO_FEW} (they all fell into one half of two)"
    again, least = _came_again(episodes, config), max(config.least_people, 1)
    if again < least:
        asked = least > MIN_PEOPLE
        why = "are all their records here, and under one id for each person?"
        return (
            f"{TOO_FEW}: {again:,} of {len(episodes.user_ids):,} did something on "
            f"{config.least_occasions} occasions or more, which holding a persona takes, and "
            f"{least:,} are needed ({ASKED_FOR if asked else why})"
        )
    return ""


def _came_again(episodes: Episodes, config: PersonaConfig) -> int:
    """How many people have as many occasions as holding a persona takes."""
    first = np.unique(episodes.occasion, return_index=True)[1]
    return int((np.bincount(episodes.user[first]) >= config.least_occasions).sum())


def _allowed(
    episodes: Episodes, manners: tuple[Manner, ...], config: PersonaConfig
) -> tuple[Manner, ...]:
    """The manners that may be used, and after them those that must be (where there is any)."""
    kept = [manner for manner in manners if manner.name not in config.manners_out]
    names = {manner.name for manner in kept}
    asked = [m for m in episodes.manners if m.name in config.manners_in and m.name not in names]
    return (*kept, *asked)


def _nothing(episodes: Episodes, config: PersonaConfig, report: Report, why: str) -> Found:
    report.summary["result"] = why
    types = np.zeros((1, episodes.type_count))
    rule = Rule(types, (), (), (), np.inf, np.zeros(0), config.mixture)
    return Found(rule, np.ones((len(episodes), 1)), [], [])


def _judged(
    episodes: Episodes,
    manners: tuple[Manner, ...],
    told: Told,
    config: PersonaConfig,
    report: Report,
) -> Found:
    """Name what recurs in the people who were not fitted and is held by enough of them."""
    # What assigns is what is kept: an update by the stored rule then says the same of the same.
    rule = told.rule.naming(told.kept).rounded()
    stability = [round(float(r), 3) for r in told.stability]
    with (
        report.clock("recurrence"),
        report.progress.task("Testing that personas recur", 1) as task,
    ):
        tests = recurring(episodes, manners[:1], rule, config)
        task.advance()
    everyone = np.arange(len(episodes))
    kept = np.array([n for n, test in enumerate(tests) if test.passed], np.int64)
    why = {n: "topic" for n, test in enumerate(tests) if not test.passed}
    with report.clock("assign"):
        explains = explained(episodes, everyone, manners, rule)
        while True:
            soft = merged(explains, kept)
            held = holders(episodes, soft, config)
            people = held.sum(0)
            if len(kept) and people.min() < config.least_people:
                why[int(kept[people.argmin()])] = "few"
                kept = np.delete(kept, int(people.argmin()))
                continue
            tells = apart(episodes, held, config.recurrence.most_q, config.manners_out)
            if tells.all():
                break
            told_of = zip(kept[~tells], busier(episodes, held)[~tells], strict=True)
            why |= {int(n): "busier" if is_busier else "alike" for n, is_busier in told_of}
            kept = kept[tells]
    report.summary["candidates"] = [
        {"kept": n not in why, "dropped": why.get(n), "stability": stability[n], **_rounded(test)}
        for n, test in enumerate(tests)
    ]
    if not len(kept):
        results = {"few": held_by_few(config), "busier": UNTOLD, "alike": UNTOLD}
        result = next((told for one, told in results.items() if one in why.values()), NO_STRUCTURE)
        return _nothing(episodes, config, report, alike(episodes) or result)
    labels = soft.argmax(1)
    report.summary.update(
        personas=len(kept),
        unassigned_share=round(float((labels == 0).mean()), 4),
        occasion_firmness=rule.occasion if np.isfinite(rule.occasion) else None,
        information_with_topics=information(labels, episodes.type_parts[episodes.type, 1]),
        result=some(len(kept), "persona"),
    )
    return Found(rule.naming(kept), soft, [tests[n] for n in kept], [stability[n] for n in kept])


def _rounded(test: Recurrence) -> dict[str, Any]:
    return {
        "together": round(test.together, 2),
        "expected": round(test.expected, 2),
        "lift": round(test.lift, 3),
        "p": float(f"{test.p:.3g}"),
        "q": float(f"{test.q:.3g}"),
        "passed": test.passed,
    }


def recurring(
    episodes: Episodes, split: tuple[Manner, ...], rule: Rule, config: PersonaConfig
) -> list[Recurrence]:
    """The recurrence test of every persona on the people it was not fitted on.

    A persona's kinds are those it prefers: at least half again as often as everyone.
    """
    rows = np.flatnonzero(~episodes.fit[episodes.user])
    kinds, kind, bins = kinds_of(episodes, rows, split)
    pair, first, pair_of_row = np.unique(
        episodes.user[rows] * len(kinds) + kind, return_index=True, return_inverse=True
    )
    once = np.unique(np.stack([pair_of_row.reshape(-1), episodes.occasion[rows]], 1), axis=0)
    several = np.bincount(once[:, 0], minlength=len(pair)) > 1
    occasion = episodes.occasion[rows][first]
    alone = int(occasion.max(initial=-1)) + 1 + np.arange(len(pair))
    having = Having(
        np.unique(pair // len(kinds), return_inverse=True)[1].reshape(-1),
        pair % len(kinds),
        np.where(several, alone, occasion),
        episodes.manner("channel").values[rows][first],
        episodes.type_parts[kinds // bins, 1],
    )
    named = slice(1, rule.personas + 1)
    prefers = rule.types[named, kinds // bins]
    if split:
        prefers = prefers + rule.manners[rule.names.index(split[0].name)][named, kinds % bins]
    groups = [np.flatnonzero(row > np.log(1.5)) for row in prefers]
    return recurrence(having, groups, config.recurrence, config.seed)
