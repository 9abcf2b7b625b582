"""Single values that a mapping names: columns, constants, conditions, times (docs/mapping.md)."""

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator


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
    if isinstance(value, Mapping):
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
