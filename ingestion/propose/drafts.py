"""A table of the mapping as it is proposed: every word with what was seen and why."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Why:
    """A value of the mapping, why it is proposed, and whether somebody should look at it."""

    value: Any
    reason: str = ""
    check: bool = False


@dataclass(frozen=True)
class Anchor:
    """A value that stands in several places and is to be corrected in one."""

    name: str
    value: Any


@dataclass(frozen=True)
class Written:
    """The place where an anchor's value is written out; before all others."""

    anchor: Anchor


@dataclass
class Draft:
    """One table of the mapping: its name, its keys in order, and remarks above it; `asked` are
    those that somebody should look at."""

    label: str
    keys: dict[str, Why] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def put(self, key: str, value: Any, reason: str = "", *, check: bool = False) -> None:
        """Say something of the table."""
        self.keys[key] = Why(value, reason, check)

    def doubts(self) -> list[str]:
        """What somebody should look at."""
        open_ = [f"{self.label}: {one}" for one in self.asked]
        return [
            *open_,
            *(f"{self.label}.{name}: {one.reason}" for name, one in _flat(self.keys) if one.check),
        ]


def _flat(keys: dict[str, Why]) -> list[tuple[str, Why]]:
    found: list[tuple[str, Why]] = []
    for name, one in keys.items():
        found.append((name, one))
        value = one.value
        if isinstance(value, list):
            value = dict(enumerate(value, 1))
        if isinstance(value, dict):
            inside = {str(key): part for key, part in value.items() if isinstance(part, Why)}
            found += [(f"{name}.{key}", part) for key, part in _flat(inside)]
    return found


def plain(value: Any) -> Any:
    """The value without its reasons, as a mapping has it."""
    if isinstance(value, Why | Anchor):
        return plain(value.value)
    if isinstance(value, Written):
        return plain(value.anchor)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value
