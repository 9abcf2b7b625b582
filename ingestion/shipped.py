"""Tables whose columns a vendor has published: each is a table of a mapping, shipped as data.

`ingestion/sources/<vendor>.yaml` holds them. A mapping names one by `format:` and may add to it or
override it; a file that nobody mapped is recognised by its `required` columns, by what their values
are like (`expects`) and, where other companies' tables have such columns too, by one that is the
vendor's own (`signs`, a pattern of names). Nothing here is code that knows a vendor.
"""

import json
import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

_MERGED = ("identifiers", "traits", "names", "forms", "lists", "links", "expects")
_LIKE_SHARE = 0.9  # of the first values must be as expected; a few are always odd
_FEW = 3  # of as many values, or more, one may always be odd: it costs its row, not its file
_CODE = re.compile(r"(?!.*\d{6})(?!\d+[-/.]\d+[-/.]\d+)[\w .-]{1,20}")  # may be repeated
Row = Dict[str, Any]


@dataclass(frozen=True)
class Shipped:
    """One such table.

    Attributes:
        about: what `personagraph source list` says of it.
        table: the table of a mapping, without files.
        generic: of no vendor; whoever sees the other files of a folder may know more.
        signs: part ("" is the table itself) -> the pattern that a name of a column must fit.
    """

    about: str
    table: dict[str, Any]
    generic: bool = False
    signs: Dict[str, str] = field(default_factory=dict)

    def fit(self, rows: Sequence[Row]) -> int:
        """How much speaks for these being rows of this table; 0: they are not.

        A file without rows fits nothing: names alone prove too little. One whose objects are of
        several kinds fits as well as its best part.
        """
        every = {**self.table.get("parts", {}), "": self.table}
        return max(_fit(part, rows, self.signs.get(name)) for name, part in every.items())


def _fit(table: Dict[str, Any], rows: Sequence[Row], signs: str | None) -> int:
    inside = [row for row in _inside(rows, table.get("rows")) if _is_own(table, row)]
    expects = table.get("expects", {})
    if not _has_columns(table, inside, signs):
        return 0
    for name in expects:
        given, odd = _values(table, inside, name)
        if not given or not mostly(len(given) - len(odd), len(given)):
            return 0
    return len(table["required"]) + len(expects)


def mostly(like: int, given: int) -> bool:
    """Whether enough values are as expected: nine of ten, or all but one of at least three."""
    return like >= _LIKE_SHARE * given or (given >= _FEW and given - like <= 1)


def _has_columns(table: Dict[str, Any], rows: Sequence[Row], signs: str | None) -> bool:
    required = table.get("required", ())
    if not rows or not required or "inside" in table:
        return False
    if signs is not None and not any(re.fullmatch(signs, name) for name in _all_names(rows)):
        return False
    return all(any(_holds(row, _names(table, name)) for row in rows) for name in required)


def _values(table: Dict[str, Any], rows: Sequence[Row], name: str) -> tuple[list[str], list[str]]:
    """What stands in a column, and what of it is not as it is expected."""
    given = [text for row in rows if (text := _text(row, _names(table, name))) is not None]
    return given, [text for text in given if not re.search(table["expects"][name], text)]


def _all_names(rows: Sequence[Row]) -> set[str]:
    """The names of all columns in lower case, and `a.b` for a field b inside a."""
    found: set[str] = set()
    for row in rows:
        for name, value in row.items():
            inside = value if isinstance(value, Dict) else ()
            found |= {str(name), *(f"{name}.{key}" for key in inside)}
    return {name.casefold().strip() for name in found}


def _is_own(table: Dict[str, Any], row: Row) -> bool:
    """Whether an object is what `when` of a part says, as far as words can tell."""
    for name, test in table.get("when", {}).items():
        text = _text(row, _names(table, name))
        told = test if isinstance(test, Dict) else {"one_of": _listed(test)}
        missing, words = told.get("missing") is True, told.get("one_of", [text])
        if missing != (text is None) or text not in words:
            return False
        if text is not None and not re.search(str(told.get("matches", "")), text):
            return False
    return True


def _names(table: Dict[str, Any], name: str) -> list[str]:
    return [name, *_listed(table.get("names", {}).get(name))]


@cache
def tables() -> dict[str, Shipped]:
    """All shipped tables by the name of their format."""
    from ruamel.yaml import YAML

    folder = files("ingestion.sources")
    found: dict[str, Shipped] = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".yaml"):
            for name, table in YAML(typ="safe").load(file.read_text(encoding="utf-8")).items():
                generic = table.pop("generic", False)
                every = {**table.get("parts", {}), "": table}
                signs = {part: one.pop("signs") for part, one in every.items() if "signs" in one}
                found[name] = Shipped(table.pop("about"), table, generic, signs)
    return found


@cache
def pages() -> frozenset[str]:
    """What the lists of records are called in pages of the shipped formats."""
    every = [table for one in tables().values()
             for table in (one.table, *one.table.get("parts", {}).values())]  # fmt: skip
    return frozenset(str(table["rows"]) for table in every if "rows" in table)


def recognise(rows: Sequence[Row], *, flat: bool = False) -> str | None:
    """The format of a file by its first rows: the one that most speaks for, if one alone does.

    Args:
        rows: the first ones.
        flat: whether the file is a table of columns, which hold no objects of several kinds.
    """
    known = {name: one for name, one in tables().items() if not (flat and "parts" in one.table)}
    fits = {name: one.fit(rows) for name, one in known.items()}
    best = max(fits.values(), default=0)
    named = [name for name, fit in fits.items() if fit == best > 0]
    return named[0] if len(named) == 1 else None


def nearest(rows: Sequence[Row], *, flat: bool = False) -> str | None:
    """Of a file that is of no format the one whose columns it has, and the value that is none of
    such a file (unless that may be somebody's data), as the end of a sentence. Where not one value
    is as expected, the columns must be called just as the vendor writes them."""
    found: list[tuple[float, str]] = []
    for label, one in tables().items():
        for part, table in {**one.table.get("parts", {}), "": one.table}.items():
            inside = [row for row in _inside(rows, table.get("rows")) if _is_own(table, row)]
            if (flat and "parts" in one.table) or not _has_columns(
                table, inside, one.signs.get(part)
            ):
                continue
            for name in table.get("expects", {}):
                given, odd = _values(table, inside, name)
                meant = len(odd) < len(given) or set(table["required"]) <= set(inside[0])
                if odd and meant and not mostly(len(given) - len(odd), len(given)):
                    told = f"{odd[0]!r}" if _CODE.fullmatch(odd[0]) else "another value"
                    column = next(n for n in _names(table, name) if _holds(inside[0], [n]))
                    why = f"it has the columns of {label}, but {told} under {column!r}"
                    found.append((len(odd) / len(given), why))
    return min(found)[1] if found else None


def filled_in(tree: Any) -> Any:
    """A mapping as it was written, its tables of a shipped format with all that this says."""
    if not isinstance(tree, Dict) or not isinstance(tree.get("tables"), Dict):
        return tree
    written = {label: table for label, table in tree["tables"].items() if isinstance(table, Dict)}
    files_of: dict[str, list[str]] = {}
    for table in written.values():
        files_of.setdefault(str(table.get("format")), []).extend(_listed(table.get("files")))
    filled = {label: _filled(table, files_of) for label, table in written.items()}
    return {**tree, "tables": {**tree["tables"], **filled}}


def _filled(table: Dict[str, Any], files_of: Dict[str, list[str]]) -> Dict[str, Any]:
    known = tables().get(str(table.get("format")))
    if known is None:
        return table
    whole = _merged(known.table, table)
    if "links" in whole:
        links = {name: _linked(link, files_of) for name, link in whole["links"].items()}
        whole["links"] = {name: link for name, link in links.items() if link["file"]}
    return whole


def _merged(shipped: Dict[str, Any], table: Dict[str, Any]) -> dict[str, Any]:
    """A shipped table, or part of one, with what a mapping adds to it or overrides."""
    whole = {**shipped, **table}
    for key in _MERGED:
        if key in shipped and isinstance(table.get(key), Dict):
            whole[key] = {**shipped[key], **table[key]}
    if isinstance(table.get("parts"), Dict) and "parts" in shipped:
        own = {name: _merged(shipped["parts"].get(name, {}), part)
               for name, part in table["parts"].items()
               if isinstance(part, Dict)}  # fmt: skip
        whole["parts"] = {**shipped["parts"], **table["parts"], **own}
    return whole


def _linked(link: Dict[str, Any], files_of: Dict[str, list[str]]) -> dict[str, Any]:
    """A link to another format, as a link to the files that the mapping has of it."""
    link = dict(link)
    kind = link.pop("format", None)
    return link if kind is None else {**link, "file": files_of.get(kind, [])}


def _inside(rows: Sequence[Row], path: str | None) -> Iterator[Row]:
    for row in rows:
        found = _value(row, path) if path else None
        yield from (
            [one for one in found if isinstance(one, Dict)] if isinstance(found, list) else [row]
        )


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _holds(row: Row, names: Sequence[str]) -> bool:
    return any(_value(row, name, _Missing) is not _Missing for name in names)


def _text(row: Row, names: Sequence[str]) -> str | None:
    for name in names:
        value = _value(row, name)
        if isinstance(value, Dict | list):
            return json.dumps(value)
        if value not in (None, ""):
            return str(value).strip()
    return None


class _Missing:
    """No such field."""


def _value(row: Any, path: str, missing: Any = None) -> Any:
    """What stands in a column, whatever its case, or at `a.b`, the field b inside a."""
    if isinstance(row, list):
        first, _, rest = path.partition(".")
        inside = row[int(first)] if first.isdecimal() and int(first) < len(row) else missing
        return _value(inside, rest, missing) if rest else inside
    if not isinstance(row, Dict):
        return missing
    loose = {str(name).casefold().strip(): value for name, value in row.items()}
    if path.casefold() in loose:
        return loose[path.casefold()]
    first, dot, rest = path.partition(".")
    if dot and first.casefold() in loose:
        return _value(loose[first.casefold()], rest, missing)
    return missing
