"""How long an id or a name may be: the graph finds its nodes by them, and so do people.

Both stores keep ids in an index whose pages have a size (Neo4j: 8 KB, the smaller). One value that
does not fit would end every run, so it is refused here, where its row can still be named.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import ibis

from ingestion.functions import byte_count

Expr = Any  # an Ibis value expression
MOST_BYTES = 1024


def is_long(value: Expr) -> Expr:
    """Whether a text, or a path of several, has more than `MOST_BYTES`; what is missing has not."""
    text = value.join("/") if value.type().is_array() else value
    return (byte_count(text) > MOST_BYTES).fill_null(False)


def long_values(values: Mapping[str, Expr]) -> Iterator[tuple[Expr, Expr]]:
    """For each value a problem (`long_value` where it is too long, else null) and its name."""
    for name, value in values.items():
        yield is_long(value).ifelse("long_value", ibis.null("string")), ibis.literal(name)
