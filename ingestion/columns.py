"""What a mapping says of one table, as expressions over the rows of its files.

Every reader here gives a value and, where something can be wrong with it, the reason of a
quarantine; nothing is guessed, and nothing is computed row by row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ibis

from ingestion.functions import aware_epoch_ms, epoch_ms, in_zone, try_strptime
from ingestion.mapping import Case, Condition, Test, Time, Value

Expr = Any  # an Ibis value expression
EARLIEST_MS = 365 * 86_400_000  # 1971-01-01: before it lie clocks that were never set
DAY_MS = 86_400_000

_ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?$"
_ISO_ZONE = r"\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)? ?(Z|[+-]\d{2}(:?\d{2})?)$"


@dataclass(frozen=True)
class Checked:
    """A value, and why it cannot be used where it cannot.

    Attributes:
        value: the expression; null where there is a problem.
        problems: (holds, reason, what the detail says) in order of precedence.
    """

    value: Expr
    problems: tuple[tuple[Expr, str, Expr], ...] = ()


@dataclass(frozen=True)
class Columns:
    """The columns of a table by the names a mapping uses.

    Attributes:
        find: name -> expression (a column, a field of JSON, a column of a linked file).
        missing: words that stand for nothing.
        zone: the zone of times that carry none.
    """

    find: Callable[[str], Expr]
    missing: tuple[str, ...] = ()
    zone: str | None = None

    def text(self, name: str) -> Expr:
        """A column as trimmed text; null where it is empty or a word for nothing."""
        text = as_text(self.find(name)).strip().nullif("")
        return text.isin(self.missing).ifelse(ibis.null("string"), text) if self.missing else text

    def joined(self, names: Sequence[str], separator: str) -> Expr:
        """Columns as one text; null where one is missing."""
        found = [self.text(name) for name in names]
        return found[0] if len(found) == 1 else _glued(found, separator)

    def paragraphs(self, names: Sequence[str]) -> Expr:
        """Columns as one text, what is missing left out; null where all are."""
        parts = ibis.array([self.text(name) for name in names]).filter(lambda part: part.notnull())
        return parts.join("\n\n").nullif("")

    def number(self, name: str) -> Checked:
        """A column as a finite number."""
        found = self.find(name)
        if found.type().is_numeric():
            number, given = found.cast("float64"), found.notnull()
        else:
            text = self.text(name)
            number, given = text.try_cast("float64"), text.notnull()
        finite = (~(number.isnan() | number.isinf())).fill_null(False)
        bad = given & ~finite
        value = finite.ifelse(number, ibis.null("float64"))
        return Checked(value, ((bad, "not_a_number", ibis.literal(name)),))

    def value(self, value: Value | None) -> Expr:
        """A value as text."""
        if value is None:
            return ibis.null("string")
        if value.constant is not None:
            return ibis.literal(value.constant)
        return self.joined(tuple(value.columns()), "/")

    def amount(self, value: Value | None) -> Checked:
        """A value as a number: a column, the product of columns or a constant."""
        if value is None:
            return Checked(ibis.null("float64"))
        if value.constant is not None:
            return Checked(ibis.literal(float(value.constant)))
        factors = [self.number(name) for name in value.columns()]
        product = factors[0].value
        for factor in factors[1:]:
            product = product * factor.value
        return Checked(product, tuple(p for factor in factors for p in factor.problems))

    def holds(self, condition: Condition) -> Expr:
        """Whether every test of a condition holds."""
        found = ibis.literal(True)
        for name, test in condition.items():
            found = found & self._test(name, test)
        return found.fill_null(False)

    def cases(self, cases: Sequence[Case]) -> Expr:
        """The value of the first case that holds; null where none does."""
        if len(cases) == 1 and not cases[0].when:
            return self.value(cases[0].value)
        branches = [(self.holds(case.when), self.value(case.value)) for case in cases]
        return ibis.cases(*branches, else_=ibis.null("string"))

    def time(self, time: Time | None, latest_ms: Expr, *, required: bool = True) -> Checked:
        """A time as epoch milliseconds, UTC.

        Args:
            time: where it stands; None: nowhere.
            latest_ms: what lies after it cannot have happened yet.
            required: whether a missing time is a problem.
        """
        if time is None:
            return Checked(ibis.null("int64"))
        read = self._moment(time)
        given = self.text(time.column) if read.problems else self.find(time.column)
        shown = ibis.literal(f"{time.column}: ") + as_text(given).substr(0, 40)
        out = read.value.notnull() & ~read.value.between(EARLIEST_MS, latest_ms)
        problems = [(holds, reason, shown) for holds, reason, _ in read.problems]
        if required:
            problems.insert(0, (given.isnull(), "missing_time", ibis.literal(time.column)))
        problems.append((out, "time_out_of_range", shown))
        return Checked(out.ifelse(ibis.null("int64"), read.value), tuple(problems))

    def moment(self, time: Time | None) -> Expr:
        """A time as epoch milliseconds; null where it cannot be read. For plans, not for facts."""
        return ibis.null("int64") if time is None else self._moment(time).value

    def _moment(self, time: Time) -> Checked:
        zone = time.zone or self.zone
        found = self.find(time.column)
        kind = found.type()
        if kind.is_timestamp() and kind.timezone is not None:
            return Checked(aware_epoch_ms(found))
        if kind.is_timestamp() or kind.is_date():
            return Checked(_zoned(found.cast("timestamp"), zone))
        text = self.text(time.column)
        readings = [_read(text, pattern, zone) for pattern in time.formats]
        value = ibis.coalesce(*readings)
        if len(readings) > 1:
            agree = [reading.isnull() | (reading == value) for reading in readings]
            same = ibis.and_(*agree)
            ambiguous = ~same
            value = same.ifelse(value, ibis.null("int64"))
        else:
            ambiguous = ibis.literal(False)
        unread = text.notnull() & value.isnull()
        naive = unread & text.re_search(_ISO) & ~text.re_search(_ISO_ZONE)
        problems = [(unread, "unreadable_time", None)]
        if "iso" in time.formats and zone is None:
            problems.insert(0, (naive, "naive_time", None))
        if len(readings) > 1:
            problems.insert(0, (ambiguous, "ambiguous_time", None))
        return Checked(value, tuple(problems))

    def _test(self, name: str, test: Test) -> Expr:
        holds = ibis.literal(True)
        if test.missing is not None:
            gone = self.text(name).isnull()
            holds = holds & (gone if test.missing else ~gone)
        limits = [(test.below, "__lt__"), (test.above, "__gt__"),
                  (test.at_least, "__ge__"), (test.at_most, "__le__")]  # fmt: skip
        for limit, compare in limits:
            if limit is not None:
                holds = holds & getattr(self.number(name).value, compare)(limit)
        words = [*([test.equals] if test.equals is not None else []), *test.one_of]
        if words:
            holds = holds & self.text(name).isin([_word(word) for word in words])
        if test.starts_with is not None:
            holds = holds & self.text(name).startswith(test.starts_with)
        if test.matches is not None:
            holds = holds & self.text(name).re_search(test.matches)
        return holds


def _word(word: bool | float | str) -> str:
    if isinstance(word, bool):
        return str(word).lower()
    return f"{word:g}" if isinstance(word, float) else str(word)


def _glued(parts: Sequence[Expr], separator: str) -> Expr:
    glued = parts[0]
    for part in parts[1:]:
        glued = glued + ibis.literal(separator) + part
    return glued


def as_text(found: Expr) -> Expr:
    """Any value as text; whole floats without their `.0`, so that ids stay ids."""
    kind = found.type()
    if kind.is_string():
        return found
    if kind.is_floating():
        whole = (found == found.floor()) & (found.abs() < 2**53)
        return whole.ifelse(found.try_cast("int64").cast("string"), found.cast("string"))
    return found.cast("string")


def _zoned(time: Expr, zone: str | None) -> Expr:
    return epoch_ms(time) if zone in {None, "UTC"} else aware_epoch_ms(in_zone(zone, time))


def _read(text: Expr, pattern: str, zone: str | None) -> Expr:
    if pattern in {"epoch_s", "epoch_ms"}:
        factor = 1000 if pattern == "epoch_s" else 1
        number = text.try_cast("float64")
        return (
            (number.abs() < 1e15)
            .ifelse(number * factor, ibis.null("float64"))
            .round()
            .try_cast("int64")
        )
    if pattern != "iso":
        time = try_strptime(text, pattern)
        # The pattern's own offset has made it UTC already.
        return _zoned(time, "UTC" if "%z" in pattern else zone)
    text = text.re_search(_ISO).ifelse(text, ibis.null("string")).replace(",", ".")
    aware = aware_epoch_ms(text.try_cast(ibis.dtype("timestamp('UTC')")))
    naive = text.try_cast("timestamp")
    otherwise = ibis.null("int64") if zone is None else _zoned(naive, zone)
    return text.re_search(_ISO_ZONE).ifelse(aware, otherwise)


_JUNK = (
    "null", "undefined", "none", "nil", "nan", "na", "n/a", "unknown", "anonymous", "guest",
    "not set", "(not set)", "test", "-", "-1", "true", "false", "[object object]",
)  # fmt: skip


def identifier(namespace: str, text: Expr) -> Expr:
    """An identifier in its normal form; null where it names nobody.

    E-mail addresses in lower case, phone numbers as digits without extension, all others trimmed.
    """
    if namespace == "email":
        value = text.lower().re_replace(r"^mailto:|\s", "")
        good = value.re_search(r"^[^@]+@[^@]+\.[^@.]{2,}$")
    elif namespace == "phone":
        bare = text.lower().re_replace(r"\s*(x|ext\.?|#)\s*\d+$", "")
        value = bare.re_replace(r"[^0-9]", "")
        value = ((value.length() > 11) & value.startswith("00")).ifelse(value.substr(2), value)
        good = value.length().between(7, 15)
    else:
        value = text
        good = ~text.lower().isin(_JUNK)
    nobody = value.re_search(r"^[0.\-\s]*$")
    return (good & ~nobody).fill_null(False).ifelse(value, ibis.null("string"))


def first_problem(problems: Sequence[tuple[Expr, str, Expr]]) -> tuple[Expr, Expr]:
    """Reason and detail of the first problem that holds; null where none does."""
    if not problems:
        return ibis.null("string"), ibis.null("string")
    reasons = [(holds.fill_null(False), ibis.literal(reason)) for holds, reason, _ in problems]
    details = [(holds.fill_null(False), detail) for holds, _, detail in problems]
    return (
        ibis.cases(*reasons, else_=ibis.null("string")),
        ibis.cases(*details, else_=ibis.null("string")),
    )


def slug(text: Expr) -> Expr:
    """`Order Completed` as `order_completed`."""
    spaced = text.re_replace(r"([a-z0-9])([A-Z])", r"\1_\2")
    return spaced.lower().re_replace(r"[^\p{L}0-9]+", "_").re_replace(r"^_|_$", "")
