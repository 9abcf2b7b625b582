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
# text -> 32 hex digits
md5 = _builtin("md5", ("string",), "string")
# text -> whether it is JSON
json_valid = _builtin("json_valid", ("string",), "boolean")
# JSON, paths -> the values there as text; null for what is not there and for null
json_texts = _builtin("json_extract_string", ("string", "array<string>"), "array<string>")
# text -> the text as JSON, in quotes
json_text = _builtin("to_json", ("string",), "string")
# JSON, structure -> as that type; null for what does not fit
from_json = _builtin("json_transform", ("string", "string"), "json")
# text, pattern, replacement, options
regexp_replace = _builtin("regexp_replace", ("string", "string", "string", "string"), "string")


def no_texts() -> Any:
    """An empty list of texts; a literal one would be a list of integers."""
    return ibis.array([ibis.null("string")]).filter(lambda text: text.notnull())
