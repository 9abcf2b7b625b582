"""Claims: chosen in columns, proved in the graph, frozen with everything that recomputes them.

Personas were fitted on one half of the users; what is stated here was counted on the other half
(the share alone speaks of everybody) and compared with others of the same activity. A claim is
stated only for 20 people or more, and only where its interval of the difference leaves no doubt
about the direction.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from kg.activity import STRATA
from kg.hashing import stable_id
from kg.personas import labels, statistics
from kg.personas.counts import HALF, Scan, answered_by, before_ms, counts, newest_ms, shares
from kg.personas.kinds import (
    DAY_MS,
    FURTHER_PLACE,
    KINDS,
    MAX_CLAIMS,
    PLACES,
    RETURN_DAYS,
    TOPICS_FIRST,
    UNIT,
    USUAL_PLACE,
    VERB_AND_TOPIC,
    VERBS,
    Kind,
    disabled,
)
from kg.personas.labels import NO_KNOWN_KIND, Labels
from kg.personas.statistics import Counts, Measured
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from kg.lake import Lake

MIN_EFFECT = 0.05
"""Smaller differences are not worth a sentence, however certain."""

BOXES = ("n1", "k1", "n0", "k0")
ORDER = {name: place for place, name in enumerate(KINDS)}


@dataclass(frozen=True)
class Claim:
    """One checkable statement about a persona version.

    Attributes:
        persona_id: and `version`: what it is about.
        kind: a row of `KINDS`.
        subject: the topic, item, campaign, ... in the query's own spelling.
        counts: what the query returned, per stratum of activity; value, reference, interval and
            direction follow from it alone.
        q: from the whole family of tests; None when descriptive.
        as_of_ms: the latest moment in the data.
        params: of the query, so that anyone can run it again.
        subject_label: the subject for people.
    """

    persona_id: str
    version: int
    kind: str
    subject: str
    counts: Counts
    q: float | None
    as_of_ms: int
    params: Mapping[str, Any] = field(hash=False)
    subject_label: str = ""

    @property
    def claim_id(self) -> str:
        """A hash of what is claimed, not of what the answer was."""
        return stable_id("c", self.persona_id, self.version, self.kind, self.subject, digits=12)

    @property
    def version_id(self) -> str:
        """The node id of the persona version."""
        return f"{self.persona_id}@{self.version}"

    @cached_property
    def measured(self) -> Measured:
        """Value, interval, reference and direction: a pure function of the counts."""
        return statistics.measured(self.counts)

    @property
    def people(self) -> int:
        """On how many people the value rests."""
        return self.measured.people

    @property
    def phrase(self) -> str:
        """The words that state it, after "62 % of them"."""
        return labels.phrase(KINDS[self.kind], self.subject, self.subject_label)

    @property
    def among(self) -> str:
        """Whom it applies to, in words; empty: everybody with an intent."""
        whom = labels.among(KINDS[self.kind], self.subject)
        return whom if self.measured.compared == 1 else labels.and_comparable(whom)

    @property
    def rank(self) -> tuple[Any, ...]:
        """Sorts a persona's claims: its share, what it is about, what tells most, examples."""
        told = statistics.distinctiveness(*self.counts.boxes)
        place = PLACES.get(self.kind, USUAL_PLACE)
        if self.kind == "topic" and (self.measured.direction != "more" or not _is_told(self)):
            place = USUAL_PLACE
        return (place, -float(told), ORDER[self.kind], self.subject)

    @property
    def row(self) -> dict[str, Any]:
        """As a row of the table `claims`."""
        measured, kind = self.measured, KINDS[self.kind]
        return {
            "persona_id": self.persona_id,
            "version": self.version,
            "claim_id": self.claim_id,
            "kind": self.kind,
            "subject": self.subject,
            "subject_label": self.subject_label,
            "direction": measured.direction,
            "measure": kind.measure,
            "unit": UNIT,
            "value": measured.value,
            "reference_value": measured.reference_value,
            "low": measured.low,
            "high": measured.high,
            "q": self.q,
            "people": self.people,
            "as_of_ms": self.as_of_ms,
            "query": kind.query,
            "params": _json(self.params),
            "counts": _json(asdict(self.counts)),
            "descriptive": kind.is_descriptive,
        }


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def of_row(row: Mapping[str, Any]) -> Claim:
    """The claim that a row of the table `claims` states; its derived columns are not read."""
    stored = json.loads(row["counts"])
    return Claim(
        persona_id=row["persona_id"],
        version=row["version"],
        kind=row["kind"],
        subject=row["subject"],
        counts=Counts(*(tuple(int(n) for n in stored[box]) for box in BOXES)),
        q=row["q"],
        as_of_ms=row["as_of_ms"],
        params=json.loads(row["params"]),
        subject_label=row["subject_label"],
    )


def read(lake: "Lake") -> list[Claim]:
    """The claims in the lake, by persona version, what tells most first."""
    claims = [of_row(row) for row in lake.arrow("claims").to_pylist()]
    by_version: dict[str, list[Claim]] = {}
    for claim in sorted(claims, key=lambda claim: claim.version_id):
        by_version.setdefault(claim.version_id, []).append(claim)
    return [claim for mine in by_version.values() for claim in in_order(mine)]


def in_order(claims: Iterable[Claim]) -> list[Claim]:
    """One persona's claims, what tells most first; few topics before anything else."""
    ranked = sorted(claims, key=lambda claim: claim.rank)
    about = [c.claim_id for c in ranked if c.kind == "topic" and c.rank[0] == PLACES["topic"]]
    further = set(about[TOPICS_FIRST:])
    return sorted(ranked, key=lambda one: FURTHER_PLACE if one.claim_id in further else one.rank[0])


@dataclass(frozen=True)
class Chosen:
    """What the scan of everything came to.

    Attributes:
        claims: to be proved.
        disabled: kind -> why the source cannot support it.
        tested: how many pairs of persona and subject the family of tests holds.
        stated: kind -> how many claims.
    """

    claims: tuple[Claim, ...]
    disabled: dict[str, str]
    tested: int
    stated: dict[str, int]


def choose(lake: "Lake", *, sampled: bool, progress: Progress = silent) -> Chosen:
    """Scan every persona and subject in columns and keep the strongest claims of each persona."""
    silent_on = off(lake, sampled=sampled)
    scan = Scan(lake)
    family = _family(
        scan, [kind for kind in KINDS.values() if kind.name not in silent_on], progress
    )
    q = _q_values(family)
    shares, same = _share_claims(lake), answered_by(scan)
    context = _Context(Labels(lake), newest_ms(lake), before_ms(scan), shares, same)
    found = {version: _of_version(version, family, q, context) for version in sorted(shares)}
    bare = [version for version, mine in found.items() if len(mine) == 1]
    for version, more in _common(lake, bare, context):
        found[version] = in_order([*found[version], *more])
    claims = [claim for mine in found.values() for claim in mine]
    stated = {name: sum(c.kind == name for c in claims) for name in KINDS}
    return Chosen(tuple(claims), silent_on, sum(len(v) for v in q.values()), stated)


def off(lake: "Lake", *, sampled: bool = False) -> dict[str, str]:
    """The kinds that are not claimed: what a sample cannot support, what the business keeps out."""
    asked = lake.summary("personas").get("constraints", {})
    return disabled(sampled) | dict(asked.get("silenced", {}))


Table = dict[str, Any]


def _family(scan: Scan, kinds: Iterable[Kind], progress: Progress) -> dict[str, Table]:
    """Per kind, the pairs that could be stated at the floor, as arrays; none where nobody holds a
    persona."""
    if not len(scan.lake.run(scan.held.limit(1))):
        return {}
    asked = [kind for kind in kinds if not kind.of_all]
    found: dict[str, Table] = {}
    with progress.task("Choosing claims", len(asked)) as task:
        for kind in asked:
            if all(scan.lake.version(table) is not None for table in kind.needs):
                rows = scan.lake.run(_possible(counts(scan, kind.name)))
                found[kind.name] = _above_floor(rows)
            task.advance()
    return found


def _possible(rows: Any) -> Any:
    """The rows of pairs whose sums reach the floor; most pairs do not, and stay in the engine."""
    least = statistics.MIN_PEOPLE
    sums = rows.group_by("version", "subject").agg(
        n1=rows.n1.sum(), n0=rows.n0.sum(), k=(rows.k1 + rows.k0).sum()
    )
    kept = sums.filter(sums.n1 >= least, sums.n0 >= least, sums.k >= least)
    kept = kept.filter(kept.version != kept.subject)
    return rows.semi_join(kept, ["version", "subject"]).order_by("version", "subject", "activity")


def _above_floor(rows: pa.Table) -> Table:
    """Shapes: p pairs -> version, subject, effect, told (p,); n1, k1, n0, k0 (p, strata)."""
    boxes = {box: rows[box].to_numpy().astype(np.int64).reshape(-1, STRATA) for box in BOXES}
    found = statistics.standardise(*boxes.values())
    least = statistics.MIN_PEOPLE
    # By the margins only, which say nothing about who differs: the family must not be chosen
    # by the outcome that is then tested in it.
    kept = (found.n1 >= least) & (found.n0 >= least) & (found.k1 + found.k0 >= least)
    kept &= found.compared >= statistics.LEAST_COMPARED
    table: Table = {box: counted[kept] for box, counted in boxes.items()}
    for name in ("version", "subject"):
        table[name] = np.array(rows[name][::STRATA].to_pylist(), dtype=object)[kept]
    four = [table[box] for box in BOXES]
    table["doing"] = found.k1[kept]
    return table | {
        "effect": statistics.effect(*four),
        "told": statistics.distinctiveness(*four),
    }


def _q_values(family: Mapping[str, Table]) -> dict[str, np.ndarray]:
    """Kind -> q of each of its pairs; all tested kinds are one family."""
    tested = [name for name in family if not KINDS[name].is_descriptive]
    if not tested:
        return {}
    p = [statistics.p_value(*(family[name][box] for box in BOXES)) for name in tested]
    q = statistics.q_value(np.concatenate(p))
    return dict(zip(tested, np.split(q, np.cumsum([len(x) for x in p])[:-1]), strict=True))


def family_q(
    lake: "Lake", *, sampled: bool, progress: Progress = silent
) -> dict[tuple[str, str, str], float]:
    """(kind, version id, subject) -> q, for every pair in the family of tests."""
    silent_on = off(lake, sampled=sampled)
    tested = [k for k in KINDS.values() if k.name not in silent_on and not k.is_descriptive]
    family = _family(Scan(lake), tested, progress)
    found: dict[tuple[str, str, str], float] = {}
    for name, q in _q_values(family).items():
        pairs = zip(family[name]["version"], family[name]["subject"], q, strict=True)
        found |= {(name, version, subject): float(value) for version, subject, value in pairs}
    return found


@dataclass(frozen=True)
class _Context:
    labels: Labels
    as_of_ms: int
    before_ms: int
    shares: dict[str, Claim]
    answered_by: dict[str, str]


def _of_version(
    version: str, family: Mapping[str, Table], q: Mapping[str, np.ndarray], context: _Context
) -> list[Claim]:
    found = [context.shares[version]]
    for name, table in family.items():
        mine = np.flatnonzero(table["version"] == version)
        for place in _strongest(KINDS[name], table, q.get(name), mine):
            q_value = float(q[name][place]) if name in q else None
            found.append(_claim(version, KINDS[name], table, int(place), q_value, context))
    # To answer a campaign is to do this, where all answers are alike: one fact, said once.
    done = {(c.subject, c.measured.direction) for c in found if c.kind == "topic" and _is_told(c)}
    found = [
        claim
        for claim in found
        if claim.kind != "response"
        or (context.answered_by.get(claim.subject), claim.measured.direction) not in done
    ]
    # A verb that was only ever done with what is of no known kind: the verb says all there is.
    verbs = {(claim.subject, claim.counts) for claim in found if claim.kind == "verb"}
    found = [
        claim
        for claim in found
        if claim.subject_label != NO_KNOWN_KIND
        or (claim.subject.partition(" ")[0], claim.counts) not in verbs
    ]
    # Topics of two levels may have one label; said twice with two numbers, it would be a riddle.
    told: dict[str, Claim] = {}
    for claim in in_order(found):
        told.setdefault(claim.phrase if claim.kind != "overlap" else claim.subject, claim)
    return list(told.values())[:MAX_CLAIMS]


def _common(
    lake: "Lake", versions: list[str], context: _Context
) -> Iterator[tuple[str, list[Claim]]]:
    """What most holders of both halves do, and equally active others do less: of versions of which
    nothing else can be stated. The comparison only chooses; half of them are whom it was found in.
    """
    if not versions:
        return
    rows = counts(Scan(lake, half=None), "topic")
    table = _above_floor(lake.run(_possible(rows.filter(rows.version.isin(versions)))))
    most = 2 * table["doing"] >= table["n1"].sum(1)
    alone = table | {box: np.zeros_like(table[box]) for box in ("n0", "k0")}
    for version in versions:
        mine = np.flatnonzero((table["version"] == version) & most)
        places = _strongest(KINDS["common"], table, None, mine)
        told: dict[str, Claim] = {}
        for place in places:
            claim = _claim(version, KINDS["common"], alone, place, None, context)
            told.setdefault(claim.phrase, claim)
        yield version, list(told.values())


def _strongest(kind: Kind, table: Table, q: np.ndarray | None, mine: np.ndarray) -> list[int]:
    """Places in the table of what to state of one persona and kind, what tells most first."""
    effect = table["effect"]
    ranked = sorted(
        (int(place) for place in mine if abs(effect[place]) >= MIN_EFFECT),
        key=lambda i: (
            _is_foreign(kind.name, table["subject"][i]),
            -table["told"][i],
            table["subject"][i],
        ),
    )
    if q is not None:
        ranked = [place for place in ranked if q[place] <= statistics.MAX_Q]
    more = [i for i in ranked if effect[i] > 0 and table["doing"][i] >= statistics.MIN_PEOPLE]
    less = [i for i in ranked if effect[i] < 0]
    if kind.name in {*VERB_AND_TOPIC, "trait"}:
        single = _one_of_each(kind, table, more + less)
        more, less = [i for i in more if i in single], [i for i in less if i in single]
    stated = {*more[: kind.more], *less[: kind.less]}
    return [place for place in ranked if place in stated][: kind.most]


def _is_told(claim: Claim) -> bool:
    """Whether the words of a topic claim say what was done with what."""
    return not _is_foreign(claim.kind, claim.subject) and claim.subject_label != NO_KNOWN_KIND


def _is_foreign(kind: str, subject: str) -> bool:
    """Whether the verb is a source's own, which is quoted as it is."""
    return kind in VERB_AND_TOPIC and subject.partition(" ")[0] not in VERBS


def _one_of_each(kind: Kind, table: Table, places: list[int]) -> list[int]:
    """The first of each topic and of each trait's name: viewed and bought, young and not old."""
    seen: dict[str, int] = {}
    for place in places:
        subject = table["subject"][place]
        key = subject.partition("=")[0] if kind.name == "trait" else subject.partition(" ")[2]
        seen.setdefault(key, place)
    return list(seen.values())


def _claim(
    version: str, kind: Kind, table: Table, place: int, q: float | None, context: _Context
) -> Claim:
    subject = str(table["subject"][place])
    persona_id, _, number = version.rpartition("@")
    bare = Claim(
        persona_id=persona_id,
        version=int(number),
        kind=kind.name,
        subject=subject,
        counts=Counts(*(tuple(table[box][place].tolist()) for box in BOXES)),
        q=q,
        as_of_ms=context.as_of_ms,
        params={},
        subject_label=context.labels.of(kind, subject),
    )
    return replace(bare, params=params_of(kind, [bare], context.before_ms))


def _share_claims(lake: "Lake") -> dict[str, Claim]:
    kind, as_of_ms = KINDS["share"], newest_ms(lake)
    found = {}
    for (version, _), boxes in by_pair(lake.run(shares(Scan(lake, half=None))).to_pylist()).items():
        persona_id, _, number = version.rpartition("@")
        claim = Claim(persona_id, int(number), kind.name, "", boxes, None, as_of_ms, {})
        found[version] = replace(claim, params=params_of(kind, [claim], 0))
    least = statistics.MIN_PEOPLE  # what the business keeps may be held by fewer
    return {version: claim for version, claim in found.items() if sum(claim.counts.k1) >= least}


def by_pair(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Counts]:
    """Rows of a kind's query as (version, subject) -> counts; a stratum without a row is empty."""
    grouped: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}
    for row in rows:
        grouped.setdefault((row["version"], row["subject"]), {})[row["activity"]] = row
    nothing = dict.fromkeys(BOXES, 0)
    return {
        pair: Counts(
            *(tuple(int(cells.get(s, nothing)[box]) for s in range(STRATA)) for box in BOXES)
        )
        for pair, cells in grouped.items()
    }


NOBODY = Counts(*([(0,) * STRATA] * len(BOXES)))


def params_of(kind: Kind, claims: Iterable[Claim], before: int) -> dict[str, Any]:
    """Parameters of the kind's query that count these claims; one claim narrows it to one row.

    Args:
        before: for `repeat`: who was first seen later (epoch ms) is not asked.
    """
    claims = list(claims)
    pairs = [{"version": c.version_id, "subject": c.subject} for c in claims]
    if kind.name == "share":
        return {"pairs": pairs}
    if kind.of_all:
        return {"subjects": sorted({c.subject for c in claims}), "pairs": pairs}
    if kind.name == "trait":
        pairs = [pair | {"name": pair["subject"].partition("=")[0]} for pair in pairs]
    subjects = sorted({c.subject for c in claims})
    params: dict[str, Any] = {"half": HALF, "subjects": subjects, "pairs": pairs}
    if kind.name == "sequence":
        params["topics"] = sorted({topic for s in subjects for topic in s.split(" > ")})
    if kind.name == "repeat":
        params |= {"before_ms": before, "within_ms": RETURN_DAYS * DAY_MS}
    return params


def is_sampled(lake: "Lake") -> bool:
    """Whether any event comes from a source that says it is a sample."""
    return bool(lake.table("events").sampled.any().to_pyarrow().as_py())
