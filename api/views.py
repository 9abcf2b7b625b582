"""Personas as a person or a program reads them, put together from the lake.

Few rows by nature (personas, claims, sentences), so plain dictionaries and lists; what these
functions return is also what `--json` prints.
"""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from kg.errors import NotFound

if TYPE_CHECKING:
    from kg.lake import Lake

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OF_PEOPLE = ("people", "share", "share_low", "share_high")
NOT_LOOKED = "no run has looked for personas in this workspace yet"


def personas(lake: "Lake") -> list[dict[str, Any]]:
    """Every current persona version with its wording, most people first.

    What the business keeps may be held by fewer than 20 people: then `people`, `share`,
    `share_low` and `share_high` are null, and the name is the last it had; those of its family
    are null, too, which would give them away. Each with its `family` (None: it stands alone) and
    its `micro_personas`, most people first.
    """
    from kg.personas.lineage import names_of
    from kg.personas.statistics import MIN_PEOPLE

    rows = lake.arrow("personas").to_pylist()
    words = {(w["persona_id"], w["version"]): w for w in lake.arrow("wordings").to_pylist()}
    found = [_persona(row, words.get((row["persona_id"], row["version"]))) for row in rows]
    levels, names = _levels(lake), names_of(lake)
    few = {row["parent_id"] for row in rows if row["people"] < MIN_PEOPLE}
    levels = [level | (dict.fromkeys(OF_PEOPLE) if level["id"] in few else {}) for level in levels]
    for persona in found:
        persona["name"] = names.get(persona["persona_id"]) or persona["persona_id"]
        persona["family"] = next((f for f in levels if f["id"] == persona["parent_id"]), None)
        inside = [part for part in levels if part["parent_id"] == persona["persona_id"]]
        persona["micro_personas"] = inside
    ranked = sorted(found, key=lambda p: (-p["people"], p["persona_id"]))
    return [without_few(persona) for persona in ranked]


def _levels(lake: "Lake") -> list[dict[str, Any]]:
    """Families and micro-personas, most people first."""
    columns = ("level", "parent_id", "name", "people", "share", "share_low", "share_high")
    rows = [
        {"id": row["level_id"]} | {name: row[name] for name in (*columns, "intents", "stability")}
        for row in lake.arrow("levels").to_pylist()
    ]
    return sorted(rows, key=lambda row: (-row["people"], row["id"]))


def _persona(row: dict[str, Any], words: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "level": "persona",
        "parent_id": row["parent_id"],
        "persona_id": row["persona_id"],
        "version": row["version"],
        "summary": words["summary"] if words else "",
        "author": words["author"] if words else None,
        "coverage": words["coverage"] if words else None,
        "sentences": orjson.loads(words["sentences"]) if words else [],
        "people": row["people"],
        "population": row["population"],
        "share": row["share"],
        "share_low": row["share_low"],
        "share_high": row["share_high"],
        "stability": row["stability"],
        "recurrence_lift": row["recurrence_lift"],
        "recurrence_q": row["recurrence_q"],
        "intents": row["intents"],
        "kept_by": row["kept_by"],
        "kept_because": row["kept_because"],
        "run_id": row["run_id"],
    }


def one_persona(lake: "Lake", wanted: str) -> dict[str, Any]:
    """A persona by id, by its name or an unambiguous start of it, with its claims and evidence.

    Raises:
        NotFound: none fits, or more than one does.
    """
    found = named_persona(lake, wanted)
    return found | {"claims": claims(lake, found["persona_id"])}


def named_persona(lake: "Lake", wanted: str) -> dict[str, Any]:
    """The same without claims.

    Raises:
        NotFound: none fits, more than one does, or it is no more.
    """
    refuse_unlooked(lake)
    every = personas(lake)
    if not _fitting(every, wanted):
        _refuse_level(lake, every, wanted)
        _refuse_former(lake, wanted)
    return _the_one(lake, every, wanted)


def _refuse_level(lake: "Lake", every: list[dict[str, Any]], wanted: str) -> None:
    """Refuse the id of a family or a micro-persona, which are told with their personas."""
    one = next((level for level in _levels(lake) if level["id"] == wanted.lower()), None)
    if one is None:
        return
    asked = lake.workspace.command
    inside = ", ".join(p["persona_id"] for p in every if p["parent_id"] == one["id"])
    what = f"a family of the personas {inside}"
    hint = f"`{asked('personas list')}` tells of it, `{asked('personas show ID')}` of each of them"
    if one["parent_id"] is not None:
        what = f"a part of the persona {one['parent_id']}"
        hint = f"`{asked('personas show ' + one['parent_id'])}` tells of it"
    raise NotFound(f"{wanted!r} ({one['name']}) is no persona, but {what}", hint=hint)


def _refuse_former(lake: "Lake", wanted: str) -> None:
    """Refuse a persona that is no more, or a name that it had in an earlier run."""
    from kg.personas.lineage import history

    every = history(lake)["personas"]
    _refuse_former_name(every, wanted)
    for one in every:
        if wanted.lower().partition("@")[0] == one["persona_id"]:
            asked = lake.workspace.command(f"personas history {one['persona_id']}")
            state = "not the version in force" if one["is_current"] else "no more"
            raise NotFound(
                f"the persona {wanted!r} ({one['name']}) is {state}",
                hint=f"`{asked}` says what it was and what became of it",
            )


def _refuse_former_name(every: list[dict[str, Any]], wanted: str) -> None:
    """Of a name, or the start of one, that only earlier runs gave, say which persona that is.

    Args:
        every: personas of the history.
    """
    start = wanted.lower()
    once = {
        one["persona_id"]: f"{one['persona_id']} was {version['name']} until run "
        f"{version['number']}, and is called {one['name']} now"
        for one in every
        for version in one["versions"]
        if version["name"].lower().startswith(start) and not one["name"].lower().startswith(start)
    }
    if once:
        raise NotFound(f"no persona is called {wanted!r} any more", hint="; ".join(once.values()))


def refuse_unlooked(lake: "Lake") -> None:
    """Of a workspace in which no run has looked for personas nothing can be told of them.

    Raises:
        NotFound: it is such a one; the hint says whether a run is under way.
    """
    if lake.step_id("personas") is None:
        raise NotFound(f"{NOT_LOOKED.capitalize()}.", hint=lake.run_hint())


def _fitting(every: list[dict[str, Any]], wanted: str) -> list[dict[str, Any]]:
    """By id, by name, or by the start of names: `Toys Buyers` is not `Toys Buyers II`."""
    name = wanted.lower()
    return (
        [p for p in every if name in _written(p)]
        or [p for p in every if p["name"].lower() == name]
        or [p for p in every if p["name"].lower().startswith(name)]
    )


def _the_one(lake: "Lake", every: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    fits = _fitting(every, wanted)
    if len(fits) == 1:
        return fits[0]
    names = ", ".join(f"{p['persona_id']} ({p['name']})" for p in (fits or every))
    hint = f"there are: {names}"
    if not names:
        hint = f"there is none here; `{lake.workspace.command('personas list')}` says why"
    raise NotFound(f"{'several personas fit' if fits else 'no persona fits'} {wanted!r}", hint=hint)


def _written(persona: dict[str, Any]) -> tuple[str, ...]:
    """How the id of a persona may be written: alone, and with the version in force, or, where it is
    asked for its history, with any that it had."""
    name = persona["persona_id"]
    versions = persona.get("versions", [persona])
    return (name, *(f"{name}@{one['version']}" for one in versions))


def personas_at(lake: "Lake", first: datetime, last: datetime) -> dict[str, Any]:
    """How many held each persona at the end of a day (or at a moment), most people first, and the
    `holes` in the records (of a `dataset`, `first` and `last` day) that this moment lies in.

    Of a day that the data does not reach the end of, the newest event is the end. Of fewer than 20
    people nothing more is said: `people`, `share`, `share_low` and `share_high` are null.

    Raises:
        InputError: all of it is earlier or later than all events.
    """
    from kg.personas.holes import holes, on
    from kg.personas.lineage import known_ms, personas_at

    start, at_ms = ((one - _EPOCH) // timedelta(milliseconds=1) for one in (first, last))
    known = known_ms(lake)
    if known is not None and start <= known[1]:
        at_ms = min(at_ms, known[1])
    found = [without_few(one) for one in personas_at(lake, at_ms)]
    at = instant(at_ms)
    return {"as_of": at, "personas": found, "holes": on(holes(lake), at[:10])}


def without_few(persona: dict[str, Any]) -> dict[str, Any]:
    """The figures of a persona; those about its people are null where they are fewer than 20."""
    from kg.personas.statistics import MIN_PEOPLE

    if persona["people"] >= MIN_PEOPLE:
        return persona
    return persona | dict.fromkeys(OF_PEOPLE)


def history(lake: "Lake", wanted: str | None = None) -> dict[str, Any]:
    """Runs, and every persona (or the one wanted) through them; times as ISO 8601 UTC.

    Of a version that fewer than 20 people held, `people` and its shares are null.

    Raises:
        NotFound: no persona there is or was fits, or more than one does.
    """
    from kg.personas.lineage import history

    if wanted is not None:
        refuse_unlooked(lake)
    found = history(lake)
    if wanted is not None:
        if not _fitting(found["personas"], wanted):
            _refuse_level(lake, personas(lake), wanted)
            _refuse_former_name(found["personas"], wanted)
        found["personas"] = [_the_one(lake, found["personas"], wanted)]
    for row in (*found["runs"], *(v for one in found["personas"] for v in one["versions"])):
        row["as_of"] = instant(row.pop("as_of_ms"))
    for one in found["personas"]:
        one["versions"] = [without_few(version) for version in one["versions"]]
    return found


def why(lake: "Lake", user_id: str, persona_id: str) -> dict[str, Any]:
    """Why a user holds a persona now: weight with interval, what counts towards it, in words, and
    the smallest change that would end it; occasions are counted from 1.

    Raises:
        NotFound: they do not hold it.
    """
    from gnn.why import why
    from kg.personas.nodes import in_words

    found = asdict(why(lake, user_id, persona_id))
    holdings = lake.table("holdings")
    mine = holdings.filter(holdings.user_id == user_id, holdings.persona_id == persona_id)
    (held,) = lake.run(mine.filter(mine.valid_to_ms.isnull())).to_pylist()
    words = in_words(lake, (("Intent", one["intent_id"]) for one in found["reasons"]))
    found["reasons"] = [
        {name: value for name, value in one.items() if name != "started_at_ms"}
        | {"about": words["Intent", one["intent_id"]], "at": instant(one["started_at_ms"])}
        for one in found["reasons"]
    ]
    weight = {name: held[name] for name in ("weight", "low", "high")}
    return found | weight | {"valid_from": instant(held["valid_from_ms"])}


def intents(lake: "Lake", wanted: str | None = None) -> dict[str, Any]:
    """What intents come to in figures, everybody's and each persona's, most people first; of the
    persona wanted alone, with its types and a line on each. `queries` recompute every count.

    Raises:
        NotFound: no persona fits, or more than one does. NotAllowed: fewer than 20 people hold it.
    """
    from kg.personas.compressed import QUERIES, compressed, of_persona
    from kg.personas.figures import too_few

    one = named_persona(lake, wanted) if wanted is not None else None
    refuse_unlooked(lake)
    known = personas(lake)
    names = {f"{one['persona_id']}@{one['version']}": one["name"] for one in known}
    every, *rows = [asdict(one) for one in compressed(lake)]
    figures = [{"name": names[row["version_id"]]} | row for row in rows]
    if one is None:
        del every["version_id"]
        return {"everybody": every, "personas": figures, "queries": QUERIES}
    version = f"{one['persona_id']}@{one['version']}"
    mine = next((row for row in figures if row["version_id"] == version), None)
    if mine is None:
        raise too_few()
    told = [asdict(one) for one in of_persona(lake, version)]
    return mine | {"types_told": told, "queries": QUERIES}


def claims(lake: "Lake", persona_id: str | None = None) -> list[dict[str, Any]]:
    """Claims with their evidence paths, node by node with words; `params` and `counts` decoded,
    times as ISO 8601 UTC."""
    from kg.personas.nodes import in_words

    table = lake.table("claims")
    if persona_id is not None:
        table = table.filter(table.persona_id == persona_id)
    rows = lake.run(table.order_by("claim_id")).to_pylist()
    steps = lake.table("evidence")
    wanted = steps.filter(steps.claim_id.isin([row["claim_id"] for row in rows] or [""]))
    paths: dict[str, dict[int, list[dict[str, str]]]] = {}
    shown = wanted.order_by(["claim_id", "path", "position"]).to_pyarrow().to_pylist()
    words = in_words(lake, ((step["label"], step["node_id"]) for step in shown))
    for step in shown:
        path = paths.setdefault(step["claim_id"], {}).setdefault(step["path"], [])
        node = step["label"], step["node_id"]
        path.append({"label": node[0], "node_id": node[1], "about": words.get(node, "")})
    return [_claim(row, list(paths.get(row["claim_id"], {}).values())) for row in rows]


def _claim(row: dict[str, Any], paths: list[list[dict[str, str]]]) -> dict[str, Any]:
    claim = dict(row)
    claim["params"] = orjson.loads(row["params"])
    claim["counts"] = orjson.loads(row["counts"])
    claim["as_of"] = instant(claim.pop("as_of_ms"))
    claim["evidence"] = paths
    return claim


def instant(at_ms: int) -> str:
    """Epoch milliseconds as ISO 8601 in UTC."""
    at = _EPOCH + timedelta(milliseconds=at_ms)  # through a float the last day is no day any more
    return at.isoformat().replace("+00:00", "Z")


def reconciliation(lake: "Lake") -> list[dict[str, Any]]:
    """Per source file: received = accepted + duplicate + quarantined + consent_blocked."""
    from kg.exports import export_rows

    rows: list[dict[str, Any]] = lake.run(export_rows(lake, "reconciliation")).to_pylist()
    return rows


def workspace_name(path: Path) -> str:
    """How the user would name a workspace on the command line."""
    return path.name if len(path.parts) < 3 else str(path)
