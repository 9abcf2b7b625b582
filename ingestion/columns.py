"""What a mapping says of one table, as expressions over the rows of its files.

Every reader here gives a value and, where something can be wrong with it, the reason of a
quarantine; nothing is guessed, and nothing is computed row by row. Texts, numbers and times are
computed once, in `prepare`, and named, so that what is built on them stays small.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis

from ingestion.forms import formed, minor_units
from ingestion.functions import (
    among,
    aware_epoch_ms,
    byte_count,
    epoch_ms,
    from_epoch_ms,
    in_zone,
    json_as,
    json_only,
    of_bytes,
    try_strptime,
)
from ingestion.lengths import is_long
from ingestion.table import TREATED, Campaign
from ingestion.values import EPOCHS, SERIAL, Case, Condition, Test, Time, Value
from kg.lake.scratch import Scratch

Expr = Any  # an Ibis value expression
DAY_MS = 86_400_000
EARLIEST_MS = 365 * DAY_MS  # 1971-01-01: before it lie clocks that were never set

_ISO = (
    r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?"
    r"( ?(Z|UTC|[+-](0\d|1[0-4])(:?[0-5]\d)?))?)?$"
)
_ZONED = r"[T ]\d{2}:\d{2}.*(Z|UTC|[+-]\d{2}(:?\d{2})?)$"
_IN_UTC = (" GMT", " UTC")  # how a pattern ends that reads times in UTC
_SERIAL_OF_1970, _LAST_SERIAL = 25_569, 2_958_466  # 1970-01-01, the end of 9999
_FAR = r"[+-](1[5-9]|[2-9]\d)(:?\d{2})?$"  # no place on earth is so far from UTC


@dataclass(frozen=True)
class Checked:
    """A value, why it cannot be used where it cannot (a reason, else null), and what of it."""

    value: Expr
    problem: Expr | None = None
    detail: Expr | None = None


@dataclass(frozen=True)
class Needs:
    """What has to be prepared: columns as text, columns as number, times by a label."""

    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    times: Mapping[str, Time] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)  # column -> what separates its values
    forms: Mapping[str, str] = field(default_factory=dict)  # column -> a key of `FORMS`


@dataclass(frozen=True)
class Columns:
    """The prepared columns of a table by the names a mapping uses.

    Attributes:
        rows: the table they are in.
        texts, numbers: name -> column of `rows`.
        times: label -> (name, columns with what each format reads, those that lack a zone).
        lists: name -> column of `rows` with all its values, of those that hold several.
    """

    rows: Any
    texts: Mapping[str, str]
    numbers: Mapping[str, str]
    times: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]]
    lists: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> Expr:
        """A column as trimmed text; null where it is empty or a word for nothing."""
        return self.rows[self.texts[name]]

    def several(self, name: str) -> Expr:
        """All values of a column that holds several, as a list of trimmed texts."""
        return self.rows[self.lists[name]]

    def number(self, name: str) -> Checked:
        """A column as a finite number."""
        return finite(self.rows[self.numbers[name]], self.text(name).notnull(), name)

    def joined(self, names: Sequence[str], separator: str) -> Expr:
        """Columns as one text; null where one is missing."""
        found = [self.text(name) for name in names]
        return found[0] if len(found) == 1 else _glued(found, separator)

    def paragraphs(self, names: Sequence[str]) -> Expr:
        """Columns as one text, what is missing left out; null where all are."""
        parts = ibis.array([self.text(name) for name in names]).filter(lambda part: part.notnull())
        return parts.join("\n\n").nullif("")

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
        if value.minor_units is not None:
            product = product / minor_units(self.text(value.minor_units))
        whole = finite(product, product.notnull(), ", ".join(value.columns()))
        return Checked(whole.value, *first_problem([*factors, whole]))

    def holds(self, condition: Condition) -> Expr:
        """Whether every test of a condition holds."""
        found = ibis.literal(True)
        for name, test in condition.items():
            found = found & self._test(name, test)
        return found.fill_null(False)

    def arm(self, campaign: Campaign) -> Checked:
        """The arm a person was in: `control`, `treated` or the name of a variant."""
        if campaign.arm is None:
            return Checked(_NOTHING)
        given = self.value(campaign.arm)
        control, treated = ([word.lower() for word in words]
                            for words in (campaign.control, campaign.treated))  # fmt: skip
        plain = [word for word in treated if word in TREATED] or ["treated"]
        word = given.lower()
        value = ibis.cases(
            (among(word, control), "control"), (among(word, plain), "treated"),
            (among(word, treated), given), else_=_NOTHING,
        )  # fmt: skip
        lost = (given.notnull() & value.isnull()).ifelse("unknown_value", _NOTHING)
        return Checked(value, lost, ibis.literal("arm: ") + given.substr(0, 40))

    def verb(self, cases: Sequence[Case]) -> Expr:
        """The value of the first case that holds, in one word; null where none does.

        Subjects of claims are a verb, a blank and a topic, so that a verb has no blank.
        """
        branches = [(self.holds(case.when), self.value(case.value)) for case in cases]
        is_one = len(cases) == 1 and not cases[0].when
        found = branches[0][1] if is_one else ibis.cases(*branches, else_=ibis.null("string"))
        return found.re_replace(r"\s+", "_")

    def time(self, label: str, latest_ms: Expr | None = None, *, required: bool = False) -> Checked:
        """A time as epoch milliseconds, UTC.

        Args:
            label: of the time; one that was not prepared is missing everywhere, and that is fine.
            latest_ms: what lies after it cannot have happened yet; None: no limit, for plans.
            required: whether a missing time is a problem.
        """
        if label not in self.times:
            return Checked(ibis.null("int64"))
        name, columns, clocks = self.times[label]
        readings = [self.rows[column] for column in columns]
        value, given = ibis.coalesce(*readings), self.text(name).notnull()
        problems = []
        if len(readings) > 1:
            same = ibis.and_(*[reading.fill_null(value) == value for reading in readings])
            problems.append((~same.fill_null(True), "ambiguous_time"))
        if clocks:
            naive = ibis.or_(*[is_naive(self.text(name), one) for one in clocks])
            problems.append((given & value.isnull() & naive, "naive_time"))
        problems.append((given & value.isnull(), "unreadable_time"))
        if required:
            problems.append((~given, "missing_time"))
        if latest_ms is not None:
            inside = value.between(EARLIEST_MS, latest_ms)
            problems.append((~inside.fill_null(True), "time_out_of_range"))
            value = inside.ifelse(value, ibis.null("int64"))
        shown = ibis.literal(f"{name}: ") + self.text(name).substr(0, 40).fill_null("")
        return Checked(value, ibis.cases(*problems, else_=_NOTHING), shown)

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
            holds = holds & among(self.text(name), [_word(word) for word in words])
        if test.starts_with is not None:
            holds = holds & self.text(name).startswith(test.starts_with)
        if test.matches is not None:
            holds = holds & self.text(name).re_search(test.matches)
        return holds


_NOTHING = ibis.null("string")


_AWARE = ibis.dtype("timestamp('UTC')")


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
    """Any value as text; whole floats without their `.0`, so that ids stay ids, and bytes as the
    text that programs without a type for it wrote."""
    kind = found.type()
    if kind.is_string():
        return found
    if kind.is_floating():
        # Ibis' floor casts to an integer, which neither NaN nor infinity survives.
        whole = found.try_cast("int64")
        is_whole = ((whole.cast("float64") == found) & (found.abs() < 2**53)).fill_null(False)
        return is_whole.ifelse(whole.cast("string"), found.cast("string"))
    return of_bytes(found) if kind.is_binary() else found.cast("string")


def prepare(
    scratch: Scratch,
    rows: Any,
    find: Callable[[Any, str], Expr],
    needs: Needs,
    missing: tuple[str, ...] = (),
    zone: str | None = None,
) -> Columns:
    """Compute and name what a mapping needs of a table.

    Args:
        scratch: the engine of the rows.
        rows: as the files have them.
        find: rows, name -> the column, the field of JSON, the column of a linked file.
        needs: what to prepare; numbers and times may name columns that are not under texts.
        missing: words that stand for nothing.
        zone: of times that carry none.
    """
    times = needs.times
    names = dict.fromkeys([*needs.texts, *needs.numbers, *(t.column for t in times.values())])
    texts = {name: f"_c{number}" for number, name in enumerate(names)}
    numbers = {name: f"_n{number}" for number, name in enumerate(dict.fromkeys(needs.numbers))}
    typed = {name: kind for name in names if not (kind := find(rows, name).type()).is_string()}
    lists = {name: f"_s{number}" for number, name in enumerate(needs.lists)}
    rows = scratch.view(
        rows.mutate(
            **{
                own: formed(_text(find(rows, name), missing), needs.forms.get(name))
                for name, own in texts.items()
            },
            **{
                own: _listed(find(rows, name), needs.lists[name], missing, needs.forms.get(name))
                for name, own in lists.items()
            },
            **{
                own: find(rows, name).cast("float64")
                for name, own in numbers.items()
                if name in typed and typed[name].is_numeric()
            },
        )
    )
    made = {
        own: rows[texts[name]].try_cast("float64")
        for name, own in numbers.items()
        if not (name in typed and typed[name].is_numeric())
    }
    places: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {}
    for number, (label, time) in enumerate(times.items()):
        of_time = time.zone or zone
        whole = typed.get(time.column)
        if whole is not None and (whole.is_timestamp() or whole.is_date()):
            readings = [_typed_time(find(rows, time.column), of_time)]
        else:
            readings = [read_time(rows[texts[time.column]], one, of_time) for one in time.formats]
        own_names = tuple(f"_t{number}_{place}" for place in range(len(readings)))
        made |= dict(zip(own_names, readings, strict=True))
        clocks = tuple(one for one in time.formats if of_time is None and is_clock(one))
        places[label] = (time.column, own_names, clocks)
    rows = scratch.view(rows.mutate(**made)) if made else rows
    return Columns(rows, texts, numbers, places, lists)


def _text(found: Expr, missing: tuple[str, ...]) -> Expr:
    text = as_text(found).strip().nullif("")
    return among(text, missing).ifelse(_NOTHING, text) if missing else text


def _listed(found: Expr, separator: str, missing: tuple[str, ...], form: str | None = None) -> Expr:
    """The values of a list, of a JSON list or of a text with separators, without empty ones."""
    if found.type().is_array():
        parts = found.map(lambda one: _text(one, missing))
    else:
        text = formed(_text(found, missing), form)
        listed = json_only(text, "[")
        inside = json_as(listed, '["VARCHAR"]', "array<string>")
        parts = listed.notnull().ifelse(inside, text.split(separator))
        parts = parts.map(lambda one: _text(one, missing))
    return parts.filter(lambda one: one.notnull())


def _typed_time(found: Expr, zone: str | None) -> Expr:
    kind = found.type()
    if kind.is_timestamp() and kind.timezone is not None:
        return aware_epoch_ms(found)
    return _zoned(found.cast("timestamp"), zone)


def _zoned(time: Expr, zone: str | None) -> Expr:
    return epoch_ms(time) if zone in {None, "UTC"} else aware_epoch_ms(in_zone(zone, time))


def read_time(text: Expr, pattern: str, zone: str | None) -> Expr:
    """What a format of a mapping reads, as epoch milliseconds; null where it does not."""
    if pattern in EPOCHS:
        number = text.try_cast("float64") * EPOCHS[pattern]
        near = (number.abs() < 1e15).fill_null(False)
        return near.ifelse(number, ibis.null("float64")).round().try_cast("int64")
    if pattern != "iso":
        if zone is None and is_clock(pattern):
            return ibis.null("int64")
        # The pattern's own offset has made it UTC already.
        found = _zoned(on_clock(text, pattern), zone if is_clock(pattern) else "UTC")
        far = text.re_search(_FAR) if pattern.endswith("%z") else ibis.literal(False)
        return far.ifelse(ibis.null("int64"), found)
    offset = text.substr(10)
    has_zone = (
        offset.endswith("Z") | offset.endswith("UTC") | offset.contains("+") | offset.contains("-")
    )
    # As the engine reads it: with seconds, and without a blank before the offset.
    plain = text.replace(",", ".").re_replace(r"^(.{16})( ?(?:Z|UTC|[+-].*))$", r"\1:00\2")
    plain = plain.re_replace(r" (Z|[+-][\d:]+)$", r"\1")
    aware, naive = aware_epoch_ms(plain.try_cast(_AWARE)), plain.try_cast("timestamp")
    otherwise = ibis.null("int64") if zone is None else _zoned(naive, zone)
    return ibis.cases(
        (~text.re_search(_ISO), ibis.null("int64")), (has_zone, aware), else_=otherwise
    )


def on_clock(text: Expr, pattern: str) -> Expr:
    """What a pattern reads, without its zone."""
    if pattern != SERIAL:
        return try_strptime(text, pattern)
    days = text.try_cast("float64")
    such = days.between(1, _LAST_SERIAL).fill_null(False)  # NaN and infinity are not
    since = such.ifelse(days, ibis.null("float64")) - _SERIAL_OF_1970
    return from_epoch_ms((since * DAY_MS).round().cast("int64"))


def is_clock(pattern: str) -> bool:
    """Whether it may read a time that says no zone."""
    return pattern not in EPOCHS and "%z" not in pattern and not pattern.endswith(_IN_UTC)


def is_naive(text: Expr, pattern: str) -> Expr:
    """Whether a time is written like this and carries no zone."""
    if pattern == "iso":
        return text.re_search(_ISO) & ~text.re_search(_ZONED)
    return on_clock(text, pattern).notnull()


_JUNK = (
    "null", "undefined", "none", "nil", "nan", "na", "n/a", "unknown", "anonymous", "guest",
    "not set", "(not set)", "test", "-", "-1", "true", "false", "[object object]",
    "#n/a", "#ref!", "#value!", "#name?", "#div/0!", "#null!", "#num!",  # of spreadsheets
)  # fmt: skip


# What nobody sees: soft hyphens, spaces of no width, marks of direction and of byte order, and any
# blank at the ends. Joiners stay, because they change words.
_UNSEEN = (
    r"[\x{AD}\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2069}\x{FEFF}]+"
    r"|^[\s\p{Z}]+|[\s\p{Z}]+$"
)
_EXTENSION = r"\s*(?:x|[;,]?\s*ext(?:ension)?[.:=]?|#)\s*(\d{1,6})\s*$"


def identifier(namespace: str, text: Expr) -> Expr:
    """An identifier in its normal form; null where it names nobody or is too long for a name.

    E-mail addresses in lower case, without the name and the brackets that mail programs write
    around them, phone numbers as digits, with `x` and the extension behind them where there is one,
    all others trimmed; none with characters that nobody sees.
    """
    plain = byte_count(text) == text.length()  # ASCII, as most are, costs no search
    text = plain.ifelse(text, text.re_replace(_UNSEEN, ""))
    if namespace == "email":
        bare = text.lower().re_replace(r"^[^<]*<([^<>]+@[^<>]+)>[\s,;]*$", r"\1")
        value = bare.re_replace(r"^\s*mailto:", "").re_replace(r"[\s\p{Z}]|[.,;]+\s*$", "")
        good = value.re_search(r"^[^@]+@[^@]+\.[^@.]{2,}$")
    elif namespace == "phone":
        desk = text.lower().re_extract(_EXTENSION, 1).fill_null("")
        number = text.lower().re_replace(_EXTENSION, "").re_replace(r"[^0-9]", "")
        abroad = (number.length() > 11) & number.startswith("00")
        number = abroad.ifelse(number.substr(2), number)
        value = number + (desk == "").ifelse("", "x" + desk)
        good = number.length().between(7, 15)
    else:
        value = text
        good = ~among(text.lower(), _JUNK)
    # A spreadsheet has rounded a long number: `4.91512E+11` is many people's.
    rounded = text.re_search(r"^\s*[-+]?\d+([.,]\d+)?[eE]\+\d+\s*$")
    nobody = value.re_search(r"^[0.\-\s#*?]*$") | rounded  # `#######`: did not fit its cell
    return (good & ~nobody & ~is_long(value)).fill_null(False).ifelse(value, ibis.null("string"))


def without_point(text: Expr) -> Expr:
    """A whole number that is written as `17.0` as `17`; all else as it is."""
    return text.re_replace(r"^(\d+)\.0$", r"\1")


def finite(number: Expr, given: Expr, name: str) -> Checked:
    """A number that can be counted with; where one was given and is none, that is a problem."""
    value = only_finite(number)
    lost = (given & value.isnull()).ifelse("not_a_number", _NOTHING)
    return Checked(value, lost, ibis.literal(name))


def only_finite(number: Expr) -> Expr:
    """The number; null where it is NaN or infinite."""
    return (number.isnan() | number.isinf()).ifelse(ibis.null("float64"), number)


def first_problem(checked: Sequence[Checked]) -> tuple[Expr, Expr]:
    """Reason and detail of the first problem; null where there is none."""
    told = [one for one in checked if one.problem is not None]
    if not told:
        return _NOTHING, _NOTHING
    details = [(one.problem.notnull(), one.detail) for one in told if one.problem is not None]
    return ibis.coalesce(*[one.problem for one in told]), ibis.cases(*details, else_=_NOTHING)


def slug(text: Expr) -> Expr:
    """`Order Completed` as `order_completed`."""
    spaced = text.re_replace(r"([a-z0-9])([A-Z])", r"\1_\2")
    return spaced.lower().re_replace(r"[^\p{L}0-9]+", "_").re_replace(r"^_|_$", "")
