"""Look-ups of people: by an identifier as the records carry it, or by user id."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from api.graph import Graph
from api.rest.access import graph_of, store_of
from api.rest.schemas import HeldPersona, Person, PersonPersonas, Problem, SessionSummary
from kg.errors import InputError, NotFound
from kg.graph import Person as Found
from kg.graph import person_by_id, person_by_identifier
from kg.store.protocol import Store

router = APIRouter(prefix="/people", tags=["people"], responses={404: {"model": Problem}})

Identifier = Annotated[
    str,
    Path(
        description="`namespace:value` as the records carry it, such as `email:ann@shop.test`; "
        "or `user:` and a user id.",
        examples=["crm:0035g00000AbCdE"],
    ),
]


def _found(
    identifier: Identifier,
    graph: Annotated[Graph, Depends(graph_of)],
    store: Annotated[Store, Depends(store_of)],
) -> Found:
    from ingestion.identity import shown_identifier

    namespace, separator, value = identifier.partition(":")
    if not (separator and namespace and value):
        raise InputError(
            "An identifier is written namespace:value.",
            hint="For example crm:0035g00000AbCdE; an id of ours is written user:u_01ab….",
        )
    if namespace == "user":
        with suppress(NotFound):  # a source may call its own identifiers so, too
            return person_by_id(store, value)
    shown = shown_identifier(graph.workspace.key(), namespace, value)
    return person_by_identifier(store, f"{namespace}:{shown}")


# Values may hold slashes, so the longer path comes first.
@router.get("/{identifier:path}/personas")
def personas_of_person(found: Annotated[Found, Depends(_found)]) -> PersonPersonas:
    """The personas a person holds, with weights and their intervals, heaviest first."""
    held = [HeldPersona(**row) for row in found.personas]
    return PersonPersonas(user_id=found.figures["user_id"], personas=held)


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
        started_at=datetime.fromtimestamp(row["started_at_ms"] / 1000, UTC),
        ended_at=datetime.fromtimestamp(row["ended_at_ms"] / 1000, UTC),
        event_count=row["event_count"],
    )


def _instant(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)
