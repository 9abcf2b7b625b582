"""Why two records, or two users, are or are not taken for one person, in words.

Nothing personal is repeated: values are named by what they are, never by what they say.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.compared import ROWS, prepare
from ingestion.identity.config import IdentityConfig
from ingestion.identity.former import told_apart
from ingestion.identity.golden import told_traits
from ingestion.identity.judgements import MODEL_RULE
from ingestion.identity.matching import kept_model
from ingestion.identity.model import LIMITED, Model, score
from ingestion.identity.part import Part, Reader
from ingestion.identity.people import RECORD, People
from ingestion.identity.reviews import WHY
from ingestion.identity.settle import Blocked, used
from ingestion.identity.standing import Said, by_rule, said_by_people
from ingestion.identity.statements import BY_PEOPLE, CUT, LEFT
from ingestion.identity.verdicts import records_naming, records_of, whose
from kg.errors import NotFound
from kg.lake.scratch import Scratch

MOST_RECORDS = 50


@dataclass(frozen=True)
class Weight:
    """One thing that speaks for or against one person; bits are log2 odds, 0 says nothing."""

    words: str
    bits: float


@dataclass(frozen=True)
class Explanation:
    """Attributes:
    one, other: user ids; None where a record is nobody's.
    verdict: a sentence.
    links: the judgements that lead from one to the other, in order, where they are one user.
    identifiers: what they share, what tells them apart, and what of it is not used and why.
    weights: what their details say, strongest first (what neither says is left out), and last,
        where they together say less than that, why: with prior_bits (before anything is known) they
        add up to the probability.
    probability: of one person, from the details alone; None where nothing can be compared.
    waits: why the pair waits for a person, if it does.
    traits: of each of the users, what holds, by which rule and record (`golden.told_traits`).
    """

    one: str | None
    other: str | None
    verdict: str
    links: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)
    prior_bits: float | None = None
    probability: float | None = None
    waits: str | None = None
    traits: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def explain(lake: Any, one: str, other: str, config: IdentityConfig) -> Explanation:
    """Explain a pair of records or users; two that are one user by now, as what they were before.

    Args:
        lake: of a workspace in which people were resolved.
        one, other: user ids (also former ones), identifiers (`namespace:value`, also such as are
            nobody's) or record keys.
        config: as the run had it.

    Raises:
        NotFound: there is no such user or record.
    """
    (left, first), (right, second) = (
        _meant(lake, *names) for names in ((one, other), (other, one))
    )
    sides, users = [left, right], [first, second]
    same = users[0] is not None and users[0] == users[1]
    if same:
        sides = told_apart(lake, (one, other), sides)
        if not all(sides):
            return _not_apart(lake, str(users[0]), twice=one == other)
    keys = sorted({*sides[0], *sides[1]})
    part = Part(Reader(lake), pa.array(keys, pa.string()))
    # What decided: what names nobody, or too many, says nothing of anybody's details either.
    stated, blocked, people = used(part, config.limits(), _shared(lake))
    model, weights, probability = _details(lake, people, sides)
    return Explanation(
        one=users[0],
        other=users[1],
        verdict=_verdict(users, same=same),
        links=_links(lake, sides, users[0]) if same else _against(lake, sides, users),
        identifiers=_identifiers(lake, (stated, blocked), sides, config),
        weights=weights,
        prior_bits=model.prior_bits if model else None,
        probability=probability,
        waits=None if same else _waits(lake, users),
        traits={user: told_traits(lake, user) for user in users if user is not None},
    )


def _meant(lake: Any, name: str, other: str) -> tuple[list[str], str | None]:
    """The records that a name means, and whose they are. An identifier that is nobody's means the
    records that name it and are nobody's; where there are none, those that are not the other's."""
    try:
        return records_of(lake, name), whose(lake, name)
    except NotFound:
        naming = records_naming(lake, name)
        ids = lake.table("identities")
        owned = lake.run(ids.filter(ids.record_key.isin(naming)).select("record_key"))
        lost = {*naming} - {*owned["record_key"].to_pylist()}
        if not lost:
            lost = {*naming} - {*_known(lake, other)}
        if not lost:
            raise
        return sorted(lost), None


def _known(lake: Any, name: str) -> list[str]:
    try:
        return records_of(lake, name)
    except NotFound:
        return []


def _not_apart(lake: Any, user: str, *, twice: bool) -> Explanation:
    """Of two names of one user, between which no records can be told apart."""
    if twice:
        verdict, links = f"The same id twice: it is {user}, and there is nothing to compare.", []
    else:
        verdict = f"One person: both are {user}, and no records are only one's or the other's."
        keys = records_of(lake, user)
        links = [_told(one.row) for one in _said(lake, keys, keys)]
    traits = {user: told_traits(lake, user)}
    return Explanation(user, user, verdict, links, traits=traits)


def _verdict(users: list[str | None], *, same: bool) -> str:
    if same:
        return f"One person: both are {users[0]}."
    if None in users:
        return "Not one person: at least one of the two is nobody's."
    return f"Two people: {users[0]} and {users[1]}."


def _judgements(lake: Any, keys: list[str]) -> list[dict[str, Any]]:
    """The latest judgement of each rule on each pair of these records."""
    few = pa.array(keys)
    log = lake.arrow("judgements")
    log = log.filter(pa.array(by_rule(log)))
    both = pc.and_(pc.is_in(log["left_record_key"], few), pc.is_in(log["right_record_key"], few))
    last: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in log.filter(both).sort_by("judged_at_ms").to_pylist():
        pair = sorted((row["left_record_key"], row["right_record_key"]))
        last[pair[0], pair[1], row["rule"]] = row
    return [*last.values()]


def _said(lake: Any, one: list[str], other: list[str]) -> list[Said]:
    """What people said of the users of these records that stands, oldest first."""
    return [said for said in said_by_people(lake) if said.between({*one}, {*other})]


def _links(lake: Any, sides: list[list[str]], user: str | None) -> list[str]:
    """What joined the sides: a chain of judgements, and all that people said of the two."""
    path = _path(lake, sides, user)
    said = [_told(one.row) for one in _said(lake, *sides)]
    return [*path, *(one for one in said if one not in path)]


def _path(lake: Any, sides: list[list[str]], user: str | None) -> list[str]:
    """The shortest chain of judgements from one side to the other."""
    ids = lake.table("identities")
    keys = lake.run(ids.filter(ids.user_id == user).select("record_key"))["record_key"].to_pylist()
    joined = [
        (row["left_record_key"], row["right_record_key"], row)
        for row in _judgements(lake, keys)
        if row["verdict"] == "same"
    ]
    for one in _said(lake, keys, keys):
        if one.same:  # where a record that it names is gone, another of its side stands for it
            left, right = (
                named if named in keys else min(among.intersection(keys), default=named)
                for named, among in ((one.left, one.left_keys), (one.right, one.right_keys))
            )
            joined.append((left, right, one.row))
    edges: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for left, right, row in joined:
        edges.setdefault(left, []).append((right, row))
        edges.setdefault(right, []).append((left, row))
    goals, seen = set(sides[1]), set(sides[0])
    queue: deque[tuple[str, list[str]]] = deque((key, []) for key in sides[0])
    while queue:
        key, path = queue.popleft()
        if key in goals and path:
            return path
        for near, row in sorted(edges.get(key, []), key=lambda one: one[0]):
            if near not in seen:
                seen.add(near)
                queue.append((near, [*path, _told(row)]))
    return []


def _against(lake: Any, sides: list[list[str]], users: list[str | None]) -> list[str]:
    """What keeps the sides apart, and what people said of whose they are (the next run follows)."""
    first = set(sides[0])
    rows = [
        row
        for row in _judgements(lake, sorted(first.union(sides[1])))
        if row["verdict"] == "different"
        and (row["left_record_key"] in first) != (row["right_record_key"] in first)
    ]
    whole = [
        records_of(lake, user) if user else side for side, user in zip(sides, users, strict=True)
    ]
    return [_told(row) for row in (*rows, *(one.row for one in _said(lake, *whole)))]


def _told(row: dict[str, Any]) -> str:
    by = {"rule": "rule", "model": "evidence"}.get(row["author"], f"said by {row['author']}")
    sure = f", probability {row['probability']:.4f}" if row["rule"] == MODEL_RULE else ""
    return (
        f"{row['left_record_key']} and {row['right_record_key']}: {row['verdict']}, because "
        f"{row['reason']} ({by}{sure})"
    )


def _shared(lake: Any) -> pa.Table:
    """(namespace, value) of what more people share than their limit, as the last run found."""
    rows = lake.table("statements")
    found: pa.Table = lake.run(
        rows.filter(rows.fate == "shared").select("namespace", "value").distinct()
    )
    return found


def _taken(lake: Any, sides: list[list[str]]) -> dict[tuple[str, str], str]:
    """(namespace, value) of what does not join the sides, as the last run found, and why: `taken`
    from both, or a person has `said` that they are two."""
    rows = lake.table("statements")
    mine = rows.record_key.isin([key for side in sides for key in side])
    found = lake.run(
        rows.filter(mine & rows.fate.isin([CUT, LEFT]))
        .select("namespace", "value", said=rows.bridges.isin(BY_PEOPLE).fill_null(False))
        .distinct()
        .order_by(ibis.desc("said"))
    )
    return {
        (row["namespace"], row["value"]): "said" if row["said"] else "taken"
        for row in found.to_pylist()
    }


def _identifiers(
    lake: Any, stated: tuple[People, Blocked], sides: list[list[str]], config: IdentityConfig
) -> list[str]:
    people, blocked = stated
    limits, taken = config.limits(), _taken(lake, sides)
    said = people.statements
    names = []
    held: list[set[int]] = []
    valid: list[set[int]] = []
    for keys in sides:
        mine = np.isin(said.record, people.codes(pa.array(keys)))
        held.append(set(said.value[mine].tolist()))
        valid.append(set(said.value[mine & ~blocked.any_cause].tolist()))
    for code, name in enumerate(people.namespace_names):
        if name.startswith(RECORD[0]):
            continue
        own = [{v for v in values if said.namespace[v] == code} for values in held]
        shared = sorted(own[0] & own[1])
        joint = valid[0] & valid[1] & {*shared}
        lent = [taken.get((name, people.values[one].as_py())) for one in joint]
        usable = lent.count(None)
        lost = np.isin(said.value, [one for one in shared if not valid[0] & valid[1] & {one}])
        why = [one for one, rows in blocked.causes.items() if (rows & lost).any()]
        if usable:
            names.append(f"for: the same {name}" + (f" ({usable} values)" if usable > 1 else ""))
            if joint & {*said.value[said.is_former].tolist()}:
                names[-1] += ", by what an earlier state of a record named"
        why += {*filter(None, lent)}
        names += [f"not used: the same {name} ({_UNUSED[one]})" for one in sorted(why)]
        if not shared and own[0] and own[1]:
            only = limits.of(name).unique
            strong = "against: " if only else "says little: "
            names.append(
                f"{strong}different {name}" + (", of which a person has one" if only else "")
            )
    return names


_UNUSED = {
    "junk": "it names nobody",
    "role_mailbox": "a mailbox of many people, such as info@ or sales@",
    "evidence_only": "nobody is merged on it",
    "shared": "more people share it than its limit",
    "contradictory": "a record names two of which a person has one",
    "said": "a person says that they are two",
    "taken": "it is taken from both, as two people or more name it",
}


def _details(
    lake: Any, people: People, sides: list[list[str]]
) -> tuple[Model | None, list[Weight], float | None]:
    """What the details of the nearest two records say."""
    few = Part(Reader(lake), people.records["record_key"])
    model = kept_model(few)
    if model is None:
        return None, [], None
    with Scratch.open(lake.workspace.spill) as scratch:
        compared = prepare(few, scratch, people, doubles=True)
        if compared is None:
            return model, [], None
        codes = [people.codes(pa.array(keys)) for keys in sides]
        left, right = (np.intersect1d(code, compared.record)[:MOST_RECORDS] for code in codes)
        asked = pa.table(
            {
                "left": np.repeat(left, len(right)),
                "right": np.tile(right, len(left)),
            }
        )
        asked = asked.filter(pc.not_equal(asked["left"], asked["right"]))
        if not len(asked):
            return model, [], None
        scratch.keep_as("asked", asked)
        score(scratch, ROWS, model, "explained", pairs="asked", least=None, explained=True)
        best = scratch.sql("SELECT * FROM explained ORDER BY bits DESC LIMIT 1").to_pylist()[0]
        both = f"({best['left']}, {best['right']})"
        said = scratch.sql(f"FROM {ROWS} WHERE unique_id IN {both}").to_pydict()
    weights = [
        Weight(one.said(best[f"level_{one.name}"]), round(best[f"bits_{one.name}"], 1))
        for one in model.fields
        if any(said[one.name])  # of what neither says there is nothing to tell
    ]
    weights.sort(key=lambda one: -abs(one.bits))
    more = best["bits"] - sum(best[f"bits_{one.name}"] for one in model.fields)
    if round(more, 1):
        weights.append(Weight(LIMITED[best["limited"]], round(more, 1)))
    bits = best["bits"] + model.prior_bits
    return model, weights, 1 / (1 + math.exp2(-max(min(bits, 60), -60)))


def _waits(lake: Any, users: list[str | None]) -> str | None:
    rows = lake.table("reviews")
    pair = [user for user in users if user is not None]
    found = lake.run(
        rows.filter(rows.left_user_id.isin(pair) & rows.right_user_id.isin(pair)).select("cause")
    )
    return WHY[found["cause"][0].as_py()] if len(found) else None
