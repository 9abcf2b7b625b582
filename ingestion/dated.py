"""Names of files with a date or a number in them: next month's export is one more of its table."""

import re

_MONTHS = (
    "january|jan|february|feb|march|mar|april|apr|may|june|jun|july|jul|august|aug|september|sept"
    "|sep|october|oct|november|nov|december|dec|januar|februar|märz|maerz|mai|juni|juli|oktober"
    "|okt|dezember|dez"
)
_DATED = re.compile(
    r"(?P<start>(?:.*/)?[^/]*?[^/\d_\-. ][^/]*?[_\-. ])"  # a word at least
    rf"(?:(?:19|20)\d\d|\d\d?[-_.]\d\d?[-_.](?:19|20)\d\d|(?:{_MONTHS})(?=[_\-. ]))"
    r"[\d_\-. tzqw]*"  # the rest of a date, a quarter, a week, a time
    r"(?P<end>\.[a-z]\w*(?:\.gz)?)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?P<start>(?:.*/)?[^/]*?[^/\d_\-. ][^/]*?[_\-. ])\d+(?P<end>\.[a-z]\w*(?:\.gz)?)",
    re.IGNORECASE,
)


def every_date(name: str) -> str | None:
    """The glob of all files that are called alike but for the date at the end: `orders_*.csv` of
    `orders_2026-11-30.csv` and of `orders_nov.csv`; None: there is no date."""
    found = _DATED.fullmatch(name)
    return None if found is None or set(name) & set("*?[") else f"{found['start']}*{found['end']}"


def every_number(name: str) -> str | None:
    """The same of a number at the end: `orders-*.csv` of `orders-2.csv`; None: there is none."""
    found = _NUMBERED.fullmatch(name)
    return None if found is None or set(name) & set("*?[") else f"{found['start']}*{found['end']}"
