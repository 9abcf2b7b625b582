"""What a mapping may say: how the columns of a company's files become records (docs/mapping.md).

A mapping is commented YAML. It is read once, here, into frozen models; every mistake is one
sentence with the line of the file and the likely mend. What needs the data to be judged (a column
that is missing, a time without a zone) is judged in `ingestion.fit`, before anything is written.
"""

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from ingestion import shipped
from ingestion.namespaces import FORMAT_NAMESPACES, NAMESPACES
from ingestion.table import (
    Campaign,
    Consent,
    Identifier,
    Item,
    Link,
    Person,
    Questions,
    Sampled,
    Table,
    Then,
)
from ingestion.values import Case, Model, Test, Time, Zone
from kg.errors import InputError, NotFound
from kg.written import line_of, yaml_tree

NAME = "personagraph.yaml"
_DOCUMENTED = "docs/mapping.md describes every key with an example."


def _basis(text: str) -> str:
    if len(text.strip()) < 3:
        raise ValueError("say in words why you may use these data, as in `basis: contract`")
    return text


class ConsentDefault(Model):
    """What holds for people who said nothing, and on what basis."""

    default: Literal["granted", "denied"]
    basis: Annotated[str, AfterValidator(_basis)]


class Mapping(Model):
    """How one folder of files is read; `tables` are its datasets."""

    name: str
    about: str = ""
    consent: ConsentDefault
    time_zone: Zone | None = None
    reporting_time_zone: Zone | None = None
    phone_region: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    sampled: Sampled = "no"
    topic_level: int | None = Field(default=None, ge=0)
    tables: dict[str, Table] = Field(min_length=1)
    _text: str = PrivateAttr(default="")
    _file: str = PrivateAttr(default=NAME)

    @model_validator(mode="before")
    @classmethod
    def _with_shipped(cls, tree: Any) -> Any:
        return shipped.filled_in(tree)

    @model_validator(mode="after")
    def _consistent(self) -> "Mapping":
        for label, table in self.tables.items():
            if table.when or table.inside or any(link.part for link in table.links.values()):
                raise ValueError(f"table {label!r} is no part: drop when, inside and link.part")
        described = set(self.described())
        for label, table in self._each():
            for name in sorted(described & set(table.traits) - set(table.describe)):
                raise ValueError(
                    f"trait {name!r} is under describe elsewhere but not in table {label!r}; "
                    "describe it in both, or give one another name"
                )
        return self

    @property
    def clock(self) -> str:
        """The time zone by whose clocks hours and weekdays of what people did are told."""
        return self.reporting_time_zone or self.time_zone or "UTC"

    def hash(self) -> str:
        """A short digest of everything the mapping says (comments do not count)."""
        text = self.model_dump_json(by_alias=True, exclude_defaults=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def namespaces(self) -> dict[str, tuple[int, bool]]:
        """Namespace -> (trust, unique), from what the tables declare and the defaults."""
        found = {
            name: NAMESPACES.get(name, (1, True))
            for table in self.tables.values()
            for name in FORMAT_NAMESPACES.get(table.format or "", ())
        }
        for _, table in self._each():
            for name, declared in table.identifiers.items():
                trust, unique = found.get(name) or NAMESPACES.get(name, (1, True))
                unique = unique if declared.unique is None else declared.unique
                found[name] = (declared.trust or trust, unique)
        return found

    def line(self, *path: str, word: str | None = None) -> int:
        """The line of the file (1-based) on which a part stands, or the first after it that has
        `word`; 1 where it was not read from a file."""
        if not self._text:
            return 1
        line = line_of(yaml_tree(self._text, self._file, _DOCUMENTED), path)
        if word is not None:
            for number, text in enumerate(self._text.splitlines()[line - 1 :], line):
                if word in text.partition("#")[0]:
                    return number
        return line

    def place(self, line: int) -> str:
        """How a message begins that speaks of a line of the file; empty where there is none."""
        return f"{self._file}, line {line}: " if self._text else ""

    @property
    def is_written(self) -> bool:
        """Whether it was read from a text, which somebody can correct."""
        return bool(self._text)

    def described(self) -> list[str]:
        """The traits that claims may speak of."""
        return sorted({name for _, table in self._each() for name in table.describe})

    def _each(self) -> Iterator[tuple[str, Table]]:
        yield from ((label, one) for label, table in self.tables.items() for one in table.each)


def load(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        NotFound: there is no such file.
        InputError: it is not what docs/mapping.md describes; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(
            f"There is no mapping {path.name!r} in {path.parent}.", hint=_DOCUMENTED
        ) from None
    except OSError as error:
        why = (error.strerror or "an error").lower()
        raise InputError(f"The mapping {path.name!r} cannot be read: {why}.",
                         hint="Name a file that you may read.") from error  # fmt: skip
    except UnicodeDecodeError as error:
        raise InputError(f"The mapping {path.name!r} is not UTF-8 text.",
                         hint="Save it as UTF-8.") from error  # fmt: skip
    return parse(text, name=path.name)


def parse(text: str, name: str = NAME) -> Mapping:
    """Read the text of a mapping; `name` is what messages call it."""
    tree = yaml_tree(text, name, _DOCUMENTED)
    if not isinstance(tree, Dict):
        raise InputError(
            f"{name}, line 1: expected name, consent and tables, received no mapping.",
            hint=_DOCUMENTED,
        )
    try:
        mapping = Mapping.model_validate(tree)
    except ValidationError as error:
        raise _explained(error, tree, name) from error
    mapping._text, mapping._file = text, name
    return mapping


def _explained(error: ValidationError, tree: Any, name: str) -> InputError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the mapping"
    message = first["msg"].removeprefix("Value error, ")
    hint = _DOCUMENTED
    if first["type"] == "extra_forbidden":
        owner, known = _owner(first["loc"])
        message = f"{first['loc'][-1]!r} is not a key of {owner}"
        hint = _likely(first["loc"][-1], known)
    elif first["type"] == "literal_error":
        hint = _likely(first["input"], re.findall(r"'([^']*)'", first["ctx"]["expected"]))
    elif first["type"] == "missing":
        message = f"{first['loc'][-1]!r} is missing"
    line = line_of(tree, tuple(first["loc"]))
    return InputError(f"{name}, line {line}: {message} ({where}).", hint=hint, line=line)


def _likely(word: Any, known: Iterable[str]) -> str:
    """A hint: the word that was likely meant, else where all are described."""
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f"Did you mean {near[0]!r}?" if near else _DOCUMENTED


_OWNERS: dict[str, type[Model]] = {
    "item": Item, "time": Time, "starts": Time, "ends": Time, "campaign": Campaign,
    "consents": Consent, "questions": Questions, "links": Link, "identifiers": Identifier,
    "consent": ConsentDefault, "when": Test, "unless": Test, "verb": Case, "person": Person,
    "then": Then, "nobody": Test,
}  # fmt: skip


def _owner(loc: tuple[int | str, ...]) -> tuple[str, list[str]]:
    for part in reversed(loc[:-1]):
        if part in _OWNERS:
            return str(part), _keys(_OWNERS[str(part)])
    if len(loc) > 1 and loc[0] == "tables":
        return f"table {loc[1]!r}", _keys(Table)
    return "the mapping", _keys(Mapping)


def _keys(model: type[Model]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
