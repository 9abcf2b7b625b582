"""Everything a persona states, re-executed: claims, evidence and words, against lake and graph.

A claim holds when the graph counts what it says, its numbers follow from those counts, its q from
the whole family of tests, its paths are still there, and the graph states it as the lake does. A
persona version holds when its people and share are what the graph counts, and when graph and lake
say the same of it and of its holders. A wording holds when every sentence cites claims that exist
and says what they say. A line on a type of intent holds when graph and lake count the type as it
does, and the line says what is so of these intents.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isclose
from typing import TYPE_CHECKING, Any

from kg.activity import cuts
from kg.personas import claims, evidence, intent_types, proof, template, wording
from kg.personas.claims import Claim
from kg.personas.explain import explain
from kg.personas.kinds import KINDS
from kg.personas.sentences import problem
from kg.personas.statistics import LEAST_COMPARED, MAX_Q, MIN_PEOPLE, wilson
from kg.progress import Progress, silent
from kg.projection import alias_tables, persona_expressions

__all__ = ["Problem", "Report", "explain", "verify"]

if TYPE_CHECKING:
    from kg.lake import Lake
    from kg.store.protocol import Store


@dataclass(frozen=True)
class Problem:
    """One thing that does not hold.

    Attributes:
        what: `claim`, `evidence`, `persona`, `wording` or `intent type`.
        where: the claim's id, the persona version's, or verb and topic.
        why: what is wrong, in words.
    """

    what: str
    where: str
    why: str


@dataclass(frozen=True)
class Report:
    """What was looked at and what does not hold."""

    claims: int
    paths: int
    sentences: int
    lines: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return not self.problems


def verify(lake: "Lake", store: "Store", progress: Progress = silent) -> Report:
    """Re-execute every claim, path and sentence of the current persona versions, and every line on
    the types of intent they are made of.

    One query per kind of claim and one per kind of path, whatever the number of personas.
    """
    rows = lake.arrow("claims").to_pylist()
    readable, broken = _readable(rows)
    paths, wordings = evidence.read(lake), wording.read(lake)
    found = list(broken)
    found += _numbers(readable)
    found += _recounted(store, [claim for _, claim in readable], progress)
    found += _tested(lake, readable, progress)
    found += _strata(lake)
    found += _evidence(store, [claim for _, claim in readable], paths, progress)
    found += _graph(store, rows, paths)
    found += _figures(lake, store)
    found += _versions(lake, store)
    found += _holdings(lake, store)
    found += _words(lake, [claim for _, claim in readable], wordings)
    lines = intent_types.read(lake)
    found += _types(lake, store, lines)
    unique = tuple(sorted(set(found), key=lambda p: (p.what, p.where, p.why)))
    sentences = sum(len(words.sentences) for words in wordings)
    return Report(len(rows), len(paths), sentences, len(lines), unique)


Readable = list[tuple[dict[str, Any], Claim]]


def _readable(rows: Iterable[dict[str, Any]]) -> tuple[Readable, list[Problem]]:
    """The claims whose row can be read and whose counts are possible."""
    good: Readable = []
    bad: list[Problem] = []
    for row in rows:
        try:
            claim = claims.of_row(row)
            _ = claim.measured, KINDS[claim.kind], claim.phrase
            good.append((row, claim))
        except (KeyError, ValueError, TypeError, IndexError) as error:
            why = f"its row cannot be read: {type(error).__name__}"
            bad.append(Problem("claim", str(row["claim_id"]), why))
    return good, bad


def _numbers(readable: Readable) -> Iterator[Problem]:
    """Columns that do not follow from what is claimed and counted."""
    for row, claim in readable:
        for column, right in claim.row.items():
            if not _equal(row[column], right):
                why = f"{column} is {_shown(row[column])}, from its counts follows {_shown(right)}"
                yield Problem("claim", row["claim_id"], why)
        before = claim.params.get("before_ms", 0)
        if claim.params != claims.params_of(KINDS[claim.kind], [claim], before):
            yield Problem("claim", row["claim_id"], "its parameters ask something else")
        if why_not := _below_floor(claim):
            yield Problem("claim", row["claim_id"], why_not)


def _below_floor(claim: Claim) -> str | None:
    found = claim.measured
    too_few = found.people < MIN_PEOPLE or (0 < found.others < MIN_PEOPLE)
    if claim.kind != "share" and found.direction == "more":
        too_few |= found.doing < MIN_PEOPLE
    if not KINDS[claim.kind].of_all and found.others == 0:
        return "it compares with nobody"
    if found.compared < LEAST_COMPARED:
        return "most of the holders are more active than anybody to compare with"
    return f"it speaks of fewer than {MIN_PEOPLE} people" if too_few else None


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)
    return type(left) is type(right) and left == right


def _shown(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _recounted(store: "Store", every: list[Claim], progress: Progress) -> Iterator[Problem]:
    found = proof.recount(store, every, progress)
    for claim in every:
        if found[claim.claim_id] != claim.counts:
            why = f"it says {claim.counts}, the graph counts {found[claim.claim_id]}"
            yield Problem("claim", claim.claim_id, why)


def _tested(lake: "Lake", readable: Readable, progress: Progress) -> Iterator[Problem]:
    """q-values that do not follow from the family of tests, scanned again."""
    sampled = bool(lake.summary("claims").get("sampled", False))
    right = claims.family_q(lake, sampled=sampled, progress=progress)
    for row, claim in readable:
        q = right.get((claim.kind, claim.version_id, claim.subject))
        if not _equal(row["q"], q):
            why = f"q is {_shown(row['q'])}, from its family follows {_shown(q)}"
            yield Problem("claim", row["claim_id"], why)
        elif q is not None and q > MAX_Q:
            yield Problem("claim", row["claim_id"], f"its q is above {MAX_Q}")


def _strata(lake: "Lake") -> Iterator[Problem]:
    """Whether the strata are cut where the run says."""
    said, right = lake.summary("claims").get("strata"), cuts(lake).told()
    if said != right:
        why = f"strata of activity end at {said}, from the lake follows {right}"
        yield Problem("claim", "activity", why)


def _evidence(
    store: "Store", every: list[Claim], paths: list[evidence.Path], progress: Progress
) -> Iterator[Problem]:
    for claim_id, why in evidence.check(store, every, paths, progress).items():
        yield Problem("evidence", claim_id, why)


def _graph(
    store: "Store", rows: list[dict[str, Any]], paths: list[evidence.Path]
) -> Iterator[Problem]:
    """Where the graph states or cites other than the lake."""
    stated = {row["claim_id"]: row for row in store.run("claim/stated")}
    for row in rows:
        shown = stated.pop(row["claim_id"], None)
        if shown is None:
            yield Problem("claim", row["claim_id"], "the graph does not state it")
            continue
        version = f"{row['persona_id']}@{row['version']}"
        wanted = {column: row.get(column) for column in shown} | {"version": version}
        for column in (c for c in shown if not _equal(shown[c], wanted[c])):
            why = f"the graph's {column} is {_shown(shown[column])}"
            yield Problem("claim", row["claim_id"], why)
    for claim_id in stated:
        yield Problem("claim", claim_id, "the graph states it, the lake does not")
    in_lake = {tuple(row.values()) for path in paths for row in path.rows}
    in_graph = {tuple(row.values()) for row in store.run("evidence/cited")}
    for claim_id, *_ in in_lake ^ in_graph:
        yield Problem("evidence", claim_id, "graph and lake cite different nodes for it")


def _figures(lake: "Lake", store: "Store") -> Iterator[Problem]:
    """Figures of personas in the lake that do not follow from who holds them in the graph.

    Of those without a claim as well: of too few people nothing is claimed.
    """
    personas = {f"{row['persona_id']}@{row['version']}": row for row in _personas(lake)}
    pairs = [{"version": version, "subject": ""} for version in personas]
    counted = claims.by_pair(store.run(KINDS["share"].query, {"pairs": pairs}))
    for version, row in personas.items():
        counts = counted.get((version, ""), claims.NOBODY)
        people, population = sum(counts.k1), sum(counts.n1)
        low, high = wilson(people, population)
        right = {
            "people": people,
            "population": population,
            "share": people / max(population, 1),
            "share_low": float(low),
            "share_high": float(high),
        }
        for column in (c for c in right if not _equal(row[c], right[c])):
            why = f"{column} is {_shown(row[column])}, the graph counts {_shown(right[column])}"
            yield Problem("persona", version, why)


def _personas(lake: "Lake") -> list[dict[str, Any]]:
    columns = ["persona_id", "version", "people", "population", "share", "share_low", "share_high"]
    rows: list[dict[str, Any]] = lake.arrow("personas", columns=columns).to_pylist()
    return rows


def _versions(lake: "Lake", store: "Store") -> Iterator[Problem]:
    """Persona versions of which the graph says other than the lake."""
    force = {row["id"]: row["current"] for row in alias_tables(lake).nodes["Persona"].to_pylist()}
    stated = {row["id"]: row for row in store.run("persona/stated")}
    for wanted in lake.run(persona_expressions(lake)["PersonaVersion"]).to_pylist():
        shown = stated.pop(wanted["id"], None)
        if shown is None:
            yield Problem("persona", wanted["id"], "it is not in the graph")
            continue
        # The alias tables take away what was in force with the empty text; the graph then has null.
        wanted["current"] = force.get(wanted["persona_id"]) or None
        for column in (c for c in shown if not _equal(shown[c], wanted[c])):
            why = f"the graph's {column} is {_shown(shown[column])}"
            yield Problem("persona", wanted["id"], why)
    for version in stated:
        yield Problem("persona", version, "it is in the graph, not in the lake")


def _holdings(lake: "Lake", store: "Store") -> Iterator[Problem]:
    """Persona versions of whose holders the graph says other than the lake, in sums."""
    held = persona_expressions(lake)["User", "HOLDS", "PersonaVersion"]
    sums = held.group_by(id=held.end).agg(
        holdings=held.count(),
        ended=held.valid_to_ms.count(),
        **{name: held[name].sum() for name in ("weight", "low", "high", "intents")},
    )
    in_lake = {row["id"]: row for row in lake.run(sums).to_pylist()}
    in_graph = {row["id"]: row for row in store.run("persona/held")}
    for version in sorted(in_lake.keys() | in_graph.keys()):
        wanted, shown = in_lake.get(version, {}), in_graph.get(version, {})
        for name in (n for n in _HELD if not _equal(shown.get(n), wanted.get(n))):
            yield Problem("persona", version, f"graph and lake differ in {_HELD[name]}")


_HELD = {
    "holdings": "how many hold or held it",
    "ended": "how many hold it no more",
    "weight": "the weights of its holders",
    "low": "the intervals of the weights",
    "high": "the intervals of the weights",
    "intents": "the intents of its holders",
}


def _words(lake: "Lake", every: list[Claim], wordings: list[wording.Wording]) -> Iterator[Problem]:
    by_version: dict[str, list[Claim]] = {}
    for claim in every:
        by_version.setdefault(claim.version_id, []).append(claim)
    for version in sorted(by_version.keys() - {words.version_id for words in wordings}):
        yield Problem("wording", version, "it has claims but no words")
    known = {f"{row['persona_id']}@{row['version']}" for row in _personas(lake)}
    for version in sorted({words.version_id for words in wordings} - known):
        yield Problem("wording", version, "there is no such persona version")
    for words in wordings:
        others = [w.name for w in wordings if w is not words]
        for why in _of_one(words, by_version.get(words.version_id, []), others):
            yield Problem("wording", words.version_id, why)


def _of_one(words: wording.Wording, mine: list[Claim], others: list[str]) -> Iterator[str]:
    by_id = {claim.claim_id: claim for claim in mine}
    named = [claim for claim in mine if claim.kind != "overlap"]
    if why := template.name_problem(words.name, named, others, template.LEAST_STAYING):
        yield f"its name: {why}"
    if why := wording.summary_problem(words.summary, mine):
        yield f"its summary: {why}"
    for number, sentence in enumerate(words.sentences, 1):
        if missing := [claim for claim in sentence.claims if claim not in by_id]:
            yield f"sentence {number} cites {missing[0]}, which is none of its claims"
        elif why := problem(sentence.text, [by_id[claim] for claim in sentence.claims]):
            yield f"sentence {number}: {why}"


def _types(lake: "Lake", store: "Store", lines: list[intent_types.IntentType]) -> Iterator[Problem]:
    """Lines on types of intent that graph or lake do not bear out, counted again on both."""
    counted = {(row.pop("verb"), row.pop("topic")): row for row in store.run("persona/types")}
    keys = [(one.verb, one.topic) for one in lines]
    right = {(one.verb, one.topic): one for one in intent_types.counted(lake, keys)}
    for one, key in zip(lines, keys, strict=True):
        where, known, shown = " ".join(key), right.get(key), counted.get(key, {})
        if known is None:
            yield Problem("intent type", where, f"fewer than {MIN_PEOPLE} people stand behind it")
            continue
        for name in ("people", "intents", "events"):
            said = getattr(one, name)
            for there, count in (("lake", getattr(known, name)), ("graph", shown.get(name))):
                if said != count:
                    why = f"{name} is {_shown(said)}, the {there} counts {_shown(count)}"
                    yield Problem("intent type", where, why)
        if why_not := intent_types.problem(one.line, known.facts):
            yield Problem("intent type", where, f"its line: {why_not}")
