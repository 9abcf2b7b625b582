"""A claim as anyone can run it again: parameters, the query, and what follows from its counts."""

import json
from collections.abc import Mapping
from typing import Any

from kg.personas.statistics import Counts, measured
from kg.queries import Dialect, named


def explain(claim: Mapping[str, Any], dialect: Dialect = "neo4j") -> str:
    """The Cypher of a claim with its parameters filled in, then counts and value.

    Args:
        claim: a row of the table `claims` (or `Claim.row`); `params` and `counts` as JSON texts,
            or decoded.
        dialect: whose text of the query; they differ only where a store needs it.
    """
    boxes = _decoded(claim["counts"])
    counts = Counts(*(int(boxes[box]) for box in ("n1", "k1", "n0", "k0")))
    found = measured(counts)
    params = _decoded(claim["params"])
    lines = [f":param {name} => {literal(value)};" for name, value in params.items()]
    lines += ["", named(claim["query"], dialect).text.strip(), ""]
    lines.append(f"// n1 {counts.n1}, k1 {counts.k1}, n0 {counts.n0}, k0 {counts.k0}")
    lines.append(f"// k1 / n1 = {found.value:.4f}, Wilson 95 % {found.low:.4f} to {found.high:.4f}")
    if found.reference_value is not None:
        lines.append(f"// k0 / n0 = {found.reference_value:.4f}, so {found.direction}")
    return "\n".join(lines)


def _decoded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def literal(value: Any) -> str:
    """A parameter as a Cypher literal: maps have bare keys, texts are quoted."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {literal(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False)
