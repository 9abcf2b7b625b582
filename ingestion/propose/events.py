"""Tables of what people did: where, what, how much, about what."""

from collections.abc import Iterator, Sequence
from typing import Any

from ingestion.propose import evidence
from ingestion.propose.drafts import Anchor, Draft, Why, Written
from ingestion.propose.keys import id_columns, put_identifiers, put_key, put_time, time_value
from ingestion.propose.meanings import is_named_as_id, is_timely, pieces, says, snake, words
from ingestion.propose.profiles import YES_NO, Column
from ingestion.propose.seen import FEW, Seen, is_main
from ingestion.table import CONTROL, TREATED
from kg.lake.scratch import Scratch
from kg.words import some

_DECIDED = ("assigned", "allocated", "randomised", "randomized", "enrolled", "scheduled", "planned")
_FEWEST_NAMES, _LEAST_OFTEN = 5, 0.5  # names of things; how many there may be for each row
_MOSTLY_OWN = 0.9  # an item column with more values than this per row counts rows, not items


def event(scratch: Scratch, seen: Seen, tables: Sequence[Seen], made: Draft) -> None:
    if any(says(name, words()["sample"]) for name in seen.profile.files):
        made.put("sampled", "lines", "the file is called a sample; of lines (the careful guess) or "
                 "of people?", check=True)  # fmt: skip
    put_key(scratch, seen, made)
    put_identifiers(scratch, seen, made)
    link = _link(seen, tables)
    timed = put_time(seen, made, main=("at", "created", "starts"))
    campaigns = seen.ids("campaign")
    if link and (not timed or campaigns):
        label, own, other = link
        at = next((c for c in other.named("time") if is_main(other, c)), None)
        used = not timed and at is not None
        about = [*other.named("category"), *other.named("trait"), *other.titles]
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
    channel, why = _channel(seen, link[2] if link else None)
    if channel:
        made.put("channel", channel, why)
    items = _items(seen, made)
    titles = [c.name for c in seen.titles]
    title = titles[0] if titles else None
    charged = evidence.odd_codes(scratch, seen.profile, items[0].name, title) if items else None
    _verb(scratch, seen, made, charged)
    _event_item(scratch, seen, made, items)
    _amounts(scratch, seen, made)
    baskets = seen.ids("basket")
    if baskets and baskets[0].name not in seen.used:
        made.put("basket", seen.take(baskets[0]), seen.meanings[baskets[0].name].why)
    if campaigns:
        _received(seen, made, campaigns[0])
    _about(seen, made, items)


def _link(seen: Seen, tables: Sequence[Seen]) -> tuple[str, str, Seen] | None:
    """A table that knows more of what the rows refer to: how it is called here, by which column."""
    for column in id_columns(seen):
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


def _channel(seen: Seen, linked: Seen | None) -> tuple[Any, str]:
    columns = seen.named("channel")
    if columns:
        return {"column": seen.take(columns[0])}, some(columns[0].distinct, "value")
    constants = " ".join(value for c in seen.named("constant") for value in c.values)
    ids = " ".join(c.name for c in seen.profile.columns.values() if is_named_as_id(c))
    known = " ".join(v for c in linked.named("constant") for v in c.values) if linked else ""
    for where, text in (("linked file", known), ("file", f"{seen.label} {constants}"),
                        ("columns", ids)):  # fmt: skip
        for channel, listed in words()["channels"].items():
            hits = [piece for piece in pieces(text) if piece in listed]
            if hits and (where != "columns" or channel == "store"):
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
    return found or _named_items(seen, made)


def _named_items(seen: Seen, made: Draft) -> list[Column]:
    """What rows are about by its name, where nothing has its id: names that come again and again.

    A column whose name says so, else the one of most values, which somebody is asked about.
    """
    names = [c for c in seen.named("title") if c.distinct > 1 and _recurs(c)]
    spoken_for = seen.named("object") or seen.named("category") or seen.named("text")
    if names or spoken_for or seen.ids("campaign") or seen.named("verb"):
        return names[:1]
    rest = [c for c in seen.profile.columns.values()
            if c.kind == "text" and not c.is_number and c.distinct >= _FEWEST_NAMES and _recurs(c)
            and seen.meanings[c.name].what in {"trait", "nothing"} and c.name not in seen.groups
            and not is_named_as_id(c) and not is_timely(c)]  # fmt: skip
    if not rest:
        return []
    best = max(rest, key=lambda c: c.distinct)
    made.asked.append(
        f"nothing is called an item; {best.name} has {some(best.distinct, 'value')} that come "
        "again and again: is it what these rows are about?"
    )
    return [best]


def _recurs(column: Column) -> bool:
    """Whether a column has names of things in most rows, each in several."""
    often = column.distinct <= _LEAST_OFTEN * column.given and column.given >= 0.5 * column.rows
    return often and column.share(column.sentences) < 0.3


def _verb(scratch: Scratch, seen: Seen, made: Draft, charged: Any) -> None:
    deeds = [*seen.named("value"), *seen.named("quantity"), *seen.ids("basket")]
    if seen.ids("campaign") and seen.named("arm") and not deeds:
        made.put("verb", "received", "a campaign, and an arm that somebody was in")
        return
    columns = [c for c in seen.named("verb") if 2 <= c.distinct <= 200]
    if columns:
        made.put("verb", {"column": seen.take(columns[0])}, some(columns[0].distinct, "value"))
        return
    verb, why, check = _word(seen)
    cases: list[Any] = []
    quantity = next(iter(seen.named("quantity")), None)
    price = next(iter([*seen.named("price"), *seen.named("value")]), None)
    people = seen.ids("person")
    if verb == "bought" and not (price or quantity or seen.ids("item") or seen.titles):
        why, check = f"{why}; but nothing says what, or for how much: is that what was done?", True
    less_than_none = {quantity.name: {"below": 0}} if quantity and quantity.negative else None
    if charged is not None:
        cases += _charges(charged, less_than_none)
    if verb == "bought" and price is not None and people and people[0].given < people[0].rows:
        free = evidence.free_of_nobody(scratch, seen.profile, price.name, people[0].name)
        if free:
            nothing = {price.name: {"at_most": 0}, people[0].name: {"missing": True}}
            told = f"{some(free, 'row')} at no cost that name nobody: corrections, no sales"
            correction = Written(Anchor("correction", nothing))
            cases.append(Why({"is": "adjusted", "when": correction}, told))
    if verb == "bought" and quantity and less_than_none:
        told = f"{some(quantity.negative, 'row')} of a negative quantity"
        cases.append(Why({"is": "returned", "when": less_than_none}, told))
    if verb == "bought":
        cases += _states(seen)
    if not cases:
        made.put("verb", verb, why, check=check)
        return
    made.put("verb", [*cases, Why({"is": verb}, why, check=check and verb != "did_something")])


def _charges(charged: evidence.Odd, less_than_none: dict[str, Any] | None) -> Iterator[Why]:
    """What is no item: given back where its quantity is negative, charged elsewhere."""
    condition = charged.condition
    if less_than_none:
        codes = {column: Anchor("no_item_code", listed) for column, listed in condition.items()}
        given = {column: Written(code) for column, code in codes.items()} | less_than_none
        yield Why({"is": "credited", "when": given}, "no item, and of a negative quantity")
        condition = codes
    no_item = Written(Anchor("no_item", condition))
    yield Why({"is": "charged", "when": no_item}, charged.why, check=True)


def _states(seen: Seen) -> list[Why]:
    """Rows whose state says that nothing was bought in the end."""
    found = []
    for column in seen.profile.columns.values():
        if column.name in seen.used or column.is_number or seen.meanings[column.name].what == "id":
            continue
        for verb, listed in words()["states"].items():
            hits = [value for value in column.values if says(value, listed)]
            if hits and len(hits) < column.distinct:
                told = f"{column.name} says so: is that what these rows are?"
                found.append(Why({"is": verb, "when": {column.name: hits}}, told, check=True))
                seen.used.append(column.name)
    return found


def _word(seen: Seen) -> tuple[str, str, bool]:
    """What people did, by a word of the key, the file, a constant column or a column's name; and
    whether that is in doubt, because the file's name says something else than the key's."""
    keys = [n for n in seen.groups if seen.entity_of(n) == "act"]
    constants = [value for c in seen.named("constant") for value in c.values]
    baskets = [column.name for column in seen.ids("basket")]
    places = (("id", keys), ("file", [seen.label]), ("column", constants), ("basket", baskets))
    said: dict[str, tuple[str, str]] = {}
    for where, texts in places:
        for verb, listed in words()["verbs"].items():
            hits = [piece for text in texts for piece in pieces(text) if piece in listed]
            if hits:
                said.setdefault(where, (verb, f"{hits[0]!r} in the {where}"))
    if not said:
        return "did_something", "nothing says what people did: put the word for it here", True
    verb, why = next(iter(said.values()))
    other, told = said.get("file", (verb, ""))
    if verb == other:
        return verb, why, False
    return verb, f"{why}, and {told}: is it {other}?", True


def _cases(made: Draft) -> list[Why]:
    verb = made.keys["verb"].value
    return verb if isinstance(verb, list) else []


def _event_item(scratch: Scratch, seen: Seen, made: Draft, items: list[Column]) -> None:
    if not items:
        return
    item: dict[str, Why] = {"id": Why(seen.take(items[0]), seen.meanings[items[0].name].why)}
    titles = [c for c in seen.titles if c.name not in seen.used]
    if items[0].name not in seen.groups:
        item["title"] = Why(items[0].name, "its name stands for its id")
    elif titles:
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
    whens = [case.value.get("when") for case in _cases(made)]
    anchors = [when.anchor for when in whens if isinstance(when, Written)]
    if anchors:
        item["unless"] = Why(anchors, "as above")
    simple = set(item) == {"id"}
    made.put("item", item["id"].value if simple else item, item["id"].reason if simple else "")
    if anchors and titles:
        made.put("object", titles[0].name, "of rows that are about no item")


def _amounts(scratch: Scratch, seen: Seen, made: Draft) -> None:
    quantities = seen.named("quantity") or seen.named("score")
    if quantities:
        made.put("quantity", seen.take(quantities[0]), seen.meanings[quantities[0].name].why)
    values = [c for c in seen.named("value") if c.name not in seen.used]
    totals = [c for c in values if not says(c.name, ("unit",))]
    prices = seen.named("price")
    if seen.named("quantity") and prices:
        whole = [c for c in totals if _is_of_order(scratch, seen, c, prices[0])]
        totals = [c for c in totals if c not in whole]
        if whole:
            told = ", ".join(c.name for c in whole)
            made.remarks.append(f"said of a whole order, not of its lines: {told}")
    if totals:
        made.put("value", seen.take(totals[0]), seen.meanings[totals[0].name].why)
        if len(totals) > 1:
            made.remarks.append(f"other amounts: {', '.join(c.name for c in totals[1:])}")
    elif prices and seen.named("quantity"):
        made.put("value", [quantities[0].name, seen.take(prices[0])], "quantity times price")
    elif prices:
        made.put("value", seen.take(prices[0]), seen.meanings[prices[0].name].why)


def _is_of_order(scratch: Scratch, seen: Seen, total: Column, price: Column) -> bool:
    """Whether an amount is that of an order, which several rows repeat or only its first row has:
    counted with each row it would be too much, or beside the wrong thing."""
    orders = [c for c in seen.ids("basket") if c.distinct < _MOSTLY_OWN * c.given]
    if not orders:
        return False
    return total.given < _MOSTLY_OWN * price.given or evidence.depends_on(
        scratch, seen.profile, total.name, orders[0].name
    )


def _received(seen: Seen, made: Draft, campaign: Column) -> None:
    arms = seen.named("arm")
    value: Any = seen.take(campaign)
    why = seen.meanings[campaign.name].why
    if arms:
        value = {"id": value, "arm": seen.take(arms[0]), **_arm_words(arms[0])}
        why = seen.meanings[arms[0].name].why
        _held_out(seen, made)
    strange = _strange_arms(arms[0]) if arms else []
    if strange:
        why += f"; of no arm that is known, and quarantined: {', '.join(strange)}"
    made.put("campaign", value, why, check=bool(strange))


def _held_out(seen: Seen, made: Draft) -> None:
    """Who is held out may be sent nothing at any time; when that was decided counts then."""
    time = made.keys["time"].value if "time" in made.keys else None
    name = time.get("column") if isinstance(time, dict) else time
    others = [c.name for c in seen.named("time") if c.name != name and says(c.name, _DECIDED)]
    if name in seen.profile.columns and others:
        lost = seen.profile.columns[name].rows - seen.profile.columns[name].given
        if lost:
            told = f"{some(lost, 'row')} without {name}"
            why = f"{told}: when somebody was put into an arm counts there"
            made.put("names", {name: others}, why)


def _arm_words(column: Column) -> dict[str, Any]:
    """What the values of an arm mean, where they are not the usual words."""
    given = {value.casefold(): value for value in column.values}
    if all(one in YES_NO for one in given):
        yes = [value for one, value in given.items() if one in {"yes", "true", "y", "1"}]
        no = [value for value in column.values if value not in yes]
        held = says(column.name, words()["control"])
        return {"control": yes if held else no, "treated": no if held else yes}
    control = [value for one, value in given.items() if one in {*words()["control"], *CONTROL}]
    strange = _strange_arms(column)
    treated = [value for value in column.values if value not in {*control, *strange}]
    usual = all(one in {*CONTROL, *TREATED} for one in given if given[one] not in strange)
    return {} if usual else {"control": control, "treated": treated}


def _strange_arms(column: Column) -> list[str]:
    """The one word beside the usual ones for being held out and being sent something: taken for
    either it would turn an effect around. Several are the names of variants."""
    held = [one for one in column.values if one.casefold() in {*words()["control"], *CONTROL}]
    sent = [one for one in column.values if one.casefold() in TREATED]
    other = [one for one in column.values if one not in {*held, *sent}]
    return other if held and sent and len(other) == 1 else []


def _about(seen: Seen, made: Draft, items: list[Column]) -> None:
    texts = [c for c in seen.named("text") if c.name not in seen.used]
    if items and not texts:
        texts = [c for c in seen.named("object") if c.name not in seen.used and c.distinct > FEW]
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
    elif not {"text", "category"} & made.keys.keys() and not seen.ids("campaign"):
        _only_named(made)


def _only_named(made: Draft) -> None:
    """Events that have a name and nothing else are about what they are called."""
    verb = made.keys["verb"].value
    if isinstance(verb, dict) and verb.keys() == {"column"}:
        made.put("object", verb["column"], "nothing else says what a row is about")
