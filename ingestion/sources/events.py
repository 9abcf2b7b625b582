"""From messages of product events to records: the steps that all formats share.

An event is what a person did; a profile what was said of a person. Merges that a vendor made
(aliases, merged ids) are claims, for the judgements to judge.
"""

from collections.abc import Callable, Iterator
from typing import Any

import ibis

from ingestion.columns import (
    DAY_MS,
    EARLIEST_MS,
    Checked,
    Columns,
    Needs,
    finite,
    first_problem,
    identifier,
    only_finite,
    prepare,
    without_point,
)
from ingestion.details import birth_date, detail_rows
from ingestion.functions import (
    among,
    json_as,
    json_keys,
    json_merged,
    json_only,
    json_shaped,
    json_texts,
    json_values,
    md5,
    no_texts,
)
from ingestion.lengths import is_long, long_values
from ingestion.mapping import Mapping as Mapped
from ingestion.purposes import purpose
from ingestion.record import EVENT, Dataset, Reading, Rows
from ingestion.sources.formats import NOT_SET, Format, namespace
from ingestion.sources.messages import messages, texts
from ingestion.sources.naming import identifier_rows, trust_of
from ingestion.sources.outputs import candidate_rows
from ingestion.sources.verbs import PAID, VERBS, snake_case, verb
from ingestion.table import CONTROL, Table
from ingestion.text import scrub
from ingestion.values import Time
from kg.lake.scratch import Scratch

_NOTHING = ibis.null("string")
_NUMBERS = ("price", "quantity", "value")
_TIMES = ("time", "original", "sent", "received")
# Places whose value must not have become an object or a list.
_PLAIN = ("type", "id", "event")
# What becomes an id or a name in the graph.
_NAMES = (
    "id", "verb", "item_id", "item_category", "object", "name", "category", "campaign_id", "arm",
)  # fmt: skip
_PERSONAL = (
    "email", "phone", "name", "firstName", "first_name", "lastName", "last_name", "address",
    "birthday", "avatar", "username", "website", "description", "id", "distinct_id", "user_id",
    "device_id", "ip", "phone_number", "full_name",
)  # fmt: skip
_WITHOUT = "{" + ",".join(f'"{mark}{name}":null' for name in _PERSONAL for mark in ("", "$")) + "}"
# What traits say of the person: detail -> where, as the vendors' specifications reserve the names.
_TRAITS = {
    "name": ("name", "$name", "full_name"),
    "given_name": ("firstName", "first_name", "$first_name"),
    "family_name": ("lastName", "last_name", "$last_name"),
    "birth_date": ("birthday",),
    "street": ("address.street",),
    "postcode": ("address.postalCode", "address.postal_code"),
    "city": ("address.city",),
    "region": ("address.state",),
    "country": ("address.country",),
    "organisation": ("company.name",),
}
_APP = r"(?i)\b(ios|android|react[-_ ]native|flutter|kotlin|swift|iphone|ipad|mob|mobile)\b"
# What they must begin with.
_JSON = {"traits": "{", "consent": "{", "external_ids": "[", "products": "["}
_CARRIED = ("item_title", "item_categories", "item_price")


def read(scratch: Scratch, dataset: Dataset, mapping: Mapped, salt: str, form: Format) -> Reading:
    """Read the files of a dataset as messages of a format."""
    table = dataset.table
    rows = texts(scratch, messages(scratch, dataset, form), form, table)
    rows = scratch.view(rows.mutate(wrong=_changed(rows), **form.finished(rows, table, salt)))
    rows = scratch.view(rows.mutate(**_of_nobody(rows))) if "nobody" in rows.columns else rows
    rows = _named(scratch, rows, salt)
    rows = scratch.view(rows.mutate(**_meaning(rows, form)))
    columns = _prepared(scratch, rows, form, mapping)
    found = _checked(columns)
    short = _short(columns.rows, form, mapping.described())
    listed = _listed_numbers(columns.rows, form)
    reason, detail = first_problem([*_sound(columns.rows), *found.values(), listed, *short])
    rows = columns.rows
    rows = scratch.view(
        rows.mutate(
            occurred_at_ms=found["occurred"].value,
            recorded_at_ms=ibis.coalesce(found["received"].value, rows.modified_at_ms),
            reason=ibis.coalesce(rows.problem, reason),
            detail=rows.problem.isnull().ifelse(detail, _NOTHING),
            **{f"_{name}": found[name].value for name in _NUMBERS},
        )
    )
    ids = [name for name in rows.columns if name.startswith("id:")]
    outside = rows.external_ids.startswith("[{").fill_null(False)
    kept = rows.select(
        "source", "position", "part", "place", "traits", "consent", "external_ids", "products",
        "session", "occurred_at_ms", "recorded_at_ms", "detail", "left_out", "new_fields", *ids,
        "id", "content",
        kind=rows.kind.fill_null("event"),
        problem="reason",
        raw=rows.reason.notnull().ifelse(ibis.coalesce(rows.raw, rows.line), _NOTHING),
        named=ibis.or_(outside, *[rows[name].notnull() for name in ids]),
        dropped_identifiers="dropped",
        **_event_columns(rows, table, form),
        **_versions(rows),
    )  # fmt: skip
    return Reading(kept, _outputs(scratch, table, form, tuple(ids)))


def _versions(rows: Rows) -> dict[str, Any]:
    """How new each row is, where a format says so of some: of the others the earliest counts."""
    if "newest" not in rows.columns:
        return {}
    return {"version": ibis.coalesce(rows.newest, -rows.recorded_at_ms)}


def _of_nobody(rows: Rows) -> dict[str, Any]:
    """Messages of nobody (robots, tests, what was deleted) name nobody and say nothing."""
    said = [name for name in rows.columns if name.startswith("given:")]
    said += ["external_ids", "traits", "consent"]
    return {name: rows.nobody.ifelse(_NOTHING, rows[name]) for name in said}


def _named(scratch: Scratch, rows: Rows, salt: str) -> Rows:
    """Messages with their identifiers in normal form (`id:<namespace>`) and what they are known
    by: their id, else their content."""
    given = {name: rows[name] for name in rows.columns if name.startswith("given:")}
    if "given:email" in given and "given:user_id" in given:
        user = given["given:user_id"]
        mail = user.contains("@").ifelse(user, _NOTHING)
        given["given:email"] = ibis.coalesce(given["given:email"], mail)
    names = [name.removeprefix("given:") for name in given]
    plain = {
        f"id:{name}": identifier(namespace(name), without_point(given[f"given:{name}"].strip()))
        for name in names
    }
    whole = {name: json_only(rows[name], opens) for name, opens in _JSON.items()}
    changed = rows.products.notnull() & whole["products"].isnull()
    rows = scratch.view(
        rows.mutate(
            **given,
            **plain,
            **whole,
            **snake_case(rows, "event"),
            content=rows.id.isnull().ifelse(md5(ibis.literal(salt) + rows.line), _NOTHING),
            wrong=ibis.coalesce(rows.wrong, changed.ifelse("products: no list", _NOTHING)),
        )
    )
    far = _outside(rows).filter(lambda one: is_long(one["type"]) | is_long(_outside_text(one)))
    dropped: Any = far.length().fill_null(0)
    single = {}
    for number, name in enumerate(names):
        value = rows[f"id:{name}"]
        dropped = dropped + (rows[f"given:{name}"].notnull() & value.isnull()).cast("int64")
        twins = [f"id:{other}" for other in names[:number] if namespace(other) == namespace(name)]
        if twins:
            said = ibis.or_(*[(rows[twin] == value).fill_null(False) for twin in twins])
            single[f"id:{name}"] = said.ifelse(_NOTHING, value)
    return scratch.view(rows.mutate(dropped=dropped, **single))


def _meaning(rows: Rows, form: Format) -> dict[str, Any]:
    """The verb, and unless the format has said so itself: event or profile, left out or not."""
    profile = among(rows["_slug"], sorted(form.profiles)) if form.profiles else ibis.literal(False)
    kind = ibis.cases(
        (rows["_slug"].isnull(), _NOTHING), (profile, "profile"), else_=ibis.literal("event")
    )
    silent = among(rows["_slug"], sorted(form.left_out)) if form.left_out else ibis.literal(False)
    silent = silent.fill_null(False)
    if "nobody" in rows.columns:
        silent = silent | rows.nobody
    usual = {"kind": kind, "left_out": silent, "verb": verb(rows)}
    return {name: made for name, made in usual.items() if name not in rows.columns}


def _prepared(scratch: Scratch, rows: Rows, form: Format, mapping: Mapped) -> Columns:
    times = {name: form.times.get(name, Time(column=name)) for name in _TIMES}
    needs = Needs(numbers=_NUMBERS, times=times)
    return prepare(scratch, rows, lambda rows, name: rows[name], needs, (), mapping.time_zone)


def _sound(rows: Rows) -> list[Checked]:
    """What is wrong with a message before its values are looked at."""
    wrong = rows.wrong.notnull().ifelse("wrong_type", _NOTHING)
    unknown = rows.kind.isnull().ifelse("unknown_type", _NOTHING)
    named = ibis.coalesce(rows.type, rows.event, ibis.literal("none")).substr(0, 40)
    return [
        Checked(rows.wrong, wrong, rows.wrong),
        Checked(rows.kind, unknown, ibis.literal("type: ") + named),
    ]


def _short(rows: Rows, form: Format, described: list[str]) -> Iterator[Checked]:
    """What becomes an id or a name in the graph must not be too long for one."""
    values = {name: rows[name] for name in _NAMES}
    traits = json_texts(rows.traits, ibis.literal([f'$."{name}"' for name in described]))
    values |= {name: traits[number] for number, name in enumerate(described)}
    for problem, name in long_values(values):
        yield Checked(_NOTHING, problem, name)
    named = (*form.product.id, *form.product.categories)
    listed = is_long(rows.products).ifelse(_products(rows, form), None)
    long = listed.filter(lambda one: ibis.or_(*[is_long(one[name]) for name in named]))
    lost = (long.length() > 0).fill_null(False).ifelse("long_value", _NOTHING)
    yield Checked(_NOTHING, lost, ibis.literal("products"))


def _changed(rows: Rows) -> Any:
    """The first place whose value should be a text and is none; null where all are."""
    found = rows.wrong
    for name in (*_PLAIN, *(name for name in rows.columns if name.startswith("given:"))):
        shown = ibis.literal(f"{name.removeprefix('given:')}: no text")
        inside = ibis.coalesce(json_only(rows[name], "{"), json_only(rows[name], "["))
        found = ibis.coalesce(found, inside.notnull().ifelse(shown, _NOTHING))
    return found


def _checked(columns: Columns) -> dict[str, Checked]:
    rows = columns.rows
    latest = rows.modified_at_ms + DAY_MS
    received_at = columns.time("received", latest)
    stated = columns.time("time", latest)
    # The device's clock, put right by how far it was off when it sent.
    skew = (received_at.value - columns.time("sent").value).fill_null(0)
    moved = columns.time("original").value + skew
    moved = moved.between(EARLIEST_MS, latest).ifelse(moved, ibis.null("int64"))
    occurred = rows.time.isnull().ifelse(ibis.coalesce(moved, received_at.value), stated.value)
    gone = rows.time.isnull() & occurred.isnull() & (rows.kind == "event")
    why = rows.original.notnull().ifelse("unreadable_time", "missing_time")
    lost = gone.ifelse(why, _NOTHING)
    numbers = {name: _number(columns, name) for name in _NUMBERS}
    total = numbers["price"].value * numbers["quantity"].value
    return {
        "received": Checked(received_at.value),
        "occurred": Checked(occurred, ibis.coalesce(stated.problem, lost), stated.detail),
        **numbers,
        "total": finite(total, total.notnull(), "price, quantity"),
    }


def _number(columns: Columns, name: str) -> Checked:
    """A number of commerce. Elsewhere `value: dark` is the customer's own and no mistake."""
    number, said = columns.number(name), columns.rows.verb
    matters = among(said, PAID if name == "value" else sorted(VERBS))
    return Checked(number.value, matters.ifelse(number.problem, _NOTHING), number.detail)


def _listed_numbers(rows: Rows, form: Format) -> Checked:
    """Prices and quantities of products, of which none may be a text either."""
    product, said = form.product, among(rows.verb, sorted(VERBS))

    def odd(one: Any) -> Any:
        given = [_first(one, names) for names in (product.price, product.quantity)]
        read = [only_finite(text.try_cast("float64")) for text in given]
        pairs = zip(given, read, strict=True)
        return ibis.or_(*[text.notnull() & number.isnull() for text, number in pairs])

    lost = (said & (_products(rows, form).filter(odd).length() > 0)).fill_null(False)
    return Checked(_NOTHING, lost.ifelse("not_a_number", _NOTHING), ibis.literal("products"))


def _event_columns(rows: Rows, table: Table, form: Format) -> dict[str, Any]:
    price, quantity = rows["_price"], rows["_quantity"]
    value = ibis.coalesce(price * quantity.fill_null(1), rows["_value"])
    about = rows.item_id.notnull()
    app = rows.platform.re_search(_APP).fill_null(False)
    channel: Any = app.ifelse("app", "web")
    if table.channel is not None and table.channel.constant is not None:
        channel = ibis.literal(table.channel.constant)
    # What the UTM rules and GA4 write where there was no campaign.
    none = rows.campaign_id.startswith("(").fill_null(False)
    return {
        "channel": channel,
        "verb": rows.verb,
        "item_id": rows.item_id,
        "item_title": about.ifelse(rows.title, _NOTHING),
        "item_categories": about.ifelse(
            _levels(rows.item_category, separator=form.product.separator), no_texts()
        ),
        "item_price": price,
        "object": about.ifelse(_NOTHING, ibis.coalesce(rows["name"], rows.object)),
        "category": about.ifelse(_NOTHING, ibis.coalesce(rows.category, rows.item_category)),
        "text": scrub(rows.text),
        "basket_id": rows.basket,
        "quantity": quantity,
        "value": among(rows.verb, PAID).ifelse(_signed(rows, value), ibis.null("float64")),
        "campaign_id": none.ifelse(_NOTHING, rows.campaign_id),
        # A word that we do not know stays one of theirs.
        "arm": among(rows.arm.lower(), CONTROL).ifelse("control", rows.arm),
    }


def _levels(*texts: Any, separator: str = " > ") -> Any:
    """Categories from the broadest to the finest; each may be a path itself."""
    found = ibis.array(list(texts)).filter(lambda text: text.notnull()).join(separator)
    return found.nullif("").split(separator).fill_null(no_texts())


def _signed(rows: Rows, value: Any) -> Any:
    """What was returned counts against what was bought, as in every other source."""
    return (rows.verb == "returned").ifelse(-value.abs(), value)


def _outputs(
    scratch: Scratch, table: Table, form: Format, ids: tuple[str, ...]
) -> dict[str, Callable[[Rows], Rows]]:
    told: list[Rows] = []

    def news(rows: Rows) -> Rows:
        """What is new of people, sorted out once for all that say it."""
        if not told:
            told.append(scratch.keep(_news(rows, ids)))
        return told[0]

    return {
        "events": lambda rows: form.folded(_event_rows(rows, form)).select(
            "record_key", "source", "occurred_at_ms", "recorded_at_ms", *EVENT
        ),
        "item_candidates": lambda rows: candidate_rows(_event_rows(rows, form)),
        "identifiers": lambda rows: _identifier_rows(rows, table, ids),
        "profiles": lambda rows: _profile_rows(news(rows)),
        "person_details": lambda rows: _detail_rows(news(rows)),
        "consents": lambda rows: _consent_rows(rows, ids),
        "new_fields": lambda rows: rows.select(name="new_fields").unnest("name"),
        **({"merged_ids": lambda rows: _merged_rows(rows, form)} if form.merged else {}),
    }


def _event_rows(rows: Rows, form: Format) -> Rows:
    """One row per event: a message with a list of products is one for each."""
    rows = rows.filter((rows.kind == "event") & ~rows.left_out)
    listed = (_products(rows, form).length() > 0).fill_null(False)
    columns = [
        "record_key", "source", "occurred_at_ms", "recorded_at_ms", "session", *EVENT, *_CARRIED,
    ]  # fmt: skip
    return (
        rows.filter(~listed).select(*columns).union(_by_product(rows.filter(listed), form, columns))
    )


def _products(rows: Rows, form: Format) -> Any:
    """The products of each message, as a list of their fields; what says nothing is none."""
    product = form.product
    names = dict.fromkeys(
        [*product.id, *product.title, *product.categories, *product.price, *product.quantity]
    )
    shape = "[{" + ",".join(f'"{name}":"VARCHAR"' for name in names) + "}]"
    kind = "array<struct<" + ", ".join(f"{name}: string" for name in names) + ">>"
    found = json_as(rows.products, shape, kind)
    return found.filter(lambda one: ibis.or_(*[one[name].notnull() for name in names]))


def _by_product(rows: Rows, form: Format, columns: list[str]) -> Rows:
    product = form.product
    found = _products(rows, form)
    rows = rows.mutate(product=found, alone=found.length() == 1).unnest("product")

    def text(where: tuple[str, ...]) -> Any:
        return _first(rows.product, where)

    price, quantity = (only_finite(text(one).try_cast("float64"))
                       for one in (product.price, product.quantity))  # fmt: skip
    value = _signed(rows, only_finite(price * quantity.fill_null(1)))
    # What is alone in an order and has no price cost what the order cost.
    value = ibis.coalesce(value, (rows.alone & price.isnull()).ifelse(rows.value, None))
    rows = rows.mutate(
        item_id=text(product.id),
        item_title=text(product.title),
        item_categories=_levels(
            *[text((name,)) for name in product.categories], separator=product.separator
        ),
        item_price=price,
        quantity=quantity,
        value=among(rows.verb, PAID).ifelse(value, ibis.null("float64")),
        object=_NOTHING,
        category=_NOTHING,
    )
    return rows.select(*columns)


def _first(product: Any, names: tuple[str, ...]) -> Any:
    """The first of a product's fields that says something."""
    return ibis.coalesce(*[product[name].nullif("").nullif(NOT_SET) for name in names])


def _identifier_rows(rows: Rows, table: Table, ids: tuple[str, ...]) -> Rows:
    spaces = {name: namespace(name.removeprefix("id:")) for name in ids}
    trusted = {
        name: (space, trust_of(space, table.identifiers.get(space)))
        for name, space in spaces.items()
    }
    plain = identifier_rows(rows, trusted, distinct=False)
    listing = rows.filter(rows.external_ids.startswith("[{").fill_null(False))
    outside = listing.select("record_key", one=_outside(listing)).unnest("one")
    # Whose id it is, the message says; an identifier is written as namespace:value.
    space = outside.one["type"].lower().replace(":", "_")
    text = _outside_text(outside.one).strip()
    value = ibis.cases(
        *((space == name, identifier(name, text)) for name in ("email", "phone")),
        else_=identifier("", text),
    )
    known = dict.fromkeys([*spaces.values(), "email", "phone"])
    trust = ibis.cases(*((space == name, trust_of(name)) for name in known), else_=1)
    outside = outside.select("record_key", namespace=space, value=value, trust=trust.cast("int32"))
    outside = outside.filter(outside.value.notnull() & ~is_long(outside.namespace))
    outside = outside.filter(outside.namespace.notnull())
    said = identifier_rows(listing, trusted, distinct=False)
    new = outside.distinct().anti_join(said, ["record_key", "namespace", "value"])
    return plain.union(new)


def _outside(rows: Rows) -> Any:
    """The ids of other systems that each message lists, each with whose it is."""
    structure = '[{"id":"VARCHAR","type":"VARCHAR","value":"VARCHAR"}]'
    kind = "array<struct<id: string, type: string, value: string>>"
    return json_as(rows.external_ids, structure, kind)


def _outside_text(one: Any) -> Any:
    return ibis.coalesce(one["id"], one["value"])


def _person(rows: Rows, ids: tuple[str, ...]) -> Any:
    return ibis.coalesce(*[rows[name] for name in ids], rows.record_key)


def _news(rows: Rows, ids: tuple[str, ...]) -> Rows:
    """Rows that say something of people. Events carry all traits again and again: only changes
    count."""
    rows = rows.filter(rows.traits.startswith("{").fill_null(False) & (rows.traits != "{}"))
    order = [ibis.coalesce(rows.occurred_at_ms, rows.recorded_at_ms), rows.record_key]
    before = rows.traits.lag().over(group_by=_person(rows, ids), order_by=order)
    rows = rows.mutate(news=(rows.kind == "profile") | (before.fill_null("") != rows.traits))
    rows = rows.filter(rows.news)
    return rows.select("record_key", "source", "occurred_at_ms", "recorded_at_ms", "traits")


def _profile_rows(rows: Rows) -> Rows:
    return rows.select(
        "record_key", "source", "occurred_at_ms", "recorded_at_ms",
        traits=json_merged(rows.traits, _WITHOUT),
    )  # fmt: skip


def _detail_rows(rows: Rows) -> Rows:
    """What the traits say of the person, by the names that the vendors reserve for it."""
    every = [path for paths in _TRAITS.values() for path in paths]
    rows = rows.mutate(said=json_shaped(rows.traits, _nested(every)))

    def text(path: str) -> Any:
        found = rows.said
        for name in path.split("."):
            found = found[name]
        return found.strip().nullif("")

    told = {
        detail: ibis.coalesce(*[text(path) for path in paths]) for detail, paths in _TRAITS.items()
    }
    told["birth_date"] = birth_date(told["birth_date"], ("iso",))
    rows = rows.mutate(**{f"person_{detail}": found for detail, found in told.items()})
    return detail_rows(rows, {detail: f"person_{detail}" for detail in told})


def _nested(paths: list[str]) -> dict[str, Any]:
    """The structure of an object that has texts at these paths."""
    whole: dict[str, Any] = {}
    for path in paths:
        *above, name = path.split(".")
        inside = whole
        for one in above:
            inside = inside.setdefault(one, {})
        inside[name] = "VARCHAR"
    return whole


def _merged_rows(rows: Rows, form: Format) -> Rows:
    """The ids that a message says its vendor has merged, and into which."""
    parts = []
    for gone, kept in form.merged.items():
        value, into = rows[f"id:{gone}"], rows[f"id:{kept}"]
        some = rows.filter((value != into).fill_null(False))
        space = ibis.literal(namespace(kept))
        parts.append(some.select("record_key", namespace=space, value=value, into_value=into))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _consent_rows(rows: Rows, ids: tuple[str, ...]) -> Rows:
    """What a person said of each purpose, when each file first says so; repeats tell nothing."""
    rows = rows.filter(rows.consent.startswith("{").fill_null(False))
    told = rows.select(
        "record_key",
        "source",
        at_ms=ibis.coalesce(rows.occurred_at_ms, rows.recorded_at_ms),
        person=_person(rows, ids),
        said=json_keys(rows.consent).zip(json_values(rows.consent, "$.*")),
    ).unnest("said")
    answer = told.said["f2"].lower()
    told = told.mutate(purpose=purpose(told.said["f1"]), granted=answer.isin(("true", '"true"')))
    told = told.filter(answer.notnull() & (answer != "null"))
    once = ["source", "person", "purpose", "granted"]
    first = ibis.window(group_by=once, order_by=["at_ms", "record_key"])
    told = told.mutate(turn=ibis.row_number().over(first))
    told = told.mutate(until_ms=ibis.null("int64"))
    return told.filter(told.turn == 0).select(
        "record_key", "purpose", "granted", "at_ms", "until_ms", "source"
    )
