"""Functions of DuckDB that Ibis has no name for, as expressions."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.datatypes as dt

Function = Callable[..., Any]


def _one(first: Any) -> None:
    del first


def _two(first: Any, second: Any) -> None:
    del first, second


def _three(first: Any, second: Any, third: Any) -> None:
    del first, second, third


def _four(first: Any, second: Any, third: Any, fourth: Any) -> None:
    del first, second, third, fourth


_SHAPES: dict[int, Callable[..., None]] = {1: _one, 2: _two, 3: _three, 4: _four}


def _builtin(name: str, arguments: tuple[Any, ...], returns: Any) -> Function:
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
# milliseconds since 1970 -> time
from_epoch_ms = _builtin("epoch_ms", ("int64",), "timestamp")
# zone, time -> the moment at which clocks in the zone show the time
in_zone = _builtin("timezone", ("string", "timestamp"), "timestamp('UTC')")
# zone, moment -> the time that clocks in the zone show
clock_in = _builtin("timezone", ("string", "timestamp('UTC')"), "timestamp")
# text -> the same without accents
strip_accents = _builtin("strip_accents", ("string",), "string")
# text -> the same with every letter and its accents as one, where there is such a one
composed = _builtin("nfc_normalize", ("string",), "string")
# text -> 32 hex digits
md5 = _builtin("md5", ("string",), "string")
# text -> its bytes in UTF-8
byte_count = _builtin("strlen", ("string",), "int64")
# text -> whether it is JSON
json_valid = _builtin("json_valid", ("string",), "boolean")
# JSON, paths -> the values there as text; null for what is not there and for null
json_texts = _builtin("json_extract_string", ("string", "array<string>"), "array<string>")
# JSON -> the keys of an object
json_keys = _builtin("json_keys", ("string",), "array<string>")
# text, pattern, replacement, options
regexp_replace = _builtin("regexp_replace", ("string", "string", "string", "string"), "string")

# JSON, a path -> the text there
json_plain = _builtin("json_extract_string", ("string", "string"), "string")
# JSON, paths -> what is there: OBJECT, ARRAY, VARCHAR, …; null where there is nothing
json_kinds = _builtin("json_type", ("string", "array<string>"), "array<string>")
# JSON, a path that may differ from row to row -> the JSON there
json_at = _builtin("json_extract", ("string", "string"), "json")

_tried = _builtin("try", ("string",), "string")
_decoded = _builtin("decode", ("binary",), "string")
_url_decode = _builtin("url_decode", ("string",), "string")
_from_base64 = _builtin("from_base64", ("string",), "binary")
_json_text = _builtin("to_json", ("string",), "json")
_json_values = _builtin("json_extract", ("string", "string"), "array<json>")
_json_merged = _builtin("json_merge_patch", ("string", "string"), "json")


def among(text: Any, words: Iterable[str]) -> Any:
    """Whether a text is one of a few words; null where there is no text.

    As `text.isin(words)`, of which DuckDB makes a join for each place where it stands in a query:
    120 rows with two consents took 10 s to read.
    """
    return ibis.literal(list(words), "array<string>").contains(text)


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


def json_by_key(listed: Any, kinds: Sequence[str], spelled: Callable[[Any], Any]) -> Any:
    """`[{"key": k, "value": {"<kind>": v}}, …]` as the text of `{"k": "v", …}`.

    Args:
        listed: the list as JSON text.
        kinds: the names a value may stand under; the first that has one counts.
        spelled: how a key is written.

    Returns:
        Text; `{}` where there is no list, or nothing in it has a value.
    """
    inside = ",".join(f'"{kind}":"VARCHAR"' for kind in kinds)
    values = ", ".join(f"{kind}: string" for kind in kinds)
    pairs = json_as(
        listed,
        f'[{{"key":"VARCHAR","value":{{{inside}}}}}]',
        f"array<struct<key: string, value: struct<{values}>>>",
    )
    texts = pairs.map(
        lambda pair: (
            json_text(spelled(pair["key"]))
            + ibis.literal(":")
            + json_text(ibis.coalesce(*[pair["value"][kind] for kind in kinds]))
        )
    ).filter(lambda text: text.notnull())
    return ibis.literal("{") + texts.join(",").fill_null("") + ibis.literal("}")


def json_shaped(text: Any, shape: Mapping[str, Any]) -> Any:
    """JSON text as a struct: name -> VARCHAR (a value as text), JSON (as it is written), or a
    mapping of names inside. What is not there, is null or of another shape becomes null."""
    return _builtin("json_transform", ("string", "string"), _struct(shape))(
        text, json.dumps(dict(shape))
    )


def _struct(shape: Mapping[str, Any]) -> dt.Struct:
    inside = {
        name: _struct(kind) if isinstance(kind, Mapping) else dt.string
        for name, kind in shape.items()
    }
    return dt.Struct(inside)


def json_of(values: Any) -> Any:
    """A struct, or columns by name, as the text of a JSON object."""
    whole = ibis.struct(values) if isinstance(values, Mapping) else values
    return _builtin("to_json", (whole.type(),), "json")(whole).cast("string")


def json_only(text: Any, opens: str) -> Any:
    """Text that is JSON and begins with `{` or `[`, as told; null for everything else."""
    begins = text.startswith(opens).fill_null(False)
    return begins.ifelse(json_valid(text), ibis.literal(False)).ifelse(text, ibis.null("string"))


def extracted(text: Any, pattern: str, names: tuple[str, ...]) -> Any:
    """The groups of a regular expression as a struct of texts; empty where it does not fit."""
    returns = dt.Struct(dict.fromkeys(names, dt.string))
    call = _builtin("regexp_extract", ("string", "string", "array<string>"), returns)
    return call(text, pattern, list(names))


def from_base64(text: Any) -> Any:
    """What stands in (URL-safe, unpadded) base64; null where that is no text."""
    plain = text.replace("-", "+").replace("_", "/").re_replace("=+$", "")
    padded = plain + ibis.literal("===").substr(0, (4 - plain.length() % 4) % 4)
    return _tried(_decoded(_from_base64(padded)))


def of_bytes(found: Any) -> Any:
    """Bytes as the text they are in UTF-8; those that are none as they are shown, `\\xFF`."""
    return ibis.coalesce(_tried(_decoded(found)), found.cast("string"))


def first_text(*texts: Any) -> Any:
    """The first text that is neither missing nor empty."""
    return ibis.coalesce(*[text.nullif("") for text in texts])


def of_query(address: Any, name: str) -> Any:
    """A parameter of an address as it is meant: `summer+sale` and `summer%20sale` as `summer sale`;
    one that is no text once decoded stays as it is written."""
    written = address.re_extract(rf"[?&]{name}=([^&#]+)", 1).nullif("")
    meant = _tried(_url_decode(written.replace("+", " "))).re_replace(r"\x00", "")
    return ibis.coalesce(meant.strip(), written).nullif("")


def no_texts() -> Any:
    """An empty list of texts; a literal one would be a list of integers."""
    return ibis.array([ibis.null("string")]).filter(lambda text: text.notnull())
