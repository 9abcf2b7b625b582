"""The proposal as commented YAML: what is proposed, and beside it what was seen and why."""

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from ingestion.propose.drafts import Anchor, Draft, Why, Written

CHECK = "CHECK"
_WIDE = 110
_BARE = re.compile(r"[A-Za-z_][\w./*-]*(?: [\w./*()-]+)*")
_RESERVED = {"yes", "no", "true", "false", "null", "none"}


def as_yaml(head: dict[str, Why], drafts: Sequence[Draft], notes: Sequence[str]) -> str:
    """The text of a mapping file; lines marked CHECK are for a person to look at."""
    lines = [
        "# Proposed by `personagraph source propose`, from what the files hold. docs/mapping.md",
        f"# says what every word means. Lines marked {CHECK} need your eyes: the files leave them "
        "open.",
        "",
    ]
    for key, why in head.items():
        lines += _entry(key, why, 0)
    for note in notes:
        lines += _remark(note, 0)
    lines += ["", "tables:"]
    for draft in drafts:
        for remark in (*draft.remarks, *(f"{CHECK}: {one}" for one in draft.asked)):
            lines += _remark(remark, 2)
        lines.append(f"  {flow(draft.label)}:")
        for key, why in draft.keys.items():
            lines += _entry(key, why, 4)
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _entry(key: str, why: Why, indent: int) -> Iterator[str]:
    value, lead = why.value, f"{' ' * indent}{flow(key)}:"
    if isinstance(value, dict) and any(isinstance(one, Why) for one in value.values()):
        yield from _commented(lead, why, indent)
        for name, one in value.items():
            yield from _entry(str(name), one if isinstance(one, Why) else Why(one), indent + 2)
    elif isinstance(value, list) and any(isinstance(one, Why) for one in value):
        yield from _commented(lead, why, indent)
        for one in value:
            text = flow(one.value if isinstance(one, Why) else one)
            yield from _commented(f"{' ' * (indent + 2)}- {text}", one, indent + 2)
    else:
        yield from _commented(f"{lead} {flow(value)}", why, indent)


def _commented(line: str, why: Why, indent: int) -> Iterator[str]:
    comment = f"{CHECK}: {why.reason}" if why.check else why.reason
    if not comment:
        yield line
    elif len(line) + len(comment) + 4 <= _WIDE:
        yield f"{line}  # {comment}"
    else:
        yield from _remark(comment, indent)
        yield line


def _remark(text: str, indent: int) -> Iterator[str]:
    lead = " " * indent + "# "
    yield from textwrap.wrap(
        " ".join(text.split()), 100, initial_indent=lead, subsequent_indent=lead,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def flow(value: Any) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, Why):
        return flow(value.value)
    if isinstance(value, Anchor):
        return f"*{value.name}"
    if isinstance(value, Written):
        return f"&{value.anchor.name} {flow(value.anchor.value)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(one) for one in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    is_bare = _BARE.fullmatch(text) and text.casefold() not in _RESERVED and " - " not in text
    return text if is_bare else json.dumps(text, ensure_ascii=False)
