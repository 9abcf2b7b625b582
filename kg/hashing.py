"""Ids that are hashes of content: equal whether Python, DuckDB or Spark computes them.

An id never comes from chance or a clock, so the same input gives the same ids on every machine.
Parts are joined by a separator that no source value holds after reading (U+001F); a missing part
is the empty text.
"""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

SEPARATOR = "\x1f"
TEXT_DIGITS = 16


def text_hash(text: str) -> str:
    """The name of a text in every cache: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:TEXT_DIGITS]


def text_hash_of(text: "ir.StringValue") -> "ir.StringValue":
    """`text_hash` as an expression of the engine."""
    return text.hexdigest("sha256").substr(0, TEXT_DIGITS)


def stable_id(prefix: str, *parts: str | int | None, digits: int = 16) -> str:
    """An id such as `u_` and 16 hex digits, made from what the thing is."""
    joined = SEPARATOR.join("" if part is None else str(part) for part in parts)
    return f"{prefix}_{hashlib.sha256(joined.encode()).hexdigest()[:digits]}"


def stable_id_of(prefix: str, *parts: "ir.Value", digits: int = 16) -> "ir.StringValue":
    """`stable_id` as an expression of the engine; parts are strings and integers."""
    import ibis

    texts = [part.cast("string").fill_null("") for part in parts]
    joined = ibis.literal(SEPARATOR).join(texts)
    return ibis.literal(f"{prefix}_") + joined.hexdigest("sha256").substr(0, digits)
