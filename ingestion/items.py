"""The catalogue: the items and campaigns there are, from lists of them and from events."""

import ibis
import pyarrow as pa

from ingestion.functions import no_texts
from ingestion.record import Rows
from kg.lake.scratch import Scratch

_COLUMNS = (
    "item_id", "role", "title", "categories", "price", "starts_at_ms", "ends_at_ms", "attributes",
    "record_key",
)  # fmt: skip


def catalogue(
    scratch: Scratch,
    listed: list[Rows],
    said: list[Rows],
    before: pa.Table,
    former: Rows | None,
) -> Rows | None:
    """All items, each once: a list knows best, then what was known before, then what events say.

    Args:
        scratch: the engine.
        listed: rows of lists read now, with the columns of `items`.
        said: what events read now say (item_id, role, title, categories, price), repeated.
        before: the lake's items, without run_id.
        former: records of files that are read again (`reread`), as they were before.

    Returns:
        Rows of `items`; None where there are none to write.
    """
    parts = [rows.select(*_COLUMNS, rank=ibis.literal(0)) for rows in listed]
    if len(before):
        old = scratch.given(before)
        if former is not None:
            old = old.anti_join(former.filter(former.reread), "record_key")
        parts.append(old.select(*_COLUMNS, rank=old.record_key.isnull().ifelse(2, 1)))
    if said:
        parts.append(_from_events(scratch, said).mutate(rank=ibis.literal(3)))
    if not parts:
        return None
    rows = ibis.union(*parts) if len(parts) > 1 else parts[0]
    best = ibis.window(
        group_by=["role", "item_id"], order_by=["rank", ibis.asc("record_key", nulls_first=False)]
    )
    rows = rows.mutate(place=ibis.row_number().over(best))
    return rows.filter(rows.place == 0).select(*_COLUMNS).order_by("role", "item_id")


def _from_events(scratch: Scratch, said: list[Rows]) -> Rows:
    """The title and the categories most often said (ties: the first by alphabet), median price."""
    rows = ibis.union(*said) if len(said) > 1 else said[0]
    rows = rows.mutate(path=rows.categories.join("\x1f"))
    told = scratch.keep(
        rows.group_by("role", "item_id", "title", "path").agg(
            count=rows.count(), prices=rows.price.median(where=rows.price > 0)
        )
    )
    title = _most_said(told, "title")
    path = _most_said(told, "path")
    priced = rows.group_by("role", "item_id").agg(price=rows.price.median(where=rows.price > 0))
    found = priced.left_join(title, ["role", "item_id"]).select("role", "item_id", "price", "title")
    found = found.left_join(path, ["role", "item_id"]).select(
        "role", "item_id", "price", "title", "path"
    )
    empty = no_texts()
    return found.select(
        "item_id", "role", "title",
        categories=found.path.notnull().ifelse(found.path.split("\x1f"), empty),
        price="price",
        starts_at_ms=ibis.null("int64"), ends_at_ms=ibis.null("int64"),
        attributes=ibis.literal("{}"), record_key=ibis.null("string"),
    )  # fmt: skip


def _most_said(told: Rows, name: str) -> Rows:
    given = told.filter(told[name].notnull() & (told[name] != ""))
    counted = given.group_by("role", "item_id", name).agg(count=given["count"].sum())
    order = ibis.window(group_by=["role", "item_id"], order_by=[ibis.desc("count"), ibis.asc(name)])
    ranked = counted.mutate(place=ibis.row_number().over(order))
    return ranked.filter(ranked.place == 0).select("role", "item_id", name)
