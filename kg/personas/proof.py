"""Claims counted again in the graph: what was chosen in columns is proved by its own query."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from kg.errors import PersonagraphError
from kg.personas.claims import NOBODY, Claim, by_pair, params_of
from kg.personas.kinds import KINDS, Kind
from kg.personas.statistics import Counts
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from kg.store.protocol import Store

MADE_ANEW = (
    "If the graph was changed or damaged, take it away (the folder `graph` of the workspace; of a "
    "Neo4j everything in its database) and run again: it is made anew from the lake."
)
"""What helps where the graph itself says something else; its watermark cannot tell."""


class Disagreement(PersonagraphError):  # noqa: N818 - reads as the fact it states
    """Lake and graph count a claim differently: our own mistake, so nothing is stated."""


def recount(
    store: "Store", claims: Iterable[Claim], progress: Progress = silent
) -> dict[str, Counts]:
    """Count claims in the graph, one query per kind; claim id -> counts (all 0: no such row)."""
    by_kind: dict[str, list[Claim]] = {}
    for claim in claims:
        by_kind.setdefault(claim.kind, []).append(claim)
    found: dict[str, Counts] = {}
    with progress.task("Counting in the graph", len(by_kind)) as task:
        for name, group in by_kind.items():
            found |= _recount(store, KINDS[name], group)
            task.advance()
    return found


def _recount(store: "Store", kind: Kind, claims: list[Claim]) -> dict[str, Counts]:
    before = max((c.params.get("before_ms", 0) for c in claims), default=0)
    found = by_pair(store.run(kind.query, params_of(kind, claims, before)))
    return {c.claim_id: found.get((c.version_id, c.subject), NOBODY) for c in claims}


def prove(store: "Store", claims: Iterable[Claim], progress: Progress = silent) -> None:
    """Count every claim again in the graph.

    Raises:
        Disagreement: the graph counts one of them differently.
    """
    claims = list(claims)
    found = recount(store, claims, progress)
    for claim in claims:
        if found[claim.claim_id] != claim.counts:
            raise Disagreement(
                f"The lake and the graph count a claim ({claim.kind} {claim.subject!r} of "
                f"{claim.version_id}) differently: lake {claim.counts}, "
                f"graph {found[claim.claim_id]}.",
                hint=f"{MADE_ANEW} If they differ again, it is a mistake of ours.",
                claim_id=claim.claim_id,
                lake=asdict(claim.counts),
                graph=asdict(found[claim.claim_id]),
            )
