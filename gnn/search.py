"""The step that searches for personas, and writes what it found and what stands beside it.

`gnn.update` is the step for new records: it goes on by the rule of the last search.
"""

from typing import Any

from gnn import levels, tables
from gnn.communities import Leiden, native_leiden
from gnn.crew import ALONE, Crew
from gnn.found import PersonaConfig, Report, with_floor
from gnn.kept import with_kept
from gnn.personas import discover
from gnn.tensors import load
from gnn.withheld import still_told
from kg.progress import Progress, silent


def find(
    step: Any,
    config: PersonaConfig | None = None,
    leiden: Leiden = native_leiden,
    progress: Progress = silent,
    crew: Crew = ALONE,
) -> None:
    """Find the personas in a step's intents.

    Reads intents, users, topics, and what the runs before left (for ids); writes memberships,
    holdings, personas, persona_rules, levels, micro_holdings and descent, and a summary that says
    what was tried.

    Args:
        leiden: the store's own algorithm.
        crew: the processes that train together; the others have called `help_out`.
    """
    config = config or PersonaConfig()
    report = Report(progress, step.summary, crew, step.aside)
    with report.clock("read"):
        episodes = load(step)
    config = with_floor(config, episodes)
    found = discover(episodes, config, leiden, report)
    with report.clock("kept"):
        found = with_kept(step, episodes, found, config, report)
    with report.clock("levels"), progress.task("Families and micro-personas", 1) as task:
        above_and_below = levels.find(episodes, found, config, leiden)
        task.advance()
    with report.clock("write"):
        tables.write(step, episodes, (found, above_and_below), config)
        report.summary["still_told"] = still_told(step, episodes, found, config.manners_out)
