"""Whether the first line of a table holds names or somebody's data, which no message repeats."""

import re
from collections.abc import Iterable, Sequence

FIRST_LINE = (1, 1)  # where the header of a table in text begins and ends, if nothing else is said
LOOKS_LIKE_DATA = "the first line looks like data, not like names"
_DATA = re.compile(
    r"[^@\s]+@[^@\s]+\.[^@\s]+"  # an e-mail address
    r"|\s*[-+]?[\d.,'\s]*\d%?\s*"  # a number
    r"|.*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|.*\d{1,2}:\d{2}.*"  # a date, a time
    r"|.*\d[\d\s()./-]{5,}.*",  # a telephone, a card, any long number
    re.DOTALL,
)


def is_data(name: str) -> bool:
    """Whether what should be the name of a column is more likely an address, a number, a time."""
    return _DATA.fullmatch(name) is not None


def is_data_line(names: Sequence[str]) -> bool:
    """Whether most of the names of a table are none."""
    return sum(map(is_data, names)) * 2 > len(names)


def shown(names: Iterable[str]) -> list[str]:
    """The names that a message may repeat."""
    return [name for name in names if not is_data(name)]
