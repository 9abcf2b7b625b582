"""Generic tables (CSV, Parquet, JSON lines): a mapping says which column is what."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
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
    without_point,
)
from ingestion.details import detail_rows, details
from ingestion.forms import formed
from ingestion.functions import (
    among,
    json_keys,
    json_text,
    json_texts,
    json_valid,
    json_values,
    md5,
    no_texts,
)
from ingestion.lengths import long_values
from ingestion.mapping import DETAILS, NAMESPACES, Identifier, Mapping, Table, Then, Time, Value
from ingestion.nested import split, value_at
from ingestion.purposes import EVERY, purpose
from ingestion.record import EVENT, Dataset, Reading, Rows
from ingestion.strays import strays
from ingestion.text import scrub
from kg.lake.files import LINE, PATH, POSITION, PROBLEM, RAW
from kg.lake.scratch import Scratch

_OURS = {PATH, POSITION, PROBLEM, RAW}
# What becomes an id or a name in the graph.
_NAMES = (
    "key", "verb", "channel", "item_id", "item_categories", "object", "category", "campaign_id",
)  # fmt: skip
_KINDS = {"event": "event", "profile": "profile", "consent": "profile"}


def read(
    scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str, *, skip: int = 0
) -> Reading:
    """Read the readable files of a dataset as records of its kind.

    Args:
        scratch: the engine that holds the staged files.
        dataset: a generic table with staged sources of one shape.
        mapping: what it belongs to.
        salt: keeps content hashes of one workspace from being compared with another's.
        skip: how many rows of each file stand below its header and are no records.
    """
    rows, own = received(scratch, dataset)
    rows = rows.filter(rows[POSITION] > skip) if skip else rows
    if LINE in rows.columns:
        rows = unwrapped(rows, dataset.table.rows)
    return reading(scratch, dataset, mapping, salt, rows, own)


def reading(
    scratch: Scratch,
    dataset: Dataset,
    mapping: Mapping,
    salt: str,
    rows: Rows,
    own: dict[str, str],
    linked: dict[str, Rows] | None = None,
) -> Reading:
    """What a table makes of rows that were received.

    Args:
        scratch, dataset, mapping, salt: as of `read`.
        rows: with the columns of their files, or lines of JSON.
        own: their columns -> what they are called here.
        linked: link -> the rows it leads to; else they are those of the dataset's linked files.
    """
    table = dataset.table
    others = linked or {name: scratch.rows(staged) for name, staged in dataset.links.items()}
    rows, find = _findable(scratch, table, rows, own, others)
    columns = prepare(scratch, rows, find, _needs(table), table.missing, mapping.time_zone)
    columns, names = _named(scratch, table, columns)
    rows = columns.rows
    found = _by_kind(table, columns)
    if table.person:
        found |= {f"person_{name}": Checked(text) for name, text
                  in details(table.person, columns).items()}  # fmt: skip
    found |= _merged_columns(table, columns)
    key = columns.joined(table.key, "/") if table.key else _default_key(table, columns)
    # Rows that repeat an item may well differ.
    is_compared = key is None or bool(table.key)
    if key is not None:
        lost = key.isnull().ifelse("missing_id", ibis.null("string"))
        found = {"key": Checked(key, lost, ibis.literal(", ".join(table.key) or "item")), **found}
    found |= dict(_single(table, columns) if LINE in rows.columns else ())
    found |= dict(_expected(table, columns))
    found |= dict(_short(table, columns, found))
    part = columns.text(table.part) if table.part else ibis.null("string")
    concerned = ~ibis.or_(*[columns.holds(one) for one in table.nobody])
    rows = rows.mutate(_concerned=concerned)
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
        "_concerned",
        *[name for name in (*names, *found) if name not in {"time", "key", "newest"}],
        position=POSITION,
        content=_content(rows, own, table, salt) if is_compared else ibis.null("string"),
        problem=reason,
        raw=reason.notnull().ifelse(_raw(rows, own), ibis.null("string")),
        kind=ibis.literal(_KINDS.get(table.kind or "", "item")),
        recorded_at_ms=rows.modified_at_ms,
        **({"version": rows.newest} if table.newest else {}),
        **({"once": ibis.literal(True)} if _tells_arms(table) else {}),
    )
    known = _known(scratch, rows, own)
    unread = _unread(table, known, is_json=LINE in rows.columns)
    own_table = mapping.tables.get(dataset.name) is table  # not made up by another reader
    said = tuple(strays(mapping, dataset.name, known, used_columns(table))) if own_table else ()
    return Reading(selected, dict(_outputs(dataset, names)), unread=unread, warnings=said)


def _named(scratch: Scratch, table: Table, columns: Columns) -> tuple[Columns, "Named"]:
    """The columns with the identifiers, which are long expressions, worked out once."""
    names = _identifier_columns(table, columns, _with_points(scratch, table, columns))
    given = {f"_given_{name}": one for name, (one, _, _, _) in names.items()}
    values = {name: value for name, (_, value, _, _) in names.items()}
    rows = scratch.view(columns.rows.mutate(**given, **values))
    return replace(columns, rows=rows), {
        name: (rows[f"_given_{name}"], rows[name], namespace, trust)
        for name, (_, _, namespace, trust) in names.items()
    }


def _tells_arms(table: Table) -> bool:
    """Whether a row says that a person was sent a campaign or held out, and nothing else."""
    verbs = [case.value.constant for case in table.verb]
    return table.campaign is not None and table.campaign.arm is not None and verbs == ["received"]


def _valued(rows: Rows, names: "Named", found: dict[str, Checked], key: Any, part: Any) -> Rows:
    """The rows with everything the records need, and `_reason` where they cannot have it."""
    reason, detail = first_problem(list(found.values()))
    dropped = [_lost_values(given, value) for given, value, _, _ in names.values()]
    structural = rows[PROBLEM]
    return rows.mutate(
        id=ibis.null("string") if key is None else key,
        part=part,
        occurred_at_ms=found["time"].value,
        named=rows["_concerned"]
        & ibis.or_(*[_is_given(value) for _, value, _, _ in names.values()]),
        dropped_identifiers=_total(dropped),
        _reason=ibis.coalesce(structural, reason),
        detail=structural.isnull().ifelse(detail, ibis.null("string")),
        **{name: one.value for name, one in found.items() if name not in {"time", "key"}},
    )


def _is_given(value: Any) -> Any:
    return value.length() > 0 if value.type().is_array() else value.notnull()


def _lost_values(given: Any, value: Any) -> Any:
    """How many of the identifiers that were given name nobody."""
    if value.type().is_array():
        return given.length() - value.length()
    return (given.notnull() & value.isnull()).cast("int64")


def _expected(table: Table, columns: Columns) -> Iterator[tuple[str, Checked]]:
    for number, (name, pattern) in enumerate(table.expects.items()):
        text = columns.text(name)
        strange = (text.notnull() & ~text.re_search(pattern)).fill_null(False)
        reason = strange.ifelse("unknown_value", ibis.null("string"))
        yield f"_expected_{number}", Checked(text, reason, ibis.literal(name))


def _short(
    table: Table, columns: Columns, found: dict[str, Checked]
) -> Iterator[tuple[str, Checked]]:
    """What becomes an id or a name in the graph must not be too long for one."""
    values = {name: one.value for name, one in found.items()
              if name in _NAMES or name.endswith("_verb")}  # fmt: skip
    values |= {name: columns.text(table.traits[name]) for name in table.describe
               if name in table.traits}  # fmt: skip
    for number, (problem, name) in enumerate(long_values(values)):
        yield f"_short_{number}", Checked(ibis.null("string"), problem, name)


def _single(table: Table, columns: Columns) -> Iterator[tuple[str, Checked]]:
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


def _known(scratch: Scratch, rows: Rows, own: dict[str, str]) -> list[str]:
    """The columns (of JSON: the fields) that the files have."""
    if LINE not in rows.columns:
        return list(own)
    keys = rows.select(key=json_keys(rows[LINE])).unnest("key").distinct()
    return [row["key"] for row in scratch.fetch(keys)]


def _unread(table: Table, known: list[str], *, is_json: bool) -> tuple[str, ...]:
    """The columns (of JSON: the fields) that the mapping makes nothing of."""
    names = [*used_columns(table), *(table.required or ())]
    if is_json:
        names += [other for others in table.names.values() for other in others]
        names = [name.partition(".")[0] for name in names]
    used = {column for name in names for column in table.columns_for(name, known)}
    others = (other for several in table.names.values() for other in several)
    used |= {split(name, known)[0] for name in (*names, *others)
             if name.partition(".")[0] not in table.links}  # fmt: skip
    used |= {name for link in table.links.values() for name in link.matches()}
    return tuple(sorted(set(known) - used - set(table.ignore_columns)))


def _needs(table: Table) -> Needs:
    amounts = [table.quantity, table.value, table.item.price if table.item else None]
    amounts += [one for further in table.then for one in (further.quantity, further.value)]
    numbers = [name for value in amounts if value for name in value.columns()]
    conditions = [case.when for case in table.verb]
    conditions += table.item.unless if table.item else ()
    conditions += [*table.nobody, *(one.when for one in table.identifiers.values())]
    for further in table.then:
        conditions += [further.when, *(case.when for case in further.verb)]
    numbers += [name for one in conditions for name, test in one.items() if test.is_numeric()]
    times = {"time": table.time, "newest": table.newest}
    if table.item:
        times |= {"starts": table.item.starts, "ends": table.item.ends}
    times |= {f"then_{number}": further.time for number, further in enumerate(table.then)}
    times |= {f"until_{number}": consent.until for number, consent in enumerate(table.consents)}
    given = {label: time for label, time in times.items() if time is not None}
    return Needs(tuple(used_columns(table)), tuple(numbers), given, table.lists, table.forms)


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
    return located(scratch, dataset, rows.rename({own: name for name, own in names.items()})), names


def located(scratch: Scratch, dataset: Dataset, rows: Rows) -> Rows:
    """Rows of a dataset's readable files with `source` and `modified_at_ms` of their file."""
    sources = [source for source in dataset.sources if source.name in dataset.staged]
    if len(sources) == 1:
        return rows.mutate(
            source=ibis.literal(sources[0].name),
            modified_at_ms=ibis.literal(sources[0].modified_at_ms, "int64"),
        )
    files = scratch.given(
        pa.table(
            {
                PATH: [str(dataset.staged[source.name].path) for source in sources],
                "source": [source.name for source in sources],
                "modified_at_ms": [source.modified_at_ms for source in sources],
            }
        )
    )
    return rows.inner_join(files, PATH)


def json_fields(rows: Rows, paths: list[str]) -> Rows:
    """JSON lines with `_fields`, the values at the paths as text; see `json_lines`."""
    rows = json_lines(rows)
    return rows.mutate(_fields=json_texts(rows[LINE], ibis.literal(paths)))


def json_lines(rows: Rows) -> Rows:
    """JSON lines of which what is no JSON object is a problem `invalid_json` and keeps its line as
    `_raw`."""
    line = rows[LINE]
    good = (json_valid(line) & line.lstrip().startswith("{")).fill_null(False)
    broken = rows[PROBLEM].isnull() & ~good
    return rows.mutate(
        **{
            PROBLEM: broken.ifelse("invalid_json", rows[PROBLEM]),
            RAW: broken.ifelse(line.substr(0, 1 << 16), rows[RAW]),
            LINE: good.ifelse(line, ibis.null("string")),
        }
    )


def unwrapped(rows: Rows, path: str | None) -> Rows:
    """JSON lines that hold lists of rows, as those rows, numbered anew; others stay as they are."""
    if path is None:
        return rows
    rows = rows.mutate(_inside=json_values(_valid(rows[LINE]), f"{json_path(path)}[*]"))
    whole = rows.filter(rows._inside.length().fill_null(0) == 0)
    single = whole.drop("_inside").mutate(_place=ibis.literal(0, "int64"))
    # A page without rows says nothing; it is no row itself.
    bare = json_texts(_valid(single[LINE]), ibis.literal([json_path(path)]))[0]
    single = single.filter(~(bare == "[]").fill_null(False))
    several = rows.filter(rows._inside.length() > 0).drop(LINE)  # else each repeats its page
    several = several.unnest("_inside", offset="_place")
    several = several.mutate(**{LINE: several._inside}).select(*single.columns)
    both = single.union(several)
    if POSITION not in both.columns:
        return both.drop("_place")
    order = ibis.window(group_by=PATH, order_by=[POSITION, "_place"])
    return both.mutate(**{POSITION: ibis.row_number().over(order) + 1}).drop("_place")


def _valid(line: Any) -> Any:
    """A line that is JSON; null where it is none, of which nothing can be asked."""
    return json_valid(line).fill_null(False).ifelse(line, ibis.null("string"))


def json_path(name: str) -> str:
    """`a.b.0` as the JSON path of the first of the list b inside a."""
    parts = name.split(".")
    return "$" + "".join(f"[{part}]" if part.isdecimal() else f'."{part}"' for part in parts)


def _findable(
    scratch: Scratch, table: Table, rows: Rows, names: dict[str, str], others: dict[str, Rows]
) -> tuple[Rows, Callable[[Rows, str], Any]]:
    """The rows with what their linked files add, and how a name of the mapping is found among
    them; `names`: what their own columns are called here."""
    links = table.links
    fields: dict[str, int] = {}
    if LINE in rows.columns:
        used = {name for name in used_columns(table) if name.split(".")[0] not in links}
        used |= {own for link in links.values() for own in link.matches()}
        used |= {other for name in used for other in table.names.get(name, ())}
        paths = sorted(used)
        rows = scratch.view(json_fields(rows, [json_path(path) for path in paths]))
        fields = {path: number for number, path in enumerate(paths)}
    places = dict(names)

    def find(rows: Rows, name: str) -> Any:
        if name in fields:
            own = rows._fields[fields[name]].nullif("")
            others = [formed(rows._fields[fields[one]].nullif(""), _own_form(table, name, one))
                      for one in table.names.get(name, ())]  # fmt: skip
            return _first_given([own, *others])
        own = [_column(rows[places[one]], _own_form(table, name, one))
               for one in table.columns_for(name, places)]  # fmt: skip
        inside = [value_at(rows, places, one) for one in (name, *table.names.get(name, ()))]
        return _first_given([*own, *(one for one in inside if one is not None)])

    for number, (label, link) in enumerate(links.items()):
        first, added = _first_of_each(scratch, table, others[label], label, number)
        on = [
            formed(as_text(find(rows, own)), table.forms.get(own)) == first[f"_k{place}"]
            for place, own in enumerate(link.matches())
        ]
        keys = [f"_k{place}" for place in range(len(on))]
        rows = scratch.view(rows.left_join(first, on).drop(*keys))
        places |= added
    return rows, find


def _own_form(table: Table, name: str, column: str) -> str | None:
    """The form that is declared of a column which stands for a name, beside that of the name."""
    form = table.forms.get(column)
    return None if form == table.forms.get(name) else form


def _column(found: Any, form: str | None) -> Any:
    return found if form is None else formed(as_text(found), form)


def _first_given(found: list[Any]) -> Any:
    """The first column that has a value; nothing where there is no such column."""
    if len(found) < 2:
        return found[0] if found else ibis.null("string")
    return ibis.coalesce(*[as_text(one).strip().nullif("") for one in found])


def _first_of_each(
    scratch: Scratch, table: Table, other: Rows, label: str, number: int
) -> tuple[Rows, dict[str, str]]:
    """The first row of a linked file for each value of its keys `_k0`, …, and what
    `link.column` is called in it."""
    matches = table.links[label].matches()
    if LINE in other.columns:
        other = _linked_fields(other, table, label, list(matches.values()))
    at = {name: table.columns_for(name, other.columns)[0] for name in matches.values()}
    forms = [table.forms.get(own) for own in matches]  # both sides in the same form
    keys = {f"_k{place}": formed(as_text(other[at[name]]), forms[place])
            for place, name in enumerate(matches.values())}  # fmt: skip
    values = [name for name in other.columns if name not in _OURS]
    added = {f"{label}.{name}": f"_l{number}_{place}" for place, name in enumerate(values)}
    first = other.group_by(**keys).agg(
        **{added[f"{label}.{name}"]: other[name].argmin(other[POSITION]) for name in values}
    )
    return scratch.view(first), added


def _linked_fields(rows: Rows, table: Table, label: str, keys: list[str]) -> Rows:
    """JSON lines of a linked file as the columns that are used of it."""
    used = [name.partition(".") for name in used_columns(table)]
    names = list(dict.fromkeys([*keys, *(rest for first, _, rest in used if first == label)]))
    rows = json_fields(rows, [json_path(name) for name in names])
    return rows.select(*_OURS, **{name: rows._fields[number] for number, name in enumerate(names)})


def used_columns(table: Table) -> list[str]:
    """The columns a table's mapping names, each once, in the order of the mapping."""
    names = [*table.key, *([table.part] if table.part else [])]
    for declared in table.identifiers.values():
        names += [*declared.column, *declared.merged, *declared.merged_into, *declared.when]
    names += table.person.columns() if table.person else ()
    for case in table.verb:
        names += [*case.when, *case.value.columns()]
    values: list[Value | None] = [
        table.channel, table.quantity, table.value, table.basket, table.object, table.category,
    ]  # fmt: skip
    times: list[Time | None] = [table.time, table.newest]
    if table.item:
        values += [table.item.id, table.item.title, table.item.price]
        times += [table.item.starts, table.item.ends]
        names += [*table.item.categories, *table.item.attributes]
        names += [name for condition in table.item.unless for name in condition]
    if table.campaign:
        values += [table.campaign.id, table.campaign.arm]
    for consent in table.consents:
        names += [consent.granted, *consent.purpose.columns()]
        times += [consent.until]
    for further in table.then:
        times += [further.time]
        values += [further.quantity, further.value]
        names += [*further.when, *further.text]
        for case in further.verb:
            names += [*case.when, *case.value.columns()]
    names += [name for value in values if value for name in value.columns()]
    names += [value.minor_units for value in values if value and value.minor_units]
    names += [time.column for time in times if time]
    names += [*table.text, *table.traits.values(), *table.expects]
    names += [name for condition in table.nobody for name in condition]
    return list(dict.fromkeys(names))


def _by_kind(table: Table, columns: Columns) -> dict[str, Checked]:
    latest = columns.rows.modified_at_ms + DAY_MS
    found = {"time": columns.time("time", latest, required=table.kind == "event")}
    if table.newest:
        found["newest"] = columns.time("newest", latest)
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


def _with_points(scratch: Scratch, table: Table, columns: Columns) -> dict[str, Any]:
    """Columns of ids -> the rows of files that write each of a column's ids as a whole number with
    `.0`, as pandas does where one is missing. In JSON 17.0 is the number 17."""
    rows = columns.rows
    names = [name for space, one in table.identifiers.items() if space != "email"
             for name in one.column if name not in columns.lists]  # fmt: skip
    if not names or LINE in rows.columns:
        return dict.fromkeys(names, ibis.literal(True))
    tests = {f"n{n}": columns.text(name).re_search(r"^\d+(\.0)?$").all()
             for n, name in enumerate(names)}  # fmt: skip
    some = {f"s{n}": columns.text(name).endswith(".0").any() for n, name in enumerate(names)}
    found = scratch.fetch(rows.group_by("source").agg(**tests, **some))
    files = {name: [row["source"] for row in found if row[f"n{n}"] and row[f"s{n}"]]
             for n, name in enumerate(names)}  # fmt: skip
    return {name: rows.source.isin(mine) for name, mine in files.items() if mine}


def _identifier_columns(table: Table, columns: Columns, with_points: dict[str, Any]) -> Named:
    """Column of ours -> (as given, normal form, namespace, trust)."""
    found: Named = {}
    for namespace, declared in table.identifiers.items():
        for name in declared.column:
            if name in columns.lists:
                given = columns.several(name).fill_null(no_texts())
                if declared.when:
                    given = columns.holds(declared.when).ifelse(given, no_texts())
                value = given.map(lambda one, space=namespace: identifier(space, one))
                value = value.filter(lambda one: one.notnull())
            else:
                given = columns.text(name)
                if name in with_points:
                    given = with_points[name].ifelse(without_point(given), given)
                if declared.when:
                    given = columns.holds(declared.when).ifelse(given, ibis.null("string"))
                value = identifier(namespace, given)
            trust = trust_of(namespace, declared)
            found[f"identifier_{len(found)}"] = (given, value, namespace, trust)
    return found


def _merged_columns(table: Table, columns: Columns) -> dict[str, Checked]:
    """What the source has merged itself: columns of lists, under `merged_<n>`."""
    listed = [
        name for one in table.identifiers.values() for name in (*one.merged, *one.merged_into)
    ]
    return {f"merged_{place}": Checked(columns.text(name)) for place, name in enumerate(listed)}


def _merged_rows(rows: Rows, table: Table, names: Named) -> Rows:
    """Rows of `merged_ids`: each value of a list, and the value it was merged into."""
    parts = []
    place = 0
    for namespace, declared in table.identifiers.items():
        into = [name for name, (_, _, space, _) in names.items() if space == namespace]
        for name in (*declared.merged, *declared.merged_into):
            values = rows[f"merged_{place}"].re_split(r"[^\p{L}\p{N}@._+-]+")
            some = rows.filter(rows[f"merged_{place}"].notnull()).select(
                "record_key", into_value=into[0], values=values
            )
            one = some.unnest("values")
            other = identifier(namespace, one["values"])
            gone, kept = (other, one.into_value)
            if name in declared.merged_into:
                gone, kept = kept, gone
            parts.append(
                one.select(
                    "record_key", value=gone, into_value=kept, namespace=ibis.literal(namespace)
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
        yield "merged_ids", lambda rows: _merged_rows(rows, table, names)


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


def identifier_rows(
    rows: Rows, names: dict[str, tuple[str, int]], *, distinct: bool = True
) -> Rows:
    """Rows of `identifiers` from columns of normal forms: column -> (namespace, trust)."""
    listed = {name for name in names if rows[name].type().is_array()}
    parts = []
    for name, (namespace, trust) in names.items():
        said = rows.select("record_key", value=rows[name])
        said = said.unnest("value") if name in listed else said
        said = said.filter(said.value.notnull())
        parts.append(
            said.select(
                record_key="record_key",
                namespace=ibis.literal(namespace),
                value="value",
                trust=ibis.literal(trust, "int32"),
            )
        )
    found = ibis.union(*parts) if len(parts) > 1 else parts[0]
    several = bool(listed) or len({namespace for namespace, _ in names.values()}) < len(names)
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
