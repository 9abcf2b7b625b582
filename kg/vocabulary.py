"""Names in a query that the graph does not have: a store finds nothing there, and says nothing.

It reads the text roughly, as `lint` does: labels and types in patterns, and properties of what a
pattern gives a label or a type. Names in backticks, and of what has no label, are not looked at.
"""

import difflib
import re
from collections.abc import Collection, Iterator

from kg.queries import code_of
from kg.schema import EDGES, NODES

_NAMES = r"[a-z_]\w*(?:\s*[|&:]\s*:?\s*[a-z_]\w*)*"
_PATTERN = re.compile(
    rf"(?P<bracket>[(\[])\s*(?P<variable>[a-z_]\w*)?\s*:\s*(?P<names>{_NAMES})[^)\]{{]*"
    r"(?:\{(?P<keys>[^{}]*)\})?",
    re.I,
)
_KEY = re.compile(r"(?:^|,)\s*([a-z_]\w*)\s*:", re.I)
_READ = re.compile(r"(?<![\w.$])([a-z_]\w*)\s*\.\s*([a-z_]\w*)\b(?!\s*\()", re.I)


def _edge_properties() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for kind in EDGES:
        found.setdefault(kind.type, {"run_id"}).update(kind.columns)
    return found


LABELS = {label: {"id", "run_id", *columns} for label, columns in NODES.items()}
TYPES = _edge_properties()


def unknown_names(text: str) -> list[str]:
    """What a query names and no graph has, each in one sentence, with the nearest that it has."""
    code = code_of(text)
    said: list[str] = []
    owners: dict[str, set[str]] = {}  # variable -> labels or types
    asked: list[tuple[set[str], str]] = []
    for match in _PATTERN.finditer(code):
        names = set(re.findall(r"\w+", match["names"]))
        of_node = match["bracket"] == "("
        said += _unknown(names, LABELS if of_node else TYPES, of_node)
        owners.setdefault(match["variable"] or "", set()).update(names)
        asked += [(names, key) for key in _KEY.findall(match["keys"] or "")]
    owners.pop("", None)
    asked += [(owners[name], key) for name, key in _READ.findall(code) if name in owners]
    return list(dict.fromkeys([*said, *_missing(asked)]))


def _unknown(names: set[str], known: Collection[str], of_node: bool) -> Iterator[str]:
    what = "no node has the label" if of_node else "no edge has the type"
    for name in sorted(names.difference(known)):
        yield f"{what} `{name}`{_did_you_mean(name, known)}"


def _missing(asked: list[tuple[set[str], str]]) -> Iterator[str]:
    """Properties that are asked of labels and types of which none has them."""
    every = LABELS | TYPES
    for names, key in asked:
        known = {each for name in names for each in every.get(name, ())}
        if names <= every.keys() and key not in known:
            having = [f"`{label}`" for label, keys in LABELS.items() if key in keys]
            others = f"; it is one of {', '.join(having)}" if having else ""
            told = _did_you_mean(key, known) or others
            yield f"`{'|'.join(sorted(names))}` has no property `{key}`{told}"


def _did_you_mean(name: str, known: Collection[str]) -> str:
    folded = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.7)
    return f"; did you mean `{folded[near[0]]}`?" if near else ""
