"""A claim as anyone can run it again: parameters, the query, and what follows from its counts."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kg.personas.kinds import KINDS
from kg.personas.statistics import LEAST_OTHERS, Counts, comparable, measured, p_value
from kg.queries import Dialect, named


def explain(claim: Mapping[str, Any], dialect: Dialect = "neo4j") -> str:
    """The Cypher of a claim with its parameters filled in, then counts, value and reference.

    Args:
        claim: a row of the table `claims` (or `Claim.row`); `params` and `counts` as JSON texts,
            or decoded.
        dialect: whose text of the query; they differ only where a store needs it.
    """
    boxes = _decoded(claim["counts"])
    counts = Counts(*(tuple(int(n) for n in boxes[box]) for box in ("n1", "k1", "n0", "k0")))
    params = _decoded(claim["params"])
    lines = [f":param {name} => {literal(value)};" for name, value in params.items()]
    lines += ["", named(claim["query"], dialect).text.strip(), ""]
    told = _worked_out(counts, KINDS[claim["kind"]].is_descriptive)
    return "\n".join([*lines, *(f"// {line}" for line in told)])


def _worked_out(counts: Counts, is_descriptive: bool) -> Iterator[str]:
    """From the counts to the numbers, step by step."""
    found = measured(counts)
    kept = comparable(counts.n1, counts.n0)
    terms = []
    for stratum, (n1, k1, n0, k0) in enumerate(zip(*counts.boxes, strict=True)):
        left_out = (
            "" if kept[stratum] or not n1 else f"; left out: fewer than {LEAST_OTHERS} others"
        )
        yield f"activity {stratum}: n1 {n1}, k1 {k1}, n0 {n0}, k0 {k0}{left_out}"
        terms += [f"{n1} * {k0}/{n0}"] if kept[stratum] and n0 else []
    yield (
        f"value = sum k1 / sum n1 = {found.doing} / {found.people} = {found.value:.4f}, "
        f"Wilson 95 % {found.low:.4f} to {found.high:.4f}"
    )
    if found.reference_value is not None:
        yield (
            f"reference = sum n1 * k0/n0, by sum n1 = ({' + '.join(terms)}) / {found.people} = "
            f"{found.reference_value:.4f}, so {found.direction}"
        )
        if is_descriptive:
            yield "not tested: the persona was found by this, so that it differs proves nothing new"
        else:
            yield f"p = {float(p_value(*counts.boxes)):.3g} (Cochran-Mantel-Haenszel)"


def _decoded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def literal(value: Any) -> str:
    """A parameter as a Cypher literal: maps have bare keys, texts are quoted."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {literal(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False)
