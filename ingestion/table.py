"""What a mapping says of one table, and which of it does not go together (docs/mapping.md)."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ingestion import shipped
from ingestion.values import (
    Amount,
    Cases,
    ColumnValue,
    Condition,
    ConstantValue,
    Model,
    Pattern,
    Strings,
    Time,
    TimeValue,
)
from kg.lake.headers import FIRST_LINE

# Product events that name their own places (`ingestion/sources/<format>.py`).
EVENT_FORMATS = (
    "segment", "snowplow", "amplitude", "posthog", "ga4", "mixpanel", "cloudevents", "otel",
    "weblogs",
)  # fmt: skip
# Exports of survey tools that name their own columns, likewise.
SURVEYS = ("qualtrics", "surveymonkey", "typeform")


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
    return {**value, "files": "its table's"} if isinstance(value, Mapping) else value


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
    newest_file: bool = False
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
    if table.newest and table.newest_file:
        yield "newest says which row is the newer; drop newest_file"
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
