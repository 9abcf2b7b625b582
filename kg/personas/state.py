"""The step that states personas: claims chosen and proved, evidence found, words written."""

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kg.activity import cuts
from kg.lake.tables import schema_of
from kg.personas import claims, evidence, intent_types, proof, wording
from kg.personas.llm import DOWN, LlmServer
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from kg.lake import Lake, Step
    from kg.store.protocol import Store

KEPT_CUTS = 50


def state(
    step: "Step",
    lake: "Lake",
    store: "Store",
    *,
    sampled: bool | None = None,
    llm: LlmServer | None = None,
    progress: Progress = silent,
) -> None:
    """Write claims, evidence and wordings of the current persona versions, and a line on each of
    the types of intent they are made of.

    A persona that had a name before keeps it, unless it is no longer true of its holders.

    Args:
        lake: whose tables the graph in `store` shows.
        sampled: the source is a sample of lines; some kinds of claim are then disabled. None: as
            the events say.
        llm: who writes the words; None: the template.

    Raises:
        Disagreement: lake and graph count a claim differently; nothing is written.
    """
    sampled = claims.is_sampled(lake) if sampled is None else sampled
    chosen = claims.choose(lake, sampled=sampled, progress=progress)
    proof.prove(store, chosen.claims, progress)
    paths = evidence.paths(lake, store, chosen.claims, progress)
    before = {words.persona_id: words.name for words in wording.read(lake)}
    wordings, named = wording.word(chosen.claims, llm, progress, before)
    is_down = any(words.instead.startswith(DOWN) for words in wordings)
    types = intent_types.describe(lake, None if is_down else llm, progress)
    step.overwrite("intent_types", _table("intent_types", [one.row for one in types]))
    step.overwrite("claims", _table("claims", [claim.row for claim in named]))
    step.overwrite("evidence", _table("evidence", [row for path in paths for row in path.rows]))
    step.overwrite("wordings", _table("wordings", [w.row for w in wordings]))
    step.summary.update(
        claims=len(named),
        claims_by_kind={kind: n for kind, n in chosen.stated.items() if n},
        tested=chosen.tested,
        claims_tested=sum(claim.q is not None for claim in named),
        strata=cuts(lake).told(),
        disabled=chosen.disabled,
        sampled=sampled,
        evidence_paths=len(paths),
        personas={w.version_id: _told(w) for w in wordings},
        intent_types={
            "described": len(types),
            "by_model": sum(one.author != wording.TEMPLATE for one in types),
            "refused": [one.refused for one in types if one.refused][:KEPT_CUTS],
        },
        renamed=[
            {"version": w.version_id, "before": before[w.persona_id], "name": w.name}
            for w in wordings
            if before.get(w.persona_id, w.name) != w.name
        ],
    )


def _told(words: wording.Wording) -> dict[str, Any]:
    return {
        "name": words.name,
        "author": words.author,
        "coverage": words.coverage,
        "cut": list(words.cut[:KEPT_CUTS]),
        "instead": words.instead,
    }


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    fields = [field for field in schema_of(name) if field.name != "run_id"]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))
