"""Personas of new events without a search: everyone is assigned by the rule of the last one.

Who a persona is stays: ids, versions and rules. What changes is who holds it, since when, and all
that is counted. A persona that fewer people hold than the floor allows retires, and is said to; a
full search may bring it back, with its id. Whether one is proposed, `gnn.drift` says.

Everyone is assigned, not only those of whom something new is known: a person's assignment depends
on their own episodes alone, but what counts as a high price, or as the rarest verb of an episode,
on everybody's.
"""

from typing import Any

import numpy as np
import pyarrow.compute as pc

from gnn import levels, rules, tables
from gnn.communities import Leiden
from gnn.drift import Flags, drift, reasons
from gnn.found import (
    Found,
    PersonaConfig,
    Report,
    held_by_few,
    holders,
    information,
    with_floor,
)
from gnn.rules import Stored
from gnn.tensors import Episodes, load
from gnn.withheld import still_told
from kg.progress import Progress, silent
from kg.words import some


def update(
    step: Any,
    searched: str,
    config: PersonaConfig,
    leiden: Leiden,
    progress: Progress = silent,
) -> None:
    """Bring memberships, holdings and figures of the personas up to date.

    Reads intents, users, topics and what the runs before left; writes what `gnn.search.find`
    does, and a summary with the drift and, if so, why a full search is proposed.

    Args:
        searched: the run id of the search whose rule it is.
        leiden: the store's own algorithm; families and micro-personas are looked for again.
    """
    report = Report(progress, step.summary)
    with report.clock("read"):
        episodes = load(step)
        config = with_floor(config, episodes)
        stored = rules.read(step, episodes)
        known, gone_share = _known(step, searched, episodes)
    with report.clock("assign"), progress.task("Updating personas", 2) as task:
        found, stored, retired = by_rule(episodes, stored, config)
        task.advance()
        with report.clock("drift"):
            moved = drift(episodes, stored, found.soft, known)
        task.advance()
    with report.clock("write"):
        beside = levels.find(episodes, found, config, leiden)
        tables.write(step, episodes, (found, beside), config, stored.standing)
        report.summary["still_told"] = still_told(step, episodes, found, config.manners_out)
    _tell(report.summary, episodes, found, config)
    report.summary.update(
        new_episodes=int((~known).sum()),
        gone_share=gone_share,
        retired=retired,
        drift=moved,
        proposed=[*_too_few(retired, config), *reasons(moved)],
    )


def by_rule(
    episodes: Episodes, stored: Stored, config: PersonaConfig
) -> tuple[Found, Stored, list[str]]:
    """Everyone's episodes by the rule, without the personas that too few people hold now.

    Returns:
        What is found, the rule it is found by, and the ids of those that were left out.
    """
    left_out: list[str] = []
    while True:
        soft = rules.assigned(episodes, stored)
        people = holders(episodes, soft, config).sum(0)
        own = people[: stored.found]
        if not len(own) or own.min() >= config.least_people:
            found = Found(stored.rule, soft, stored.tests, stored.stability, stored.kept())
            return found, stored, left_out
        least = int(own.argmin())
        left_out.append(stored.standing.ids[least])
        stored = stored.only(np.delete(np.arange(len(people)), least))


def _known(step: Any, searched: str, episodes: Episodes) -> tuple[Flags, float]:
    """Which episodes the search knew, if only a part of; and what share of its intents is gone."""
    with step.lake.at_run(searched) as then:
        members = then.table("memberships").anti_join(then.table("kept_out"), "intent_id")
        before = then.run(members.select("intent_id"))["intent_id"]
    is_known = pc.is_in(episodes.intents.ids, value_set=before.combine_chunks())
    is_known = is_known.to_numpy(zero_copy_only=False)
    known = np.zeros(len(episodes), bool)
    known[episodes.intents.episode[is_known]] = True
    return known, round(1 - float(is_known.sum()) / max(len(before), 1), 4)


def _tell(summary: dict[str, Any], episodes: Episodes, found: Found, config: PersonaConfig) -> None:
    labels = found.soft.argmax(1)
    count = found.rule.personas
    summary.update(
        intents=len(episodes.intents),
        episodes=len(episodes),
        people=len(episodes.user_ids),
        types=episodes.type_count,
        result=some(count, "persona") if count else held_by_few(config),
    )
    if count:
        summary.update(
            personas=count,
            unassigned_share=round(float((labels == 0).mean()), 4),
            information_with_topics=information(labels, episodes.type_parts[episodes.type, 1]),
        )


def _too_few(retired: list[str], config: PersonaConfig) -> list[str]:
    return [
        f"{persona} is held by fewer than {config.least_people} people now and was left out"
        for persona in retired
    ]
