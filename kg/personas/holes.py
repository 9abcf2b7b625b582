"""Holes in the records, as a run found them: which tables have one, and how that is worded."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kg.lake import Lake

Hole = dict[str, str]
"""The `dataset` with the hole, its `first` and its `last` day (UTC, YYYY-MM-DD)."""


def holes(lake: "Lake") -> list[Hole]:
    """Those of the records in a lake."""
    return said(lake.summary("intents"))


def said(summary: Mapping[str, Any]) -> list[Hole]:
    """Those that the step that makes intents told of in its summary."""
    found = summary.get("holes", ())  # not of runs of before
    return [{name: hole[name] for name in ("dataset", "first", "last")} for hole in found]


def on(found: Iterable[Hole], day: str) -> list[Hole]:
    """Those that a day (YYYY-MM-DD) lies in."""
    return [hole for hole in found if hole["first"] <= day <= hole["last"]]


def tables(found: Iterable[Hole]) -> str:
    """Which tables have one, in words."""
    return ", ".join(sorted({hole["dataset"] for hole in found}))


def days(hole: Mapping[str, Any]) -> str:
    """What a table with a hole has, or had."""
    return f"no event from {hole['first']} to {hole['last']}"
