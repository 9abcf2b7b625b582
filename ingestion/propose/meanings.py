"""What a column may be, by the words of its name and by its values; neither alone decides."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ingestion.propose.profiles import NUMBERS, Column
from ingestion.values import SERIAL
from kg.words import some

_PIECES = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
_NUMBERED = re.compile(r"^(.{2,})(nr|nummer)$")
_NUMBER_OF = ("id", "n", "no", "nr", "num", "number", "numero", "nummer", "code", "ref")
_FEW = 50  # values that can describe people
_NUMBERED_FROM = (
    1000  # whole numbers that are all so high count nothing: they are numbers of things
)
# Of the values are read as times: where the name says that they are, and where it does not.
_NAMED_TIMES, _TIMES = 0.7, 0.9


@dataclass(frozen=True)
class Meaning:
    """What a column is taken for.

    Attributes:
        what: email, phone, person, id, time, consent, arm, channel, quantity, score, price, value,
            text, title, category, object, verb, trait, constant, private or nothing.
        why: what speaks for it, without any value of it.
        detail: the entity of an id, the kind of a time, the detail of a person, the purpose of a
            consent.
        name: of an id: whose it is, as a namespace.
        doubt: what somebody is to be asked of it.
    """

    what: str
    why: str = ""
    detail: str = ""
    name: str = ""
    doubt: str = ""


@cache
def words() -> dict[str, Any]:
    """The vocabulary, from `words.yaml`."""
    from ruamel.yaml import YAML

    text = files("ingestion.propose").joinpath("words.yaml").read_text(encoding="utf-8")
    tree: dict[str, Any] = YAML(typ="safe").load(text)
    return tree


def pieces(name: str) -> list[str]:
    """`HotelCustomerID` as hotel, customer, id; `Kundennr` as kunden, nr; without accents."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    found = [piece.lower() for piece in _PIECES.findall(plain)]
    return [part for piece in found for part in _NUMBERED.sub(r"\1 \2", piece).split()]


def says(name: str, vocabulary: Iterable[str]) -> bool:
    """Whether a name has one of the words, as a piece or as two or more pieces together."""
    found = pieces(name)
    runs = {"".join(found[a:b]) for a in range(len(found)) for b in range(a + 1, len(found) + 1)}
    return bool(runs & set(vocabulary))


def snake(name: str) -> str:
    """`Loyalty Tier` as loyalty_tier."""
    return "_".join(pieces(name)) or "column"


def entity_of(name: str) -> tuple[str, str]:
    """What an id of that name is of (person, item, …; nothing: unknown), and its namespace."""
    found = pieces(name)
    kinds = {word: kind for kind, listed in words()["entities"].items() for word in listed}
    no_name = {*words()["ids"], *words()["joining"]}
    bare = [piece for piece in found if piece not in no_name] or found
    named = [kinds[piece] for piece in bare if piece in kinds]
    named = named or [kinds[piece] for piece in found if piece in kinds]  # Lineitem sku
    return (named[-1] if named else ""), "_".join(bare)


def is_named_as_id(column: Column) -> bool:
    """Whether a column is called an id, or just by what it would be the id of."""
    found = pieces(column.name)
    if not found:
        return False
    kinds = {word for listed in words()["entities"].values() for word in listed}
    if found[-1] in words()["ids"] or "#" in column.name:
        return True
    is_fraction = column.is_number and column.whole < column.numbers
    if column.is_unique and not is_fraction and all(piece in kinds for piece in found):
        return True  # order_line, another in every row
    joined = len(found) == 1 or found[0] in _NUMBER_OF  # customer; numero de cliente
    alone = joined or all(piece in kinds for piece in found)  # loyalty_card
    numbered = column.is_number and (column.low or 0) >= _NUMBERED_FROM
    many = column.distinct > _FEW or numbered
    return alone and found[-1] in kinds and not is_fraction and many


def meaning(column: Column) -> Meaning:
    """What a column is taken for by itself; what its table makes of it is for the table to say."""
    return next(_meanings(column), Meaning("nothing"))


def _meanings(column: Column) -> Iterator[Meaning]:
    name, seen = column.name, counted(column)
    if not column.given:
        yield Meaning("nothing", "it is empty")
    if column.share(column.mails) >= 0.8:
        yield Meaning("email", f"e-mail addresses; {seen}")
    if says(name, words()["private"]) and not column.yes_no:
        yield Meaning("private", "personal, and of no use here")
    yield from _consent(column, seen)
    is_phone = says(name, words()["phone"]) and column.share(column.phones + column.numbers) >= 0.8
    if is_phone or column.share(column.dialled) >= 0.8:
        yield Meaning("phone", f"telephone numbers; {seen}")
    yield from _detail(column, seen)
    yield from _time(column, seen)
    if is_named_as_id(column) and column.share(column.sentences) < 0.1 and column.kind != "bool":
        detail, namespace = entity_of(name)
        if detail != "other":
            yield Meaning("id", seen, detail, namespace)
        yield Meaning("nothing", "an id of something that is neither person, item nor campaign")
    if column.distinct == 1 and not column.is_number:
        yield Meaning("constant", "one and the same value in every row")
    yield from _arm(column)
    joined = "".join(pieces(name))
    if joined in words()["channel"] and column.kind == "text" and column.distinct <= _FEW:
        yield Meaning("channel", seen)
    yield from _amount(column, seen)
    yield from _words(column, seen)


def counted(column: Column) -> str:
    """How many values a column has, in words."""
    text = f"{some(column.distinct, 'value')} in {some(column.given, 'row')}"
    if column.given < column.rows:
        text += f", {some(column.rows - column.given, 'row')} without"
    return text


def _consent(column: Column, seen: str) -> Iterator[Meaning]:
    if column.share(column.yes_no) < 0.98 or not says(column.name, words()["consent"]):
        return
    purposes = words()["purposes"]
    purpose = next((one for one, listed in purposes.items() if says(column.name, listed)), "")
    yield Meaning("consent", f"yes or no; {seen}", purpose or "marketing")


def _detail(column: Column, seen: str) -> Iterator[Meaning]:
    found = pieces(column.name)
    bare = _without_which(found)
    for detail, listed in words()["person"].items():
        if "".join(found) in listed or "".join(bare) in listed:
            yield Meaning("person", seen, detail)
    if column.is_number or column.yes_no == column.given:
        return
    detail, whose = _detail_of(found)
    if whose & _people():
        yield Meaning("person", seen, detail)
    elif detail:
        yield Meaning("private", "of somebody, and of no use here")


def _without_which(found: list[str]) -> list[str]:
    """`Default Address Zip` as zip, `Home Address` as address."""
    if len(found) > 1 and found[0] in words()["which"]:
        found = found[1:]
        return found[1:] if len(found) > 1 and found[0] == "address" else found
    return found


def _detail_of(found: list[str]) -> tuple[str, frozenset[str]]:
    """Which detail a name says of whom: `Passenger Name`, `Vorname Kunde`, `Mitgliedsname`;
    nothing where it says neither."""
    whose = _people() | {*words()["whose"], *words()["others"]}
    joined = "".join(found)
    if joined.endswith("name") and joined[:-4] in whose:
        return "name", frozenset({joined[:-4]})
    bare = [piece for piece in found if piece not in words()["joining"]]
    for at in range(1, len(bare)):
        for said, rest in ((bare[at:], bare[:at]), (bare[:at], bare[at:])):
            named = frozenset({*rest, "".join(rest)} & whose)
            detail = next((detail for detail, listed in words()["person"].items()
                           if "".join(said) in listed), "")  # fmt: skip
            if detail and named:
                return detail, named
    return "", frozenset()


@cache
def _people() -> frozenset[str]:
    return frozenset({*words()["entities"]["person"]} - {*words()["not_whose"]})


def is_time(column: Column) -> bool:
    """Whether a column is one of times; the fewer of its values are, the more its name must say so.

    What is no time is quarantined when the files are read.
    """
    return column.time_share >= (_NAMED_TIMES if is_timely(column) else _TIMES)


def is_timely(column: Column) -> bool:
    """Whether a column is called as one of times, or of times of day."""
    listed = (word for one in words()["times"].values() for word in one)
    ends = tuple(words()["timely_ends"])
    return says(column.name, (*words()["timely"], *listed)) or any(
        piece.endswith(ends) for piece in pieces(column.name)
    )


def _is_called_date(column: Column) -> bool:
    """Whether a column is called a date, not just something that has to do with times."""
    found, listed = pieces(column.name), words()["dates"]
    return says(column.name, listed) or any(one.endswith(tuple(listed)) for one in found)


def _time(column: Column, seen: str) -> Iterator[Meaning]:
    if not is_time(column):
        return
    plain = any(p in {*NUMBERS, "%Y%m%d", "%Y%m%d%H%M%S"} for p in column.formats)
    if plain and not is_timely(column):
        return  # a number that could be a time is one only where the name says so
    if SERIAL in column.formats and not _is_called_date(column):
        return
    kinds = words()["times"]
    kind = next((one for one, listed in kinds.items() if says(column.name, listed)), "at")
    yield Meaning("time", seen, kind)


def _arm(column: Column) -> Iterator[Meaning]:
    if not says(column.name, words()["arm"]) or not 2 <= len(column.values) <= 10:
        return
    controls = words()["control"]
    if any(value.casefold() in controls for value in column.values):
        yield Meaning("arm", f"{column.distinct} arms, one of which was not treated")
    elif column.share(column.yes_no) == 1 and column.distinct == 2:
        yield Meaning("arm", "yes or no; whether somebody was held out, by the column's name")


def _amount(column: Column, seen: str) -> Iterator[Meaning]:
    if not column.is_number or column.kind == "bool" or column.share(column.yes_no) == 1:
        return
    name = column.name
    if says(name, words()["quantity"]):
        yield Meaning("quantity", f"numbers; {_signs(column)}")
    low, high = column.low or 0.0, column.high or 0.0
    if says(name, words()["score"]) and 0 <= low <= high <= 100:
        yield Meaning("score", f"numbers from {low:g} to {high:g}")
    if not says(name, words()["no_value"]):
        total = [word for word in words()["value"] if word != "price"]
        if says(name, total) or "".join(pieces(name)) in words()["currencies"]:
            yield Meaning("value", f"numbers; {_signs(column)}")
        if says(name, words()["price"]):
            yield Meaning("price", f"numbers; {_signs(column)}")
    elif says(name, ("unitprice", "listprice")):
        yield Meaning("price", f"numbers; {_signs(column)}")
    yield Meaning("trait" if column.distinct <= _FEW else "nothing", f"numbers; {seen}")


def _signs(column: Column) -> str:
    parts = []
    if column.negative:
        parts.append(f"{column.negative:,} negative")
    if column.zero:
        parts.append(f"{column.zero:,} zero")
    return ", ".join(parts) or "all above zero"


def _words(column: Column, seen: str) -> Iterator[Meaning]:
    name = column.name
    if says(name, words()["verb"]) and column.distinct <= 500:
        yield Meaning("verb", seen)
    is_title = says(name, words()["title"]) or "".join(pieces(name)) in words()["about"]
    if is_title and not says(name, words()["category"]):
        yield Meaning("title", seen)
    if says(name, words()["text"]) and column.share(column.sentences) >= 0.3:
        yield Meaning("text", f"sentences; {seen}")
    if says(name, words()["object"]):
        yield Meaning("object", seen)
    if says(name, words()["category"]):
        yield Meaning("category", seen)
    if column.share(column.sentences) >= 0.5 and column.distinct > _FEW:
        yield Meaning("text", f"sentences; {seen}")
    if 2 <= column.distinct <= _FEW:
        yield Meaning("trait", seen)
