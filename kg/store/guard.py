"""What an analyst's Cypher may say, decided on its text and, on Neo4j, on its plan.

Nothing is removed or rewritten: a query is taken as it is, or refused with the reason. The text
alone cannot say what a query does, and a plan does not show a call that hides in an expression,
so both are looked at. Neither bounds what a query costs; `read_only` does.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kg.errors import NotAllowed

_FIRST_WORDS = {"match", "optional", "with", "unwind", "return", "call"}
_PROCEDURES = {
    "db.labels",
    "db.relationshiptypes",
    "db.propertykeys",
    "db.schema.nodetypeproperties",
    "db.schema.reltypeproperties",
}
# What may be written before a bracket: Cypher's own functions, and words of its grammar.
_FUNCTIONS = set(
    """abs acos asin atan atan2 avg ceil char_length character_length coalesce collect cos cot count
    date datetime degrees duration e elementid endnode exp floor haversin head id isempty isnan keys
    labels last left length linenumber localdatetime localtime log log10 lower ltrim max min nodes
    none normalize nullif percentilecont percentiledisc pi point properties radians rand range
    reduce relationships replace reverse right round rtrim sign sin single size split sqrt startnode
    stdev stdevp substring sum tail tan time timestamp toboolean tobooleanlist tobooleanornull
    tofloat tofloatlist tofloatornull tointeger tointegerlist tointegerornull tolower tostring
    tostringlist tostringornull toupper trim type upper valuetype all any exists shortestpath
    allshortestpaths""".split()  # noqa: SIM905 - a list of words reads as one
)
_GRAMMAR = set(
    """match optional where with return unwind union call and or xor not in is as by on case when
    then else end distinct limit skip order asc desc ascending descending contains starts ends
    exists shortest groups paths path all any trail walk acyclic""".split()  # noqa: SIM905
)
_NAMESPACES = {"date", "datetime", "localdatetime", "localtime", "time", "duration", "point"}
_OPERATORS = re.compile(
    "LoadCSV|Transaction|Show|Terminate|Administration|Create|Delete|Set|Merge|Remove|Foreach|Drop"
)
_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n\r]*|/\*.*?\*/)
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |`(?P<quoted>(?:[^`]|``)*)`
    |(?P<word>[^\W\d]\w*)
    |(?P<number>\d\w*)
    |(?P<sign>\.\.|.)""",
    re.S | re.X,
)
_EDGE = ("end", "")
_READ = "A query may read the graph, with Cypher's own functions; only runs write."
_ONE = "Send them one by one."
Token = tuple[str, str]


def tokens(text: str) -> Iterator[Token]:
    """Kind and value, without blanks and comments; values in lower case, names unquoted."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "skip":
            yield kind, match[kind].lower()


def check_text(text: str) -> None:
    """Let pass what begins as a read and calls only what is listed here.

    Raises:
        NotAllowed: with the reason.
    """
    if "\\u" in text.lower() or not all(c.isprintable() or c in "\t\r\n" for c in text):
        raise NotAllowed(
            "Unicode escapes and invisible characters are not allowed in a query.",
            hint="Pass the value as a parameter.",
        )
    found = [_EDGE, _EDGE, *tokens(text), _EDGE, _EDGE, _EDGE]
    if found[2][1] not in _FIRST_WORDS:
        raise NotAllowed(
            f"A read-only query does not begin with {found[2][1].upper() or 'nothing'}.",
            hint="It begins with MATCH, OPTIONAL MATCH, WITH, UNWIND, RETURN or CALL.",
        )
    for place in range(2, len(found) - 3):
        _check_token(found, place)


def _check_token(found: list[Token], place: int) -> None:
    kind, value = found[place]
    if kind == "sign" and value in "'\"`":
        raise NotAllowed("A quote in the query is not closed.", hint="Close it.")
    if kind == "sign" and value == ";":
        raise NotAllowed("One query at a time, without a semicolon.", hint=_ONE)
    if (kind, value, found[place + 1]) == ("word", "load", ("word", "csv")):
        raise NotAllowed("LOAD CSV is not allowed.", hint=_READ)
    ends_a_call = (kind, value, found[place - 1][1]) == ("word", "in", "}")
    if ends_a_call and ("word", "transactions") in found[place + 1 : place + 4]:
        raise NotAllowed("IN TRANSACTIONS is not allowed.", hint=_READ)
    if kind not in ("word", "quoted") or _continues_a_name(found, place):
        return
    name, after = _dotted(found, place)
    is_called = found[after][1] == "("
    if found[place - 1] == ("word", "call") and ("." in name or is_called):
        if name not in _PROCEDURES:
            raise NotAllowed(f"The procedure {name} is not allowed.", hint=_READ)
    elif is_called and not _may_be_called(found, place, name):
        raise NotAllowed(f"The function {name} is not allowed.", hint=_READ)


def _continues_a_name(found: list[Token], place: int) -> bool:
    """Whether this is `b` of `a.b`, `f(x).b`, `l[0].b` or `{..}.b`."""
    (kind, value), owner = found[place - 1], found[place - 2]
    return (kind, value) == ("sign", ".") and (owner[0] in ("word", "quoted") or owner[1] in ")]}")


def _dotted(found: list[Token], place: int) -> tuple[str, int]:
    name, after = found[place][1], place + 1
    while found[after] == ("sign", ".") and found[after + 1][0] in ("word", "quoted"):
        name, after = f"{name}.{found[after + 1][1]}", after + 2
    return name, after


def _may_be_called(found: list[Token], place: int, name: str) -> bool:
    if found[place - 1] == ("sign", ":"):  # a label before a nested pattern
        return "." not in name
    if "." in name:
        return name.split(".")[0] in _NAMESPACES
    return name in _FUNCTIONS or (found[place][0] == "word" and name in _GRAMMAR)


def check_plan(query_type: str | None, plan: Mapping[str, Any] | None) -> None:
    """Let pass what Neo4j plans as a read, without operators and calls that are not listed.

    Raises:
        NotAllowed: with the reason.
    """
    if query_type != "r" or not plan:
        raise NotAllowed("This query is not read-only.", hint="Only runs write; read instead.")
    for operator in _walk(plan):
        name = str(operator["operatorType"]).split("@")[0]
        details = str(operator["args"].get("Details", ""))
        if _OPERATORS.search(name):
            raise NotAllowed(f"The operator {name} is not allowed.", hint=_READ)
        if "LOAD CSV" in details:
            raise NotAllowed("LOAD CSV is not allowed.", hint=_READ)
        calls = re.findall(r"ResolvedCall\(\s*([\w.]+)", details)  # inside an expression
        calls += [details.split("(")[0].strip()] if name == "ProcedureCall" else []
        for call in calls:
            if call.lower() not in _PROCEDURES:
                raise NotAllowed(f"The procedure {call} is not allowed.", hint=_READ)


def _walk(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("children", ()):
        yield from _walk(child)
