"""How the values of a column are written where they are not plain: `forms` of a mapping."""

from collections.abc import Callable
from typing import Any

import ibis

from ingestion.functions import among, regexp_replace

Expr = Any  # an Ibis expression of texts


def formed(text: Expr, form: str | None) -> Expr:
    """A text in the form that a mapping declares for its column."""
    return text if form is None else FORMS[form](text)


_CASES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def salesforce_id(text: Expr) -> Expr:
    """An id of 15 characters as the one of 18 that means the same record.

    Each character of the suffix says which of five characters are capitals, the first as the
    lowest bit.
    """
    suffix = ibis.literal("")
    for first in range(0, 15, 5):
        capitals = ibis.literal(0)
        for place in range(5):
            is_capital = text.substr(first + place, 1).between("A", "Z")
            capitals = capitals + is_capital.ifelse(1 << place, 0)
        suffix = suffix + ibis.literal(_CASES).substr(capitals, 1)
    return text.re_search("^[0-9A-Za-z]{15}$").ifelse(text + suffix, text)


def _amount(text: Expr) -> Expr:
    """`$1,234.50`, `25.00 USD` or `(12.00)` as a number is written elsewhere."""
    negative = text.re_search(r"^\(.*\)$|^-|-$")
    bare = text.re_replace(r"[^0-9.]", "")
    known = text.re_search(
        r"^[(\-]?\s*(\p{Sc}|[A-Z]{3})?\s*-?"
        r"([0-9]+|[0-9]{1,3}([,'\x{a0} ][0-9]{2,3})*[,'\x{a0} ][0-9]{3})(\.[0-9]+)?"
        r"\s*(\p{Sc}|[A-Z]{3}|%)?\s*[)\-]?$"
    )
    return known.ifelse(negative.ifelse(ibis.literal("-") + bare, bare), text)


_ENTITIES = (("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"),
             ("&#x27;", "'"), ("&amp;", "&"))  # fmt: skip


def _plain(text: Expr) -> Expr:
    """HTML as the text that is read there; whole paragraphs are lines."""
    text = regexp_replace(text, r"<(style|script)[^>]*>.*?</(style|script)>", "", "gis")
    text = regexp_replace(text, r"<(br|/p|/div|/li|/h\d|/tr)[^>]*>", "\n", "gi")
    text = text.re_replace(r"<[^>]*>", "")
    for entity, plain in _ENTITIES:
        text = text.replace(entity, plain)
    return text.strip().nullif("")


def _path(text: Expr) -> Expr:
    """A path of categories in words; the number of a taxonomy without its list says nothing."""
    return text.re_search(r"^\s*\d+\s*$").ifelse(ibis.null("string"), text)


def _first_path(text: Expr) -> Expr:
    """The first of several paths, `Home > Light, Sale > All`; one with a comma stands in quotes."""
    quoted = text.re_extract(r'^\s*"([^"]*)"', 1).nullif("")
    return ibis.coalesce(quoted, text.re_extract(r"^[^>]*>[^,]*", 0).nullif(""), text)


FORMS: dict[str, Callable[[Expr], Expr]] = {
    "html": _plain,
    "path": _path,
    "first_path": _first_path,
    "salesforce_id": salesforce_id,
    "amount": _amount,
    "amount_comma": lambda text: _amount(
        text.replace(".", "'").replace(",", ".")  # 1.234,50
    ),
}

# Currencies that are not divided into a hundred (ISO 4217, as payment services count them).
UNDIVIDED = (
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv",
    "xaf", "xof", "xpf",
)  # fmt: skip
THOUSANDTHS = ("bhd", "jod", "kwd", "omr", "tnd")


def minor_units(currency: Expr) -> Expr:
    """How many of an amount's units make one of the currency."""
    code = currency.lower()
    cases = [(among(code, UNDIVIDED), 1.0), (among(code, THOUSANDTHS), 1000.0)]
    return ibis.cases(*cases, (code.notnull(), 100.0), else_=ibis.null("float64"))
