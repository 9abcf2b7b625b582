"""What a format of product events says of itself: where its id, times, names and items lie.

Every such format is read by the same steps (`messages`, then `events`); a module of its own holds
the table of its places and only those steps that are truly its own. A *place* is a path of JSON
fields, `context.device.id`; of several places the first that is given counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ingestion.record import Rows
from ingestion.table import Table
from ingestion.values import Time

Places = Mapping[str, tuple[str, ...]]
Texts = dict[str, Any]  # column -> an Ibis expression

# Columns that every format has; a place for each is optional.
COLUMNS = (
    "type", "id", "event", "name", "category", "time", "original", "sent", "received",
    "external_ids", "traits", "consent", "platform", "campaign_id", "arm", "products", "item_id",
    "title", "item_category", "price", "quantity", "value", "basket", "object", "text", "session",
)  # fmt: skip

NOT_SET = "(not set)"  # what Google writes for nothing


@dataclass(frozen=True)
class Product:
    """The names of a product's fields in a list of products; of several the first that is given.

    Attributes:
        categories: from the broadest to the finest, each maybe a path (`Home > Light`) itself.
        separator: between the levels of such a path.
    """

    id: tuple[str, ...] = ("product_id", "sku", "id")
    title: tuple[str, ...] = ("name", "title")
    categories: tuple[str, ...] = ("category",)
    price: tuple[str, ...] = ("price",)
    quantity: tuple[str, ...] = ("quantity",)
    separator: str = " > "


def _nothing(_rows: Rows) -> Texts:
    return {}


def _as_found(_rows: Rows, _table: Table, _salt: str) -> Texts:
    return {}


def _unchanged(rows: Rows) -> Rows:
    return rows


@dataclass(frozen=True)
class Format:
    """Where a format of product events keeps what we need.

    Attributes:
        fields: the top-level fields it is known to have; others are accepted and counted.
        prefixes: how further fields may begin that it is known to have.
        places: column (see `COLUMNS`) -> where it may stand.
        identifiers: `namespace` or `namespace.note` -> where it may stand; each is an identifier
            of its own, so that several of one namespace are a claim that they are one person.
        merged: identifier -> the one that the vendor has merged it into, where a message has both.
        times: column -> how it is written; all are `iso` unless said.
        objects: top-level fields that must be objects where they are given.
        profiles: names of events (snake_case) that tell of a person and are no behaviour.
        left_out: names of events (snake_case) that no person caused: records, but no events.
        batch: the top-level field in which several messages may lie; any line may be a list too.
        envelope: fields beside the batch that hold for each of its messages.
        embedded: columns of Parquet files that hold JSON as text.
        parsed: of lines that are not JSON, columns `json` (null: it cannot be) and `trouble` (why).
        unfolded: instead of `batch`, one row per message from lines that hold several.
        unpacked: columns to compute before `objects_of`, which may use them again and again.
        objects_of: further objects as JSON text, for places to point into: name -> expression.
        finished: columns to set or mend once all texts are known; also `kind`, `left_out`,
            identifiers by their name, and `nobody`: whether it is of nobody (robots, tests, what
            was deleted), and so no event either; `newest`: of several with one id the greatest
            counts.
        folded: several events as one, at the very end.
    """

    fields: frozenset[str]
    places: Places
    identifiers: Places
    merged: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, Time] = field(default_factory=dict)
    objects: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    batch: str | None = None
    envelope: tuple[str, ...] = ()
    embedded: tuple[str, ...] = ()
    product: Product = Product()
    parsed: Callable[[Rows], Texts] | None = None
    unfolded: Callable[[Rows], Rows] | None = None
    unpacked: Callable[[Rows], Texts] = _nothing
    objects_of: Callable[[Rows], Texts] = _nothing
    finished: Callable[[Rows, Table, str], Texts] = _as_found
    folded: Callable[[Rows], Rows] = _unchanged


def words(text: str) -> tuple[str, ...]:
    """Names that are written in one text, in their order."""
    return tuple(text.split())


def most_fit(messages: Any, fits: Callable[[Mapping[str, Any]], bool]) -> bool:
    """Whether most of a list are messages of a format; what is no list, or empty, is not."""
    if not isinstance(messages, list):
        return False
    return sum(isinstance(one, dict) and fits(one) for one in messages) * 2 > len(messages)


def namespace(identifier: str) -> str:
    """The namespace of an identifier: `anonymous_id` of `anonymous_id.previous`."""
    return identifier.partition(".")[0]


def commerce(inside: str) -> dict[str, tuple[str, ...]]:
    """Places of the names that the e-commerce spec uses, below a field of the format."""
    names = {
        "campaign_id": ("campaign_id", "utm_campaign"),
        "arm": ("arm",),
        "products": ("products", "items"),
        "item_id": ("product_id", "sku", "item_id"),
        "title": ("name", "title", "product_name"),
        "item_category": ("category",),
        "price": ("price",),
        "quantity": ("quantity",),
        "value": ("value", "revenue", "total"),
        "basket": ("order_id", "checkout_id", "cart_id"),
        "object": ("query", "feature", "object", "list_id", "path"),
        "text": ("text", "message", "comment", "review_body"),
    }
    return {column: tuple(f"{inside}.{name}" for name in own) for column, own in names.items()}


def iso_utc(*columns: str, formats: tuple[str, ...] = ("iso",)) -> dict[str, Time]:
    """Times that are UTC where they carry no zone."""
    return {name: Time(column=name, formats=formats, zone="UTC") for name in columns}
