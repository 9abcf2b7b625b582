"""What the values of every column of a file are like, counted in one pass over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis

from ingestion.columns import as_text, only_finite, read_time
from ingestion.forms import formed
from ingestion.record import Rows
from ingestion.sources.received import json_fields, json_path
from ingestion.values import EPOCHS, SERIAL
from kg.lake.files import LINE, PROBLEM, Staged
from kg.lake.headers import FIRST_LINE
from kg.lake.scratch import Scratch

NOTHING = ("nan", "NaN", "NAN", "null", "NULL", "None", "N/A", "n/a", "NA", "#N/A", "\\N", "-", "?")
MAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_DAYS = ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m-%d-%Y", "%d-%m-%Y", "%Y/%m/%d", "%d-%b-%Y",
         "%d %b %Y", "%b %d, %Y", "%B %d, %Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y",
         "%d-%b-%y")  # fmt: skip
_ORACLE = ("%d-%b-%y %I.%M.%S %p", "%d-%b-%y %I.%M.%S.%n %p")
_MAIL_AND_WEB = ("%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S GMT", "%d %b %Y %H:%M:%S %z")
NUMBERS = (SERIAL, *EPOCHS)
_OF_DIGITS = ("%Y%m%d", "%Y%m%d%H%M%S", *NUMBERS)
PATTERNS = (
    "iso", *(day + clock for day in _DAYS for clock in _CLOCKS), *_ORACLE, *_MAIL_AND_WEB,
    *_OF_DIGITS,
)  # fmt: skip
_LIKE_TIME = (
    r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}|^\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{2,4}"
    r"|^[A-Z][a-z]{2,8} \d{1,2}, |^[A-Z][a-z]{2}, \d{1,2} |^(19|20)\d{6}(\d{6})?$"
    r"|^1\d{9}(\d{3}){0,3}(\.\d+)?$|^(3[6-9]|4\d|5[0-4])\d{3}(\.\d+)?$"
)
_CURRENCY = r"([$£€¥₹]|EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|CZK)"
_MONEY = (  # £1,234.50, -£5, 12.50 EUR, 1.234,50 and 9,99
    rf"^[-+(]?\s*{_CURRENCY}?\s*[-+]?\d{{1,3}}([.,]?\d{{3}})*([.,]\d{{1,2}})?\)?\s*{_CURRENCY}?$"
)
YES_NO = ("yes", "no", "true", "false", "y", "n", "0", "1")
_MOSTLY = 0.98  # of the values, so that a column is one of numbers
_EARLIEST_MS, _LATEST_MS = -2_208_988_800_000, 4_102_444_800_000  # 1900 to 2100
_NUMBERED_FROM_MS = 946_684_800_000  # 2000: a number of an earlier time is likelier none
_FEW = 50  # values of a column that are looked at one by one


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        kind: time, bool, number or text: how the file has it.
        given: rows that have a value (words for nothing do not count).
        distinct: different values among them.
        mails, phones, dialled, money, numbers, whole, negative, zero, sentences, yes_no, listed:
            how many of the values are such; dialled: telephone numbers with a country; money:
            amounts with a currency or with commas; listed: several short values with a separator.
        low, high: of numbers.
        form: how amounts are written where they are no plain numbers: a key of `forms` of a
            mapping. What is counted of numbers is then counted in that form.
        doubt: why amounts are read in no form, or that a few of them are not.
        formats: pattern -> how many values it reads, of texts that look like times.
        naive: whether times carry no zone.
        nothing: word that stands for nothing -> how often.
        values: the values, where they are few; never shown unless the column is no person's.
    """

    name: str
    kind: str
    rows: int
    given: int
    distinct: int
    mails: int = 0
    phones: int = 0
    dialled: int = 0
    money: int = 0
    numbers: int = 0
    whole: int = 0
    negative: int = 0
    zero: int = 0
    sentences: int = 0
    yes_no: int = 0
    listed: int = 0
    longest: int = 0
    low: float | None = None
    high: float | None = None
    formats: dict[str, int] = field(default_factory=dict)
    naive: bool = True
    nothing: dict[str, int] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    form: str | None = None
    doubt: str = ""

    def share(self, count: int) -> float:
        """Of the values that are given."""
        return count / self.given if self.given else 0.0

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value of its own."""
        return self.given == self.rows == self.distinct > 0

    @property
    def is_number(self) -> bool:
        """Whether nearly all values are numbers."""
        plain = self.kind == "text" and self.share(self.numbers) >= _MOSTLY
        return self.kind == "number" or plain

    @property
    def time_share(self) -> float:
        """Which share of the values are times that one and the same pattern reads."""
        return 1.0 if self.kind == "time" else self.share(max(self.formats.values(), default=0))


@dataclass(frozen=True)
class Profile:
    """A file (or several of the same columns).

    Attributes:
        rows: how many of its rows can be read.
        unreadable: why a row cannot be read -> how many of them.
        encoding: of its text, where that is not UTF-8.
        header: the line with the names of its columns, and the last one before the rows.
    """

    files: tuple[str, ...]
    staged: tuple[Staged, ...]
    rows: int
    columns: dict[str, Column]
    unreadable: dict[str, int]
    encoding: str | None = None
    header: tuple[int, int] = FIRST_LINE


def open_rows(scratch: Scratch, staged: Sequence[Staged], names: Sequence[str]) -> Rows:
    """The rows of files that can be read, with the named columns (of JSON: fields) as `c0`, `c1`,
    …"""
    rows = _read(scratch, staged, names)
    rows = rows.filter(rows[PROBLEM].isnull())
    if "_fields" in rows.columns:
        return rows.select(**{f"c{n}": rows["_fields"][n] for n in range(len(names))})
    return rows.select(**{f"c{n}": rows[name] for n, name in enumerate(names)})


def _read(scratch: Scratch, staged: Sequence[Staged], names: Sequence[str]) -> Rows:
    """All rows, those that cannot be read with their problem; of JSON `_fields` by these names."""
    rows = scratch.rows(list(staged))
    return json_fields(rows, list(map(json_path, names))) if LINE in rows.columns else rows


def profile(
    scratch: Scratch, files: Sequence[str], staged: Sequence[Staged], names: Sequence[str]
) -> Profile:
    """Count what the values of the named columns are like, each distinct one looked at once."""
    rows = open_rows(scratch, staged, names)
    count = scratch.fetch(rows.agg(rows=rows.count()))[0]["rows"]
    columns = {}
    for n, name in enumerate(names):
        texts = rows.select(text=_plain(rows[f"c{n}"]))
        texts = texts.filter(texts.text.notnull())
        values = scratch.keep(texts.group_by("text").agg(weight=texts.count()))
        columns[name] = _column(scratch, name, rows[f"c{n}"].type(), count, values)
    every = _read(scratch, staged, names)
    reasons = every.group_by(why=every[PROBLEM]).agg(rows=every.count())
    bad = scratch.fetch(reasons.filter(reasons.why.notnull()).order_by("why"))
    unreadable = {row["why"]: row["rows"] for row in bad}
    return Profile(tuple(files), tuple(staged), count, columns, unreadable)


def _kind(type_: Any) -> str:
    if type_.is_timestamp() or type_.is_date():
        return "time"
    if type_.is_boolean():
        return "bool"
    return "number" if type_.is_numeric() else "text"


def _plain(value: Any) -> Any:
    return as_text(value).strip().nullif("")


def _column(scratch: Scratch, name: str, type_: Any, rows: int, values: Rows) -> Column:
    kind = _kind(type_)
    nothing = values.filter(values.text.isin(NOTHING))
    said = values.filter(~values.text.isin(NOTHING))
    facts = scratch.fetch(said.agg(**_counts(said)))[0]
    form, doubt = _form(scratch, said, facts) if kind == "text" and facts["money"] else (None, "")
    if form:
        facts = scratch.fetch(said.agg(**_counts(said, form)))[0]
    dated, zoned = facts.pop("dated"), facts.pop("zoned")
    reads: dict[str, int] = {}
    if kind in {"text", "number"} and dated >= 0.5 * facts["given"] > 0:
        whole = facts["numbers"] == facts["given"]
        reads = _patterns_that_read(scratch, said, _OF_DIGITS if whole else PATTERNS)
    naive = zoned == 0
    if kind == "time":
        naive = not (type_.is_timestamp() and type_.timezone is not None)
    few = scratch.fetch(said.order_by("text")) if 0 < facts["distinct"] <= _FEW else []
    return Column(
        name=name,
        kind=kind,
        rows=rows,
        **facts,
        formats=_best(reads),
        naive=naive,
        nothing={row["text"]: row["weight"] for row in scratch.fetch(nothing.order_by("text"))},
        values=tuple(row["text"] for row in few),
        form=form,
        doubt=doubt,
    )


def _best(reads: dict[str, int]) -> dict[str, int]:
    """The patterns that read most values; days as numbers (20260131) are seconds of 1970, too."""
    found = {one: count for one, count in reads.items() if count == max(reads.values())}
    days = found.get("%Y%m%d")
    return found if days is None else {"%Y%m%d": days}


def _form(scratch: Scratch, values: Rows, facts: dict[str, Any]) -> tuple[str | None, str]:
    """How amounts are written, where nearly all values are read so and in no other way, and what
    is in doubt.

    `12,50` and `1.234,50` are read with a decimal comma alone, `1,234.50` with a point alone;
    `1,250` with both, and to another number: only the values beside it can say which.
    """
    text, weight = values.text, values.weight
    such = _finite(text).notnull() | text.re_search(_MONEY)
    reads = {form: such.ifelse(_finite(formed(text, form)), ibis.null("float64"))
             for form in ("amount", "amount_comma")}  # fmt: skip
    point, comma = reads["amount"], reads["amount_comma"]
    signs = text.re_extract(_CURRENCY, 0).nullif("")
    found = scratch.fetch(
        values.agg(
            amount=point.notnull().ifelse(weight, 0).sum(),
            amount_comma=comma.notnull().ifelse(weight, 0).sum(),
            differ=(point != comma).fill_null(False).ifelse(weight, 0).sum(),
            currencies=signs.nunique(),
        )
    )[0]
    form = max(reads, key=lambda one: found[one])
    read, given = found[form], facts["given"]
    if found["currencies"] > 1:
        return None, f"amounts in {found['currencies']} currencies, which cannot be added up"
    if found["amount"] == found["amount_comma"] and found["differ"]:
        return None, "amounts like 1,250, which may be 1250 or 1.25: no value says which"
    if read <= facts["numbers"] or read < _MOSTLY * given:
        return None, "amounts that are written in several ways, or in none that is known"
    lost = given - read
    return form, f"{lost:,} of {given:,} values are written otherwise" if lost else ""


def _finite(text: Any) -> Any:
    return only_finite(text.try_cast("float64"))


def _counts(values: Rows, form: str | None = None) -> dict[str, Any]:
    """How many of the rows have a value that is such; `values` are distinct and weighed."""
    text, weight = values.text, values.weight
    number = _finite(formed(text, form))
    such = {
        "mails": text.re_search(MAIL),
        "dialled": text.re_search(r"^'?\+\d[\d\s().\-/]{5,}\d(\s?(x|ext\.?)\s?\d+)?$"),
        "phones": text.re_search(r"^[+(]?\d[\d\s().\-/]{5,}\d(\s?(x|ext\.?)\s?\d+)?$"),
        "money": text.re_search(_MONEY) & number.isnull(),
        "numbers": number.notnull(),
        "whole": (number % 1) == 0,
        "negative": number < 0,
        "zero": number == 0,
        "sentences": text.re_search(r"\S+\s+\S+\s+\S+\s+\S+"),
        "yes_no": text.lower().isin(YES_NO),
        "listed": text.re_search(r"^[^|;]{1,40}([|;][^|;]{1,40})+$"),
        "dated": text.re_search(_LIKE_TIME),
        "zoned": text.re_search(r"(Z|GMT|UTC|[+-]\d{2}:?\d{2})$"),
    }
    counts = {name: one.fill_null(False).ifelse(weight, 0).sum().fill_null(0).cast("int64")
              for name, one in such.items()}  # fmt: skip
    return {
        "given": weight.sum().fill_null(0).cast("int64"),
        "distinct": text.count(),
        "longest": text.length().max().fill_null(0),
        "low": number.min(),
        "high": number.max(),
        **counts,
    }


def _patterns_that_read(scratch: Scratch, values: Rows, patterns: Sequence[str]) -> dict[str, int]:
    """Pattern -> how many of the values it reads, of those that read any."""
    counts = {}
    for n, pattern in enumerate(patterns):
        at = read_time(values.text, pattern, "UTC")
        earliest = _NUMBERED_FROM_MS if pattern in NUMBERS else _EARLIEST_MS
        inside = at.between(earliest, _LATEST_MS).fill_null(False)
        counts[f"p{n}"] = inside.ifelse(values.weight, 0).sum().fill_null(0)
    row = scratch.fetch(values.agg(**counts))[0]
    reads = {pattern: int(row[f"p{n}"]) for n, pattern in enumerate(patterns)}
    return {pattern: count for pattern, count in reads.items() if count}
