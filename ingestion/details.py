"""What a record says of the person it is about: name, date of birth, address, as texts.

They stay in the lake and serve one purpose, telling people apart; nothing else reads them.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from ingestion.columns import Columns, on_clock
from ingestion.lengths import is_long
from ingestion.record import Rows
from ingestion.table import DETAILS, Person
from ingestion.values import Time

Expr = Any
_ISO = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y%m%d")


def details(person: Person, columns: Columns) -> dict[str, Expr]:
    """Column of `person_details` -> its value, of what a mapping declares."""
    found = {}
    for name in DETAILS:
        declared = getattr(person, name)
        if isinstance(declared, Time):
            found[name] = birth_date(columns.text(declared.column), declared.formats)
        elif declared:
            found[name] = _joined([columns.text(one) for one in declared])
    return found


def birth_date(text: Expr, formats: tuple[str, ...]) -> Expr:
    """A date of birth as eight digits; one that no format reads keeps its own digits, because a
    slip of the pen still says something."""
    patterns = [one for form in formats for one in (_ISO if form == "iso" else (form,))]
    read = [on_clock(text, pattern).strftime("%Y%m%d") for pattern in patterns]
    digits = text.re_replace(r"[^0-9]", "")
    kept = digits.length().between(6, 8).ifelse(digits, ibis.null("string"))
    return ibis.coalesce(*read, kept)


def detail_rows(rows: Rows, columns: Mapping[str, str]) -> Rows:
    """Rows of `person_details` from columns: detail -> column; records that say nothing are left
    out, and details far too long for one: comparing two of them takes minutes."""
    nothing = ibis.null("string")
    short = {name: is_long(rows[own]).ifelse(nothing, rows[own]) for name, own in columns.items()}
    said = {name: short.get(name, nothing) for name in DETAILS}
    given = ibis.or_(*[value.notnull() for value in short.values()])
    return rows.filter(given).select("record_key", **said)


def _joined(texts: list[Expr]) -> Expr:
    """What is there of several columns, with a blank between."""
    if len(texts) == 1:
        return texts[0]
    return ibis.array(texts).filter(lambda text: text.notnull()).join(" ").nullif("")
