"""Look-ups of personas: all in a few figures, or one with its claims and evidence."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends

from api.rest.access import lake_of, store_of
from api.rest.schemas import (
    Claim,
    Family,
    MicroPersona,
    PersonaDetail,
    PersonaIntents,
    PersonaSubgraph,
    PersonaSummary,
    Problem,
    Step,
)
from api.views import intents, without_few
from kg.graph import families, micro_personas, persona_version, personas
from kg.lake import Lake
from kg.personas.figures import figures
from kg.personas.lineage import names_of
from kg.personas.nodes import in_words
from kg.personas.statistics import MIN_PEOPLE
from kg.personas.subgraph import subgraph, version_in_force
from kg.store.protocol import Store

router = APIRouter(prefix="/personas", tags=["personas"])


@router.get("")
def list_personas(
    store: Annotated[Store, Depends(store_of)], lake: Annotated[Lake, Depends(lake_of)]
) -> list[PersonaSummary]:
    """The personas in force, most people first."""
    names = names_of(lake)
    parents = {row["persona_id"]: row["family_id"] for row in families(store)}
    rows = [row | {"parent_id": parents.get(row["persona_id"])} for row in personas(store)]
    return [PersonaSummary(**_figures(row, names)) for row in rows]


def _figures(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a summary; of too few people there are no words and no figures."""
    found = {name: row[name] for name in PersonaSummary.model_fields}
    name = row["name"] or names.get(row["persona_id"]) or row["persona_id"]
    found |= {"name": name, "summary": row["summary"] or ""}
    return without_few(found)


@router.get("/{persona_id}", responses={404: {"model": Problem}})
def persona(
    persona_id: str,
    store: Annotated[Store, Depends(store_of)],
    lake: Annotated[Lake, Depends(lake_of)],
) -> PersonaDetail:
    """One persona with everything it states, and the evidence of each claim.

    With `@` and a number behind the id: that version, while the graph has it.
    """
    name, _, number = persona_id.partition("@")
    if number.isdecimal() and number.isascii() and len(number) < 10:
        persona_id, found = name, persona_version(store, name, int(number))
    else:
        found = persona_version(store, persona_id)
    words = in_words(lake, ((row["label"], row["node_id"]) for row in found.evidence))
    steps: dict[str, list[list[Step]]] = {}
    for (claim_id, _), rows in groupby(found.evidence, lambda row: (row["claim_id"], row["path"])):
        nodes = [(row["label"], row["node_id"]) for row in rows]
        path = [Step(label=one[0], node_id=one[1], about=words.get(one, "")) for one in nodes]
        steps.setdefault(claim_id, []).append(path)
    family = family_of(store, persona_id)
    figures = found.figures | {"parent_id": family.family_id if family else None}
    return PersonaDetail(
        **_figures(figures, names_of(lake)),
        run_id=figures["run_id"],
        author=figures["author"],
        coverage=figures["coverage"],
        sentences=orjson.loads(figures["sentences"] or "[]"),
        claims=[_claim(row, steps.get(row["claim_id"], [])) for row in found.claims],
        family=family,
        micro_personas=[
            MicroPersona(**{name: row[name] for name in MicroPersona.model_fields})
            for row in micro_personas(store)
            if row["persona_id"] == persona_id
        ],
    )


@router.get("/{persona_id}/intents", responses={403: {"model": Problem}, 404: {"model": Problem}})
def persona_intents(persona_id: str, lake: Annotated[Lake, Depends(lake_of)]) -> PersonaIntents:
    """What the events behind a persona come to, and its types of intent with a line each."""
    version_in_force(lake, persona_id)
    return PersonaIntents.model_validate(intents(lake, persona_id))


@router.get("/{persona_id}/subgraph", responses={404: {"model": Problem}})
def persona_subgraph(persona_id: str, lake: Annotated[Lake, Depends(lake_of)]) -> PersonaSubgraph:
    """What a persona is made of in figures, as its newest run left it: density, hubs, bridges."""
    found = figures(lake, subgraph(lake, version_in_force(lake, persona_id)))
    return PersonaSubgraph.model_validate(asdict(found))


def family_of(store: Store, persona_id: str) -> Family | None:
    """The family of a persona; its people are not told where they would tell those of a few."""
    every = families(store)
    mine = next((row for row in every if row["persona_id"] == persona_id), None)
    if mine is None:
        return None
    inside = [row["persona_id"] for row in every if row["family_id"] == mine["family_id"]]
    named = {name: mine[name] for name in Family.model_fields if name != "persona_ids"}
    held = {row["persona_id"]: row["people"] for row in personas(store)}
    if min(held[one] for one in inside) < MIN_PEOPLE:
        named |= {"people": None, "share": None}
    return Family(**named, persona_ids=inside)


def _claim(row: dict[str, Any], evidence: list[list[Step]]) -> Claim:
    values = dict(row)
    as_of = datetime.fromtimestamp(values.pop("as_of_ms") / 1000, UTC)
    values["params"] = orjson.loads(row["params"])
    values["counts"] = orjson.loads(row["counts"])
    return Claim(**values, as_of=as_of, evidence=evidence)
