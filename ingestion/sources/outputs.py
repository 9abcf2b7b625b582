"""What accepted rows of a table say, as rows of the lake."""

from collections.abc import Callable, Iterator
from functools import partial

import ibis

from ingestion.details import detail_rows
from ingestion.functions import no_texts
from ingestion.record import EVENT, Dataset, Rows
from ingestion.sources.naming import Named, identifier_rows, merged_rows
from ingestion.table import DETAILS, Table


def outputs(dataset: Dataset, names: Named) -> Iterator[tuple[str, Callable[[Rows], Rows]]]:
    for name, make in _all_outputs(dataset.table, names):
        yield name, partial(_of_customers, make)


def _of_customers(make: Callable[[Rows], Rows], rows: Rows) -> Rows:
    return make(rows.filter(rows["_concerned"]))


def _all_outputs(table: Table, names: Named) -> Iterator[tuple[str, Callable[[Rows], Rows]]]:
    if names:
        yield "identifiers", lambda rows: identifier_rows(rows, {
            name: (namespace, trust) for name, (_, _, namespace, trust) in names.items()
        })  # fmt: skip
    if table.kind == "event":
        yield "events", lambda rows: _event_rows(rows, len(table.then))
        if table.item or table.campaign:
            yield "item_candidates", candidate_rows
    if table.kind == "profile" and table.traits:
        yield (
            "profiles",
            lambda rows: rows.select(
                "record_key", "source", "occurred_at_ms", "recorded_at_ms", "traits"
            ),
        )
    if table.kind in {"item", "campaign"}:
        role = "campaign" if table.kind == "campaign" else "item"
        yield (
            "items",
            lambda rows: rows.select(
                "item_id",
                title="item_title",
                categories="item_categories",
                price="item_price",
                starts_at_ms="starts_at_ms",
                ends_at_ms="ends_at_ms",
                attributes="attributes",
                record_key="record_key",
                role=ibis.literal(role),
            ),
        )
    if table.consents:
        yield "consents", lambda rows: _consent_rows(rows, len(table.consents))
    if table.person and (said := [n for n in DETAILS if getattr(table.person, n)]):
        yield "person_details", lambda rows: detail_rows(rows, {n: f"person_{n}" for n in said})
    if any(one.merged or one.merged_into for one in table.identifiers.values()):
        yield "merged_ids", lambda rows: merged_rows(rows, table, names)


def _event_rows(rows: Rows, further: int) -> Rows:
    """The event of each row, and the further ones that it tells of."""
    columns = ("record_key", "source", "occurred_at_ms", "recorded_at_ms", *EVENT)
    parts = [rows.select(*columns)]
    for number in range(further):
        happened = rows.filter(rows[f"then_{number}_at"].notnull())
        own = {name: happened[f"then_{number}_{name}"]
               for name in ("verb", "text", "quantity", "value")}  # fmt: skip
        own["occurred_at_ms"] = happened[f"then_{number}_at"]
        own["basket_id"] = ibis.null("string")  # a basket is filled at one time
        parts.append(happened.select(**{name: own.get(name, happened[name]) for name in columns}))
    return ibis.union(*parts) if further else parts[0]


def candidate_rows(rows: Rows) -> Rows:
    """What events say of the items and campaigns they are about, one row per saying."""
    items = rows.filter(rows.item_id.notnull()).select(
        "item_id",
        title="item_title",
        categories="item_categories",
        price="item_price",
        role=ibis.literal("item"),
    )
    campaigns = rows.filter(rows.campaign_id.notnull()).select(
        item_id="campaign_id",
        title=ibis.null("string"),
        categories=no_texts(),
        price=ibis.null("float64"),
        role=ibis.literal("campaign"),
    )
    return items.union(campaigns)


def _consent_rows(rows: Rows, count: int) -> Rows:
    parts = []
    for number in range(count):
        granted, said = rows[f"granted_{number}"], rows[f"purpose_{number}"]
        parts.append(
            rows.filter(granted.notnull() & said.notnull()).select(
                record_key="record_key",
                purpose=said,
                granted=granted,
                at_ms=ibis.coalesce(rows.occurred_at_ms, rows.recorded_at_ms),
                until_ms=rows[f"until_{number}"],
                source="source",
            )
        )
    return ibis.union(*parts) if len(parts) > 1 else parts[0]
