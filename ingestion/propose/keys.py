"""What the tables of every kind have: who is named, when, and what tells rows apart."""

from collections.abc import Sequence
from typing import Any

from ingestion.dated import every_date
from ingestion.propose import evidence
from ingestion.propose.drafts import Draft, Why
from ingestion.propose.meanings import is_named_as_id, says, words
from ingestion.propose.profiles import Column
from ingestion.propose.seen import Seen, is_main, is_of_others
from ingestion.values import EPOCHS, SERIAL
from kg.lake.scratch import Scratch
from kg.words import some

_OFTEN = 0.75  # of the rows that the most given time has: a time of fewer is rather another's
_A_FEW = 0.02  # of the rows, or of the addresses: those of two columns may differ in so many
_OF_STAFF = 5  # ids to an address: so often nobody is in a list of people
_NOT_THEIRS = 0.5  # of the addresses stand beside several ids: they are of somebody else


def put_identifiers(scratch: Scratch, seen: Seen, made: Draft) -> None:
    """Who is named in each row: by which columns, and which of them are in doubt."""
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
        guessed = guessed or column.name == seen.guess
        if column.name == seen.guess:
            why += "; nothing says whose it is, but it comes again: does it name the people?"
        elif guessed:
            why += "; nothing says what it is the id of, but the columns beside it are of people"
        apart = group.apart.get((seen.place, column.name), "")
        doubts = seen.meanings[column.name].doubt, _of_staff(column), apart
        doubt = "; ".join(filter(None, doubts))
        why = "; ".join(filter(None, (why, doubt)))
        found[group.namespace] = Why(seen.take(column), why, check=guessed or bool(doubt))
    for what in ("email", "phone"):
        columns = seen.named(what)
        if columns and _is_theirs(scratch, seen, made, columns[0]):
            found[what] = _addresses(scratch, seen, made, columns)
    if found:
        made.put("identifiers", found)


def _of_staff(column: Column) -> str:
    """What a column is asked about that is called as one of somebody else, and names alone."""
    is_asked = is_of_others(column.name) and not says(column.name, words()["entities"]["person"])
    return "is this whom the rows are about, or who served them?" if is_asked else ""


def _is_theirs(scratch: Scratch, seen: Seen, made: Draft, column: Column) -> bool:
    """Whether addresses beside an id of people are theirs: those of staff stand beside many ids."""
    often = _OF_STAFF * column.distinct if seen.kind == "profile" else 0
    people = [c for c in seen.ids("person") if c.distinct >= often and (often or not c.is_unique)]
    if seen.kind not in {"event", "profile"} or not people:
        return True
    found = evidence.beside(scratch, seen.profile, people[0].name, column.name)
    if found.several <= _NOT_THEIRS * found.values:
        return True
    made.asked.append(
        f"{column.name} is left out: {found.several:,} of its {some(found.values, 'value')} stand "
        f"beside several {people[0].name}; are they of somebody else?"
    )
    return False


def _addresses(scratch: Scratch, seen: Seen, made: Draft, columns: Sequence[Column]) -> Why:
    """The columns that hold one person's addresses: the first, and what agrees with it.

    A second address of each person in a list is theirs, if somebody says so; of any other row it
    may be somebody else's, and to take it would merge the two.
    """
    first, *rest = columns
    names, asked = [seen.take(first)], list(filter(None, [_of_staff(first)]))
    for column in rest:
        found = evidence.beside(scratch, seen.profile, first.name, column.name)
        told = f"{column.name} is another than {first.name} in {some(found.differ, 'row')}"
        if found.differ <= _A_FEW * column.given:
            names.append(seen.take(column))
        elif seen.kind == "profile" and found.several <= _A_FEW * found.values:
            names.append(seen.take(column))
            asked.append(f"{told}: are both of the same person?")
        else:
            made.asked.append(f"{told}: it is left out, as it may be of somebody else")
    why = "; ".join([seen.meanings[first.name].why, *asked])
    return Why(names[0] if len(names) == 1 else names, why, check=bool(asked))


def put_time(seen: Seen, made: Draft, *, main: tuple[str, ...]) -> bool:
    times = sorted(
        (c for c in seen.named("time") if seen.meanings[c.name].detail in main),
        key=lambda c: (main.index(seen.meanings[c.name].detail), -c.given),
    )
    often = max((c.given for c in times), default=0)
    times.sort(key=lambda c: c.given < _OFTEN * often)  # a row without its time is lost
    if not times:
        return False
    value, why, check = time_value(times[0])
    others = [c.name for c in times[1:]]
    if others:
        why = "; ".join(filter(None, (why, f"other times: {', '.join(others)}")))
    made.put("time", value, why, check=check)
    seen.take(times[0])
    return True


def put_newest(seen: Seen, made: Draft) -> None:
    """The time of a row's last change, so that next month's export of it counts, in whichever file;
    one that every row has, and that is read without a doubt. Where there is none, of files with a
    date in their names that list the same things again the one written last counts."""
    if "key" not in made.keys:
        return
    for column in seen.named("time", "changed"):
        value, _, in_doubt = time_value(column)
        if in_doubt or column.given < column.rows or column.name in seen.used:
            continue
        value = value if isinstance(value, dict) else {"column": value}
        if column.naive and not {*EPOCHS} & set(column.formats):
            value |= {"zone": "UTC"}  # whichever it is: all are of one
        made.put("newest", value, "of rows with one key the one changed last counts")
        return
    if seen.kind in {"profile", "item", "campaign"} and any(map(every_date, seen.profile.files)):
        why = "no column says when a row changed: of rows with one key the last file's counts"
        made.put("newest_file", True, why)


def time_value(column: Column) -> tuple[Any, str, bool]:
    """A time as a mapping has it, why, and whether it is in doubt."""
    if column.kind == "time":
        return column.name, "the file has it as a time", False
    formats = _certain(list(column.formats))
    read = max(column.formats.values(), default=0)
    why = "" if read == column.given else f"{some(column.given - read, 'value')} of another form; "
    if formats == ["iso"]:
        return column.name, why + "written like 2026-01-31", bool(why)
    if formats == [SERIAL]:
        told = "days as a spreadsheet counts them: do the times come out right?"
        return {"column": column.name, "formats": SERIAL}, why + told, True
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
    for whole, line in _lines_of(seen):
        step = max(1, int(line.low or 0))
        if evidence.counts_lines(scratch, seen.profile, whole.name, line.name, step):
            names = [whole.name, line.name]
            made.put("key", names, f"{line.name} counts the rows of each {whole.name}")
            return
    made.remarks.append(
        "no column tells rows apart: equal rows of one file are real, equal rows of two are one"
    )
    _part(scratch, seen, made)


_FIRST_LINES = {0, 1, 10, 100}
"""The numbers of an order's first line; an ERP leaves room, so that the second is 20 or 200."""


def _lines_of(seen: Seen) -> list[tuple[Column, Column]]:
    """Columns that may be an order and the number of its line."""
    rows = seen.profile.rows
    wholes = [c for c in id_columns(seen)
              if seen.entity_of(c.name) in {"basket", "act", ""} and c.given == rows]  # fmt: skip
    amounts = {"quantity", "value", "price", "score", "time"}
    counters = [c for c in seen.profile.columns.values()
                if c.given == rows == c.whole and c.low in _FIRST_LINES and c.distinct > 1
                and seen.meanings[c.name].what not in amounts]  # fmt: skip
    return [(one, other) for one in wholes for other in counters if one != other]


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
