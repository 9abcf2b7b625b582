"""What a mapping declares of a row, as columns that are checked: its own times, event, item, traits
and consents, and what it must not be."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import ibis

from ingestion.columns import DAY_MS, Checked, Columns
from ingestion.functions import among, json_text, no_texts
from ingestion.lengths import long_values
from ingestion.purposes import EVERY, purpose
from ingestion.table import Table, Then
from ingestion.text import scrub

_NAMES = (
    "key", "verb", "channel", "item_id", "item_categories", "object", "category", "campaign_id",
)  # fmt: skip


def by_kind(table: Table, columns: Columns) -> dict[str, Checked]:
    latest = columns.rows.modified_at_ms + DAY_MS
    found = {"time": columns.time("time", latest, required=table.kind == "event")}
    if table.newest:
        found["newest"] = columns.time("newest", latest)
    if table.newest_file:
        found["newest"] = Checked(columns.rows.modified_at_ms)
    if table.kind == "event":
        found |= dict(_event(table, columns))
    if table.kind in {"item", "campaign"}:
        found |= dict(_item(table, columns))
    if table.traits:
        found["traits"] = Checked(_traits(table, columns))
    found |= dict(_consents(table, columns))
    if table.consents and table.kind != "event":
        denied = ibis.or_(*[~found[f"granted_{number}"].value
                            for number in range(len(table.consents))])  # fmt: skip
        times = {"time", "newest", *(f"until_{number}" for number in range(len(table.consents)))}
        for name in found.keys() & times:
            found[name] = _unless(denied.fill_null(False), found[name])
    return found


def _unless(denied: Any, time: Checked) -> Checked:
    """A denial counts whenever it was said, so one whose time cannot be read is no problem."""
    return replace(time, problem=denied.ifelse(ibis.null("string"), time.problem))


def _consents(table: Table, columns: Columns) -> Iterator[tuple[str, Checked]]:
    """What a row grants and denies. A denial that names no purpose is one of all; a row that is one
    decision and lacks its answer, or grants it does not say what, is a problem."""
    nothing = ibis.null("string")
    for number, consent in enumerate(table.consents):
        answer = columns.text(consent.granted).lower()
        yes, no = ([word.lower() for word in words] for words in (consent.yes, consent.no))
        granted = ibis.cases(
            (among(answer, yes), True), (among(answer, no), False), else_=ibis.null("boolean")
        )
        given = columns.value(consent.purpose)
        is_decision = table.kind == "consent" and consent.purpose.constant is None
        unknown = granted.isnull() if is_decision else answer.notnull() & granted.isnull()
        shown = ibis.literal(f"{consent.granted}: ") + answer.substr(0, 40).fill_null("nothing")
        yield f"granted_{number}", Checked(granted, unknown.ifelse("unknown_value", nothing), shown)
        vague = given.isnull() & granted.fill_null(False) & ibis.literal(is_decision)
        wanted = ibis.literal(", ".join(consent.purpose.columns()))
        given = (~granted).fill_null(False).ifelse(given.fill_null(EVERY), given)
        yield (
            f"purpose_{number}",
            Checked(purpose(given), vague.ifelse("missing_id", nothing), wanted),
        )
        until = columns.time(f"until_{number}")
        yield f"until_{number}", replace(until, value=granted.ifelse(until.value, None))


def _event(table: Table, columns: Columns) -> Iterator[tuple[str, Checked]]:
    verb = columns.verb(table.verb)
    lost = verb.isnull().ifelse("unknown_value", ibis.null("string"))
    yield "verb", Checked(verb, lost, ibis.literal("verb"))
    yield "channel", Checked(columns.value(table.channel))
    item = table.item
    yield "item_id", Checked(item_id(table, columns))
    yield "item_title", Checked(columns.value(item.title if item else None))
    yield "item_categories", Checked(_categories(table, columns))
    yield "item_price", columns.amount(item.price if item else None)
    yield "object", Checked(columns.value(table.object))
    yield "category", Checked(columns.value(table.category))
    text = scrub(columns.paragraphs(table.text)) if table.text else ibis.null("string")
    yield "text", Checked(text)
    yield "basket_id", Checked(columns.value(table.basket))
    yield "quantity", columns.amount(table.quantity)
    yield "value", columns.amount(table.value)
    campaign = table.campaign
    yield "campaign_id", Checked(columns.value(campaign.id if campaign else None))
    yield "arm", columns.arm(campaign) if campaign else Checked(ibis.null("string"))
    for number, further in enumerate(table.then):
        yield from _further(number, further, columns)


def _further(number: int, then: Then, columns: Columns) -> Iterator[tuple[str, Checked]]:
    """What a further event of a row needs; only where the row says that it happened."""
    happened = columns.holds(then.when)
    latest = columns.rows.modified_at_ms + DAY_MS
    nothing = ibis.null("string")
    time = columns.time(f"then_{number}", latest)
    problem = happened.ifelse(time.problem, nothing)
    yield (
        f"then_{number}_at",
        Checked(happened.ifelse(time.value, ibis.null("int64")), problem, time.detail),
    )
    verb = columns.verb(then.verb)
    lost = (happened & time.value.notnull() & verb.isnull()).ifelse("unknown_value", nothing)
    yield f"then_{number}_verb", Checked(verb, lost, ibis.literal("verb"))
    text = scrub(columns.paragraphs(then.text)) if then.text else nothing
    yield f"then_{number}_text", Checked(text)
    yield f"then_{number}_quantity", columns.amount(then.quantity)
    yield f"then_{number}_value", columns.amount(then.value)


def item_id(table: Table, columns: Columns) -> Any:
    if table.item is None:
        return ibis.null("string")
    found = columns.value(table.item.id)
    for condition in table.item.unless:
        found = columns.holds(condition).ifelse(ibis.null("string"), found)
    return found


def _categories(table: Table, columns: Columns) -> Any:
    names = table.item.categories if table.item else ()
    if not names:
        return no_texts()
    if len(names) == 1 and names[0] in columns.lists:
        return columns.several(names[0]).fill_null(no_texts())
    # A finer category without the broader one would stand at the wrong level.
    levels = [columns.text(name) for name in names]
    whole = [ibis.and_(*[level.notnull() for level in levels[: n + 1]]) for n in range(len(levels))]
    return ibis.array(
        [ok.ifelse(level, ibis.null("string")) for ok, level in zip(whole, levels, strict=True)]
    ).filter(lambda level: level.notnull())


def _item(table: Table, columns: Columns) -> Iterator[tuple[str, Checked]]:
    item = table.item
    assert item is not None  # noqa: S101 - the mapping's own check
    yield "item_id", Checked(item_id(table, columns))
    yield "item_title", Checked(columns.value(item.title))
    yield "item_categories", Checked(_categories(table, columns))
    yield "item_price", columns.amount(item.price)
    yield "starts_at_ms", Checked(columns.time("starts").value)
    yield "ends_at_ms", Checked(columns.time("ends").value)
    yield "attributes", Checked(json_object({name: columns.text(name) for name in item.attributes}))


def _traits(table: Table, columns: Columns) -> Any:
    return json_object({name: columns.text(column) for name, column in table.traits.items()})


def json_object(values: dict[str, Any]) -> Any:
    """A JSON object of texts, without what is missing."""
    if not values:
        return ibis.literal("{}")
    parts = [
        value.notnull().ifelse(
            ibis.literal(f"{_json_text(name)}:") + json_text(value), ibis.null("string")
        )
        for name, value in values.items()
    ]
    inside = ibis.array(parts).filter(lambda part: part.notnull()).join(",")
    return ibis.literal("{") + inside.fill_null("") + ibis.literal("}")


def _json_text(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def expected(table: Table, columns: Columns) -> Iterator[tuple[str, Checked]]:
    for number, (name, pattern) in enumerate(table.expects.items()):
        text = columns.text(name)
        strange = (text.notnull() & ~text.re_search(pattern)).fill_null(False)
        reason = strange.ifelse("unknown_value", ibis.null("string"))
        yield f"_expected_{number}", Checked(text, reason, ibis.literal(name))


def short(
    table: Table, columns: Columns, found: dict[str, Checked]
) -> Iterator[tuple[str, Checked]]:
    """What becomes an id or a name in the graph must not be too long for one."""
    values = {name: one.value for name, one in found.items()
              if name in _NAMES or name.endswith("_verb")}  # fmt: skip
    values |= {name: columns.text(table.traits[name]) for name in table.describe
               if name in table.traits}  # fmt: skip
    for number, (problem, name) in enumerate(long_values(values)):
        yield f"_short_{number}", Checked(ibis.null("string"), problem, name)


def single(table: Table, columns: Columns) -> Iterator[tuple[str, Checked]]:
    """In JSON, an id that has become an object or a list is another type, not another id."""
    names = [*table.key, *(one for named in table.identifiers.values() for one in named.column)]
    for value in (table.item and table.item.id, table.campaign and table.campaign.id):
        names += value.columns() if value else ()
    for number, name in enumerate(dict.fromkeys(names)):
        if name in table.lists:
            continue
        text = columns.text(name)
        strange = text.re_search(r"^\s*[\[{]").fill_null(False)
        reason = strange.ifelse("wrong_type", ibis.null("string"))
        yield f"_single_{number}", Checked(text, reason, ibis.literal(name))
