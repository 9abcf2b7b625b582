"""Words around numbers and names."""

import shlex

_IRREGULAR = {"person": "people", "family": "families"}

MOST_REPEATED = 200
WARNING = "warning: "
"""What a line begins with that is probably not meant so."""


def some(count: int, noun: str) -> str:
    """A number of things: `1 persona`, `2,000 families`, `3 people`."""
    return f"{count:,} {noun if count == 1 else _IRREGULAR.get(noun, f'{noun}s')}"


def quoted(name: str) -> str:
    """What somebody gave as a name, as an error repeats it: not endlessly."""
    return repr(name if len(name) <= MOST_REPEATED else name[:MOST_REPEATED] + "…")


def command(workspace: str, words: str) -> str:
    """A command as a person would type it for a workspace, wherever a hint names one.

    Args:
        words: what follows `personagraph`.
    """
    return f"personagraph {words} --workspace {shlex.quote(workspace)}"
