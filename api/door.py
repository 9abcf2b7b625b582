"""Which way personas come to be in a run: a full search, or an update by the rule there is.

A search is made where there is nothing to update by, where it would not be the same search any
more, and where it is asked for. Otherwise new records only update. A search that an update
proposes is never made by itself: ids and claims that others read would change unasked.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kg.lake import Lake, Step


@dataclass(frozen=True)
class Door:
    """Which way, and why.

    Attributes:
        is_update: by the rule of the last search.
        why: a clause.
        last: what is kept of that search: run_id, topics (the run that grouped them),
            kept_topic_level; empty in a search.
        settings: what a search depends on beside the records.
    """

    is_update: bool = False
    why: str = ""
    last: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    def kept(self, name: str) -> dict[str, Any]:
        """What a step's configuration holds of the last search; nothing in a search."""
        return {name: self.last[name]} if self.is_update else {}

    def remember(self, step: "Step", lake: "Lake") -> None:
        """Put down in the summary of the step that made personas how it came to, and by what."""
        step.summary["door"] = {"search": not self.is_update, "why": self.why}
        step.summary["read"] = lake.step_id("ingest")
        step.summary["search"] = (
            lake.summary("personas")["search"]
            if self.is_update
            else {
                "run_id": step.id,
                "topics": lake.summary("topics")["grouped"],
                "kept_topic_level": lake.summary("intents")["topic_level"],
                "settings": self.settings,
            }
        )

    def told(self, summary: dict[str, Any], skipped: bool) -> str:
        """The first sentence of a report.

        Args:
            summary: of the step that made personas.
            skipped: nothing was to do.
        """
        if skipped:
            were = (
                "the personas are as they were"
                if summary.get("personas")
                else "no persona, as before"
            )
            return f"Nothing is new: {were}."
        if self.is_update:
            return f"Personas were updated by the rule they have, without a search: {self.why}."
        if "trials" not in summary:
            return "Personas could not be searched for."  # why, stands where they would
        return f"Personas were searched for: {self.why}."


def choose(lake: "Lake", settings: dict[str, Any], topics_id: str, wanted: bool) -> Door:
    """Which way the personas of this workspace go, once its people are resolved.

    Args:
        settings: what a search depends on beside the records, by the name a person gives it.
        topics_id: what the run that groups all topics of these records is called.
        wanted: a search is asked for.
    """
    summary = lake.summary("personas")
    last = summary.get("search", {})
    why = _why_search(lake, summary, settings, wanted)
    if lake.step_id("topics") == topics_id:
        why = why or "the last one was over the same records"
    if why:
        return Door(why=why, settings=settings)
    return Door(
        is_update=True,
        why=f"{_what_is_new(lake, summary)}, and nothing else that a search depends on has changed",
        last={name: last[name] for name in ("run_id", "topics", "kept_topic_level")},
        settings=settings,
    )


def _what_is_new(lake: "Lake", summary: dict[str, Any]) -> str:
    """What is not as it was when the personas were last searched for or updated."""
    if "read" in summary and summary["read"] == lake.step_id("ingest"):
        return "who is one person was decided anew"
    return "records are new, gone or read otherwise"


def _why_search(
    lake: "Lake", summary: dict[str, Any], settings: dict[str, Any], wanted: bool
) -> str:
    """Why a search is to be made; empty: it is not."""
    last = summary.get("search")
    if last is None:
        return "there was none in this workspace yet"
    changed = [name for name, value in settings.items() if last["settings"].get(name) != value]
    if changed:
        return f"another {' and another '.join(changed)} than in the last one"
    if lake.summary("topics").get("grouped") != last["topics"]:
        return "the last one did not end"
    if wanted:
        return "asked for"
    if not summary.get("personas"):
        return "the last one found no persona, so that there is no rule to update by"
    return ""
