"""Personas in time: how they stood at a date, and what became of them from run to run.

Few rows by nature (personas times runs), so plain dictionaries; counting people is the engine's.
A date is read by today's rule over what people had done by then; what an earlier *run* said is in
the history.
"""

from typing import TYPE_CHECKING, Any

from kg.errors import InputError
from kg.personas.holes import said
from kg.personas.statistics import wilson

if TYPE_CHECKING:
    from kg.lake import Lake

_FIGURES = ("people", "population", "share", "share_low", "share_high", "intents")


def known_ms(lake: "Lake") -> tuple[int, int] | None:
    """The oldest and the newest event that intents are made of, epoch ms; None: there are none."""
    intents = lake.table("intents")
    ends = intents.aggregate(first=intents.started_at_ms.min(), last=intents.ended_at_ms.max())
    (found,) = lake.run(ends).to_pylist()
    return None if found["first"] is None else (int(found["first"]), int(found["last"]))


def held_at(lake: "Lake", at_ms: int) -> Any:
    """The holdings that were open at a moment (epoch ms), as an Ibis table; no denied person's."""
    users = lake.table("users")
    holdings = lake.table("holdings").semi_join(users.filter(~users.consent_denied), "user_id")
    is_open = holdings.valid_to_ms.isnull() | (holdings.valid_to_ms > at_ms)
    return holdings.filter((holdings.valid_from_ms <= at_ms) & is_open)


def personas_at(lake: "Lake", at_ms: int) -> list[dict[str, Any]]:
    """Who was there at a moment and how many held each persona then, most people first.

    Personas that are no more are among them; `is_current` tells.

    Raises:
        InputError: the moment is earlier or later than all events: nothing is known of it.
    """
    known = known_ms(lake)
    if known is not None and at_ms > known[1]:
        raise InputError(
            "Nothing is known of that date yet: it is later than the newest event.",
            hint="Leave the date out for the newest.",
            newest_ms=known[1],
        )
    if known is not None and at_ms < known[0]:
        raise InputError(
            "Nothing is known of that date: it is earlier than the oldest event.",
            hint="Ask for a later date, or add the files of before and run again.",
            oldest_ms=known[0],
        )
    held = held_at(lake, at_ms)
    rows = lake.run(held.group_by("persona_id").agg(people=held.user_id.nunique())).to_pylist()
    population = _people_by(lake, at_ms)
    versions, names = _versions(lake), names_of(lake)
    current = set(lake.arrow("personas")["persona_id"].to_pylist())
    low, high = wilson([row["people"] for row in rows], [population] * len(rows))
    found = [
        {
            "persona_id": row["persona_id"],
            "version": versions[row["persona_id"]],
            "name": names.get(row["persona_id"]) or row["persona_id"],
            "is_current": row["persona_id"] in current,
            "people": row["people"],
            "population": population,
            "share": row["people"] / population,
            "share_low": float(low[place]),
            "share_high": float(high[place]),
        }
        for place, row in enumerate(rows)
    ]
    return sorted(found, key=lambda one: (-one["people"], one["persona_id"]))


def _people_by(lake: "Lake", at_ms: int) -> int:
    intents = lake.table("intents")
    seen = intents.filter(intents.started_at_ms <= at_ms)
    return int(lake.run(seen.user_id.nunique().name("n").as_table())["n"][0].as_py())


def _versions(lake: "Lake") -> dict[str, int]:
    """The newest version of every persona there is or was."""
    tables = [lake.arrow(name, ["persona_id", "version"]) for name in ("persona_runs", "personas")]
    rows = sorted(
        (row["version"], row["persona_id"]) for table in tables for row in table.to_pylist()
    )
    return {persona_id: version for version, persona_id in rows}


def names_of(lake: "Lake") -> dict[str, str]:
    """What every persona is called, or was called when it was last there."""
    lines = sorted(lake.arrow("descent").to_pylist(), key=lambda line: line["number"])
    once = {line["from_persona_id"]: line["from_name"] for line in lines if line["from_name"]}
    words = lake.arrow("wordings", ["persona_id", "name"]).to_pylist()
    return once | {row["persona_id"]: row["name"] for row in words}


def history(lake: "Lake") -> dict[str, Any]:
    """Every run that had personas, and every persona: how it stood, came to be and went on.

    Returns:
        `runs`: number, run_id, as_of_ms, personas, the `holes` that the records had then (of each
        `dataset`, `first` and `last`), and its `changes`.
        `personas`: today's, most people first, then those that are no more; each with `versions`
        (one a run, with what it was called then), `came_from` and `became` (lines of descent but
        those to itself).
    """
    stood, lines = lake.arrow("persona_runs").to_pylist(), lake.arrow("descent").to_pylist()
    names = names_of(lake)
    today = {
        row["persona_id"]: row["people"]
        for row in lake.arrow("personas", ["persona_id", "people"]).to_pylist()
    }
    every = sorted({row["persona_id"] for row in stood}, key=lambda one: (-today.get(one, -1), one))
    return {
        "runs": [
            _run(lake, number, stood, lines) for number in sorted({r["number"] for r in lines})
        ],
        "personas": [
            {
                "persona_id": one,
                "name": names.get(one) or one,
                "is_current": one in today,
                "versions": _versions_of(one, stood, lines, names.get(one) or one),
                "came_from": _lines(lines, names, "to_persona_id", "from_persona_id", one),
                "became": _lines(lines, names, "from_persona_id", "to_persona_id", one),
            }
            for one in every
        ],
    }


def _run(
    lake: "Lake", number: int, stood: list[dict[str, Any]], lines: list[dict[str, Any]]
) -> dict[str, Any]:
    mine = [line for line in lines if line["number"] == number]
    return {
        "number": number,
        "run_id": mine[0]["run_id"],
        "as_of_ms": mine[0]["as_of_ms"],
        "personas": sum(row["number"] == number for row in stood),
        "holes": said(lake.summary_at(mine[0]["run_id"], "intents")),
    } | changes(mine)


def changes(lines: list[dict[str, Any]]) -> dict[str, int]:
    """How many personas the lines of descent of a run are about, by what became of them.

    `split` and `merged` count those of the run before, `split_into` and `merged_into` those of now.
    """

    def count(kind: str, end: str) -> int:
        return len({line[f"{end}_persona_id"] for line in lines if line["kind"] == kind})

    return {
        "continued": count("continued", "to"),
        "split": count("split", "from"),
        "split_into": count("split", "to"),
        "merged": count("merged", "from"),
        "merged_into": count("merged", "to"),
        "born": count("born", "to"),
        "retired": count("retired", "from"),
    }


def told_changes(run: dict[str, Any]) -> str:
    """What became of personas in a run, from its `changes`, in words.

    Runs of before counted lines of descent, only those of kinds there were, and never into how many
    personas some split or merged: of these is said only that they did.
    """
    words = {
        "continued": "{} went on",
        "split": f"{{}} split into {run['split_into']}" if "split_into" in run else "some split",
        "merged": f"{{}} merged into {run['merged_into']}"
        if "merged_into" in run
        else "some merged",
        "born": "{} new",
        "retired": "{} retired",
    }
    return ", ".join(told.format(run[kind]) for kind, told in words.items() if run.get(kind))


def _versions_of(
    persona_id: str, stood: list[dict[str, Any]], lines: list[dict[str, Any]], name: str
) -> list[dict[str, Any]]:
    """How a persona stood in each run, and by which line it is the one of the run before."""
    once = sorted(  # a line says what a persona was called until its run
        (line["number"], line["from_name"])
        for line in lines
        if line["from_persona_id"] == persona_id and line["from_name"]
    )
    own = {
        line["number"]: line
        for line in lines
        if line["from_persona_id"] == line["to_persona_id"] == persona_id
    }
    mine = sorted(
        (row for row in stood if row["persona_id"] == persona_id), key=lambda row: row["number"]
    )
    return [
        {key: row[key] for key in ("number", "run_id", "as_of_ms", "version", *_FIGURES)}
        | {"name": next((told for until, told in once if until > row["number"]), name)}
        | {
            key: own[row["number"]][key] if row["number"] in own else None
            for key in ("kind", "overlap", "people_overlap")
        }
        for row in mine
    ]


def _lines(
    lines: list[dict[str, Any]], names: dict[str, str], mine: str, other: str, persona_id: str
) -> list[dict[str, Any]]:
    """Lines of descent of a persona with any other, or with none (born, retired), in order."""
    found = [line for line in lines if line[mine] == persona_id != line[other]]
    return [
        {
            "number": line["number"],
            "kind": line["kind"],
            "persona_id": line[other],
            "name": names.get(line[other]) or line[other],
            "overlap": line["overlap"],
            "people_overlap": line["people_overlap"],
        }
        for line in sorted(found, key=lambda line: (line["number"], line[other] or ""))
    ]
