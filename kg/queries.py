"""Named Cypher: one file under `cypher/` is one query, and its path is its name.

A file begins with a header: what it answers, `params:` and `returns:` (name and type of each). A
file of the same path under `cypher/neo4j/` or `cypher/embedded/` replaces the shared one on that
store and says `differs:` why; `cypher/<dialect>/store/` holds what only that store's driver runs.
Python never composes Cypher: what is loaded here is what is sent.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

from kg.errors import NotFound, PersonagraphError

Dialect = Literal["neo4j", "embedded"]
DIALECTS: tuple[Dialect, ...] = ("neo4j", "embedded")

_TYPE = r"(?:STRING|INT64|FLOAT|BOOLEAN|MAP|LIST<[A-Z0-9<>]+>)\??"
_FIELD = re.compile(rf"(?P<name>[a-z][a-z0-9_]*) (?P<type>{_TYPE})$")
_HEADER_LINE = re.compile(r"//\s?(?:(?P<key>params|returns|differs):)?\s*(?P<text>.*)$")
_NOT_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`", re.S)
_PARAM = re.compile(r"\$([A-Za-z_]\w*)")


class BadQueryFile(PersonagraphError):  # noqa: N818 - reads as the fact it states
    """A query file that we ship is wrong: our own mistake, found when the files are loaded."""


@dataclass(frozen=True)
class Query:
    """One named query.

    `params` and `returns` map a name to its type (STRING, INT64, FLOAT, BOOLEAN, MAP, LIST<..>;
    a `?` marks one that may be null). `differs` says why a dialect has its own text.
    """

    name: str
    text: str
    about: str
    params: Mapping[str, str]
    returns: Mapping[str, str]
    differs: str | None = None

    @property
    def statements(self) -> tuple[str, ...]:
        """The text cut at each `;` that ends a line (only migrations hold more than one)."""
        return tuple(part.strip() for part in re.split(r";\s*\n", self.text) if part.strip())


def code_of(text: str) -> str:
    """The text without comments, strings and quoted names, for checks of what it does."""
    return _NOT_CODE.sub(" ", text)


def parse(name: str, source: str) -> Query:
    """Read one file.

    Raises:
        BadQueryFile: no header, a field that is not `name TYPE`, or `$names` that differ.
    """
    lines = source.splitlines()
    count = next((i for i, line in enumerate(lines) if not line.startswith("//")), len(lines))
    parts: dict[str, list[str]] = {"about": []}
    key = "about"
    for line in lines[:count]:
        found = _HEADER_LINE.match(line)
        key = (found and found["key"]) or key
        parts.setdefault(key, []).append(found["text"] if found else "")
    if not {"params", "returns"} <= parts.keys() or not parts["about"]:
        raise BadQueryFile(f"{name}: the header says what it answers, its params and its returns.")
    text = "\n".join(lines[count:]).strip() + "\n"
    params = _fields(name, " ".join(parts["params"]))
    used = set(_PARAM.findall(code_of(text)))
    if used != params.keys():
        raise BadQueryFile(f"{name}: the body uses {sorted(used)}, params says {sorted(params)}.")
    return Query(
        name=name,
        text=text,
        about=" ".join(parts["about"]).strip(),
        params=params,
        returns=_fields(name, " ".join(parts["returns"])),
        differs=" ".join(parts["differs"]).strip() if "differs" in parts else None,
    )


def _fields(name: str, text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _FIELD.match(part)
        if found is None:
            raise BadQueryFile(f"{name}: `{part}` is not a name and a type.")
        fields[found["name"]] = found["type"]
    return fields


@cache
def load(dialect: Dialect) -> Mapping[str, Query]:
    """All queries of a store by name, the shared ones overridden by its own.

    Raises:
        BadQueryFile: a file is wrong, or an override offers other params or returns.
    """
    root = files("cypher")
    found = {
        name: parse(name, source)
        for name, source in _walk(root)
        if name.split("/")[0] not in DIALECTS
    }
    for name, source in _walk(root / dialect):
        query = parse(name, source)
        if not name.startswith("store/"):
            _check_override(query, found.get(name))
        found[name] = query
    return dict(sorted(found.items()))


def _check_override(query: Query, shared: Query | None) -> None:
    if shared is None:
        raise BadQueryFile(f"{query.name}: a dialect may only replace a shared query.")
    if not query.differs:
        raise BadQueryFile(f"{query.name}: an override says `differs:` why.")
    if (query.params, query.returns) != (shared.params, shared.returns):
        raise BadQueryFile(f"{query.name}: an override keeps params and returns.")


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".cypher"):
            yield prefix + entry.name.removesuffix(".cypher"), entry.read_text(encoding="utf-8")


def named(name: str, dialect: Dialect) -> Query:
    """The query of that name as this store runs it.

    Raises:
        NotFound: there is no such query.
    """
    queries = load(dialect)
    if name not in queries:
        raise NotFound(f"There is no query named {name}.", query=name)
    return queries[name]


def migrations(dialect: Dialect) -> tuple[Query, ...]:
    """The numbered migrations in order; each statement may be run again without harm."""
    return tuple(q for name, q in load(dialect).items() if name.startswith("migrations/"))
