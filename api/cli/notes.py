"""What the steps of a run have to say, a sentence each, from their summaries in the lake."""

from typing import Any

from api.cli import notes_on_personas, notes_on_records


def notes(lake: Any, read: dict[str, Any] | None = None) -> list[str]:
    """How many records became how many people, sessions, intents and personas, and what was odd.

    Args:
        lake: the workspace's.
        read: what the step that reads has to say of the folder as it is now; default: as it was
            when something in it was new.
    """
    command = lake.workspace.command
    tellers = {
        "ingest": lambda said: notes_on_records.of_ingest(said, lake, command),
        "identity": lambda said: notes_on_records.of_identity(said, command),
        "topics": notes_on_records.of_topics,
        "intents": notes_on_records.of_intents,
        "personas": lambda said: notes_on_personas.of_personas(said, lake, command),
        "rules": notes_on_personas.of_rules,
        "claims": notes_on_personas.of_claims,
    }
    summaries = {step: lake.summary(step) for step in tellers} | ({"ingest": read} if read else {})
    return [line for step, tell in tellers.items() if (s := summaries[step]) for line in tell(s)]
