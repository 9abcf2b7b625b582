"""What the nodes of evidence paths are, in words: what was done with what, where and when.

Never what a person wrote or is called: of a person a path has the opaque id alone.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kg.personas.kinds import DAY_MS, KINDS
from kg.personas.labels import Labels, phrase, tidy

if TYPE_CHECKING:
    from kg.lake import Lake

Node = tuple[str, str]
"""Its label and id."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def in_words(lake: "Lake", nodes: Iterable[Node]) -> dict[Node, str]:
    """Words for nodes; there are none for those whose id says it all, or must say nothing."""
    ids: dict[str, set[str]] = {}
    for label, node_id in nodes:
        ids.setdefault(label, set()).add(node_id)
    labels = Labels(lake)
    found = {("User", one): "one of its holders" for one in ids.get("User", ())}
    found |= {(what, one): labels.item(one) for what in ("Item", "Campaign")
              for one in ids.get(what, ())}  # fmt: skip
    intents = list(_rows(lake, "intents", "intent_id", ids.get("Intent")))
    called = labels.types({(row["verb"], row["topic"]) for row in intents})
    for row in intents:
        verb, topic = row["verb"], row["topic"]
        did = phrase(KINDS["topic"], f"{verb} {topic}", called[verb, topic])
        found["Intent", row["intent_id"]] = f"{did}, {_time(row['started_at_ms'])}"
    for row in _rows(lake, "sessions", "session_id", ids.get("Session")):
        said = f"{tidy(row['channel'])}, {_time(row['started_at_ms'])}"
        found["Session", row["session_id"]] = said
    for row in lake.arrow("wordings", ["persona_id", "version", "name"]).to_pylist():
        found["PersonaVersion", f"{row['persona_id']}@{row['version']}"] = row["name"]
    return found


def _rows(lake: "Lake", name: str, key: str, ids: set[str] | None) -> Iterator[dict[str, Any]]:
    if ids:
        table = lake.table(name)
        yield from lake.run(table.filter(table[key].isin(sorted(ids)))).to_pylist()


def _time(at_ms: int) -> str:
    """A moment; of the first of a day only the day, as it is that of a date without a time."""
    at = _EPOCH + timedelta(milliseconds=at_ms)
    return f"{at:%Y-%m-%d}" if at_ms % DAY_MS == 0 else f"{at:%Y-%m-%d %H:%M} UTC"
