"""Shapes of Cypher that are known to give wrong or slow answers on one of the stores.

What we ship has none of them (a test looks); for analysts' queries they are warnings. It reads the
text roughly: it may miss a shape inside a subquery, and it does not understand types.
"""

import re
from collections.abc import Iterator

from kg.queries import code_of
from kg.schema import EDGES, FLAG, NODES

_CLAUSE = re.compile(
    r"\b(OPTIONAL\s+MATCH|MATCH|WITH|RETURN|UNWIND|MERGE|CREATE|SET|DETACH\s+DELETE|DELETE|REMOVE"
    r"|CALL|UNION|FOREACH|ON\s+CREATE|ON\s+MATCH)\b",
    re.I,
)
_PROPERTY = re.compile(r"\b([a-z_]\w*)\s*\.\s*[a-z_]\w*", re.I)
_NAMED = re.compile(r"[(\[]\s*([a-z_]\w*)", re.I)
_FLAGS = "|".join(
    sorted({name for columns in NODES.values() for name, type_ in columns.items() if type_ == FLAG})
)
_HUB_TYPES = "|".join(sorted({kind.type for kind in EDGES if kind.leaf == "end"}))

CROSS_OR = "OR, XOR, NOT over several variables in a MATCH's WHERE drops rows: filter after WITH *"
BARE_FLAG = "a bare boolean property under a condition drops rows: compare it with true"
HUB_CURRENT = "<-[:CURRENT]- walks every edge of a hub: go out over VERSION_OF, or from the persona"
CROSS = (
    "patterns with a comma between them are paired each with each where they share no variable: "
    "tie them together, or ask one by one"
)
COMMA = "a comma between patterns is a cross product after UNWIND: write MATCH twice"
HUB_MERGE = "MERGE of an edge from a hub is quadratic: name the leaf first"
COMPUTED_BOUND = "a computed bound does not use the index: pass it as a parameter"


def findings(text: str) -> list[str]:
    """Why this text should be written otherwise; empty when nothing is known against it."""
    code = code_of(text)
    found: list[str] = []
    is_unwound = False
    for clause, body in _clauses(code):
        is_unwound |= clause == "UNWIND"
        told = _of_clause(clause, body)
        found += (COMMA if is_unwound and one == CROSS else one for one in told)
    if re.search(r"<-\s*\[\s*\w*\s*:\s*CURRENT\b", code):
        found.append(HUB_CURRENT)
    if re.search(r"(?:>=|<=|<|>)\s*\$\w+\s*[-+*/]", code):
        found.append(COMPUTED_BOUND)
    return sorted(set(found))


def _clauses(code: str) -> Iterator[tuple[str, str]]:
    marks = list(_CLAUSE.finditer(code))
    for mark, after in zip(marks, [*marks[1:], None], strict=True):
        clause = re.sub(r"\s+", " ", mark[1].upper())
        if mark[0] == "WITH" and re.search(r"(STARTS|ENDS)\s+$", code[: mark.start()], re.I):
            continue
        yield clause, code[mark.end() : after.start() if after else len(code)]


def _of_clause(clause: str, body: str) -> Iterator[str]:
    if clause == "MERGE" and re.search(rf"\)\s*-\s*\[\s*\w*\s*:({_HUB_TYPES})\b", body):
        yield HUB_MERGE
    if not clause.endswith("MATCH"):
        return
    pattern, *rest = re.split(r"\bWHERE\b", body, maxsplit=1, flags=re.I)
    where = rest[0] if rest else ""
    if "," in _outside_brackets(pattern):
        yield CROSS
    if re.search(r"\b(OR|XOR|NOT)\b", re.sub(r"\bIS\s+NOT\s+NULL\b", "", where, flags=re.I), re.I):
        bound = set(_NAMED.findall(where)) | set(_PROPERTY.findall(where))
        if len(bound) > 1:
            yield CROSS_OR
    if _FLAGS and re.search(rf"\.({_FLAGS})\b(?!\s*(=|<>|IS\b))", where, re.I):
        yield BARE_FLAG


def _outside_brackets(text: str) -> str:
    depth, kept = 0, []
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            kept.append(character)
    return "".join(kept)
