"""The table of the mapping for what was seen of one, and what only all of them together say."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from ingestion.propose.drafts import Draft, Why
from ingestion.propose.events import event
from ingestion.propose.lists import campaign, consent, item, profile, survey
from ingestion.propose.meanings import some
from ingestion.propose.profiles import NOTHING
from ingestion.propose.seen import Seen
from kg.lake.scratch import Scratch


def draft(scratch: Scratch, seen: Seen, tables: Sequence[Seen]) -> Draft:
    """The table of the mapping for what was seen."""
    made = Draft(seen.label)
    files = seen.profile.files
    named = pattern(files, [name for one in tables for name in one.profile.files])
    made.put("files", named, _unreadable(seen), check=bool(seen.profile.unreadable))
    if seen.profile.encoding:
        told = "it is not UTF-8: look whether the accented letters of names come out right"
        made.put("encoding", seen.profile.encoding, told, check=True)
    doubtful = seen.names_people or len(seen.named("person")) >= 2
    made.put("kind", seen.kind, seen.reason, check=seen.kind == "ignore" and doubtful)
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
    _ignored(seen, made)
    _unread(seen, made)
    _missing(seen, made)
    return made


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


def _unread(seen: Seen, made: Draft) -> None:
    """Amounts that are written as no number is read."""
    for column in seen.profile.columns.values() if seen.kind == "event" else ():
        if column.share(column.money) >= 0.5 and column.name not in seen.used:
            made.asked.append(
                f"{column.name} holds amounts with a currency sign or with commas, which are read "
                "as no numbers: it is left out; write plain numbers to have it counted"
            )


def _missing(seen: Seen, made: Draft) -> None:
    found: dict[str, int] = {}
    for name in seen.used:
        column = seen.profile.columns[name]
        for word, count in column.nothing.items():
            if word not in {"-", "?", "NA", "None"} or column.is_number or column.is_time:
                found[word] = found.get(word, 0) + count
    if found:
        told = ", ".join(f"{word!r} {some(count, 'time')}" for word, count in sorted(found.items()))
        made.put(
            "missing", [word for word in NOTHING if word in found], f"{told}: stands for nothing"
        )


def pattern(mine: Sequence[str], all_names: Sequence[str]) -> str | list[str]:
    """Files as one name, as a glob that fits them and no other file, or as a list."""
    if len(mine) == 1:
        return mine[0]
    start, end = _same_start(mine), _same_start([name[::-1] for name in mine])[::-1]
    start = start.rstrip("0123456789")
    start = start[: max((start.rfind(sign) for sign in "/_- ."), default=-1) + 1]
    end = end[end.index(".") :] if "." in end else ""
    glob = f"{start}*{end}"
    rest = [name for name in all_names if name not in mine]
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
