"""Tables that list things: people, items, campaigns, consents, and answers to questions."""

from collections.abc import Sequence
from typing import Any

from ingestion.propose import evidence
from ingestion.propose.drafts import Draft, Why
from ingestion.propose.keys import id_columns, put_identifiers, put_time, time_value
from ingestion.propose.meanings import counted, is_time, says, snake, words
from ingestion.propose.profiles import Column
from ingestion.propose.seen import FEW, Seen, answers, consent_columns, listed_people
from kg.lake.scratch import Scratch
from kg.words import some

_COUPLES = 0.01  # as many addresses may be shared by two people who are both in a list
_MOST = 0.5  # of the addresses stand beside several ids: hardly people who are listed twice
_LARGEST_SHARE = 0.5  # of the people may have a value of their own: it tells of no group otherwise
_COARSE = 12  # regions that are so few say where people are, not who


def profile(scratch: Scratch, seen: Seen, tables: Sequence[Seen], made: Draft) -> None:
    del tables
    own = [c for c in id_columns(seen) if c.is_unique]
    own.sort(key=lambda c: seen.entity_of(c.name) != "person")
    listed = listed_people(seen)
    if own:
        made.put("key", own[0].name, "another in every row")
    elif listed is not None:
        made.put("key", listed.name, f"{counted(listed)}: a second row of an id counts as a repeat")
    put_identifiers(scratch, seen, made)
    _twice(scratch, seen, made)
    person = {
        seen.meanings[c.name].detail: Why(seen.take(c))
        for c in seen.named("person")
        if seen.meanings[c.name].detail != "birth_date"
    }
    births = seen.named("person", "birth_date")
    if births and is_time(births[0]):
        value, why, check = time_value(births[0])
        person["birth_date"] = Why(value, why, check)
        seen.take(births[0])
    if person:
        made.put("person", person, "tells people apart, and serves nothing else")
    put_time(seen, made, main=("created", "at", "starts"))
    traits = {snake(c.name): Why(c.name, _shown(c)) for c in seen.profile.columns.values()
              if _is_trait(seen, c)}  # fmt: skip
    if traits:
        made.put("traits", traits)
        made.put("describe", list(traits), f"2 to {FEW} values each, none of them personal")
    _consents(seen, made)


def _twice(scratch: Scratch, seen: Seen, made: Draft) -> None:
    """People who are in a list under several ids: these must be allowed to be one person. A few
    addresses may as well be those of couples, which is for somebody to look at."""
    keys, mails = made.keys.get("key"), seen.named("email")
    if keys is None or not mails or "identifiers" not in made.keys:
        return
    found = made.keys["identifiers"].value
    for namespace, why in found.items():
        if why.value == keys.value:
            twice, of = evidence.people_twice(scratch, seen.profile, keys.value, mails[0].name)
            told = f"several ids stand beside {twice:,} of {of:,} addresses"
            few = twice <= _COUPLES * of
            if few:
                told += ": are people listed twice? `unique: false` lets two ids be one person, "
                told += "so leave it out if these are couples"
            most = twice > _MOST * of
            if most:
                told += ": so many are rarely people listed twice; are these their own addresses?"
            if twice:
                value = {"column": why.value, "unique": False}
                found[namespace] = Why(value, told, check=few or most)


def _is_trait(seen: Seen, column: Column) -> bool:
    one = seen.meanings[column.name]
    what = one.what
    if what == "person" and one.detail in {"region", "country"}:
        return 2 <= column.distinct <= _COARSE
    personal = {"consent", "person", "private", "time", "id", "email", "phone", "nothing"}
    few = 2 <= column.distinct <= min(FEW, _LARGEST_SHARE * column.given)
    return what not in personal and few and column.name not in seen.used


def _shown(column: Column) -> str:
    if len(column.values) <= 6 and all(len(value) <= 20 for value in column.values):
        return ", ".join(column.values)
    return some(column.distinct, "value")


def _consents(seen: Seen, made: Draft) -> None:
    consents = []
    for column in seen.named("consent"):
        detail = seen.meanings[column.name].detail
        value: dict[str, Any] = {"purpose": detail, "granted": seen.take(column)}
        if says(column.name, words()["denial"]):
            value |= {"yes": ["no", "false", "0", "n"], "no": ["yes", "true", "1", "y"]}
        consents.append(Why(value, seen.meanings[column.name].why))
    if consents:
        made.put("consents", consents)


def item(scratch: Scratch, seen: Seen, tables: Sequence[Seen], made: Draft) -> None:
    del tables
    made.put("item", _item_columns(scratch, seen, seen.ids("item")[0], made))


def _item_columns(scratch: Scratch, seen: Seen, own: Column, made: Draft) -> dict[str, Why]:
    item = {"id": Why(seen.take(own), seen.meanings[own.name].why)}
    titles = seen.titles
    brands = words()["brand"]
    listed = [c for c in seen.profile.columns.values()
              if c.share(c.listed) >= 0.3 and says(c.name, words()["category"])]  # fmt: skip
    categories = [c.name for c in seen.named("category")
                  if not says(c.name, brands) and c not in listed]  # fmt: skip
    levels = evidence.broad_to_fine(seen.profile, categories)
    if titles:
        item["title"] = Why(seen.take(titles[0]), seen.meanings[titles[0].name].why)
    elif levels:
        item["title"] = Why(levels[-1], "there is no name: the finest category stands for it")
    if levels:
        nested = evidence.nested_share(scratch, seen.profile, levels)
        why = "" if nested is None else f"{nested:.0%} of the finer ones lie in one broader one"
        item["categories"] = Why(levels, why, check=nested is not None and nested < 0.9)
        seen.used += levels
    elif listed:
        item["categories"] = Why([seen.take(listed[0])],
                                 "several for each item: the first is taken for the broadest",
                                 check=True)  # fmt: skip
        made.put("lists", {listed[0].name: _separator(listed[0])}, "several values in one")
    prices = seen.named("price") or seen.named("value")
    if prices:
        item["price"] = Why(seen.take(prices[0]), seen.meanings[prices[0].name].why)
    for detail in ("starts", "ends"):
        times = seen.named("time", detail)
        if times and seen.kind == "campaign":
            value, why, check = time_value(times[0])
            item[detail] = Why(value, why, check)
            seen.take(times[0])
    rest = [c.name for c in seen.profile.columns.values() if c.name not in seen.used and c.given]
    rest = [name for name in rest if seen.meanings[name].what != "private"]
    if rest:
        item["attributes"] = Why(rest, "kept")
    return item


def _separator(column: Column) -> str:
    counts = {one: sum(value.count(one) for value in column.values) for one in "|;"}
    return max(counts, key=lambda one: counts[one]) if any(counts.values()) else "|"


def campaign(scratch: Scratch, seen: Seen, tables: Sequence[Seen], made: Draft) -> None:
    del tables
    made.put("item", _item_columns(scratch, seen, seen.ids("campaign")[0], made))


def consent(scratch: Scratch, seen: Seen, tables: Sequence[Seen], made: Draft) -> None:
    del tables
    own = [c for c in id_columns(seen) if c.is_unique and c not in seen.ids("person")]
    if own:
        made.put("key", own[0].name, "another in every row")
    put_identifiers(scratch, seen, made)
    put_time(seen, made, main=("at", "changed", "created", "starts"))
    found = consent_columns(seen)
    if found is not None:
        purpose, granted = found
        value: dict[str, Any] = {"purpose": {"column": purpose.name}, "granted": granted.name}
        known = {"yes", "true", "1", "granted", "y", "no", "false", "0", "denied", "n"}
        strange = [v for v in granted.values if v.casefold() not in known]
        told = ", ".join(granted.values)
        if strange:
            yes, no, other = answers(granted)
            value |= ({"no": no} if no else {}) | ({"yes": yes} if yes else {})
            if other:
                told += f"; neither yes nor no, and quarantined: {', '.join(other)}"
        ends = sorted(seen.named("time", "ends"), key=lambda c: says(c.name, words()["until"]))
        if ends:
            until, why, check = time_value(ends[0])
            value["until"] = Why(until, why, check)
            seen.take(ends[0])
        for column in ends[1:]:
            made.asked.append(
                f"a consent ends by {ends[0].name}; {column.name} is not read: which is it?"
            )
        made.put("consents", [Why(value, told, check=bool(strange))])


def survey(scratch: Scratch, seen: Seen, tables: Sequence[Seen], made: Draft) -> None:
    del tables
    own = [c for c in id_columns(seen) if c.is_unique and seen.entity_of(c.name) != "person"]
    if own:
        made.put("key", own[0].name, "another in every row")
    put_identifiers(scratch, seen, made)
    put_time(seen, made, main=("at", "created", "ends", "starts"))
    listed, column = seen.questions or (seen, next(iter(seen.profile.columns.values())))
    columns = [c for c in listed.profile.columns.values() if c is not column]
    wordings = sorted(columns, key=lambda c: -c.share(c.sentences))
    value = {"file": listed.profile.files[0], "id": column.name}
    if wordings:
        value["text"] = wordings[0].name
    made.put("questions", value, "the columns that it names are answers")
