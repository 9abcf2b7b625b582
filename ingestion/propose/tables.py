"""What the rows of a table are, and the table of the mapping that reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ingestion.propose import evidence
from ingestion.propose.drafts import Anchor, Draft, Why
from ingestion.propose.meanings import Meaning, is_named_as_id, pieces, says, snake, words
from ingestion.propose.profiles import NOTHING, YES_NO, Column, Profile
from ingestion.propose.relations import Group
from kg.lake.scratch import Scratch

_FEW = 50
_MOST_LISTED = 60
_MOSTLY_OWN = 0.9  # an item column with more values than this per row counts rows, not items


@dataclass
class Seen:
    """What is known of one table when its draft is written."""

    place: int
    label: str
    profile: Profile
    meanings: dict[str, Meaning]
    groups: dict[str, Group]  # id column -> the ids it holds
    kind: str = ""
    reason: str = ""
    used: list[str] = field(default_factory=list)

    def named(self, what: str, detail: str | None = None) -> list[Column]:
        """The columns of a meaning, in their order."""
        return [
            self.profile.columns[name]
            for name, one in self.meanings.items()
            if one.what == what and detail in {None, one.detail}
        ]

    def ids(self, entity: str) -> list[Column]:
        """The id columns of an entity."""
        return [self.profile.columns[n] for n, one in self.groups.items() if one.entity == entity]

    @property
    def names_people(self) -> bool:
        """Whether a column names a person."""
        return bool(self.ids("person") or self.named("email") or self.named("phone"))

    def take(self, column: Column) -> str:
        """A column that is used in the draft."""
        self.used.append(column.name)
        return column.name


def decide(seen: Seen) -> None:
    """Say what the rows are, and why."""
    seen.kind, seen.reason = _kind(seen)


def _kind(seen: Seen) -> tuple[str, str]:
    people, times = seen.names_people, [c for c in seen.named("time") if _is_main(seen, c)]
    items, campaigns = seen.ids("item"), seen.ids("campaign")
    rows = seen.profile.rows
    if people and _consent_columns(seen):
        return "consent", "a person, a purpose and a yes or no in each row"
    own = [c for c in (*seen.ids("person"), *seen.named("email")) if c.is_unique]
    if own and not items and not campaigns:
        return "profile", f"{own[0].name} is another in each of the {rows:,} rows"
    if people and (times or campaigns):
        who = (*seen.ids("person"), *seen.named("email"), *seen.named("phone"))[0]
        per = who.given / who.distinct if who.distinct else 0.0
        when = f"at a time ({times[0].name})" if times else "and a campaign"
        return "event", f"somebody ({who.name}, {per:.1f} rows each) {when}"
    if campaigns and campaigns[0].is_unique:
        return "campaign", f"{campaigns[0].name} is another in each of the {rows:,} rows"
    if items and items[0].is_unique and not people:
        return "item", f"{items[0].name} is another in each of the {rows:,} rows"
    if times and (items or seen.ids("basket")):
        return "event", "items or baskets at a time; nobody is named"
    if people:
        return "ignore", "it names people, but neither a time nor anything else to say of them"
    return "ignore", "it names neither a person nor a time"


def _is_main(seen: Seen, column: Column) -> bool:
    return seen.meanings[column.name].detail in {"at", "created", "starts"}


def _consent_columns(seen: Seen) -> tuple[Column, Column] | None:
    few = [c for c in seen.profile.columns.values() if 1 <= c.distinct <= 20]
    purposes = [c for c in few if says(c.name, words()["purpose"]) and not c.is_number]
    granted = [c for c in few if says(c.name, words()["granted"]) and _is_answer(c)]
    granted = [c for c in granted if c not in purposes]
    is_small = len(seen.profile.columns) <= 10
    return (purposes[0], granted[0]) if purposes and granted and is_small else None


_ANSWERS = {*YES_NO, "granted", "denied", "opted_in", "opted_out", "opt-in", "opt-out", "withdrawn",
            "subscribed", "unsubscribed", "allowed", "refused"}  # fmt: skip


def _is_answer(column: Column) -> bool:
    return bool(column.values) and all(v.casefold() in _ANSWERS for v in column.values)


def draft(scratch: Scratch, seen: Seen, tables: Sequence[Seen]) -> Draft:
    """The table of the mapping for what was seen."""
    made = Draft(seen.label)
    files = seen.profile.files
    made.put("files", files[0] if len(files) == 1 else list(files))
    made.put("kind", seen.kind, seen.reason, check=seen.kind == "ignore" and seen.names_people)
    if seen.kind == "ignore":
        made.put("reason", seen.reason)
        return made
    made.remarks.append(f"{seen.profile.rows:,} rows")
    write = {"event": _event, "profile": _profile, "item": _item, "campaign": _campaign,
             "consent": _consent}[seen.kind]  # fmt: skip
    write(scratch, seen, tables, made)
    _missing(seen, made)
    return made


def _identifiers(seen: Seen, made: Draft) -> None:
    found: dict[str, Why] = {}
    for column in seen.ids("person"):
        group = seen.groups[column.name]
        also = group.why.get((seen.place, column.name), "")
        why = also or seen.meanings[column.name].why
        if column.given < column.rows:
            why += f"; {column.rows - column.given:,} rows name nobody here"
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


def _time(seen: Seen, made: Draft, *, main: tuple[str, ...]) -> bool:
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
    why = "" if read == column.given else f"{column.given - read:,} values are of another form; "
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


def _key(scratch: Scratch, seen: Seen, made: Draft) -> None:
    own = [c for c in _id_columns(seen) if c.is_unique]
    acts = [c for c in own if seen.groups[c.name].entity in {"act", ""}]
    for column in [*acts, *own]:
        if seen.kind == "event" and seen.groups[column.name].entity == "person":
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
        times = [c.name for c in seen.named("time") if _is_main(seen, c)][:1]
        for names in (parts, [*parts, *times]):
            if len(names) > 1 and evidence.is_key(scratch, seen.profile, names):
                made.put("key", names, "together another in every row")
                return
    made.remarks.append(
        "no column tells rows apart: equal rows of one file are real, equal rows of two are one"
    )
    _part(scratch, seen, made)


def _id_columns(seen: Seen) -> list[Column]:
    return [seen.profile.columns[name] for name in seen.groups]


def _part(scratch: Scratch, seen: Seen, made: Draft) -> None:
    """A column that says which export a row is from, where exports overlap in one file."""
    candidates = [
        c
        for c in seen.profile.columns.values()
        if 2 <= c.distinct <= 20 and c.given == c.rows and c.kind == "text"
        and seen.meanings[c.name].what not in {"id", "time", "email", "arm", "consent"}
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
        made.put("part", seen.take(column), why)
        if differing:
            made.put("ignore_columns", differing, "differ between rows that are otherwise the same")
        return


_CORE = {"id", "time", "quantity", "value", "price", "title", "score", "text"}


def _event(scratch: Scratch, seen: Seen, tables: Sequence[Seen], made: Draft) -> None:
    if any(says(name, words()["sample"]) for name in seen.profile.files):
        made.put("sampled", "lines", "the file is called a sample; of lines (the careful guess) or "
                 "of people?", check=True)  # fmt: skip
    _key(scratch, seen, made)
    _identifiers(seen, made)
    link = _link(seen, tables)
    timed = _time(seen, made, main=("at", "created", "starts"))
    campaigns = seen.ids("campaign")
    if link and (not timed or campaigns):
        label, own, other = link
        at = next((c for c in other.named("time") if _is_main(other, c)), None)
        used = not timed and at is not None
        about = [*other.named("category"), *other.named("trait"), *other.named("title")]
        if used or about:
            made.put("links", {label: {"file": other.profile.files[0], "on": own}},
                     f"{own} is found in {other.profile.files[0]}")  # fmt: skip
        if used and at is not None:
            value, why, check = time_value(at)
            if isinstance(value, dict):
                value = {**value, "column": f"{label}.{at.name}"}
            else:
                value = f"{label}.{value}"
            made.put("time", value, f"the rows have no time of their own; {why}", check=check)
        if about:
            made.put("object", f"{label}.{about[0].name}")
    channel, why = _channel(seen)
    if channel:
        made.put("channel", channel, why)
    items = _items(seen, made)
    titles = [c.name for c in seen.named("title")]
    title = titles[0] if titles else None
    charged = evidence.odd_codes(scratch, seen.profile, items[0].name, title) if items else None
    _verb(scratch, seen, made, charged)
    _event_item(scratch, seen, made, items)
    _amounts(seen, made)
    baskets = seen.ids("basket")
    if baskets and baskets[0].name not in seen.used:
        made.put("basket", seen.take(baskets[0]), seen.meanings[baskets[0].name].why)
    if campaigns:
        _received(seen, made, campaigns[0])
    _about(seen, made, items)


def _link(seen: Seen, tables: Sequence[Seen]) -> tuple[str, str, Seen] | None:
    """A table that knows more of what the rows refer to: how it is called here, by which column."""
    for column in _id_columns(seen):
        group = seen.groups[column.name]
        if group.entity not in {"campaign", "basket", ""}:
            continue
        for one in group.ids:
            if one.table != seen.place and one.column.is_unique:
                label = "sent" if group.entity == "campaign" else snake(group.namespace)
                own = column.name
                on = own if one.column.name == own else {own: one.column.name}
                if isinstance(on, str):
                    return label, on, tables[one.table]
    return None


def _channel(seen: Seen) -> tuple[Any, str]:
    columns = [c for c in seen.named("category") if says(c.name, words()["channel"])]
    if columns and columns[0].distinct <= _FEW:
        return {"column": seen.take(columns[0])}, "several channels"
    constants = " ".join(value for c in seen.named("constant") for value in c.values)
    ids = " ".join(c.name for c in seen.profile.columns.values() if is_named_as_id(c))
    for where, text in (("file", f"{seen.label} {constants}"), ("columns", ids)):
        for channel, listed in words()["channels"].items():
            hits = [piece for piece in pieces(text) if piece in listed]
            if hits and (where == "file" or channel == "store"):
                return channel, f"{hits[0]!r} in the {where}"
    return None, ""


def _items(seen: Seen, made: Draft) -> list[Column]:
    found = []
    for column in seen.ids("item"):
        if column.distinct > _MOSTLY_OWN * column.given and column.given > 1000:
            made.remarks.append(
                f"{column.name} is another in nearly every row: it counts rows and names no item"
            )
            continue
        found.append(column)
    return found


def _verb(scratch: Scratch, seen: Seen, made: Draft, charged: Any) -> None:
    columns = [c for c in seen.named("verb") if 2 <= c.distinct <= 200]
    if columns:
        made.put("verb", {"column": seen.take(columns[0])}, f"{columns[0].distinct} values")
        return
    verb, why = _word(seen)
    cases: list[Any] = []
    quantity = next(iter(seen.named("quantity")), None)
    price = next(iter([*seen.named("price"), *seen.named("value")]), None)
    people = seen.ids("person")
    if charged is not None:
        no_item = Anchor("no_item", charged.condition)
        cases.append(Why({"is": "charged", "when": no_item}, charged.why, check=True))
    if verb == "bought" and price is not None and people and people[0].given < people[0].rows:
        free = evidence.free_of_nobody(scratch, seen.profile, price.name, people[0].name)
        if free:
            nothing = {price.name: {"at_most": 0}, people[0].name: {"missing": True}}
            told = f"{free:,} rows cost nothing and name nobody: corrections, no sales"
            correction = Anchor("correction", nothing)
            cases.append(Why({"is": "adjusted", "when": correction}, told))
    if verb == "bought" and quantity is not None and quantity.negative:
        when = {quantity.name: {"below": 0}}
        told = f"{quantity.negative:,} rows have a negative quantity"
        cases.append(Why({"is": "returned", "when": when}, told))
    if not cases:
        made.put("verb", verb, why, check=verb == "did_something")
        return
    made.put("verb", [*cases, Why({"is": verb}, why)])


def _word(seen: Seen) -> tuple[str, str]:
    """What people did, by a word of the key, the file, a constant column or a column's name."""
    keys = [n for n, one in seen.groups.items() if one.entity == "act"]
    constants = [value for c in seen.named("constant") for value in c.values]
    for where, texts in (("id", keys), ("file", [seen.label]), ("column", constants),
                         ("columns", list(seen.profile.columns))):  # fmt: skip
        for verb, listed in words()["verbs"].items():
            hits = [piece for text in texts for piece in pieces(text) if piece in listed]
            if hits:
                return verb, f"{hits[0]!r} in the {where}"
    return "did_something", "nothing says what people did: put the word for it here"


def _cases(made: Draft) -> list[Why]:
    verb = made.keys["verb"].value
    return verb if isinstance(verb, list) else []


def _event_item(scratch: Scratch, seen: Seen, made: Draft, items: list[Column]) -> None:
    if not items:
        return
    item: dict[str, Why] = {"id": Why(seen.take(items[0]), seen.meanings[items[0].name].why)}
    titles = [c for c in seen.named("title") if c.name not in seen.used]
    if titles:
        item["title"] = Why(seen.take(titles[0]), seen.meanings[titles[0].name].why)
    categories = [c for c in seen.named("category") if c.name not in seen.used]
    own = [c.name for c in categories
           if evidence.depends_on(scratch, seen.profile, c.name, items[0].name)]  # fmt: skip
    if own:
        item["categories"] = Why(evidence.broad_to_fine(seen.profile, own), "each item has one")
        seen.used += own
    prices = seen.named("price")
    if prices:
        item["price"] = Why(prices[0].name)
    anchors = [case.value["when"] for case in _cases(made)
               if isinstance(case.value.get("when"), Anchor)]  # fmt: skip
    if anchors:
        item["unless"] = Why(anchors, "as above")
    simple = set(item) == {"id"}
    made.put("item", item["id"].value if simple else item, item["id"].reason if simple else "")
    if anchors and titles:
        made.put("object", titles[0].name, "of rows that are about no item")


def _amounts(seen: Seen, made: Draft) -> None:
    quantities = seen.named("quantity") or seen.named("score")
    if quantities:
        made.put("quantity", seen.take(quantities[0]), seen.meanings[quantities[0].name].why)
    values = [c for c in seen.named("value") if c.name not in seen.used]
    totals = [c for c in values if not says(c.name, ("unit",))]
    prices = seen.named("price")
    if totals:
        made.put("value", seen.take(totals[0]), seen.meanings[totals[0].name].why)
        if len(totals) > 1:
            made.remarks.append(f"other amounts: {', '.join(c.name for c in totals[1:])}")
    elif prices and seen.named("quantity"):
        made.put("value", [quantities[0].name, seen.take(prices[0])], "quantity times price")
    elif prices:
        made.put("value", seen.take(prices[0]), seen.meanings[prices[0].name].why)


def _received(seen: Seen, made: Draft, campaign: Column) -> None:
    arms = seen.named("arm")
    value: Any = seen.take(campaign)
    why = seen.meanings[campaign.name].why
    if arms:
        value = {"id": value, "arm": seen.take(arms[0])}
        why = seen.meanings[arms[0].name].why
    made.put("campaign", value, why)


def _about(seen: Seen, made: Draft, items: list[Column]) -> None:
    texts = [c for c in seen.named("text") if c.name not in seen.used]
    if items and not texts:
        texts = [c for c in seen.named("object") if c.name not in seen.used and c.distinct > _FEW]
    if texts:
        names = [seen.take(c) for c in texts]
        made.put("text", names[0] if len(names) == 1 else names, seen.meanings[names[0]].why)
    categories = [
        c for c in seen.named("category") if c.name not in seen.used and c.distinct <= 500
    ]
    categories.sort(key=lambda c: "category" not in pieces(c.name))
    if categories and not items:
        made.put("category", seen.take(categories[0]), seen.meanings[categories[0].name].why)
    if items or "object" in made.keys:
        return
    objects = [c for c in seen.named("object") if c.name not in seen.used]
    objects += [c for c in seen.named("constant") if says(c.name, words()["object"])]
    if objects:
        made.put("object", seen.take(objects[0]), seen.meanings[objects[0].name].why)


def _profile(scratch: Scratch, seen: Seen, tables: Sequence[Seen], made: Draft) -> None:
    del scratch, tables
    own = [c for c in _id_columns(seen) if c.is_unique]
    own.sort(key=lambda c: seen.groups[c.name].entity != "person")
    if own:
        # The table's own id comes first: the one that others refer to, or the first column.
        made.put("key", own[0].name, "another in every row")
    _identifiers(seen, made)
    person = {
        seen.meanings[c.name].detail: Why(seen.take(c))
        for c in seen.named("person")
        if seen.meanings[c.name].detail != "birth_date"
    }
    births = seen.named("person", "birth_date")
    if births and births[0].is_time:
        value, why, check = time_value(births[0])
        person["birth_date"] = Why(value, why, check)
        seen.take(births[0])
    if person:
        made.put("person", person, "tells people apart, and serves nothing else")
    _time(seen, made, main=("created", "at", "starts"))
    traits = {snake(c.name): Why(c.name, _shown(c)) for c in seen.profile.columns.values()
              if _is_trait(seen, c)}  # fmt: skip
    if traits:
        made.put("traits", traits)
        made.put("describe", list(traits), f"2 to {_FEW} values each, none of them personal")
    _consents(seen, made)


def _is_trait(seen: Seen, column: Column) -> bool:
    what = seen.meanings[column.name].what
    personal = {"consent", "person", "private", "time", "id", "email", "phone", "nothing"}
    return what not in personal and 2 <= column.distinct <= _FEW and column.name not in seen.used


def _shown(column: Column) -> str:
    if len(column.values) <= 6 and all(len(value) <= 20 for value in column.values):
        return ", ".join(column.values)
    return f"{column.distinct} values"


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


def _item(scratch: Scratch, seen: Seen, tables: Sequence[Seen], made: Draft) -> None:
    del tables
    made.put("item", _item_columns(scratch, seen, seen.ids("item")[0], made))


def _item_columns(scratch: Scratch, seen: Seen, own: Column, made: Draft) -> dict[str, Why]:
    item = {"id": Why(seen.take(own), seen.meanings[own.name].why)}
    titles = seen.named("title")
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


def _campaign(scratch: Scratch, seen: Seen, tables: Sequence[Seen], made: Draft) -> None:
    del tables
    made.put("item", _item_columns(scratch, seen, seen.ids("campaign")[0], made))


def _consent(scratch: Scratch, seen: Seen, tables: Sequence[Seen], made: Draft) -> None:
    del scratch, tables
    own = [c for c in _id_columns(seen) if c.is_unique and c not in seen.ids("person")]
    if own:
        made.put("key", own[0].name, "another in every row")
    _identifiers(seen, made)
    _time(seen, made, main=("at", "changed", "created", "starts"))
    found = _consent_columns(seen)
    if found is not None:
        purpose, granted = found
        value: dict[str, Any] = {"purpose": {"column": purpose.name}, "granted": granted.name}
        known = {"yes", "true", "1", "granted", "y", "no", "false", "0", "denied", "n"}
        strange = [v for v in granted.values if v.casefold() not in known]
        if strange:
            deny = ("out", "withdrawn", "unsub", "refused", "denied", "no", "false")
            value["no"] = [v for v in granted.values if any(w in v.casefold() for w in deny)]
            value["yes"] = [v for v in granted.values if v not in value["no"]]
        made.put("consents", [Why(value, ", ".join(granted.values), check=bool(strange))])


def _missing(seen: Seen, made: Draft) -> None:
    found: dict[str, int] = {}
    for name in seen.used:
        column = seen.profile.columns[name]
        for word, count in column.nothing.items():
            if word not in {"-", "?", "NA", "None"} or column.is_number or column.is_time:
                found[word] = found.get(word, 0) + count
    if found:
        told = ", ".join(f"{word!r} {count:,} times" for word, count in sorted(found.items()))
        made.put(
            "missing", [word for word in NOTHING if word in found], f"{told}: stands for nothing"
        )


def settle(drafts: Sequence[Draft]) -> None:
    """What only all tables together say: redeeming happens where things are bought."""
    channels = {
        draft.keys["channel"].value
        for draft in drafts
        if _verb_of(draft) == "bought" and "channel" in draft.keys
    }
    for draft in drafts:
        if _verb_of(draft) == "redeemed" and "channel" not in draft.keys and len(channels) == 1:
            draft.put("channel", next(iter(channels)), "where things are bought")


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
        if draft.keys["kind"].value == "item" and isinstance(item, dict) and "categories" in item:
            levels = len(item["categories"].value)
            return levels - 2 if levels > 2 else None
    return None
