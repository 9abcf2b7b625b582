"""The table of the mapping for what was seen of one, and what only all of them together say."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from ingestion.dated import every_date
from ingestion.propose.drafts import Draft, Why, plain
from ingestion.propose.events import event
from ingestion.propose.keys import put_newest
from ingestion.propose.lists import campaign, consent, item, profile, survey
from ingestion.propose.meanings import is_time
from ingestion.propose.profiles import NOTHING, Column
from ingestion.propose.seen import Seen, may_be_deeds
from ingestion.sources.received import used_columns
from ingestion.table import Table
from kg.lake.headers import FIRST_LINE
from kg.lake.partitions import every_partition
from kg.lake.scratch import Scratch
from kg.words import some

NOT_UTF_8 = "it is not UTF-8: look whether the accented letters of names come out right"


def draft(scratch: Scratch, seen: Seen, tables: Sequence[Seen]) -> Draft:
    """The table of the mapping for what was seen."""
    made = Draft(seen.label)
    files = seen.profile.files
    named = pattern(files, [name for one in tables for name in one.profile.files])
    made.put("files", named, _unreadable(seen), check=bool(seen.profile.unreadable))
    if seen.profile.encoding:
        made.put("encoding", seen.profile.encoding, NOT_UTF_8, check=True)
    _header(seen, made)
    doubtful = seen.names_people or len(seen.named("person")) >= 2 or may_be_deeds(seen)
    nobodys = seen.kind == "event" and not seen.names_people
    asked = nobodys or (seen.kind == "ignore" and doubtful)
    made.put("kind", seen.kind, seen.reason, check=asked)
    if seen.kind == "ignore":
        made.put("reason", seen.reason)
        return made
    if seen.kind == "survey":
        del made.keys["kind"]
        made.put("format", "survey", seen.reason)
    made.remarks.append(some(seen.profile.rows, "row"))
    write = {"event": event, "profile": profile, "item": item, "campaign": campaign,
             "consent": consent, "survey": survey}[seen.kind]  # fmt: skip
    write(scratch, seen, tables, made)
    put_newest(seen, made)
    _ignored(seen, made)
    _missing(seen, made)
    read = _read(seen, made)
    _amounts(seen, made, read)
    _unused(seen, made, read)
    return made


def _header(seen: Seen, made: Draft) -> None:
    """Where the names of the columns stand, if that is not the first line alone."""
    first, last = seen.profile.header
    if (first, last) == FIRST_LINE:
        return
    above = f"the names of the columns stand in line {first}, below a title" if first > 1 else ""
    lines = f"line {last}" if last == first + 1 else f"lines {first + 1} to {last}"
    below = f"{lines} below them hold no row, but units or names: look" if last > first else ""
    value = first if first == last else [first, last]
    made.put("header", value, "; ".join(filter(None, (above, below))), check=bool(below))


def _unreadable(seen: Seen) -> str:
    """How many rows nobody can read, and what becomes of them."""
    bad = seen.profile.unreadable
    told = ", ".join(f"{count:,} {why}" for why, count in bad.items())
    return f"rows that cannot be read, and will be quarantined: {told}" if bad else ""


def _ignored(seen: Seen, made: Draft) -> None:
    """What is used is not ignored."""
    ignored = made.keys.get("ignore_columns")
    if ignored is None:
        return
    rest = [name for name in ignored.value if name not in seen.used]
    if rest:
        made.keys["ignore_columns"] = replace(ignored, value=rest)
    else:
        del made.keys["ignore_columns"]


_NUMBERS = {"quantity", "score", "value", "price"}
_WRITTEN = {
    "amount": "written with a decimal point, with a currency or with commas between thousands",
    "amount_comma": "written with a decimal comma, like 1.234,50",
}


def _amounts(seen: Seen, made: Draft, read: set[str]) -> None:
    """How amounts are written that are no plain numbers; what cannot be read is left out."""
    columns = seen.profile.columns
    forms = {
        name: str(columns[name].form)
        for name in columns
        if name in read and columns[name].form and seen.meanings[name].what in _NUMBERS
    }
    told = [f"{name} is {_WRITTEN[form]}" for name, form in forms.items()]
    doubts = [f"of {name}, {columns[name].doubt}" for name in forms if columns[name].doubt]
    if forms:
        made.put("forms", forms, "; ".join([*told, *doubts]), check=bool(doubts))
    for column in columns.values() if seen.kind == "event" else ():
        if column.form is None and column.doubt and column.share(column.money) >= 0.5:
            made.asked.append(
                f"{column.name} holds {column.doubt}: it is left out; write plain numbers to have "
                "it counted"
            )


def _read(seen: Seen, made: Draft) -> set[str]:
    """The columns that something is made of, as the mapping says."""
    table = Table.model_validate({key: plain(why) for key, why in made.keys.items()})
    names = {*used_columns(table), *table.ignore_columns}
    names |= {own for link in table.links.values() for own in link.matches()}
    if seen.questions is not None:
        asked = {value.casefold() for value in seen.questions[1].values}
        names |= {name for name in seen.profile.columns if name.casefold() in asked}
    return names


def _unused(seen: Seen, made: Draft, read: set[str]) -> None:
    """Every column that nothing is made of; what people did may be in it, so it is asked about."""
    rest = [column for name, column in seen.profile.columns.items() if name not in read]
    if not rest:
        return
    told = "not used: " + ", ".join(f"{c.name} ({_of(seen, c)})" for c in rest)
    says_more = any(c.distinct > 1 and seen.meanings[c.name].what != "private" for c in rest)
    if seen.kind == "event" and says_more:
        made.asked.append(f"{told}; if one of them says what people did, name it below")
    else:
        made.remarks.append(told)


def _of(seen: Seen, column: Column) -> str:
    if not column.given:
        return "empty"
    if seen.meanings[column.name].what == "private":
        return "personal"
    return some(column.distinct, "value")


def _missing(seen: Seen, made: Draft) -> None:
    found: dict[str, int] = {}
    for name in seen.used:
        column = seen.profile.columns[name]
        for word, count in column.nothing.items():
            if word not in {"-", "?", "NA", "None"} or column.is_number or is_time(column):
                found[word] = found.get(word, 0) + count
    if found:
        told = ", ".join(f"{word!r} {some(count, 'time')}" for word, count in sorted(found.items()))
        made.put(
            "missing", [word for word in NOTHING if word in found], f"{told}: stands for nothing"
        )


def pattern(mine: Sequence[str], all_names: Sequence[str]) -> str | list[str]:
    """Files as one name, as a glob that fits them and no other file, or as a list; of partitions,
    and of a file with a date, always those to come, too."""
    rest = [name for name in all_names if name not in mine]
    whole = {every_partition(name) for name in mine}
    if len(whole) == 1 and (glob := whole.pop()) is not None:
        start, _, end = glob.partition("**/*")
        if not any(name.startswith(start) and name.endswith(end) for name in rest):
            return glob
    if len(mine) == 1:
        glob = every_date(mine[0])
        is_free = glob is not None and not any(fnmatchcase(name, glob) for name in rest)
        return glob if glob is not None and is_free else mine[0]
    start, end = _same_start(mine), _same_start([name[::-1] for name in mine])[::-1]
    start = start.rstrip("0123456789")
    start = start[: max((start.rfind(sign) for sign in "/_- ."), default=-1) + 1]
    end = end[end.index(".") :] if "." in end else ""
    glob = f"{start}*{end}"
    fits = bool(start) and all(fnmatchcase(name, glob) for name in mine) and "[" not in glob
    deep = any("/" in name[len(start) :] for name in mine)
    if fits and not deep and not any(fnmatchcase(name, glob) for name in rest):
        return glob
    return list(mine)


def _same_start(texts: Sequence[str]) -> str:
    least, most = min(texts), max(texts)
    return least[: next((n for n, (a, b) in enumerate(zip(least, most, strict=False)) if a != b),
                        len(least))]  # fmt: skip


def settle(drafts: Sequence[Draft]) -> None:
    """What only all tables together say: redeeming happens where things are bought."""
    channels = [
        draft.keys["channel"].value
        for draft in drafts
        if _verb_of(draft) == "bought" and "channel" in draft.keys
    ]
    for draft in drafts:
        if _verb_of(draft) == "redeemed" and "channel" not in draft.keys and len(channels) == 1:
            draft.put("channel", channels[0], "where things are bought")


def _verb_of(draft: Draft) -> str:
    verb = draft.keys["verb"].value if "verb" in draft.keys else ""
    last = verb[-1] if isinstance(verb, list) else verb
    last = last.value if isinstance(last, Why) else last
    return str(last["is"] if isinstance(last, dict) and "is" in last else last)


def sampled_level(drafts: Sequence[Draft]) -> int | None:
    """The level of topics for a sample of lines: one broader than the finest of three or more."""
    if not any("sampled" in draft.keys for draft in drafts):
        return None
    for draft in drafts:
        item = draft.keys["item"].value if "item" in draft.keys else None
        kind = draft.keys.get("kind")
        if (
            kind is not None
            and kind.value == "item"
            and isinstance(item, dict)
            and "categories" in item
        ):
            levels = len(item["categories"].value)
            return levels - 2 if levels > 2 else None
    return None
