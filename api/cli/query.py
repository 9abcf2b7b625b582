"""`personagraph query`: an analyst's Cypher, guarded and in a process that can be killed."""

import math
import re
import sys
from dataclasses import dataclass
from typing import Any

import orjson
from rich.table import Table

from api.cli.console import escape, print_json, stderr, stdout
from kg.errors import InputError
from kg.settings import read_settings

_PARAM = re.compile(r"\s*:param\s+(\w+)\s*=>\s*(.+?)\s*;?\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Limits:
    """What a query may cost before it is killed.

    Attributes:
        seconds: wall time.
        memory_mb: memory of its process, MiB.
        rows: rows returned; more are dropped, and said to be.
    """

    seconds: float
    memory_mb: int
    rows: int


def query(cypher: str, workspace: str, params: list[str], limits: Limits, as_json: bool) -> None:
    """Run one read-only query and show its rows.

    Args:
        cypher: the text, or `-` for standard input; it may begin with lines `:param name => value;`
            as `personas show --claim` prints them.
        params: NAME=JSON each.
    """
    from kg.graph import shown
    from kg.lake import Lake
    from kg.store.read_only import run_read_only
    from kg.store.workspace import workspace_id

    if not math.isfinite(limits.seconds):
        raise InputError("A query must end.", hint="Give --seconds a number.")

    settings = read_settings()
    path = settings.workspace_path(workspace)
    with Lake.open(path) as lake:
        unfinished, whole = _unfinished(lake), shown(lake, workspace_id(path))
    text, written = _pasted(sys.stdin.read() if cypher == "-" else cypher)
    answer = run_read_only(
        settings,
        path,
        text,
        written | dict(_param(one) for one in params),
        timeout_s=limits.seconds,
        max_rows=limits.rows,
        memory_mb=limits.memory_mb,
    )
    if not unfinished and answer.watermark != whole:
        unfinished = [_BEHIND]
    for warning in [*unfinished, *answer.warnings]:
        stderr().print(f"[bold]warning:[/] {escape(warning)}", soft_wrap=True)
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    if as_json:
        print_json({"rows": rows, "truncated": answer.truncated})
        return
    if not rows:
        stderr().print("no rows")
        return
    table = Table(*map(escape, answer.columns))
    for row in answer.rows:
        table.add_row(*(escape(_cell(value)) for value in row))
    stdout().print(table)
    if answer.truncated:
        stderr().print(f"only the first {limits.rows:,} rows; ask for more with --rows")


_BEHIND = (
    "the graph does not show all of the lake: a run was stopped, or was made by another version of "
    "the program; run it again, or what is missing here is missing from the answer"
)


def _unfinished(lake: Any) -> list[str]:
    """What to know of a graph that may show less than the lake holds."""
    if lake.workspace.writing():
        return ["a run is under way: until it ends the graph is as the run before it left it"]
    if lake.step_id("claims") is None:
        return ["no run has come to its end here, so the graph is empty or not whole: run again"]
    return []


def _pasted(text: str) -> tuple[str, dict[str, Any]]:
    """A query, and the parameters written before it; their literals are YAML as well as Cypher.

    Raises:
        InputError: a value is none, or there is no query.
    """
    from kg.store.guard import tokens

    found: dict[str, Any] = {}
    while match := _PARAM.match(text):
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        name, value = match.groups()
        try:
            found[name] = YAML(typ="safe", pure=True).load(value)
        except YAMLError as error:
            raise InputError(
                f"the value of :param {name} cannot be read", hint="write it on one line"
            ) from error
        text = text[match.end() :]
    text = text.strip().removesuffix(";")  # as it ends in a file or a shell
    if not any(tokens(text)):
        raise InputError("There is no query.", hint="For example: MATCH (p:Persona) RETURN p.id")
    return text, found


def _param(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name.isidentifier():
        raise InputError(
            "a parameter is NAME=JSON", hint="""for example -p id='"p_0a1b2c3d"' or -p limit=5"""
        )
    try:
        return name, orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise InputError(
            f"the value of parameter {name} is not JSON", hint="""put text in quotes: '"text"'"""
        ) from error


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
