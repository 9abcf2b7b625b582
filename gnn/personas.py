"""From intents to personas: proposals by a graph encoder, a fitted rule, tests they must pass.

1. The people of half `fit` are halved once more. Each half proposes for itself (`proposals`):
   communities of vectors from content and company, and parts of histories, at several resolutions.
2. From each proposal a mixture is fitted, which becomes a rule (`memberships`). A persona has come
   back when the rules of both halves give the same people much of it (`returning`); the proposal
   taken is the one by which most is said that comes back. What does not is dropped, and the rule
   is fitted once more, to the whole of half `fit`.
3. What these personas leave unexplained is proposed as well (`overlooked`), fitted to all of half
   `fit`, and must come back when both halves are fitted from there.
4. Half `test` judges: a group of types that does not recur in the same people is a topic and is
   dropped (`recurrence`), and so is one that tells its holders from nobody (`apart`). Nothing
   left is a legal answer.
5. The rule assigns everyone. A person holds a persona when they were in it on at least two
   occasions, and one in twenty of their episodes is.
6. Above and below them stand families and micro-personas (`levels`), where there are any.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gnn.apart import apart
from gnn.communities import Leiden
from gnn.device import one_thread
from gnn.found import (
    NO_STRUCTURE,
    Found,
    PersonaConfig,
    Report,
    holders,
    information,
    sample,
)
from gnn.memberships import Rule, Soft, assign, fit
from gnn.overlooked import overlooked
from gnn.proposals import kinds_of, propose
from gnn.recurrence import Having, Recurrence, recurrence
from gnn.returning import Return, compare, same_place
from gnn.tensors import Episodes, Floats, Ints, Manner, informative
from kg.personas.statistics import MIN_PEOPLE


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
    few = len(np.unique(episodes.user[rows])) < 2 * min(config.least_people, MIN_PEOPLE)
    halves = _halves(episodes, rows, config)
    if few or not all(len(half) for half in halves):
        return _nothing(episodes, config, report)
    with report.clock("manners"):
        manners, ratios = informative(episodes, rows, config.seed)
        manners = _allowed(episodes, manners, config)
        report.summary.update(manners=ratios, manners_used=[manner.name for manner in manners])
    trials = _trials(episodes, halves, manners, config, (leiden, report))
    return _settled(episodes, manners, trials, config, (leiden, report))


@dataclass(frozen=True)
class Trial:
    """Personas fitted from one proposal, twice; `rule` is that of the first half of the people."""

    by: str
    size: float
    rule: Rule
    back: Return


def _settled(
    episodes: Episodes,
    manners: tuple[Manner, ...],
    trials: list[Trial],
    config: PersonaConfig,
    settings: tuple[Leiden, Report],
) -> Found:
    """What of the best of several trials is kept, fitted to all and judged."""
    (leiden, report), rows = settings, np.flatnonzero(episodes.fit[episodes.user])
    best = max(trials, key=lambda trial: trial.back.information, default=None)
    kept = best.back.back(config.least_return) if best else np.zeros(0, np.int64)
    if best is None or not len(kept):
        return _nothing(episodes, config, report)
    report.summary["taken"] = {"by": best.by, "size": best.size}
    fitted = best.rule.only(kept), best.back.correlation[kept]
    with report.clock("mixture"), report.progress.task("Fitting personas to all", 2) as task:
        rule = _refined(episodes, rows, manners, fitted[0], config)
        task.advance()
        fitted = _with_overlooked(episodes, rows, manners, (rule, fitted[1]), (config, leiden))
        task.advance()
    report.summary["overlooked"] = fitted[0].personas - rule.personas
    return _judged(episodes, manners, fitted, config, report)


def _allowed(
    episodes: Episodes, manners: tuple[Manner, ...], config: PersonaConfig
) -> tuple[Manner, ...]:
    """The manners that may be used, and after them those that must be (where there is any)."""
    kept = [manner for manner in manners if manner.name not in config.manners_out]
    names = {manner.name for manner in kept}
    asked = [m for m in episodes.manners if m.name in config.manners_in and m.name not in names]
    return (*kept, *asked)


def _trials(
    episodes: Episodes,
    halves: list[Ints],
    manners: tuple[Manner, ...],
    config: PersonaConfig,
    settings: tuple[Leiden, Report],
) -> list[Trial]:
    """Propose and fit on both halves of some people, and see what comes back."""
    leiden, report = settings
    rows = np.flatnonzero(episodes.fit[episodes.user])
    proposals = []
    steps = 2 * config.proposals.encoder.steps if config.proposals.resolutions else None
    with (
        report.clock("proposals"),
        report.progress.task("Reading intents and their company", steps) as task,
    ):
        for number, half in enumerate(halves):
            work = report.training(task, f"half-{number}")
            options = (config.proposals, leiden, config.seed, work)
            proposals.append(propose(episodes, half, manners, options))
    common = sample(episodes, rows, config.most_tried, config.seed + 1)
    trials = []
    report.summary["trials"] = told = []
    with (
        report.clock("mixture"),
        report.progress.task("Fitting personas", len(proposals[0])) as task,
    ):
        for one, other in zip(*proposals, strict=True):
            rules = [
                fit(episodes, half, manners, _as_soft(proposal.labels), config.mixture)[0]
                for half, proposal in zip(halves, (one, other), strict=True)
            ]
            soft = [assign(episodes, common, manners, rule) for rule in rules]
            back = compare(episodes, common, (soft[0], soft[1]), config.least_return)
            trials.append(Trial(one.by, one.size, rules[0], back))
            told.append(_told(trials[-1], config))
            task.advance()
    return trials


def _halves(episodes: Episodes, rows: Ints, config: PersonaConfig) -> list[Ints]:
    first = np.random.default_rng(config.seed).random(len(episodes.user_ids)) < 0.5
    return [
        sample(episodes, rows[first[episodes.user[rows]] == side], config.most_tried, config.seed)
        for side in (True, False)
    ]


def _told(trial: Trial, config: PersonaConfig) -> dict[str, Any]:
    return {
        "by": trial.by,
        "size": trial.size,
        "personas": trial.rule.personas,
        "come_back": len(trial.back.back(config.least_return)),
        "information": round(trial.back.information, 4),
    }


def _nothing(
    episodes: Episodes, config: PersonaConfig, report: Report, why: str = NO_STRUCTURE
) -> Found:
    report.summary["result"] = why
    types = np.zeros((1, episodes.type_count))
    rule = Rule(types, (), (), (), np.inf, np.zeros(0), config.mixture)
    return Found(rule, np.ones((len(episodes), 1)), [], [])


def _refined(
    episodes: Episodes, rows: Ints, manners: tuple[Manner, ...], rule: Rule, config: PersonaConfig
) -> Rule:
    """The rule fitted on as many people as are worth the time."""
    some = sample(episodes, rows, config.most_fitted, config.seed)
    soft = assign(episodes, some, manners, rule)
    return fit(episodes, some, manners, soft, replace(config.mixture, rounds=16))[0]


def _with_overlooked(
    episodes: Episodes,
    rows: Ints,
    manners: tuple[Manner, ...],
    fitted: tuple[Rule, Floats],
    settings: tuple[PersonaConfig, Leiden],
) -> tuple[Rule, Floats]:
    """The rule and its stability with personas that were overlooked.

    One is taken if it comes back and leaves those found what they were. Both halves are fitted from
    the guess for all, so that a handful of people each need not find a small persona anew.
    """
    (rule, stability), (config, leiden) = fitted, settings
    some = sample(episodes, rows, config.most_fitted, config.seed)
    halves = _halves(episodes, rows, config)
    common = sample(episodes, rows, config.most_tried, config.seed + 1)

    def told(rule: Rule, half: Ints) -> Soft:
        start = assign(episodes, half, manners, rule)
        return assign(
            episodes, common, manners, fit(episodes, half, manners, start, config.mixture)[0]
        )

    people = episodes.user[common]
    soft, was = (assign(episodes, rows, manners, rule) for rows in (some, common))
    for guess in overlooked(episodes, some, soft, (config.overlooked, leiden, config.seed)).T:
        start = np.concatenate([soft * (1 - guess[:, None]), guess[:, None]], 1) + 1e-3
        wider = fit(episodes, some, manners, start / start.sum(1, keepdims=True), config.mixture)[0]
        back = same_place(people, *(told(wider, half) for half in halves))
        now = assign(episodes, common, manners, wider)
        same = same_place(people, was, now[:, :-1])
        if back[-1] >= config.least_return and same.min() >= config.least_same:
            rule, was, stability = wider, now, np.append(stability, back[-1])
            soft = assign(episodes, some, manners, rule)
    return rule, stability


def _as_soft(labels: Ints) -> Soft:
    """Communities (n,) as a first guess (n, k + 1); who is in none (-1) may be in any."""
    soft = np.full((len(labels), int(labels.max(initial=-1)) + 2), 0.02)
    soft[np.arange(len(labels)), labels + 1] += 1
    return np.asarray(soft / soft.sum(1, keepdims=True))


def _judged(
    episodes: Episodes,
    manners: tuple[Manner, ...],
    fitted: tuple[Rule, Floats],
    config: PersonaConfig,
    report: Report,
) -> Found:
    """Keep what recurs in the people who were not fitted and is held by enough of them."""
    # What assigns is what is kept: an update by the stored rule then says the same of the same.
    rule, stability = fitted[0].rounded(), [round(float(r), 3) for r in fitted[1]]
    with (
        report.clock("recurrence"),
        report.progress.task("Testing that personas recur", 1) as task,
    ):
        tests = recurring(episodes, manners[:1], rule, config)
        task.advance()
    everyone = np.arange(len(episodes))
    kept = np.array([n for n, test in enumerate(tests) if test.passed], np.int64)
    too_few = 0
    with report.clock("assign"):
        while True:
            soft = assign(episodes, everyone, manners, rule.only(kept))
            held = holders(episodes, soft, config)
            people = held.sum(0)
            if len(kept) and people.min() < config.least_people:
                kept, too_few = np.delete(kept, int(people.argmin())), too_few + 1
                continue
            tells = apart(episodes, held, config.recurrence.most_q, config.manners_out)
            if tells.all():
                break
            kept = kept[tells]
    report.summary["candidates"] = [
        {"kept": n in set(kept.tolist()), "stability": stability[n], **_rounded(test)}
        for n, test in enumerate(tests)
    ]
    if not len(kept):
        why = f"no persona is held by {config.least_people} people" if too_few else NO_STRUCTURE
        return _nothing(episodes, config, report, why)
    labels = soft.argmax(1)
    report.summary.update(
        personas=len(kept),
        unassigned_share=round(float((labels == 0).mean()), 4),
        occasion_firmness=rule.occasion if np.isfinite(rule.occasion) else None,
        information_with_topics=information(labels, episodes.type_parts[episodes.type, 1]),
        result=f"{len(kept)} personas",
    )
    return Found(rule.only(kept), soft, [tests[n] for n in kept], [stability[n] for n in kept])


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
    prefers = rule.types[1:, kinds // bins]
    if split:
        prefers = prefers + rule.manners[rule.names.index(split[0].name)][1:, kinds % bins]
    groups = [np.flatnonzero(row > np.log(1.5)) for row in prefers]
    return recurrence(having, groups, config.recurrence, config.seed)
