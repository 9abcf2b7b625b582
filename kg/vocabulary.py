"""Names in a query that the graph does not have: a store finds nothing there, and says nothing.

It reads the text roughly, as `lint` does: labels and types in patterns, and properties of what a
pattern gives a label or a type; of what a pattern leaves without one, properties that no node and
no edge has. Names in backticks are not looked at.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator

from kg.queries import code_of
from kg.schema import EDGES, NODES

_NAMES = r"[a-z_]\w*(?:\s*[|&:]\s*:?\s*[a-z_]\w*)*"
_PATTERN = re.compile(
    rf"(?P<bracket>[(\[])\s*(?P<variable>[a-z_]\w*)?\s*:\s*(?P<names>{_NAMES})[^)\]{{]*"
    r"(?:\{(?P<keys>[^{}]*)\})?",
    re.I,
)
_ANY = re.compile(
    r"(?:(?<![\w$`])\(\s*(?P<node>[a-z_]\w*)|-\s*\[\s*(?P<edge>[a-z_]\w*))"
    r"\s*(?:\*[\d.\s]*)?(?:\{(?P<keys>[^{}]*)\}|[)\]]|WHERE\b)",
    re.I,
)
_ELSEWHERE = re.compile(r"\b(?:AS|YIELD)\s+([a-z_]\w*)|([a-z_]\w*)\s+IN\b|([a-z_]\w*)\s*=", re.I)
"""A variable that may be no node and no edge."""
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
    unlabelled = _asked_of_any(code, owners)
    return list(dict.fromkeys([*said, *_missing(asked), *_nowhere(unlabelled)]))


def _asked_of_any(code: str, owners: Collection[str]) -> Iterator[str]:
    """Properties that are asked of nodes and edges without label or type."""
    elsewhere = {name for names in _ELSEWHERE.findall(code) for name in names}
    found: set[str] = set()
    for match in _ANY.finditer(code):
        name = match["node"] or match["edge"]
        if name not in owners and name not in elsewhere:
            found.add(name)
            yield from _KEY.findall(match["keys"] or "")
    yield from (key for name, key in _READ.findall(code) if name in found)


def _nowhere(keys: Iterable[str]) -> Iterator[str]:
    known = {each for properties in (LABELS | TYPES).values() for each in properties}
    for key in keys:
        if key not in known:
            yield f"no node and no edge has the property `{key}`{_did_you_mean(key, known)}"


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
