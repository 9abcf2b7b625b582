"""Functions of DuckDB that Ibis has no name for, as expressions."""

from collections.abc import Callable
from typing import Any

import ibis

Function = Callable[..., Any]


def _one(first: Any) -> None:
    del first


def _two(first: Any, second: Any) -> None:
    del first, second


def _four(first: Any, second: Any, third: Any, fourth: Any) -> None:
    del first, second, third, fourth


_SHAPES: dict[int, Callable[..., None]] = {1: _one, 2: _two, 4: _four}


def _builtin(name: str, arguments: tuple[str, ...], returns: str) -> Function:
    signature = tuple(map(ibis.dtype, arguments)), ibis.dtype(returns)
    made: Function = ibis.udf.scalar.builtin(name=name, signature=signature)(
        _SHAPES[len(arguments)]
    )
    return made


# text, pattern -> time; null where the text does not have the pattern
try_strptime = _builtin("try_strptime", ("string", "string"), "timestamp")
# time -> milliseconds since 1970
epoch_ms = _builtin("epoch_ms", ("timestamp",), "int64")
aware_epoch_ms = _builtin("epoch_ms", ("timestamp('UTC')",), "int64")
# zone, time -> the moment at which clocks in the zone show the time
in_zone = _builtin("timezone", ("string", "timestamp"), "timestamp('UTC')")
# text -> the same without accents
strip_accents = _builtin("strip_accents", ("string",), "string")
# text -> 32 hex digits
md5 = _builtin("md5", ("string",), "string")
# text -> whether it is JSON
json_valid = _builtin("json_valid", ("string",), "boolean")
# JSON, paths -> the values there as text; null for what is not there and for null
json_texts = _builtin("json_extract_string", ("string", "array<string>"), "array<string>")
# JSON -> the keys of an object
json_keys = _builtin("json_keys", ("string",), "array<string>")
# text, pattern, replacement, options
regexp_replace = _builtin("regexp_replace", ("string", "string", "string", "string"), "string")

_json_text = _builtin("to_json", ("string",), "json")
_json_values = _builtin("json_extract", ("string", "string"), "array<json>")
_json_merged = _builtin("json_merge_patch", ("string", "string"), "json")


def json_text(text: Any) -> Any:
    """A text as JSON, in quotes."""
    return _json_text(text).cast("string")


def json_values(text: Any, path: str) -> Any:
    """What is at a path with a wildcard, as a list of JSON texts."""
    return _json_values(text, path).cast("array<string>")


def json_merged(text: Any, patch: Any) -> Any:
    """Two JSON objects as one, the second on top; a null in it takes a key away."""
    return _json_merged(text, patch).cast("string")


def json_as(text: Any, structure: str, returns: str) -> Any:
    """JSON text as a list or map; what does not fit becomes null."""
    return _builtin("json_transform", ("string", "string"), returns)(text, structure)


def no_texts() -> Any:
    """An empty list of texts; a literal one would be a list of integers."""
    return ibis.array([ibis.null("string")]).filter(lambda text: text.notnull())
