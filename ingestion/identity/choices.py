"""How the value of a trait is chosen where a person's records say several (`identity.yaml`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestion.identity.limits import rules_tree
from kg.errors import InputError

DEFAULT = "most_recent"
CHOICES: Mapping[str, str] = {
    "most_recent": "said last",
    "most_frequent": "said by most records",
    "longest": "the most complete",
    "most_trusted": "said by the most trusted source",
}
"""How one value is chosen, in words; ties go to what was said last, then to the record key."""
Choices = Mapping[str, Mapping[str, Any]]
"""Trait, or `default` -> {choose: one of `CHOICES`, sources: tables of the mapping, best first}."""


@dataclass(frozen=True)
class Choice:
    """How the value of one trait is chosen."""

    choose: str = DEFAULT
    sources: tuple[str, ...] = ()


def read_choices(path: Path) -> Choices:
    """What a workspace's own file says of traits; empty where it says nothing.

    Raises:
        InputError: it is not what docs/identity.md describes.
    """
    rows = rules_tree(path).get("traits") or {}
    if not isinstance(rows, Mapping):
        raise InputError(f"{path.name}: expected `traits:` with one line for each.", hint=_HINT)
    found = {}
    for name, row in rows.items():
        row = {"choose": row} if isinstance(row, str) else row
        if not isinstance(row, Mapping) or row.get("choose") not in CHOICES:
            raise InputError(
                f"{path.name}: trait {name} needs a way to choose.",
                hint=f"One of: {', '.join(CHOICES)}.",
            )
        sources = row.get("sources") or []
        if {*row} - {"choose", "sources"} or (row["choose"] == "most_trusted") != bool(sources):
            raise InputError(
                f"{path.name}: trait {name}: most_trusted needs sources, and nothing else does.",
                hint=_HINT,
            )
        found[str(name)] = {"choose": row["choose"], "sources": [str(one) for one in sources]}
    return found


_HINT = "docs/identity.md shows one."


def choice_of(choices: Choices, name: str) -> Choice:
    """The choice that holds for a trait."""
    row = choices.get(name) or choices.get("default")
    return Choice(row["choose"], tuple(row["sources"])) if row else Choice()
