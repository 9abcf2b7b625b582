"""What makes a group of episodes, strongest first, as JSON; and what one may call it."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn.tensors import Episodes
from kg.personas.labels import tidy

SHOWN_TYPES = 12
LEAST_LIFT = 1.15
MOST_IN_NAME = 3

Flags = NDArray[np.bool_]


def topic_labels(step: Any) -> dict[str, str]:
    """What each topic is called."""
    rows = step.arrow("topics", ["topic", "label"]).to_pylist()
    return {row["topic"]: row["label"] for row in rows}


def signature(
    episodes: Episodes,
    mine: Flags,
    labels: dict[str, str],
    among: Flags,
    out: tuple[str, ...] = (),
) -> str:
    """The types and manners (but those `out`) that set some episodes apart from those they are
    among, as JSON.

    Shapes: mine, among (n,).
    """
    share, usual = _share(episodes, mine), _share(episodes, among)
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
    manners = [row for row in _manner_rows(episodes, mine, among) if row["manner"] not in out]
    found = {"types": types, "manners": manners}
    return json.dumps(found, sort_keys=True)


def _share(episodes: Episodes, rows: Flags) -> Any:
    counts = np.bincount(episodes.type[rows], minlength=episodes.type_count)
    return counts / max(rows.sum(), 1)


def _manner_rows(episodes: Episodes, mine: Flags, among: Flags) -> list[dict[str, Any]]:
    rows = []
    for manner in episodes.manners:
        share, usual = (
            np.bincount(manner.values[some], minlength=len(manner.bins)) / max(some.sum(), 1)
            for some in (mine, among)
        )
        best = int(np.argmax(share * np.log(np.maximum(share, 1e-12) / np.maximum(usual, 1e-12))))
        lift = float(share[best] / max(usual[best], 1e-12))
        if lift > LEAST_LIFT:
            rows.append(
                {
                    "manner": manner.name,
                    "value": manner.bins[best],
                    "weight": round(float(share[best]), 4),
                    "lift": round(lift, 2),
                }
            )
    return sorted(rows, key=lambda row: -row["lift"])


def names_of(signatures: list[str], fallback: str) -> list[str]:
    """A name for each: its leading topics, or its manner; numbered where two would be the same."""
    names: list[str] = []
    for text in signatures:
        found = json.loads(text)
        words = list(dict.fromkeys(tidy(row["label"]) for row in found["types"]))[:MOST_IN_NAME]
        words = words or [row["value"] for row in found["manners"]][:1] or [fallback]
        name = " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
        same = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({same + 1})" if same else name)
    return names
