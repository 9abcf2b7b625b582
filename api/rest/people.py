"""Look-ups of people: by an identifier as the records carry it, or by user id."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from api.graph import Graph
from api.rest.access import graph_of, lake_of, store_of
from api.rest.schemas import (
    GoldenTrait,
    HeldPersona,
    Person,
    PersonPersonas,
    PersonTraits,
    Problem,
    SessionSummary,
    WhyHeld,
)
from api.views import why
from kg.errors import InputError, NotFound
from kg.graph import Person as Found
from kg.graph import person_by_id, person_by_identifier
from kg.lake import Lake
from kg.store.protocol import Store

router = APIRouter(prefix="/people", tags=["people"], responses={404: {"model": Problem}})

OURS = "u_"  # how our own ids of people begin
Identifier = Annotated[
    str,
    Path(
        description="`namespace:value` as the records carry it, such as `email:ann@shop.test`; "
        "or a user id (`u_01ab…`, which may have `user:` in front), also one that the person had "
        "before: the answer has the one of today.",
        examples=["crm:0035g00000AbCdE"],
    ),
]


def _found(
    identifier: Identifier,
    graph: Annotated[Graph, Depends(graph_of)],
    store: Annotated[Store, Depends(store_of)],
) -> Found:
    from ingestion.identity import shown_identifier
    from ingestion.identity.limits import workspace_limits

    if identifier.startswith(OURS) and ":" not in identifier:
        return _by_id(graph, store, identifier)
    namespace, separator, value = identifier.partition(":")
    if not (separator and namespace and value):
        raise InputError(
            "An identifier is written namespace:value.",
            hint=f"For example crm:0035g00000AbCdE; an id of ours begins with {OURS}.",
        )
    if namespace == "user":
        with suppress(NotFound):  # a source may call its own identifiers so, too
            return _by_id(graph, store, value)
    with Lake.open(graph.workspace.path) as lake:
        limits = workspace_limits(lake)
    shown = shown_identifier(graph.workspace.key(), namespace, value, limits)
    return person_by_identifier(store, f"{namespace}:{shown}")


def _by_id(graph: Graph, store: Store, user_id: str) -> Found:
    from ingestion.identity.verdicts import called_now

    try:
        return person_by_id(store, user_id)
    except NotFound:
        with Lake.open(graph.workspace.path) as lake:
            now = called_now(lake, user_id)
        if now is None:
            raise
    return person_by_id(store, now)


# Values may hold slashes, so the longer paths come first.
@router.get("/{identifier:path}/personas/{persona_id}")
def why_held(
    found: Annotated[Found, Depends(_found)],
    persona_id: str,
    lake: Annotated[Lake, Depends(lake_of)],
) -> WhyHeld:
    """Why a person holds a persona, as the newest run left it: what counts towards it, and the
    smallest change that would end it."""
    return WhyHeld.model_validate(why(lake, found.figures["user_id"], persona_id))


@router.get("/{identifier:path}/personas")
def personas_of_person(found: Annotated[Found, Depends(_found)]) -> PersonPersonas:
    """The personas a person holds, with weights and their intervals, heaviest first."""
    held = [HeldPersona(**row) for row in found.personas]
    return PersonPersonas(user_id=found.figures["user_id"], personas=held)


@router.get("/{identifier:path}/traits")
def traits_of_person(
    found: Annotated[Found, Depends(_found)], lake: Annotated[Lake, Depends(lake_of)]
) -> PersonTraits:
    """What holds of a person where records differ, with the rule that chose it and the record that
    said it, and what else was said, as the newest run left it. Personal values are left out, and
    only counted."""
    from ingestion.identity.golden import told_traits

    user_id = found.figures["user_id"]
    traits = [
        GoldenTrait(**_dated(row | {"others": [_dated(one) for one in row["others"]]}))
        for row in told_traits(lake, user_id)
    ]
    return PersonTraits(user_id=user_id, traits=traits)


@router.get("/{identifier:path}")
def person(found: Annotated[Found, Depends(_found)]) -> Person:
    """One person: how much is known and when, without repeating who they are."""
    return Person(
        user_id=found.figures["user_id"],
        identifier_count=found.figures["identifier_count"],
        session_count=found.figures["session_count"],
        first_seen_at=_instant(found.figures["first_seen_ms"]),
        last_seen_at=_instant(found.figures["last_seen_ms"]),
        last_sessions=[_session(row) for row in found.sessions],
    )


def _session(row: dict[str, Any]) -> SessionSummary:
    return SessionSummary(
        session_id=row["session_id"],
        channel=row["channel"],
        started_at=_at(row["started_at_ms"]),
        ended_at=_at(row["ended_at_ms"]),
        event_count=row["event_count"],
    )


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "at_ms"} | {
        "said_at": _at(row["at_ms"])
    }


def _instant(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else _at(at_ms)


def _at(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
