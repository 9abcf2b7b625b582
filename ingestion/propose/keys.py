"""What the tables of every kind have: who is named, when, and what tells rows apart."""

from typing import Any

from ingestion.propose import evidence
from ingestion.propose.drafts import Draft, Why
from ingestion.propose.meanings import is_named_as_id
from ingestion.propose.profiles import Column
from ingestion.propose.seen import Seen, is_main
from kg.lake.scratch import Scratch
from kg.words import some


def put_identifiers(seen: Seen, made: Draft) -> None:
    found: dict[str, Why] = {}
    for column in seen.ids("person"):
        group = seen.groups[column.name]
        also = group.why.get((seen.place, column.name), "")
        why = also or seen.meanings[column.name].why
        if column.given < column.rows:
            why += f"; nobody is named here in {some(column.rows - column.given, 'row')}"
        if group.namespace in found:
            continue
        guessed = seen.meanings[column.name].detail == "" and not also
        if guessed:
            why += "; nothing says what it is the id of, but the columns beside it are of people"
        found[group.namespace] = Why(seen.take(column), why, check=guessed)
    for what in ("email", "phone"):
        columns = seen.named(what)
        if columns:
            names = [seen.take(column) for column in columns]
            why = seen.meanings[names[0]].why
            found[what] = Why(names[0] if len(names) == 1 else names, why)
    if found:
        made.put("identifiers", found)


def put_time(seen: Seen, made: Draft, *, main: tuple[str, ...]) -> bool:
    times = sorted(
        (c for c in seen.named("time") if seen.meanings[c.name].detail in main),
        key=lambda c: (main.index(seen.meanings[c.name].detail), -c.given),
    )
    if not times:
        return False
    value, why, check = time_value(times[0])
    others = [c.name for c in times[1:]]
    if others:
        why += f"; other times: {', '.join(others)}"
    made.put("time", value, why, check=check)
    seen.take(times[0])
    return True


def time_value(column: Column) -> tuple[Any, str, bool]:
    """A time as a mapping has it, why, and whether it is in doubt."""
    if column.kind == "time":
        return column.name, "the file has it as a time", False
    formats = _certain(list(column.formats))
    read = max(column.formats.values(), default=0)
    why = "" if read == column.given else f"{some(column.given - read, 'value')} of another form; "
    if formats == ["iso"]:
        return column.name, why + "written like 2026-01-31", bool(why)
    if len(formats) > 1:
        return (
            {"column": column.name, "formats": formats},
            why + "day and month cannot be told apart: keep the pattern that is right; until then "
            "what they read differently is quarantined",
            True,
        )
    certain = ""
    if formats[0][:2] in {"%m", "%d"} and formats[0][3:5] in {"%d", "%m"}:
        first = "month" if formats[0].startswith("%m") else "day"
        certain = f"certainly the {first} first: no value has it otherwise"
    return {"column": column.name, "formats": formats[0]}, why + certain, bool(why)


def _certain(formats: list[str]) -> list[str]:
    """Of patterns that read the same values, those that may differ in what they read."""
    if "iso" in formats:
        return ["iso"]
    seen: dict[tuple[str, ...], str] = {}
    for one in formats:
        order = tuple(part for part in ("%d", "%m") if part in one)
        order = tuple(sorted(order, key=one.index))
        seen.setdefault(order, one)
    return list(seen.values())


def put_key(scratch: Scratch, seen: Seen, made: Draft) -> None:
    own = [c for c in id_columns(seen) if c.is_unique]
    acts = [c for c in own if seen.entity_of(c.name) in {"act", ""}]
    for column in [*acts, *own]:
        if seen.kind == "event" and seen.entity_of(column.name) == "person":
            continue
        if column in seen.ids("item") and seen.kind == "event":
            continue
        made.put("key", seen.take(column), "another in every row")
        return
    amounts = seen.named("quantity") or seen.named("value") or seen.ids("basket")
    if seen.ids("campaign") and not amounts:
        people = [c.name for c in seen.ids("person")]  # come first, as a record key is read
        others = [c.name for c in seen.profile.columns.values() if is_named_as_id(c)]
        parts = list(dict.fromkeys([*people, *others]))
        times = [c.name for c in seen.named("time") if is_main(seen, c)][:1]
        for names in (parts, [*parts, *times]):
            if len(names) > 1 and evidence.is_key(scratch, seen.profile, names):
                made.put("key", names, "together another in every row")
                return
    for names in _lines_of(seen):
        if evidence.counts_lines(scratch, seen.profile, *names):
            made.put("key", names, f"{names[1]} counts the rows of each {names[0]}")
            return
    made.remarks.append(
        "no column tells rows apart: equal rows of one file are real, equal rows of two are one"
    )
    _part(scratch, seen, made)


def _lines_of(seen: Seen) -> list[list[str]]:
    """Columns that may be an order and the number of its line."""
    rows = seen.profile.rows
    wholes = [c for c in id_columns(seen)
              if seen.entity_of(c.name) in {"basket", "act", ""} and c.given == rows]  # fmt: skip
    amounts = {"quantity", "value", "price", "score", "time"}
    counters = [c for c in seen.profile.columns.values()
                if c.given == rows == c.whole and c.low in {0, 1} and c.distinct > 1
                and seen.meanings[c.name].what not in amounts]  # fmt: skip
    return [[one.name, other.name] for one in wholes for other in counters if one != other]


def id_columns(seen: Seen) -> list[Column]:
    return [seen.profile.columns[name] for name in seen.groups]


def _part(scratch: Scratch, seen: Seen, made: Draft) -> None:
    """A column that says which export a row is from, where exports overlap in one file."""
    candidates = [
        c
        for c in seen.profile.columns.values()
        if 2 <= c.distinct <= 20 and c.given == c.rows and c.kind == "text"
        and seen.meanings[c.name].what not in {*_CORE, "email", "arm", "consent"}
    ]  # fmt: skip
    core = [c.name for c in seen.profile.columns.values()
            if seen.meanings[c.name].what in _CORE and c not in candidates]  # fmt: skip
    if not candidates or len(core) < 3:
        return
    rest = [c.name for c in seen.profile.columns.values() if c.name not in core]
    for column in candidates:
        others = [name for name in rest if name != column.name]
        rows, differing = evidence.overlap(scratch, seen.profile, column.name, core, others)
        if rows < 20:
            continue
        why = f"{rows:,} rows are the same under two of its values: exports that overlap"
        made.put("part", seen.take(column), why, check=column.is_number)
        if differing:
            told = (
                "differ between rows that are otherwise the same: does none of them say anything?"
            )
            made.put("ignore_columns", differing, told, check=True)
        return


_CORE = {"id", "time", "quantity", "value", "price", "title", "score", "text"}
