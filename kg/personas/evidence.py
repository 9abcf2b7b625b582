"""Evidence: per claim up to three people whose path in the graph is an instance of it.

Whom to show is chosen in columns (the strongest holders), the path itself is found by the kind's
query and found again by `check`: same people, same nodes, every edge still there. A claim that
holders do something less has no path that shows it; it shows holders as such, and `check` makes
sure that they have no path of the kind.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kg.personas.claims import Claim
from kg.personas.counts import HALF, Scan
from kg.personas.kinds import DAY_MS, KINDS, RETURN_DAYS, VERB_AND_TOPIC
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from kg.lake import Lake
    from kg.store.protocol import Store

PATHS = 3
HOLDING = KINDS["share"].paths

# (label, label) -> how the one is tied to the other, read along a path.
RELATIONS: dict[tuple[str, str], str] = {
    ("PersonaVersion", "User"): "<-[:HOLDS]-",
    ("User", "PersonaVersion"): "-[:HOLDS]->",
    ("User", "Session"): "-[:HAD]->",
    ("Session", "Intent"): "-[:EXPRESSED]->",
    ("Session", "Session"): "-[:NEXT]->",
    ("Intent", "Session"): "<-[:EXPRESSED]-()-[:NEXT]->",
    ("Intent", "Item"): "-[:ABOUT]->",
    ("Intent", "Campaign"): "-[:RESPONDED_TO]->",
    ("Intent", "Goal"): "-[:REACHED]->",
    ("User", "Campaign"): "-[:RECEIVED]->",
    ("User", "Trait"): "-[:HAS]->",
}

_HOURS = {"night": (0, 6), "morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)}
_DAYS = {"weekend": [5, 6], "week": [0, 1, 2, 3, 4]}


@dataclass(frozen=True)
class Step:
    """One node of a path and what ties it to the next ("": the last)."""

    label: str
    node_id: str
    relation: str


@dataclass(frozen=True)
class Path:
    """One path of a claim: nodes from the persona version to what the claim is about."""

    claim_id: str
    number: int
    labels: tuple[str, ...]
    nodes: tuple[str, ...]

    @property
    def user_id(self) -> str:
        """The opaque id of whose path it is."""
        return self.nodes[1]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """As rows of the table `evidence`."""
        return [
            {
                "claim_id": self.claim_id,
                "path": self.number,
                "position": position,
                "label": label,
                "node_id": node,
            }
            for position, (label, node) in enumerate(zip(self.labels, self.nodes, strict=True))
        ]


def relations(labels: Iterable[str]) -> list[str]:
    """What ties each node of a path to the next: one fewer than there are labels."""
    return [RELATIONS.get(pair, "--") for pair in pairwise(labels)]


def draw(path: Path) -> list[Step]:
    """A path node by node, for a door to draw."""
    ties = [*relations(path.labels), ""]
    return [Step(*step) for step in zip(path.labels, path.nodes, ties, strict=True)]


def read(lake: "Lake") -> list[Path]:
    """The paths in the lake, by claim and number."""
    rows = lake.table("evidence").order_by(["claim_id", "path", "position"])
    grouped: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for row in lake.run(rows).to_pylist():
        grouped.setdefault((row["claim_id"], row["path"]), []).append(
            (row["label"], row["node_id"])
        )
    return [
        Path(claim_id, number, tuple(x[0] for x in steps), tuple(x[1] for x in steps))
        for (claim_id, number), steps in grouped.items()
    ]


def paths(
    lake: "Lake", store: "Store", claims: Iterable[Claim], progress: Progress = silent
) -> list[Path]:
    """Up to three paths of each claim, strongest holders first; one query per kind."""
    claims = list(claims)
    asked: dict[str, list[tuple[Claim, str]]] = {}
    by_kind = _by_kind(claims)
    with progress.task("Choosing evidence", len(by_kind)) as task:
        for kind, group in by_kind.items():
            for claim, user_id in _people(lake, kind, group):
                asked.setdefault(_query(claim), []).append((claim, user_id))
            task.advance()
    found: dict[str, list[Path]] = {}
    for query, pairs in asked.items():
        numbered: dict[str, int] = {}
        shown = _run(store, query, pairs)
        for claim, user_id in pairs:
            if (claim.claim_id, user_id) in shown:
                number = numbered[claim.claim_id] = numbered.get(claim.claim_id, 0) + 1
                path = Path(claim.claim_id, number, *shown[claim.claim_id, user_id])
                found.setdefault(claim.claim_id, []).append(path)
    return [path for claim in claims for path in found.get(claim.claim_id, [])]


def check(
    store: "Store", claims: Iterable[Claim], stored: Iterable[Path], progress: Progress = silent
) -> dict[str, str]:
    """Look for every stored path again; claim id -> what is wrong with its evidence.

    A path is right when the kind's query still finds, for the same person, the same nodes.
    """
    by_id = {claim.claim_id: claim for claim in claims}
    stored = list(stored)
    wrong = {p.claim_id: "evidence of a claim that is not there" for p in stored}
    wrong = {claim_id: why for claim_id, why in wrong.items() if claim_id not in by_id}
    known = [path for path in stored if path.claim_id in by_id and len(path.nodes) > 1]
    groups: dict[str, list[Path]] = {}
    for path in known:
        groups.setdefault(_query(by_id[path.claim_id]), []).append(path)
    with progress.task("Checking evidence", len(groups)) as task:
        for query, group in groups.items():
            shown = _run(store, query, [(by_id[path.claim_id], path.user_id) for path in group])
            for path in group:
                if shown.get((path.claim_id, path.user_id)) != (path.labels, path.nodes):
                    wrong[path.claim_id] = f"evidence path {path.number} is not in the graph"
            task.advance()
    wrong |= {p.claim_id: "an evidence path has one node only" for p in stored if p not in known}
    wrong |= _shown_otherwise(store, by_id, known)
    shown_at_all = {path.claim_id for path in stored}
    missing = {c: "it has no evidence path" for c in by_id if c not in shown_at_all}
    return missing | wrong


def _shown_otherwise(
    store: "Store", by_id: Mapping[str, Claim], stored: list[Path]
) -> dict[str, str]:
    """Claims of "less" whose holders do have a path of the kind."""
    groups: dict[str, list[tuple[Claim, str]]] = {}
    for path in stored:
        claim = by_id[path.claim_id]
        if claim.measured.direction == "less" and not KINDS[claim.kind].is_mostly:
            groups.setdefault(KINDS[claim.kind].paths, []).append((claim, path.user_id))
    found = [pair for query, pairs in groups.items() for pair in _run(store, query, pairs)]
    return {claim_id: "a holder shown without it has it" for claim_id, _ in found}


def _query(claim: Claim) -> str:
    return HOLDING if claim.measured.direction == "less" else KINDS[claim.kind].paths


def _by_kind(claims: Iterable[Claim]) -> dict[str, list[Claim]]:
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.kind, []).append(claim)
    return groups


def _people(lake: "Lake", kind: str, claims: list[Claim]) -> list[tuple[Claim, str]]:
    """For each claim the holders to show: those with the outcome, or without it for "less"."""
    import ibis

    scan = Scan(lake, half=None if KINDS[kind].of_all else HALF)
    answers = scan.answers(kind)
    wanted = lake.memtable(
        pa.table(
            {
                "claim_id": [claim.claim_id for claim in claims],
                "version": [claim.version_id for claim in claims],
                "subject": [claim.subject for claim in claims],
                "less": [claim.measured.direction == "less" for claim in claims],
            }
        )
    )
    crowd = scan.held.inner_join(wanted, "version")
    if answers.asked is not None:
        crowd = crowd.semi_join(answers.asked, ["user_id", "subject"])
    doing = crowd.filter(~crowd.less)
    doing = doing if kind == "share" else doing.semi_join(answers.did, ["user_id", "subject"])
    without = crowd.filter(crowd.less).anti_join(answers.did, ["user_id", "subject"])
    rows = doing.union(without)
    order = [rows.weight.desc(), rows.user_id]
    rows = rows.mutate(place=ibis.row_number().over(group_by=rows.claim_id, order_by=order))
    rows = rows.filter(rows.place < PATHS).order_by("claim_id", "place")
    by_id = {claim.claim_id: claim for claim in claims}
    found = lake.run(rows.select("claim_id", "user_id", "place")).to_pylist()
    return [(by_id[row["claim_id"]], row["user_id"]) for row in found]


Shown = dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]]


def _run(store: "Store", query: str, pairs: list[tuple[Claim, str]]) -> Shown:
    rows = store.run(query, {"asked": [asked(claim, user_id) for claim, user_id in pairs]})
    return {
        (row["claim_id"], row["user_id"]): (tuple(row["labels"]), tuple(row["nodes"]))
        for row in rows
    }


def asked(claim: Claim, user_id: str) -> dict[str, Any]:
    """What the evidence query of the claim's kind is asked about one person."""
    row: dict[str, Any] = {
        "claim_id": claim.claim_id,
        "version": claim.version_id,
        "subject": claim.subject,
        "user_id": user_id,
    }
    if claim.kind in VERB_AND_TOPIC:
        row["verb"], _, row["topic"] = claim.subject.partition(" ")
    elif claim.kind == "sequence":
        row["first"], _, row["second"] = claim.subject.partition(" > ")
    elif claim.kind == "daypart":
        row["from_hour"], row["to_hour"] = _HOURS[claim.subject]
    elif claim.kind == "weekday":
        row["weekdays"] = _DAYS[claim.subject]
    elif claim.kind == "repeat":
        row["within_ms"] = RETURN_DAYS * DAY_MS
    return row


def example(claim: Claim, path: Path) -> str:
    """The parameters that show this path again with `KINDS[claim.kind].paths`, as JSON."""
    return json.dumps({"asked": [asked(claim, path.user_id)]}, ensure_ascii=False)
