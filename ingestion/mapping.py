"""What a mapping may say: how the columns of a company's files become records (docs/mapping.md).

A mapping is commented YAML. It is read once, here, into frozen models; every mistake is one
sentence with the line of the file and the likely mend. What needs the data to be judged (a column
that is missing, a time without a zone) is judged in `ingestion.fit`, before anything is written.
"""

import difflib
import hashlib
import math
import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from ingestion import shipped
from kg.errors import InputError, NotFound
from kg.lake.headers import FIRST_LINE
from kg.written import line_of, yaml_tree

NAME = "personagraph.yaml"
_DOCUMENTED = "docs/mapping.md describes every key with an example."

# namespace: (trust, unique). Trust 1 is the strongest; unique: a person has at most one value.
NAMESPACES: dict[str, tuple[int, bool]] = {
    "email": (2, False),
    "phone": (3, False),
    "advertising_id": (4, False),
    "anonymous_id": (5, False),
    "device_id": (5, False),
    "cookie_id": (5, False),
    # What vendors of product analytics make up for a person, a browser or a network of theirs.
    "distinct_id": (2, False),
    "amplitude_id": (2, False),
    "person_id": (2, False),
    "domain_userid": (5, False),
    "network_userid": (5, False),
    "user_pseudo_id": (5, False),
    "visitor": (5, False),
    # Kept, but nobody is merged on it.
    "name": (6, False),
    "address": (6, False),
    "date_of_birth": (6, False),
    "ip": (6, False),
    "user_agent": (6, False),
    "fingerprint": (6, False),
    "session_id": (6, False),
}
# Product events that name their own places (`ingestion/sources/<format>.py`).
EVENT_FORMATS = (
    "segment", "snowplow", "amplitude", "posthog", "ga4", "mixpanel", "cloudevents", "otel",
    "weblogs",
)  # fmt: skip
# Exports of survey tools that name their own columns, likewise.
SURVEYS = ("qualtrics", "surveymonkey", "typeform")
# What messages and tickets name people by without being told.
FORMAT_NAMESPACES = {
    "segment": (
        "user_id", "anonymous_id", "email", "phone", "device_id", "advertising_id",
    ),
    "tickets": ("zendesk", "email", "phone", "user_id"),
    "snowplow": ("user_id", "domain_userid", "network_userid", "device_id", "email"),
    "amplitude": (
        "user_id", "device_id", "amplitude_id", "email", "phone", "advertising_id",
    ),
    "posthog": (
        "user_id", "distinct_id", "person_id", "anonymous_id", "device_id", "email", "phone",
    ),
    "ga4": ("user_id", "user_pseudo_id", "device_id", "advertising_id"),
    "mixpanel": ("user_id", "distinct_id", "device_id", "email", "phone"),
    "cloudevents": ("user_id", "anonymous_id", "device_id", "email", "phone"),
    "otel": ("user_id", "anonymous_id", "device_id", "email"),
    "weblogs": ("user_id", "visitor"),
    "qualtrics": ("email", "external_reference"),
    "surveymonkey": ("email",),
    "typeform": ("email",),
}  # fmt: skip


class Model(BaseModel):
    """A part of a mapping: nothing in it is ignored, nothing in it changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Strings = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Value(Model):
    """Where one value comes from: a column, the product of columns, or always the same.

    `minor_units`: a column with the currency, where the amount is in cents or whatever that
    currency is divided into.
    """

    column: str | None = None
    product: tuple[str, ...] = ()
    constant: str | None = None
    minor_units: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Value":
        given = [bool(self.product), self.column is not None, self.constant is not None]
        if sum(given) != 1:
            raise ValueError("give exactly one of column, product and constant")
        return self

    def columns(self) -> Iterator[str]:
        """The columns this value needs."""
        yield from self.product
        if self.column is not None:
            yield self.column


def _as_column(value: Any) -> Any:
    if isinstance(value, str):
        return {"column": value}
    return {"product": value} if isinstance(value, list) else value


def _as_constant(value: Any) -> Any:
    return {"constant": value} if isinstance(value, str) else value


def _is_number(value: Value) -> Value:
    try:
        finite = value.constant is None or math.isfinite(float(value.constant))
    except ValueError:
        finite = False
    if not finite:
        raise ValueError(f"the constant {value.constant!r} is not a number")
    return value


ColumnValue = Annotated[Value, BeforeValidator(_as_column)]  # a bare word names a column
Amount = Annotated[ColumnValue, AfterValidator(_is_number)]
ConstantValue = Annotated[Value, BeforeValidator(_as_constant)]  # a bare word is the value itself

Scalar = bool | int | float | str


def _pattern(value: str) -> str:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), value)  # RE2, as the engine that will use it
    except pa.ArrowInvalid:
        raise ValueError(f"{value!r} is not a pattern that can be searched for") from None
    return value


Pattern = Annotated[str, AfterValidator(_pattern)]


class Test(Model):
    """What a column must be like; everything that is given must hold. Missing values never hold,
    but for `missing: true`."""

    equals: Scalar | None = None
    one_of: tuple[Scalar, ...] = ()
    starts_with: str | None = None
    matches: Pattern | None = None
    below: float | None = None
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    missing: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Test":
        if not self.model_fields_set:
            raise ValueError("a condition needs a test, e.g. below: 0")
        return self

    def is_numeric(self) -> bool:
        """Whether it compares numbers."""
        limits = (self.below, self.above, self.at_least, self.at_most)
        return any(limit is not None for limit in limits)


def _as_test(value: Any) -> Any:
    if isinstance(value, Dict):
        return value
    return {"one_of": value} if isinstance(value, list) else {"equals": value}


Condition = dict[str, Annotated[Test, BeforeValidator(_as_test)]]  # column -> test; all must hold


class Case(Model):
    """One of several values, taken where its condition holds (the first that does)."""

    value: ConstantValue = Field(alias="is")
    when: Condition = Field(default_factory=dict)


def _as_cases(value: Any) -> Any:
    return value if isinstance(value, list) else [{"is": value}]


Cases = Annotated[tuple[Case, ...], BeforeValidator(_as_cases)]


# How an epoch is counted -> its milliseconds.
EPOCHS = {"epoch_s": 1000.0, "epoch_ms": 1.0, "epoch_us": 1e-3, "epoch_ns": 1e-6}
# Days since 1899-12-30, as spreadsheets count them.
SERIAL = "excel"
_STRPTIME = re.compile(r"([^%]|%-[djmyHIMS]|%[abcdfghjmnpuwxyzABGHIMSTUVWXYZ%])*")


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = difflib.get_close_matches(value, sorted(available_timezones()), n=1)
        likely = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"{value!r} is not a time zone like Europe/London or UTC{likely}"
        ) from None
    return value


Zone = Annotated[str, AfterValidator(_zone)]


class Time(Model):
    """When something happened. `formats`: `iso`, an epoch (`epoch_s`, `epoch_ms`, `epoch_us`,
    `epoch_ns`), `excel` or strptime patterns."""

    column: str
    formats: Strings = ("iso",)
    zone: Zone | None = None

    @model_validator(mode="after")
    def _known(self) -> "Time":
        for pattern in self.formats:
            is_time = "%" in pattern and _STRPTIME.fullmatch(pattern)
            if pattern not in {"iso", SERIAL, *EPOCHS} and not is_time:
                known = ", ".join(["iso", SERIAL, *EPOCHS])
                raise ValueError(f"format {pattern!r} is none of {known}, nor like %Y-%m-%d")
        return self


def _as_time(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


TimeValue = Annotated[Time, BeforeValidator(_as_time)]


class Identifier(Model):
    """A column (or several) that names a person in a namespace; `merged`: columns that list what
    the source itself has merged into it; `merged_into`: a column with what it was merged into;
    `when`: only where that holds."""

    column: Strings
    trust: int | None = Field(default=None, ge=1, le=6)
    unique: bool | None = None
    merged: Strings = ()
    merged_into: Strings = ()
    when: Condition = Field(default_factory=dict)


def _as_identifier(value: Any) -> Any:
    return {"column": value} if isinstance(value, str | list) else value


DETAILS = (
    "name", "given_name", "family_name", "birth_date", "number", "street", "postcode", "city",
    "region", "country", "organisation",
)  # fmt: skip


class Person(Model):
    """Columns that say who a person is; used to tell people apart and for nothing else.

    `name` is for sources that keep the whole name in one column; `number` is one that people write
    down themselves (social security, passport, membership). Several columns are joined by a blank.
    """

    name: Strings = ()
    given_name: Strings = ()
    family_name: Strings = ()
    birth_date: TimeValue | None = None
    number: Strings = ()
    street: Strings = ()
    postcode: Strings = ()
    city: Strings = ()
    region: Strings = ()
    country: Strings = ()
    organisation: Strings = ()

    def columns(self) -> Iterator[str]:
        """The columns it needs."""
        for name in DETAILS:
            declared = getattr(self, name)
            yield from (declared.column,) if isinstance(declared, Time) else declared or ()


class Item(Model):
    """What a row is about, and what it tells of it; `unless`: rows that are about no item."""

    id: ColumnValue
    title: ColumnValue | None = None
    categories: Strings = ()
    price: Amount | None = None
    starts: TimeValue | None = None
    ends: TimeValue | None = None
    attributes: Strings = ()
    unless: tuple[Condition, ...] = ()


# Words for not being sent a campaign, and for being sent it.
CONTROL = ("control", "controls", "control group", "holdout", "hold-out", "held out", "held_out",
           "untreated", "unexposed", "not sent", "not_sent")  # fmt: skip
TREATED = ("treated", "treatment", "test", "exposed", "sent", "target")


class Campaign(Model):
    """The campaign a row belongs to, and the arm the person was in: `control` where nothing was
    sent. `treated` may name variants, which keep their names; other words are quarantined."""

    id: ColumnValue
    arm: ColumnValue | None = None
    control: Strings = CONTROL
    treated: Strings = TREATED

    @model_validator(mode="after")
    def _apart(self) -> "Campaign":
        both = {word.casefold() for word in self.control} & {w.casefold() for w in self.treated}
        if both:
            raise ValueError(f"{sorted(both)[0]!r} is under control and under treated")
        return self


class Consent(Model):
    """A column that grants or denies a purpose; a value in neither list is quarantined. `until`:
    when a yes ends, or was taken back."""

    purpose: ConstantValue
    granted: str
    until: TimeValue | None = None
    yes: Strings = ("yes", "true", "1", "granted", "y")
    no: Strings = ("no", "false", "0", "denied", "n")


class Questions(Model):
    """The list of a survey's questions: which answer column asks what."""

    file: str
    id: str = "question_id"
    text: str = "text"
    type: str | None = None


class Link(Model):
    """Other files, or another part of the same, whose columns may be used as `<link>.<column>`,
    found by an equal value."""

    file: Strings = ()
    part: str | None = None
    on: dict[str, str] | str

    @model_validator(mode="after")
    def _one_place(self) -> "Link":
        if bool(self.file) == bool(self.part):
            raise ValueError("a link leads to a file or to a part: give one of the two")
        if not self.on:
            raise ValueError("a link needs on: the columns that must be equal")
        return self

    def matches(self) -> dict[str, str]:
        """This table's column -> the linked file's column."""
        return self.on if isinstance(self.on, dict) else {self.on: self.on}


class Then(Model):
    """A further thing that the same row says the person did, at a time of its own.

    It shares item, campaign, channel, object and category with the row; amounts and text are its
    own, so that nothing is counted twice. A row without the time does not say it.
    """

    verb: Cases = Field(min_length=1)
    time: TimeValue
    when: Condition = Field(default_factory=dict)
    quantity: Amount | None = None
    value: Amount | None = None
    text: Strings = ()


Kind = Literal["event", "profile", "item", "campaign", "consent", "ignore"]
Format = Literal[
    "csv", "parquet", "ndjson", "segment", "tickets", "survey",
    "snowplow", "amplitude", "posthog", "ga4", "mixpanel", "cloudevents", "otel", "weblogs",
    "qualtrics", "surveymonkey", "typeform",
]  # fmt: skip
Sampled = Literal["lines", "people", "no"]


def _as_traits(value: Any) -> Any:
    if isinstance(value, str):
        value = [value]
    return {name: name for name in value} if isinstance(value, list) else value


def _encoding(value: str) -> str:
    try:
        "".encode(value)  # refuses, unlike codecs.lookup, what makes no text
    except (LookupError, ValueError):
        raise ValueError(f"there is no encoding {value!r}") from None
    return value


def _delimiter(value: str) -> str:
    if len(value) != 1 or not value.isascii() or value in '\r\n"\0':
        raise ValueError("a delimiter is one ASCII character, and no quote or line end")
    return value


def _lines(value: Any) -> Any:
    lines = [value, value] if isinstance(value, int) else value
    is_such = isinstance(lines, list | tuple) and [type(one) for one in lines] == [int, int]
    if not is_such or not 1 <= lines[0] <= lines[1]:
        raise ValueError(
            "header is the line of the file (the first is 1) with the names of its columns, or "
            "that and the last line before its rows, like 4 or [4, 5]"
        )
    return tuple(lines)


def _namespace(value: str) -> str:
    if not value.strip() or ":" in value:
        raise ValueError(f"{value!r} cannot be a namespace: identifiers are namespace:value")
    return value


Namespace = Annotated[str, AfterValidator(_namespace)]


def _as_id(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


def _known_format(name: str) -> str:
    known = [*get_args(Format), *shipped.tables()]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        likely = f"; did you mean {near[0]}?" if near else "; `personagraph source list` shows them"
        raise ValueError(f"format {name!r} is not known{likely}")
    return name


Form = Literal["salesforce_id", "amount", "amount_comma", "html", "path", "first_path"]


def _as_part(value: Any) -> Any:
    return {**value, "files": "its table's"} if isinstance(value, Dict) else value


class Table(Model):
    """How the rows of some files become records of one kind."""

    files: Annotated[Strings, Field(min_length=1)]
    kind: Kind | None = None
    format: Annotated[str, AfterValidator(_known_format)] | None = None
    reason: str | None = None
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    delimiter: Annotated[str, AfterValidator(_delimiter)] | None = None
    header: Annotated[tuple[int, int], BeforeValidator(_lines)] = FIRST_LINE
    key: Strings = ()
    part: str | None = None
    ignore_columns: Strings = ()
    missing: Strings = ()
    sampled: Sampled | None = None
    identifiers: dict[Namespace, Annotated[Identifier, BeforeValidator(_as_identifier)]] = Field(
        default_factory=dict
    )
    person: Person | None = None
    time: TimeValue | None = None
    links: dict[str, Link] = Field(default_factory=dict)
    channel: ConstantValue | None = None
    verb: Cases = ()
    item: Annotated[Item, BeforeValidator(_as_id)] | None = None
    quantity: Amount | None = None
    value: Amount | None = None
    basket: ColumnValue | None = None
    campaign: Annotated[Campaign, BeforeValidator(_as_id)] | None = None
    object: ColumnValue | None = None
    category: ColumnValue | None = None
    text: Strings = ()
    traits: Annotated[dict[str, str], BeforeValidator(_as_traits)] = Field(default_factory=dict)
    describe: Strings = ()
    consents: tuple[Consent, ...] = ()
    questions: Questions | None = None
    rows: str | None = None
    names: dict[str, Strings] = Field(default_factory=dict)
    required: Strings | None = None
    expects: dict[str, Pattern] = Field(default_factory=dict)
    forms: dict[str, Form] = Field(default_factory=dict)
    lists: dict[str, str] = Field(default_factory=dict)
    nobody: tuple[Condition, ...] = ()
    then: tuple[Then, ...] = ()
    newest: TimeValue | None = None
    when: Condition = Field(default_factory=dict)
    inside: str | None = None
    parts: "dict[str, Annotated[Table, BeforeValidator(_as_part)]]" = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> "Table":
        for problem in _table_problems(self):
            raise ValueError(problem)
        return self

    @property
    def each(self) -> tuple["Table", ...]:
        """The tables that say how rows are read: those of the parts, else this one."""
        return tuple(self.parts.values()) or (self,)

    def columns_for(self, name: str, known: Iterable[str]) -> list[str]:
        """Which of the known columns a name of this mapping stands for, the best first.

        Its own, else those under `names`; where a vendor has published them, case does not matter.
        """
        wanted = [name, *self.names.get(name, ())]
        if self.format not in shipped.tables():
            return [one for one in wanted if one in known]
        loose = {one.casefold().strip(): one for one in known}
        found = [loose.get(one.casefold()) for one in wanted]
        return list(dict.fromkeys(one for one in found if one is not None))

    def may_lack(self, name: str) -> bool:
        """Whether a file without that column is still a file of this table."""
        return self.required is not None and name not in self.required


_NEEDS: dict[str, tuple[str, ...]] = {
    "event": ("time", "verb"),
    "item": ("item",),
    "campaign": ("item",),
    "consent": ("consents", "identifiers"),
    "ignore": ("reason",),
    "survey": ("time",),
}
_OF_EVENTS = (
    "channel", "verb", "quantity", "value", "basket", "campaign", "object", "category", "text",
    "then",
)  # fmt: skip
_WITHOUT_HEADER = {*EVENT_FORMATS, *SURVEYS, "tickets", "parquet", "ndjson"}
# kind: the keys that nothing is made of in it.
_MEANINGLESS: dict[str, tuple[str, ...]] = {
    "profile": ("item", *_OF_EVENTS),
    "consent": ("item", *_OF_EVENTS),
    "item": _OF_EVENTS,
    "campaign": _OF_EVENTS,
}


def _table_problems(table: Table) -> Iterator[str]:
    what = table.kind or table.format
    special = table.format in {*EVENT_FORMATS, "tickets", "survey", *SURVEYS} or bool(table.parts)
    if special and table.kind not in {None, "ignore"}:
        decides = (
            "parts have kinds of their own"
            if table.parts
            else (f"format {table.format} decides the kind itself")
        )
        yield f"{decides}; drop kind: {table.kind}"
    if not special and table.kind is None:
        yield "kind is missing; it is one of event, profile, item, campaign, consent, ignore"
    for need in _NEEDS.get(what or "", ()):
        if not getattr(table, need):
            yield f"{what} needs {need}"
    for key in _MEANINGLESS.get(table.kind or "", ()):
        if getattr(table, key):
            yield f"{key} says nothing in kind: {table.kind}; drop it, or make the table an event"
    if table.header != FIRST_LINE and (what in _WITHOUT_HEADER or table.parts):
        yield "header is for tables in text whose first line is not their header; drop it"
    if table.part is not None and table.key:
        yield "part is for rows without an id; drop part or key"
    if table.questions is not None and table.format != "survey":
        yield "questions is for format: survey"
    yield from _part_problems(table)
    if not special and (lost := [name for name in table.describe if name not in table.traits]):
        yield f"describe names {lost[0]!r}, which is not under traits"


def _part_problems(table: Table) -> Iterator[str]:
    for name, part in table.parts.items():
        if part.kind == "ignore" or part.parts or part.format:
            yield f"the part {name!r} cannot have a format or parts, or be ignored"
        for label, link in part.links.items():
            if link.part not in table.parts or table.parts[link.part].inside:
                yield f"the link {label!r} of the part {name!r} must lead to another part"
        if not part.when and part.inside is None:
            yield f"the part {name!r} needs when: what tells its objects from those of other parts"
        if any(test.is_numeric() for test in part.when.values()):
            yield f"when of the part {name!r} compares numbers; name texts there"


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
