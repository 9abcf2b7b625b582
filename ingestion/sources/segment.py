"""Segment-compatible messages (also RudderStack): JSON lines, one message or one batch each.

Source: the Segment spec (common fields, identify, track, page, screen, group, alias) and its
e-commerce events. `alias` names two ids in one record; whether they are one person is for the
judgements to say.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ibis

from ingestion.columns import (
    DAY_MS,
    EARLIEST_MS,
    Checked,
    Columns,
    Needs,
    first_problem,
    identifier,
    prepare,
    slug,
)
from ingestion.details import birth_date, detail_rows
from ingestion.functions import (
    json_as,
    json_merged,
    json_texts,
    json_valid,
    json_values,
    md5,
    no_texts,
    regexp_replace,
)
from ingestion.mapping import Mapping, Table, Time
from ingestion.record import EVENT, Dataset, Reading, Rows
from ingestion.sources.tables import (
    candidate_rows,
    identifier_rows,
    json_path,
    received,
    trust_of,
)
from ingestion.text import scrub
from kg.lake.files import LINE, POSITION, PROBLEM, RAW
from kg.lake.scratch import Scratch

# What the event names of the e-commerce spec mean; all others keep their name in snake_case.
VERBS = {
    "order_completed": "bought",
    "order_refunded": "returned",
    "order_cancelled": "cancelled",
    "product_viewed": "viewed",
    "product_clicked": "clicked",
    "product_added": "added",
    "product_removed": "removed",
    "product_added_to_wishlist": "wished",
    "product_removed_from_wishlist": "unwished",
    "wishlist_product_added_to_cart": "added",
    "product_shared": "shared",
    "product_reviewed": "reviewed",
    "product_list_viewed": "listed",
    "product_list_filtered": "listed",
    "products_searched": "searched",
    "cart_viewed": "viewed_cart",
    "checkout_started": "checked_out",
    "coupon_applied": "redeemed",
    "promotion_clicked": "clicked",
    "email_delivered": "received",
    "email_opened": "opened",
    "email_link_clicked": "clicked",
}

# Ours -> where it may stand, the first that is given.
PLACES: dict[str, tuple[str, ...]] = {
    "type": ("type",),
    "message_id": ("messageId",),
    "event": ("event",),
    "name": ("name",),
    "category": ("category", "properties.category"),
    "timestamp": ("timestamp",),
    "original": ("originalTimestamp",),
    "sent": ("sentAt",),
    "received": ("receivedAt",),
    "user_id": ("userId", "user_id"),
    "anonymous_id": ("anonymousId", "anonymous_id"),
    "previous_id": ("previousId",),
    "group_id": ("groupId",),
    "email": ("traits.email", "context.traits.email", "properties.email"),
    "phone": ("traits.phone", "context.traits.phone", "properties.phone"),
    "person_name": ("traits.name", "context.traits.name"),
    "person_given_name": ("traits.firstName", "traits.first_name", "context.traits.firstName"),
    "person_family_name": ("traits.lastName", "traits.last_name", "context.traits.lastName"),
    "person_birth_date": ("traits.birthday",),
    "person_street": ("traits.address.street",),
    "person_postcode": ("traits.address.postalCode", "traits.address.postal_code"),
    "person_city": ("traits.address.city",),
    "person_region": ("traits.address.state",),
    "person_country": ("traits.address.country",),
    "person_organisation": ("traits.company.name",),
    "alias_id": ("previousId",),
    "device_id": ("context.device.id",),
    "advertising_id": ("context.device.advertisingId",),
    "may_track": ("context.device.adTrackingEnabled",),
    "external_ids": ("context.externalIds",),
    "traits": ("traits",),
    "consent": ("context.consent.categoryPreferences",),
    "library": ("context.library.name",),
    "campaign_id": ("properties.campaign_id", "context.campaign.id", "context.campaign.name"),
    "arm": ("properties.arm",),
    "products": ("properties.products",),
    "item_id": ("properties.product_id", "properties.sku"),
    "title": ("properties.name", "properties.title"),
    "price": ("properties.price",),
    "quantity": ("properties.quantity",),
    "value": ("properties.value", "properties.revenue", "properties.total"),
    "basket": ("properties.order_id", "properties.checkout_id", "properties.cart_id"),
    "object": (
        "properties.query", "properties.feature", "properties.object", "properties.list_id",
        "properties.path", "context.page.path", "properties.title", "properties.url",
    ),
    "text": (
        "properties.text", "properties.message", "properties.comment", "properties.review_body",
    ),
}  # fmt: skip

NEEDS = Needs(
    numbers=("price", "quantity", "value"),
    times={name: Time(column=name) for name in ("timestamp", "original", "sent", "received")},
)
_PAID = ("bought", "returned")
_PERSONAL_TRAITS = (
    "email", "phone", "name", "firstName", "first_name", "lastName", "last_name", "address",
    "birthday", "avatar", "username", "website", "description", "id",
)  # fmt: skip
_PRODUCT = (
    '[{"product_id":"VARCHAR","sku":"VARCHAR","name":"VARCHAR","category":"VARCHAR",'
    '"price":"VARCHAR","quantity":"VARCHAR"}]'
)
_PRODUCT_TYPE = (
    "array<struct<product_id: string, sku: string, name: string, category: string, "
    "price: string, quantity: string>>"
)
_EVENT_TYPES = ("track", "page", "screen")
_PROFILE_TYPES = ("identify", "group", "alias")
_DETAILS = tuple(name.removeprefix("person_") for name in PLACES if name.startswith("person_"))
_NAMESPACES = ("user_id", "anonymous_id", "email", "phone", "device_id", "advertising_id")


def read(scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str) -> Reading:
    """Read messages as events (track, page, screen) and profiles (identify, group, alias)."""
    table = dataset.table
    messages = _messages(received(scratch, dataset)[0])
    rows = _fields(scratch, scratch.view(messages), table)
    columns = prepare(scratch, rows, lambda table, name: table[name], NEEDS, (), mapping.time_zone)
    rows = columns.rows
    known = rows.type.isin((*_EVENT_TYPES, *_PROFILE_TYPES))
    found = _checked(rows, columns)
    unknown = (~known.fill_null(False)).ifelse("unknown_type", ibis.null("string"))
    strange = Checked(known, unknown, ibis.literal("type: ") + rows.type.fill_null("none"))
    reason, detail = first_problem([strange, *found.values()])
    rows = scratch.view(
        rows.mutate(
            occurred_at_ms=found["occurred"].value,
            recorded_at_ms=ibis.coalesce(found["received"].value, rows.modified_at_ms),
            reason=ibis.coalesce(rows.problem, reason),
            detail=rows.problem.isnull().ifelse(detail, ibis.null("string")),
            _price=found["price"].value,
            _quantity=found["quantity"].value,
            _value=found["value"].value,
            verb=_verb(rows),
        )
    )
    columns = replace(columns, rows=rows)
    ids = {name: rows[name] for name in rows.columns if name.startswith("id_")}
    given = {name: rows[f"given_{name}"] for name in ids}
    named = rows.external_ids.startswith("[{").fill_null(False)
    dropped: Any = ibis.literal(0, "int64")
    for name, value in ids.items():
        dropped = dropped + (given[name] & value.isnull()).cast("int64")
        named = named | value.notnull()
    selected = rows.select(
        "source", "position", "part", "traits", "consent", "external_ids", "products", *ids,
        "occurred_at_ms", "recorded_at_ms", "detail",
        id="message_id", content="content", problem="reason",
        raw=rows.reason.notnull().ifelse(ibis.coalesce(rows.raw, rows.line), ibis.null("string")),
        kind=rows.type.isin(_EVENT_TYPES).fill_null(False).ifelse("event", "profile"),
        named=named,
        dropped_identifiers=dropped.fill_null(0),
        merged_id=_merged_id(rows),
        **_person(rows),
        **_event_columns(columns, table),
    )  # fmt: skip
    return Reading(selected, _outputs(table, tuple(ids)))


def _person(rows: Rows) -> dict[str, Any]:
    """What `identify` says of the person, in the columns `person_<detail>`."""
    said = {f"person_{name}": rows[f"person_{name}"] for name in _DETAILS}
    return said | {"person_birth_date": birth_date(rows.person_birth_date, ("iso",))}


def _merged_id(rows: Rows) -> Any:
    """The user id that `alias` gives up; where it is a device's id nobody else has it so."""
    is_alias = (rows.type == "alias") & rows.id_user_id.notnull()
    given = identifier("user_id", rows.alias_id)
    return (is_alias & (given != rows.id_user_id)).ifelse(given, ibis.null("string"))


def _messages(rows: Rows) -> Rows:
    """One row per message: (source, position, part, modified_at_ms, problem, raw, line)."""
    line = rows[LINE]
    good = (json_valid(line) & line.lstrip().startswith("{")).fill_null(False)
    rows = rows.select(
        "source", "modified_at_ms", position=POSITION,
        problem=(rows[PROBLEM].isnull() & ~good).ifelse("invalid_json", rows[PROBLEM]),
        raw=ibis.coalesce(rows[RAW], good.ifelse(ibis.null("string"), line.substr(0, 1 << 16))),
        line=good.ifelse(line, ibis.null("string")),
    )  # fmt: skip
    holds_batch = rows.line.contains('"batch"').fill_null(False)
    several = rows.filter(holds_batch)
    inside = json_values(several.line, "$.batch[*]")
    several = several.mutate(inside=inside, is_batch=inside.length() > 0)
    single = rows.filter(~holds_batch).union(
        several.filter(~several.is_batch).select(*rows.columns)
    )
    batches = several.filter(several.is_batch)
    envelope = regexp_replace(batches.line, r"(?s)^.*$", "{}", "")
    times = json_texts(batches.line, ibis.literal(["$.sentAt", "$.receivedAt"]))
    for number, name in enumerate(("sentAt", "receivedAt")):
        given = ibis.literal(f'{{"{name}":"') + times[number] + '"}'
        envelope = json_merged(envelope, given.fill_null("{}"))
    batches = batches.mutate(envelope=envelope).unnest("inside", offset="number")
    exploded = batches.mutate(line=json_merged(batches.envelope, batches.inside))
    exploded = exploded.select(*rows.columns, part=exploded.number.cast("string"))
    return single.mutate(part=ibis.null("string")).union(exploded.select(*rows.columns, "part"))


def _fields(scratch: Scratch, messages: Rows, table: Table) -> Rows:
    """The texts that stand in each message, identifiers in their normal form."""
    own = {
        f"own_{name}_{number}": (column,)
        for name, declared in table.identifiers.items()
        for number, column in enumerate(declared.column)
    }
    places = {**PLACES, **own}
    paths = list(dict.fromkeys(path for where in places.values() for path in where))
    at = {path: number for number, path in enumerate(paths)}
    found = json_texts(messages.line, ibis.literal([json_path(path) for path in paths]))
    rows = scratch.view(messages.mutate(_found=found))
    texts = {
        name: ibis.coalesce(*[rows._found[at[path]].nullif("") for path in where])
        for name, where in places.items()
    }
    rows = scratch.view(rows.mutate(**texts, content=md5(rows.line)).drop("_found"))
    nothing = ibis.null("string")
    given = {name: rows[name] for name in (*_NAMESPACES, "previous_id", *own)}
    mail_as_user = rows.user_id.contains("@").ifelse(rows.user_id, nothing)
    given["email"] = ibis.coalesce(rows.email, mail_as_user)
    other = rows.previous_id != rows.anonymous_id.fill_null("")
    given["previous_id"] = other.ifelse(rows.previous_id, nothing)
    given["advertising_id"] = (rows.may_track == "true").ifelse(rows.advertising_id, nothing)
    ids = {f"id_{name}": identifier(_namespace(name), text.strip()) for name, text in given.items()}
    counts = {f"given_id_{name}": text.notnull() for name, text in given.items()}
    return scratch.view(rows.mutate(**ids, **counts).drop(*given, "may_track"))


def _namespace(name: str) -> str:
    """Of a column of ours: `email`, `previous_id`, `own_crm_0`."""
    if name.startswith("own_"):
        return name.removeprefix("own_").rpartition("_")[0]
    return "anonymous_id" if name == "previous_id" else name


def _checked(rows: Rows, columns: Columns) -> dict[str, Checked]:
    latest = rows.modified_at_ms + DAY_MS
    received_at = columns.time("received", latest)
    stated = columns.time("timestamp", latest)
    # The device's clock, put right by how far it was off when it sent.
    skew = (received_at.value - columns.time("sent").value).fill_null(0)
    moved = columns.time("original").value + skew
    moved = moved.between(EARLIEST_MS, latest).ifelse(moved, ibis.null("int64"))
    occurred = rows.timestamp.isnull().ifelse(ibis.coalesce(moved, received_at.value), stated.value)
    lost = (rows.timestamp.isnull() & occurred.isnull()).ifelse("missing_time", None)
    problem = ibis.coalesce(stated.problem, lost)
    return {
        "received": Checked(received_at.value),
        "occurred": Checked(occurred, problem, stated.detail),
        "price": columns.number("price"),
        "quantity": columns.number("quantity"),
        "value": columns.number("value"),
    }


def _verb(rows: Rows) -> Any:
    verb = slug(rows.event)
    verb = ibis.cases(*((verb == name, word) for name, word in VERBS.items()), else_=verb)
    is_view = rows.type.isin(("page", "screen")).fill_null(False)
    return ibis.coalesce(is_view.ifelse("viewed", verb), "did_something")


def _event_columns(columns: Columns, table: Table) -> dict[str, Any]:
    rows = columns.rows
    about_item = rows.type.notin(("page", "screen")) & rows.item_id.notnull()
    price, quantity = rows["_price"], rows["_quantity"]
    paid = rows.verb.isin(_PAID)  # looking at a thing costs nothing
    value = ibis.coalesce(price * quantity.fill_null(1), rows["_value"])
    app = rows.library.re_search("(?i)ios|android|react-native|flutter|kotlin|swift")
    channel = ((rows.type == "screen") | app.fill_null(False)).ifelse("app", "web")
    nothing = ibis.null("string")
    if table.channel is not None and table.channel.constant is not None:
        channel = ibis.literal(table.channel.constant)
    return {
        "channel": channel,
        "verb": rows.verb,
        "item_id": about_item.ifelse(rows.item_id, nothing),
        "item_title": about_item.ifelse(rows.title, nothing),
        "item_categories": (about_item & rows.category.notnull()).ifelse(
            rows.category.split(" > "), no_texts()
        ),
        "item_price": price,
        "object": about_item.ifelse(nothing, ibis.coalesce(rows.name, rows.object)),
        "category": about_item.ifelse(nothing, rows.category),
        "text": scrub(rows.text),
        "basket_id": rows.basket,
        "quantity": quantity,
        "value": paid.ifelse(_signed(rows, value), ibis.null("float64")),
        "campaign_id": rows.campaign_id,
        "arm": rows.arm,
    }


def _signed(rows: Rows, value: Any) -> Any:
    """What was returned counts against what was bought, as in every other source."""
    return (rows.verb == "returned").ifelse(-value.abs(), value)


def _outputs(table: Table, ids: tuple[str, ...]) -> dict[str, Callable[[Rows], Rows]]:
    return {
        "events": lambda rows: _event_rows(rows).select(
            "record_key", "source", "occurred_at_ms", "recorded_at_ms", *EVENT
        ),
        "item_candidates": lambda rows: candidate_rows(_event_rows(rows)),
        "identifiers": lambda rows: _identifier_rows(rows, table, ids),
        "profiles": _profile_rows,
        "person_details": lambda rows: detail_rows(rows, {n: f"person_{n}" for n in _DETAILS}),
        "merged_ids": lambda rows: rows.filter(rows.merged_id.notnull()).select(
            "record_key",
            namespace=ibis.literal("user_id"),
            value="merged_id",
            into_value="id_user_id",
        ),
        "consents": _consent_rows,
    }


def _event_rows(rows: Rows) -> Rows:
    """One row per event: a message with a list of products is one for each."""
    rows = rows.filter(rows.kind == "event")
    listed = rows.products.startswith("[{").fill_null(False)
    columns = [
        "record_key", "source", "occurred_at_ms", "recorded_at_ms", *EVENT,
        "item_title", "item_categories", "item_price",
    ]  # fmt: skip
    several = rows.filter(listed)
    products = json_as(several.products, _PRODUCT, _PRODUCT_TYPE)
    several = several.mutate(product=products).unnest("product")
    one = several.product
    price, quantity = (_finite(one[name]) for name in ("price", "quantity"))
    several = several.mutate(
        item_id=ibis.coalesce(one["product_id"], one["sku"]),
        item_title=one["name"],
        item_categories=one["category"].notnull().ifelse(one["category"].split(" > "), no_texts()),
        item_price=price,
        quantity=quantity,
        value=several.verb.isin(_PAID).ifelse(
            _signed(several, price * quantity.fill_null(1)), ibis.null("float64")
        ),
        object=ibis.null("string"),
        category=ibis.null("string"),
    )
    return rows.filter(~listed).select(*columns).union(several.select(*columns))


def _finite(text: Any) -> Any:
    number = text.try_cast("float64")
    return (number.isnan() | number.isinf()).ifelse(ibis.null("float64"), number)


def _identifier_rows(rows: Rows, table: Table, ids: tuple[str, ...]) -> Rows:
    named: dict[str, tuple[str, int]] = {}
    for name in ids:
        space = _namespace(name.removeprefix("id_"))
        named[name] = (space, trust_of(space, table.identifiers.get(space)))
    plain = identifier_rows(rows, named, distinct=False)
    listing = rows.filter(rows.external_ids.startswith("[{").fill_null(False))
    outside = listing
    structure, kind = (
        '[{"id":"VARCHAR","type":"VARCHAR"}]',
        "array<struct<id: string, type: string>>",
    )
    outside = outside.select(
        "record_key", one=json_as(outside.external_ids, structure, kind)
    ).unnest("one")
    space, text = outside.one["type"].lower(), outside.one["id"].strip()
    value = ibis.cases(
        *((space == name, identifier(name, text)) for name in ("email", "phone")),
        else_=identifier("", text),
    )
    trust = ibis.cases(*((space == name, trust_of(name)) for name in (*_NAMESPACES,)), else_=1)
    outside = outside.select("record_key", namespace=space, value=value, trust=trust.cast("int32"))
    outside = outside.filter(outside.namespace.notnull() & outside.value.notnull())
    said = identifier_rows(listing, named)
    new = outside.distinct().anti_join(said, ["record_key", "namespace", "value"])
    return plain.union(new)


def _profile_rows(rows: Rows) -> Rows:
    rows = rows.filter((rows.kind == "profile") & rows.traits.startswith("{").fill_null(False))
    without = "{" + ",".join(f'"{name}":null' for name in _PERSONAL_TRAITS) + "}"
    return rows.select(
        "record_key", "source", "occurred_at_ms", "recorded_at_ms",
        traits=json_merged(rows.traits, without),
    )  # fmt: skip


def _consent_rows(rows: Rows) -> Rows:
    """What a person said of each purpose, when it was first said so; repeats tell nothing new."""
    rows = rows.filter(rows.consent.startswith("{").fill_null(False))
    person = ibis.coalesce(rows.id_user_id, rows.id_anonymous_id, rows.record_key)
    said = json_as(rows.consent, '"MAP(VARCHAR,VARCHAR)"', "map<string, string>")
    told = rows.select(
        "record_key", "occurred_at_ms", person=person, said=said, purpose=said.keys()
    ).unnest("purpose")
    told = told.mutate(granted=told.said[told.purpose].lower() == "true")
    first = ibis.window(
        group_by=["person", "purpose", "granted"], order_by=["occurred_at_ms", "record_key"]
    )
    told = told.mutate(place=ibis.row_number().over(first))
    return told.filter(told.place == 0).select(
        "record_key", "purpose", "granted", at_ms="occurred_at_ms"
    )
