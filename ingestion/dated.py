"""Names of files with a date or a number in them: next month's export is one more of its table."""

import re

_MONTHS = (
    "january|jan|february|feb|march|mar|april|apr|may|june|jun|july|jul|august|aug|september|sept"
    "|sep|october|oct|november|nov|december|dec|januar|februar|märz|maerz|mai|juni|juli|oktober"
    "|okt|dezember|dez"
)
_START = r"(?P<start>(?:.*/)?[^/]*?[^/\d_\-. ][^/]*?[_\-. ])"  # a word at least
_END = r"(?P<end>\.[a-z]\w*(?:\.gz)?)"
_DATED = re.compile(
    rf"{_START}(?:(?:19|20)\d\d|\d\d?[-_.]\d\d?[-_.](?:19|20)\d\d|(?:{_MONTHS})(?=[_\-. ]))"
    rf"[\d_\-. tzqw]*{_END}",  # the rest of a date, a quarter, a week, a time
    re.IGNORECASE,
)
_NUMBERED = re.compile(rf"{_START}\d+{_END}", re.IGNORECASE)


def every_date(name: str) -> str | None:
    """The glob of all files that are called alike but for the date at the end: `orders_*.csv` of
    `orders_2026-11-30.csv` and of `orders_nov.csv`; None: there is no date."""
    return _every(_DATED, name)


def every_number(name: str) -> str | None:
    """The same of a number at the end: `orders-*.csv` of `orders-2.csv`; None: there is none."""
    return _every(_NUMBERED, name)


def _every(pattern: re.Pattern[str], name: str) -> str | None:
    found = pattern.fullmatch(name)
    return None if found is None or set(name) & set("*?[") else f"{found['start']}*{found['end']}"
