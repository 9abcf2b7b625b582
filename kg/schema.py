"""The shape of the graph: every label and edge type with its properties, the same on both stores.

Every node has an `id STRING`, unique under its label, and every node and edge a `run_id STRING`;
neither is repeated here. Times are UTC epoch milliseconds (`_ms`, INT64).
"""

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

TEXT, WHOLE, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()


@dataclass(frozen=True)
class EdgeKind:
    """Edges of one type between two labels.

    `leaf` is the end with fewer edges; a MERGE names it first, because the embedded store walks
    the whole chain of edges of the node that it starts from. `key` are the properties that tell
    two edges between the same nodes apart.
    """

    start: str
    type: str
    end: str
    columns: dict[str, pa.DataType] = field(default_factory=dict)
    leaf: Literal["start", "end"] = "start"
    key: tuple[str, ...] = ()


NODES: dict[str, dict[str, pa.DataType]] = {
    "Run": {"step": TEXT},
    "User": {
        "half": TEXT,
        "activity": WHOLE,
        "first_seen_ms": WHOLE,
        "last_seen_ms": WHOLE,
        "event_count": WHOLE,
    },
    "Identifier": {"namespace": TEXT, "value": TEXT},
    "Trait": {"name": TEXT, "value": TEXT},
    "Account": {"people": WHOLE},
    "Household": {"people": WHOLE},
    "Session": {
        "channel": TEXT,
        "number": WHOLE,
        "started_at_ms": WHOLE,
        "ended_at_ms": WHOLE,
        "event_count": WHOLE,
        "value": REAL,
    },
    "Intent": {
        "verb": TEXT,
        "topic": TEXT,
        "channel": TEXT,
        "text": TEXT,
        "position": WHOLE,
        "started_at_ms": WHOLE,
        "event_count": WHOLE,
        "quantity": REAL,
        "value": REAL,
        "hour": WHOLE,
        "weekday": WHOLE,
        "kept_out": TEXT,
    },
    "Item": {"title": TEXT, "price": REAL},
    "Category": {"name": TEXT, "path": TEXT, "level": WHOLE},
    "Campaign": {"title": TEXT, "starts_at_ms": WHOLE, "ends_at_ms": WHOLE},
    "Persona": {"current": TEXT},
    "PersonaVersion": {
        "persona_id": TEXT,
        "number": WHOLE,
        "name": TEXT,
        "summary": TEXT,
        "sentences": TEXT,
        "author": TEXT,
        "coverage": REAL,
        "stability": REAL,
        "intents": WHOLE,
        "people": WHOLE,
        "population": WHOLE,
        "share": REAL,
        "share_low": REAL,
        "share_high": REAL,
        "kept_by": TEXT,
        "kept_because": TEXT,
    },
    "Family": {
        "name": TEXT,
        "stability": REAL,
        "intents": WHOLE,
        "people": WHOLE,
        "population": WHOLE,
        "share": REAL,
    },
    "MicroPersona": {
        "name": TEXT,
        "stability": REAL,
        "intents": WHOLE,
        "people": WHOLE,
        "population": WHOLE,
        "share": REAL,
    },
    "Claim": {
        "kind": TEXT,
        "subject": TEXT,
        "subject_label": TEXT,
        "direction": TEXT,
        "measure": TEXT,
        "unit": TEXT,
        "value": REAL,
        "reference_value": REAL,
        "low": REAL,
        "high": REAL,
        "q": REAL,
        "people": WHOLE,
        "as_of_ms": WHOLE,
        "query": TEXT,
        "params": TEXT,
        "counts": TEXT,
        "descriptive": FLAG,
    },
    "Task": {"horizon_days": WHOLE},
    "Goal": {"definition": TEXT, "before_ms": WHOLE},
    "RulePersona": {
        "name": TEXT,
        "kind": TEXT,
        "definition": TEXT,
        "people": WHOLE,
        "population": WHOLE,
    },
}

_CITED = (
    "Intent",
    "Item",
    "Category",
    "Session",
    "Campaign",
    "Trait",
    "User",
    "PersonaVersion",
    "Goal",
)

EDGES: tuple[EdgeKind, ...] = (
    EdgeKind("Identifier", "IDENTIFIES", "User", {"probability": REAL, "reason": TEXT}),
    EdgeKind("User", "HAS", "Trait", {"at_ms": WHOLE}),
    EdgeKind("User", "MEMBER_OF", "Account", {"role": TEXT, "since_ms": WHOLE}),
    EdgeKind("User", "LIVES_IN", "Household", {"since_ms": WHOLE}),
    EdgeKind("User", "HAD", "Session", leaf="end"),
    EdgeKind("Session", "NEXT", "Session"),
    EdgeKind("Session", "EXPRESSED", "Intent", leaf="end"),
    EdgeKind("Intent", "ABOUT", "Item", {"count": WHOLE, "value": REAL}),
    EdgeKind("Item", "IN", "Category"),
    EdgeKind("Category", "IN", "Category"),
    EdgeKind("Item", "BOUGHT_WITH", "Item", {"count": WHOLE, "lift": REAL}),
    EdgeKind("Intent", "REACHED", "Goal"),
    EdgeKind("User", "MEETS", "RulePersona", {"intents": WHOLE}),
    EdgeKind("User", "RECEIVED", "Campaign", {"at_ms": WHOLE, "arm": TEXT}, key=("at_ms",)),
    EdgeKind("Intent", "RESPONDED_TO", "Campaign"),
    EdgeKind(
        "User",
        "HOLDS",
        "PersonaVersion",
        {
            "weight": REAL,
            "low": REAL,
            "high": REAL,
            "intents": WHOLE,
            "valid_from_ms": WHOLE,
            "valid_to_ms": WHOLE,
        },
        key=("valid_from_ms",),
    ),
    EdgeKind("PersonaVersion", "VERSION_OF", "Persona"),
    EdgeKind("Persona", "CURRENT", "PersonaVersion"),
    EdgeKind("Intent", "SUPPORTS", "PersonaVersion", {"probability": REAL}),
    EdgeKind("Persona", "PART_OF", "Family"),
    EdgeKind("MicroPersona", "PART_OF", "Persona"),
    EdgeKind("Intent", "SUPPORTS", "MicroPersona"),
    EdgeKind("User", "HOLDS", "MicroPersona"),
    EdgeKind("PersonaVersion", "STATES", "Claim", leaf="end"),
    *(
        EdgeKind(
            "Claim", "CITES", end, {"path": WHOLE, "position": WHOLE}, key=("path", "position")
        )
        for end in _CITED
    ),
    EdgeKind(
        "User",
        "FORECAST",
        "Task",
        {"probability": REAL, "low": REAL, "high": REAL, "as_of_ms": WHOLE},
        key=("as_of_ms",),
    ),
)


def node_schema(label: str) -> pa.Schema:
    """The columns of a table of nodes: `id`, the properties, `run_id`."""
    return pa.schema({"id": TEXT, **NODES[label], "run_id": TEXT})


def edge_schema(kind: EdgeKind) -> pa.Schema:
    """The columns of a table of edges: `start`, `end` (ids), the properties, `run_id`."""
    return pa.schema({"start": TEXT, "end": TEXT, **kind.columns, "run_id": TEXT})
