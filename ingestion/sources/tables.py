"""Generic tables (CSV, Parquet, JSON lines): a mapping says which column is what."""

from collections.abc import Callable, Iterator
from typing import Any

import ibis
import pyarrow as pa

from ingestion.columns import (
    DAY_MS,
    Checked,
    Columns,
    Needs,
    as_text,
    first_problem,
    identifier,
    prepare,
)
from ingestion.details import detail_rows, details
from ingestion.functions import json_text, json_texts, json_valid, md5, no_texts
from ingestion.mapping import DETAILS, NAMESPACES, Identifier, Mapping, Table, Time, Value
from ingestion.record import EVENT, Dataset, Reading, Rows
from ingestion.text import scrub
from kg.lake.files import LINE, PATH, POSITION, PROBLEM, RAW
from kg.lake.scratch import Scratch

_OURS = {PATH, POSITION, PROBLEM, RAW}
_KINDS = {"event": "event", "profile": "profile", "consent": "profile"}


def read(scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str) -> Reading:
    """Read the readable files of a dataset as records of its kind.

    Args:
        scratch: the engine that holds the staged files.
        dataset: a generic table with staged sources of one shape.
        mapping: what it belongs to.
        salt: keeps content hashes of one workspace from being compared with another's.
    """
    table = dataset.table
    rows, own, find = _findable(scratch, dataset)
    columns = prepare(scratch, rows, find, _needs(table), table.missing, mapping.time_zone)
    rows = columns.rows
    names = _identifier_columns(table, columns)
    found = _by_kind(table, columns)
    if table.person:
        found |= {f"person_{name}": Checked(text) for name, text
                  in details(table.person, columns).items()}  # fmt: skip
    found |= _merged_columns(table, columns)
    key = columns.joined(table.key, "/") if table.key else _default_key(table, columns)
    if key is not None:
        lost = key.isnull().ifelse("missing_id", ibis.null("string"))
        found = {"key": Checked(key, lost, ibis.literal(", ".join(table.key) or "item")), **found}
    part = columns.text(table.part) if table.part else ibis.null("string")
    rows = scratch.view(_valued(rows, names, found, key, part))
    reason = rows["_reason"]
    selected = rows.select(
        "source",
        "id",
        "part",
        "detail",
        "occurred_at_ms",
        "named",
        "dropped_identifiers",
        *[name for name in (*names, *found) if name not in {"time", "key"}],
        position=POSITION,
        content=_content(rows, own, table, salt) if key is None else ibis.null("string"),
        problem=reason,
        raw=reason.notnull().ifelse(_raw(rows, own), ibis.null("string")),
        kind=ibis.literal(_KINDS.get(table.kind or "", "item")),
        recorded_at_ms=rows.modified_at_ms,
    )
    return Reading(selected, dict(_outputs(dataset, names)))


def _valued(rows: Rows, names: "Named", found: dict[str, Checked], key: Any, part: Any) -> Rows:
    """The rows with everything the records need, and `_reason` where they cannot have it."""
    reason, detail = first_problem(list(found.values()))
    dropped = [given.notnull() & value.isnull() for given, value, _, _ in names.values()]
    structural = rows[PROBLEM]
    return rows.mutate(
        id=ibis.null("string") if key is None else key,
        part=part,
        occurred_at_ms=found["time"].value,
        named=ibis.or_(*[value.notnull() for _, value, _, _ in names.values()]),
        dropped_identifiers=_total([one.cast("int64") for one in dropped]),
        _reason=ibis.coalesce(structural, reason),
        detail=structural.isnull().ifelse(detail, ibis.null("string")),
        **{name: value for name, (_, value, _, _) in names.items()},
        **{name: one.value for name, one in found.items() if name not in {"time", "key"}},
    )


def _needs(table: Table) -> Needs:
    amounts = [table.quantity, table.value, table.item.price if table.item else None]
    numbers = [name for value in amounts if value for name in value.columns()]
    conditions = [case.when for case in table.verb]
    conditions += table.item.unless if table.item else ()
    numbers += [name for one in conditions for name, test in one.items() if test.is_numeric()]
    times = {"time": table.time}
    if table.item:
        times |= {"starts": table.item.starts, "ends": table.item.ends}
    given = {label: time for label, time in times.items() if time is not None}
    return Needs(tuple(used_columns(table)), tuple(numbers), given)


def received(scratch: Scratch, dataset: Dataset) -> tuple[Rows, dict[str, str]]:
    """The rows of a dataset's readable files, with `source` and `modified_at_ms` of their file.

    Returns:
        The rows, and the files' own column names -> what they are called here, so that no name of
        theirs is mistaken for one of ours.
    """
    sources = [source for source in dataset.sources if source.name in dataset.staged]
    rows = scratch.rows([dataset.staged[source.name] for source in sources])
    theirs = [name for name in rows.columns if name not in {*_OURS, LINE}]
    names = {name: f"_u{number}" for number, name in enumerate(theirs)}
    rows = rows.rename({ours: name for name, ours in names.items()})
    if len(sources) == 1:
        rows = rows.mutate(
            source=ibis.literal(sources[0].name),
            modified_at_ms=ibis.literal(sources[0].modified_at_ms, "int64"),
        )
        return rows, names
    files = scratch.given(
        pa.table(
            {
                PATH: [str(dataset.staged[source.name].path) for source in sources],
                "source": [source.name for source in sources],
                "modified_at_ms": [source.modified_at_ms for source in sources],
            }
        )
    )
    return rows.inner_join(files, PATH), names


def json_fields(rows: Rows, paths: list[str]) -> Rows:
    """JSON lines with `_fields`, the values at the paths as text; what is no JSON object is a
    problem `invalid_json` and keeps its line as `_raw`."""
    line = rows[LINE]
    good = (json_valid(line) & line.lstrip().startswith("{")).fill_null(False)
    broken = rows[PROBLEM].isnull() & ~good
    rows = rows.mutate(
        **{
            PROBLEM: broken.ifelse("invalid_json", rows[PROBLEM]),
            RAW: broken.ifelse(line.substr(0, 1 << 16), rows[RAW]),
            LINE: good.ifelse(line, ibis.null("string")),
        }
    )
    return rows.mutate(_fields=json_texts(rows[LINE], ibis.literal(paths)))


def json_path(name: str) -> str:
    """`a.b` as the JSON path of the field b inside a."""
    return "$." + ".".join(f'"{part}"' for part in name.split("."))


def _findable(
    scratch: Scratch, dataset: Dataset
) -> tuple[Rows, dict[str, str], Callable[[Rows, str], Any]]:
    """The rows with what their linked files add, what their own columns are called here, and how
    a name of the mapping is found among them."""
    rows, names = received(scratch, dataset)
    links = dataset.table.links
    fields: dict[str, int] = {}
    if LINE in rows.columns:
        used = {name for name in used_columns(dataset.table) if name.split(".")[0] not in links}
        paths = sorted(used | {own for link in links.values() for own in link.matches()})
        rows = scratch.view(json_fields(rows, [json_path(path) for path in paths]))
        fields = {path: number for number, path in enumerate(paths)}
    places = dict(names)

    def find(table: Rows, name: str) -> Any:
        return table._fields[fields[name]] if name in fields else table[places[name]]

    for number, (label, link) in enumerate(links.items()):
        first, added = _first_of_each(scratch, dataset, label, number)
        on = [
            as_text(find(rows, own)) == first[f"_k{place}"]
            for place, own in enumerate(link.matches())
        ]
        keys = [f"_k{place}" for place in range(len(on))]
        rows = scratch.view(rows.left_join(first, on).drop(*keys))
        places |= added
    return rows, names, find


def _first_of_each(
    scratch: Scratch, dataset: Dataset, label: str, number: int
) -> tuple[Rows, dict[str, str]]:
    """The first row of a linked file for each value of its keys `_k0`, …, and what
    `link.column` is called in it."""
    other = scratch.rows(dataset.links[label])
    matches = dataset.table.links[label].matches()
    keys = {f"_k{place}": as_text(other[at]) for place, at in enumerate(matches.values())}
    values = [name for name in other.columns if name not in _OURS]
    added = {f"{label}.{name}": f"_l{number}_{place}" for place, name in enumerate(values)}
    first = other.group_by(**keys).agg(
        **{added[f"{label}.{name}"]: other[name].argmin(other[POSITION]) for name in values}
    )
    return scratch.view(first), added


def used_columns(table: Table) -> list[str]:
    """The columns a table's mapping names, each once, in the order of the mapping."""
    names = [*table.key, *([table.part] if table.part else [])]
    for declared in table.identifiers.values():
        names += [*declared.column, *declared.merged]
    names += table.person.columns() if table.person else ()
    for case in table.verb:
        names += [*case.when, *case.value.columns()]
    values: list[Value | None] = [
        table.channel, table.quantity, table.value, table.basket, table.object, table.category,
    ]  # fmt: skip
    times: list[Time | None] = [table.time]
    if table.item:
        values += [table.item.id, table.item.title, table.item.price]
        times += [table.item.starts, table.item.ends]
        names += [*table.item.categories, *table.item.attributes]
        names += [name for condition in table.item.unless for name in condition]
    if table.campaign:
        values += [table.campaign.id, table.campaign.arm]
    for consent in table.consents:
        names += [consent.granted, *consent.purpose.columns()]
    names += [name for value in values if value for name in value.columns()]
    names += [time.column for time in times if time]
    names += [*table.text, *table.traits.values()]
    return list(dict.fromkeys(names))


def _by_kind(table: Table, columns: Columns) -> dict[str, Checked]:
    latest = columns.rows.modified_at_ms + DAY_MS
    found = {"time": columns.time("time", latest, required=table.kind == "event")}
    if table.kind == "event":
        found |= dict(_event(table, columns))
    if table.kind in {"item", "campaign"}:
        found |= dict(_item(table, columns))
    if table.traits:
        found["traits"] = Checked(_traits(table, columns))
    for number, consent in enumerate(table.consents):
        answer = columns.text(consent.granted).lower()
        yes, no = ([word.lower() for word in words] for words in (consent.yes, consent.no))
        granted = ibis.cases(
            (answer.isin(yes), True), (answer.isin(no), False), else_=ibis.null("boolean")
        )
        unknown = answer.notnull() & granted.isnull()
        shown = ibis.literal(f"{consent.granted}: ") + answer.substr(0, 40)
        found[f"granted_{number}"] = Checked(
            granted, unknown.ifelse("unknown_value", ibis.null("string")), shown
        )
        found[f"purpose_{number}"] = Checked(columns.value(consent.purpose))
    return found


def _event(table: Table, columns: Columns) -> Iterator[tuple[str, Checked]]:
    verb = columns.cases(table.verb)
    lost = verb.isnull().ifelse("unknown_value", ibis.null("string"))
    yield "verb", Checked(verb, lost, ibis.literal("verb"))
    yield "channel", Checked(columns.value(table.channel))
    item = table.item
    yield "item_id", Checked(_item_id(table, columns))
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
    yield "arm", Checked(columns.value(campaign.arm if campaign else None))


def _item_id(table: Table, columns: Columns) -> Any:
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
    # A finer category without the broader one would stand at the wrong level.
    levels = [columns.text(name) for name in names]
    whole = [ibis.and_(*[level.notnull() for level in levels[: n + 1]]) for n in range(len(levels))]
    return ibis.array(
        [ok.ifelse(level, ibis.null("string")) for ok, level in zip(whole, levels, strict=True)]
    ).filter(lambda level: level.notnull())


def _item(table: Table, columns: Columns) -> Iterator[tuple[str, Checked]]:
    item = table.item
    assert item is not None  # noqa: S101 - the mapping's own check
    yield "item_id", Checked(_item_id(table, columns))
    yield "item_title", Checked(columns.value(item.title))
    yield "item_categories", Checked(_categories(table, columns))
    yield "item_price", columns.amount(item.price)
    yield "starts_at_ms", Checked(columns.time("starts").value)
    yield "ends_at_ms", Checked(columns.time("ends").value)
    yield "attributes", Checked(_object({name: columns.text(name) for name in item.attributes}))


def _traits(table: Table, columns: Columns) -> Any:
    return _object({name: columns.text(column) for name, column in table.traits.items()})


def _object(values: dict[str, Any]) -> Any:
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


Named = dict[str, tuple[Any, Any, str, int]]


def _identifier_columns(table: Table, columns: Columns) -> Named:
    """Column of ours -> (as given, normal form, namespace, trust)."""
    found: Named = {}
    for namespace, declared in table.identifiers.items():
        for name in declared.column:
            text = columns.text(name)
            found[f"identifier_{len(found)}"] = (
                text,
                identifier(namespace, text),
                namespace,
                trust_of(namespace, declared),
            )
    return found


def _merged_columns(table: Table, columns: Columns) -> dict[str, Checked]:
    """What the source has merged itself: columns of lists, under `merged_<n>`."""
    listed = [name for one in table.identifiers.values() for name in one.merged]
    return {f"merged_{place}": Checked(columns.text(name)) for place, name in enumerate(listed)}


def _merged_rows(rows: Rows, table: Table, names: Named) -> Rows:
    """Rows of `merged_ids`: each value of a list, and the value it was merged into."""
    parts = []
    place = 0
    for namespace, declared in table.identifiers.items():
        into = [name for name, (_, _, space, _) in names.items() if space == namespace]
        for _ in declared.merged:
            values = rows[f"merged_{place}"].re_split(r"[^\p{L}\p{N}@._+-]+")
            some = rows.filter(rows[f"merged_{place}"].notnull()).select(
                "record_key", into_value=into[0], values=values
            )
            one = some.unnest("values")
            parts.append(
                one.select(
                    "record_key",
                    "into_value",
                    namespace=ibis.literal(namespace),
                    value=identifier(namespace, one["values"]),
                )
            )
            place += 1
    found = ibis.union(*parts) if len(parts) > 1 else parts[0]
    both = found.value.notnull() & found.into_value.notnull()
    return found.filter(both & (found.value != found.into_value)).distinct()


def trust_of(namespace: str, declared: Identifier | None = None) -> int:
    """How much an identifier says, 1 (most) to 6."""
    if declared is not None and declared.trust is not None:
        return declared.trust
    return NAMESPACES.get(namespace, (1, True))[0]


def _default_key(table: Table, columns: Columns) -> Any:
    return _item_id(table, columns) if table.kind in {"item", "campaign"} else None


def _content(rows: Rows, own: dict[str, str], table: Table, salt: str) -> Any:
    if LINE in rows.columns:
        return md5(ibis.literal(salt) + rows[LINE])
    leave = {table.part, *table.ignore_columns}
    names = [ours for name, ours in sorted(own.items()) if name not in leave]
    texts = [rows[name].cast("string").fill_null("\x1e") for name in names]
    return md5(ibis.literal("\x1f").join([ibis.literal(salt), *texts]))


def _raw(rows: Rows, own: dict[str, str]) -> Any:
    if LINE in rows.columns:
        whole = rows[LINE]
    else:
        whole = _object({name: rows[ours].cast("string") for name, ours in own.items()})
    return ibis.coalesce(rows[RAW], whole).substr(0, 1 << 16)


def _total(numbers: list[Any]) -> Any:
    total = ibis.literal(0, "int64")
    for number in numbers:
        total = total + number.fill_null(0)
    return total


def _outputs(dataset: Dataset, names: Named) -> Iterator[tuple[str, Callable[[Rows], Rows]]]:
    table = dataset.table
    if names:
        yield "identifiers", lambda rows: identifier_rows(rows, {
            name: (namespace, trust) for name, (_, _, namespace, trust) in names.items()
        })  # fmt: skip
    if table.kind == "event":
        yield "events", lambda rows: rows.select("record_key", "source", "occurred_at_ms",
                                                 "recorded_at_ms", *EVENT)  # fmt: skip
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
    if any(one.merged for one in table.identifiers.values()):
        yield "merged_ids", lambda rows: _merged_rows(rows, table, names)


def identifier_rows(
    rows: Rows, names: dict[str, tuple[str, int]], *, distinct: bool = True
) -> Rows:
    """Rows of `identifiers` from columns of normal forms: column -> (namespace, trust)."""
    parts = [
        rows.filter(rows[name].notnull()).select(
            record_key="record_key",
            namespace=ibis.literal(namespace),
            value=name,
            trust=ibis.literal(trust, "int32"),
        )
        for name, (namespace, trust) in names.items()
    ]
    found = ibis.union(*parts) if len(parts) > 1 else parts[0]
    several = len({namespace for namespace, _ in names.values()}) < len(names)
    return found.distinct() if distinct and several else found


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
        granted, purpose = rows[f"granted_{number}"], rows[f"purpose_{number}"]
        parts.append(
            rows.filter(granted.notnull() & purpose.notnull()).select(
                record_key="record_key",
                purpose=purpose,
                granted=granted,
                at_ms=ibis.coalesce(rows.occurred_at_ms, rows.recorded_at_ms),
            )
        )
    return ibis.union(*parts) if len(parts) > 1 else parts[0]
