"""Where this run's personas come from: the run before as arrays, names kept, rows for the lake.

Invariant: an id, once given, is never given to another persona. `descent` and `persona_runs` are
appended to, never overwritten. What a persona that has gone last held stays: its holdings, closed,
and its intents in `past_memberships`, so that it is known again should it come back.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gnn.descent import NOBODY, UNKNOWN, Common, Link, again, common, descend, jaccard, keeps
from gnn.found import signature_id
from gnn.tensors import Episodes, Floats, Ints
from kg.lake.tables import schema_of
from kg.personas.lineage import changes

Flags = NDArray[np.bool_]

_STOOD = tuple(name for name in schema_of("persona_runs").names if name != "run_id")


@dataclass(frozen=True)
class Former:
    """The run before, over this run's intents and people.

    Attributes:
        number: of this run: 1 for the first that had personas. A run that lost all has one, too.
        as_of_ms: this run's newest event.
        ids, versions, rules, names: of its personas, by id; a name may be None.
        labels: (n,) of each of this run's intents: -1 none, -2 not known then.
        sizes: (k,) all intents of each then.
        held: (u, k) who of this run's people held what at its end.
        was_there: (u,) who of this run's people had intents then.
        past: of earlier runs, those not in the one before.
        latest: every id ever given -> its latest version.
    """

    number: int
    as_of_ms: int
    ids: list[str]
    versions: list[int]
    rules: list[str]
    names: list[str | None]
    labels: Ints
    sizes: Ints
    held: Flags
    was_there: Flags
    past: "Past"
    latest: dict[str, int]


@dataclass(frozen=True)
class Past:
    """Personas of earlier runs: what each held when it went.

    Attributes:
        ids: of the personas.
        persona, intent: a row per membership: place in `ids`, place among this run's intents.
        as_of_ms: (p,) of the last run that had it; what happened later it could not hold.
    """

    ids: list[str]
    persona: Ints
    intent: Ints
    as_of_ms: Ints


@dataclass(frozen=True)
class Now:
    """This run's personas before they have names.

    The last of them may have theirs by decree (`kept`): they go on, whatever they share.

    Shapes: labels (n,) of intents, -1 none; held (u, k).
    """

    labels: Ints
    held: Flags
    signatures: list[str]
    rules: list[str]
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class Names:
    """Ids and versions of this run's personas, and their descent as rows of the lake."""

    ids: list[str]
    versions: list[int]
    rows: pa.Table


def read(step: Any, episodes: Episodes) -> Former:
    """The run before, as the step finds it; to be called before the step writes its tables."""
    rules = step.arrow("persona_rules", ["persona_id", "version", "rule"]).sort_by("persona_id")
    ids, versions = rules["persona_id"].to_pylist(), rules["version"].to_pylist()
    words = step.arrow("wordings", ["persona_id", "name"]).to_pylist()
    names = {row["persona_id"]: row["name"] for row in words}
    members = step.arrow("memberships", ["intent_id", "user_id", "persona_id"])
    persona = _places(members["persona_id"], ids)
    intent = _places(members["intent_id"], episodes.intents.ids)
    labels = np.full(len(episodes.intents), UNKNOWN, np.int64)
    labels[intent[intent >= 0]] = persona[intent >= 0]
    ever = _ever(step)
    was_there = np.zeros(len(episodes.user_ids) + 1, bool)  # the last place: who is here no more
    was_there[_places(pc.unique(members["user_id"]), episodes.user_ids)] = True
    return Former(
        number=max(step.arrow("descent", ["number"])["number"].to_pylist(), default=0) + 1,
        as_of_ms=_as_of_ms(step),
        ids=ids,
        versions=versions,
        rules=rules["rule"].to_pylist(),
        names=[names.get(one) for one in ids],
        labels=labels,
        sizes=np.bincount(persona + 1, minlength=len(ids) + 1)[1:],
        held=_held(step, episodes, ids),
        was_there=was_there[:-1],
        past=_past(step, episodes, {row["persona_id"]: row["as_of_ms"] for row in ever}),
        latest={row["persona_id"]: row["version"] for row in ever}
        | dict(zip(ids, versions, strict=True)),
    )


def _ever(step: Any) -> list[dict[str, Any]]:
    """Every persona there has been: persona_id, its last version, as-of time of its last run."""
    runs = step.table("persona_runs")
    newest = runs.group_by("persona_id").agg(
        version=runs.version.max(), as_of_ms=runs.as_of_ms.max()
    )
    rows: list[dict[str, Any]] = step.lake.run(newest.order_by("persona_id")).to_pylist()
    return rows


def _as_of_ms(step: Any) -> int:
    newest = step.table("intents").ended_at_ms.max().name("at_ms").as_table()
    return step.lake.run(newest)["at_ms"][0].as_py() or 0


def _places(column: Any, names: Any) -> Ints:
    """Where each value stands among the names; -1 where it does not, or is null."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    names = names if isinstance(names, pa.Array) else pa.array(names, pa.string())
    found = pc.fill_null(pc.index_in(values, value_set=names), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.int64)


def _held(step: Any, episodes: Episodes, ids: list[str]) -> Flags:
    rows = step.arrow("holdings", ["user_id", "persona_id", "valid_to_ms"])
    rows = rows.filter(pc.is_null(rows["valid_to_ms"]))
    user, persona = _places(rows["user_id"], episodes.user_ids), _places(rows["persona_id"], ids)
    there = (user >= 0) & (persona >= 0)
    held = np.zeros((len(episodes.user_ids), len(ids)), bool)
    held[user[there], persona[there]] = True
    return held


def _past(step: Any, episodes: Episodes, as_of_ms: dict[str, int]) -> Past:
    rows = step.arrow("past_memberships", ["intent_id", "persona_id"])
    ids = sorted(set(pc.unique(rows["persona_id"]).to_pylist()))
    intent = _places(rows["intent_id"], episodes.intents.ids)
    persona = _places(rows["persona_id"], ids)
    there = intent >= 0
    known_until = np.array([as_of_ms[one] for one in ids], np.int64)
    return Past(ids, persona[there], intent[there], known_until)


def name(former: Former, now: Now, episodes: Episodes) -> Names:
    """Give this run's personas their ids: kept, found again, or new.

    A version rises when the rule is another; a persona found again has its next one.
    """
    if now.kept:
        return _with_kept(former, now, episodes)
    count = len(now.signatures)
    both = common(former.labels, now.labels, former.sizes, count)
    lines, kept = descend(both), keeps(both)
    born = np.zeros(count, bool)
    born[[line.now for line in lines if line.before == NOBODY]] = True
    past = _shared_with_past(former.past, now.labels, episodes.intents.started_at_ms, count)
    back = again(past, born)
    ids, versions, taken = [], [], set(former.latest)
    for number, signature in enumerate(now.signatures):
        if number in kept:
            old = kept[number]
            ids.append(former.ids[old])
            is_same = former.rules[old] == now.rules[number]
            versions.append(former.versions[old] + (0 if is_same else 1))
        elif number in back:
            ids.append(former.past.ids[back[number]])
            versions.append(former.latest[ids[-1]] + 1)
        else:
            ids.append(fresh_id(signature, taken))
            versions.append(1)
        taken.add(ids[-1])
    people = _overlap_of_people(former, now)
    rows = [_row(former, line, ids, people) for line in lines if line.now not in back]
    rows += [_row_back(former, ids[n], float(past.overlap[p, n])) for n, p in back.items()]
    return Names(ids, versions, _lines(rows))


def _lines(rows: list[dict[str, Any]]) -> pa.Table:
    rows = sorted(rows, key=lambda row: (row["from_persona_id"] or "", row["to_persona_id"] or ""))
    fields = [field for field in schema_of("descent") if field.name != "run_id"]
    return pa.Table.from_pylist(rows, pa.schema(fields))


def _with_kept(former: Former, now: Now, episodes: Episodes) -> Names:
    """Names where the last personas are kept: each goes on, the others are matched without them."""
    own = len(now.signatures) - len(now.kept)
    found = Now(
        np.where(now.labels >= own, -1, now.labels),
        now.held[:, :own],
        now.signatures[:own],
        now.rules[:own],
    )
    names = name(_without(former, now.kept), found, episodes)
    both = common(former.labels, now.labels, former.sizes, len(now.signatures))
    people = _overlap_of_people(former, now)
    ids, versions, rows = list(names.ids), list(names.versions), names.rows.to_pylist()
    for number, one in enumerate(now.kept, own):
        ids.append(one)
        if one in former.ids:
            old = former.ids.index(one)
            versions.append(former.versions[old] + (former.rules[old] != now.rules[number]))
            line = Link(old, number, "continued", float(both.overlap[old, number]))
            near = float(people[old, number])
            rows.append(_row(former, line, ids, people) | {"people_overlap": near})
        else:
            versions.append(former.latest[one] + 1)
            past = _shared_with_past(
                former.past, now.labels, episodes.intents.started_at_ms, len(now.signatures)
            )
            place = former.past.ids.index(one) if one in former.past.ids else None
            overlap = 0.0 if place is None else float(past.overlap[place, number])
            rows.append(_row_back(former, one, overlap))
    return Names(ids, versions, _lines(rows))


def _without(former: Former, ids: tuple[str, ...]) -> Former:
    """The run before as if it, and all before it, had not had these personas."""
    left = [place for place, one in enumerate(former.ids) if one not in ids]
    number = np.full(len(former.ids) + 2, -1, np.int64)  # the last two: none, not known
    number[left] = np.arange(len(left))
    number[UNKNOWN] = UNKNOWN
    past = former.past
    stays = ~np.isin(past.persona, [n for n, one in enumerate(past.ids) if one in ids])
    return replace(
        former,
        ids=[former.ids[n] for n in left],
        versions=[former.versions[n] for n in left],
        rules=[former.rules[n] for n in left],
        names=[former.names[n] for n in left],
        labels=number[former.labels],
        sizes=former.sizes[left],
        held=former.held[:, left],
        past=replace(past, persona=past.persona[stays], intent=past.intent[stays]),
    )


def same(former: Former, now: Now, ids: list[str], versions: list[int]) -> Names:
    """The same for personas that were not sought anew: each goes on as itself, others retire."""
    both = common(former.labels, now.labels, former.sizes, len(ids))
    people = _overlap_of_people(former, now)
    place = {name: number for number, name in enumerate(former.ids)}
    lines = [
        Link(place[one], number, "continued", float(both.overlap[place[one], number]))
        for number, one in enumerate(ids)
    ]
    near = both.overlap.max(1, initial=0)
    gone = [number for number, name in enumerate(former.ids) if name not in set(ids)]
    lines += [Link(number, NOBODY, "retired", float(near[number])) for number in gone]
    rows = [_row(former, line, ids, people) for line in lines]
    rows.sort(key=lambda row: row["from_persona_id"])
    fields = [field for field in schema_of("descent") if field.name != "run_id"]
    return Names(ids, versions, pa.Table.from_pylist(rows, pa.schema(fields)))


def fresh_id(signature: str, taken: set[str]) -> str:
    """An id that no persona ever had, the same for the same signature and the same taken ones."""
    found, number = signature_id(signature), 0
    while found in taken:
        number += 1
        found = signature_id(f"{signature}#{number}")
    return found


def _shared_with_past(past: Past, labels: Ints, started_at_ms: Ints, count: int) -> Common:
    """What today's personas share with those that went earlier, in intents of that time."""
    width = count + 1
    cells = past.persona * width + labels[past.intent] + 1
    table = np.bincount(cells, minlength=len(past.ids) * width).reshape(-1, width)
    then = np.array(
        [
            np.bincount(labels[started_at_ms <= at_ms] + 1, minlength=width)[1:]
            for at_ms in past.as_of_ms
        ],
        np.int64,
    ).reshape(len(past.ids), count)
    return Common(table[:, 1:], table.sum(1), then, table.sum(1), then)


def _overlap_of_people(former: Former, now: Now) -> Floats:
    """(k, m): who held both over who held either, of people who were there in both runs."""
    before = former.held[former.was_there].astype(np.float64)
    held = now.held[former.was_there].astype(np.float64)
    shared = (before.T @ held).astype(np.int64)
    return jaccard(shared, before.sum(0).astype(np.int64), held.sum(0).astype(np.int64))


def _row(former: Former, line: Link, ids: list[str], people: Floats) -> dict[str, Any]:
    is_born, is_gone = line.before == NOBODY, line.now == NOBODY
    near = people[slice(None) if is_born else line.before, slice(None) if is_gone else line.now]
    return {
        "number": former.number,
        "as_of_ms": former.as_of_ms,
        "from_persona_id": None if is_born else former.ids[line.before],
        "to_persona_id": None if is_gone else ids[line.now],
        "kind": line.kind,
        "overlap": line.overlap,
        "people_overlap": float(np.max(near, initial=0)),
        "from_name": None if is_born else former.names[line.before],
    }


def _row_back(former: Former, persona_id: str, overlap: float) -> dict[str, Any]:
    """A persona that was not in the run before, but in an earlier one, goes on."""
    return {
        "number": former.number,
        "as_of_ms": former.as_of_ms,
        "from_persona_id": persona_id,
        "to_persona_id": persona_id,
        "kind": "continued",
        "overlap": overlap,
        "people_overlap": None,
        "from_name": None,
    }


def write(step: Any, former: Former, names: Names, personas: pa.Table) -> None:
    """Append this run's descent, and how its personas (rows of the lake's) stood."""
    step.summary["descent"] = changes(names.rows.to_pylist())
    if not names.rows.num_rows:
        return
    step.append("descent", names.rows)
    fixed = {"number": former.number, "as_of_ms": former.as_of_ms}
    stood = personas.select([c for c in _STOOD if c not in fixed])
    for column, value in fixed.items():
        stood = stood.append_column(column, pa.array([value] * len(stood), pa.int64()))
    step.append("persona_runs", stood)


def past_memberships(step: Any, ids: list[str]) -> pa.Table:
    """What personas that are no more (not among `ids`) last held, of people who are still here.

    To be called before the step writes its memberships; so is `past_holdings`.
    """
    columns = ["intent_id", "user_id", "persona_id"]
    rows = pa.concat_tables(
        [step.arrow("past_memberships", columns), step.arrow("memberships", columns)]
    )
    return _of_the_past(step, rows, ids)


def past_holdings(step: Any, ids: list[str], as_of_ms: int) -> pa.Table:
    """Who held the personas that are no more; a holding that was open ends at `as_of_ms`."""
    rows = _of_the_past(step, step.arrow("holdings").drop_columns(["run_id"]), ids)
    ends = pc.max_element_wise(rows["valid_from_ms"], pa.scalar(as_of_ms, pa.int64()))
    place = rows.column_names.index("valid_to_ms")
    return rows.set_column(place, "valid_to_ms", pc.coalesce(rows["valid_to_ms"], ends))


def _of_the_past(step: Any, rows: pa.Table, ids: list[str]) -> pa.Table:
    users = step.arrow("users", ["user_id", "consent_denied"])
    users = users.filter(pc.invert(users["consent_denied"]))
    is_now = pc.is_in(rows["persona_id"], value_set=pa.array(ids, pa.string()))
    is_here = pc.is_in(rows["user_id"], value_set=users["user_id"].combine_chunks())
    # What no run has put down (a workspace older than this table) has no history to be kept in.
    runs = pc.unique(step.arrow("persona_runs", ["persona_id"])["persona_id"])
    is_past = pc.and_(pc.is_in(rows["persona_id"], value_set=runs), pc.invert(is_now))
    return rows.filter(pc.and_(is_past, is_here))
