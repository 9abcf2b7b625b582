"""Name, summary and sentences of each persona version, every one of them over claims.

The template needs no model. With a model, its sentences pass `sentences.problem` or are cut; where
its name or too many of its sentences fall, the template writes that persona and the reason is kept.

Invariant: a persona version keeps its name for as long as the name is true of its holders.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kg.errors import Unavailable
from kg.personas import template
from kg.personas.claims import Claim
from kg.personas.llm import DOWN, LlmServer, Unusable, Written, write
from kg.personas.sentences import mentioned, problem
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from kg.lake import Lake

TEMPLATE = "template"
LEAST_COVERAGE = 0.5
LEAST_SENTENCES = 2


@dataclass(frozen=True)
class Sentence:
    """A sentence and the ids of the claims it states."""

    text: str
    claims: tuple[str, ...]


@dataclass(frozen=True)
class Wording:
    """How a persona version is told.

    Attributes:
        author: `template`, or the model.
        coverage: the share of the sentences written that were kept, 0 to 1.
        cut: what was cut, each with the reason.
        instead: why the template wrote though a model was asked ("": it was not, or it wrote).
    """

    persona_id: str
    version: int
    name: str
    summary: str
    sentences: tuple[Sentence, ...]
    author: str = TEMPLATE
    coverage: float = 1.0
    cut: tuple[str, ...] = ()
    instead: str = ""

    @property
    def version_id(self) -> str:
        """The node id of the persona version."""
        return f"{self.persona_id}@{self.version}"

    @property
    def row(self) -> dict[str, Any]:
        """As a row of the table `wordings`."""
        told = [{"text": s.text, "claims": list(s.claims)} for s in self.sentences]
        return {
            "persona_id": self.persona_id,
            "version": self.version,
            "name": self.name,
            "summary": self.summary,
            "sentences": json.dumps(told, ensure_ascii=False),
            "author": self.author,
            "coverage": self.coverage,
        }


def read(lake: "Lake") -> list[Wording]:
    """The wordings in the lake, by persona version."""
    rows = lake.arrow("wordings").to_pylist()
    found = [
        Wording(
            row["persona_id"],
            row["version"],
            row["name"],
            row["summary"],
            tuple(Sentence(s["text"], tuple(s["claims"])) for s in json.loads(row["sentences"])),
            row["author"],
            row["coverage"],
        )
        for row in rows
    ]
    return sorted(found, key=lambda wording: wording.version_id)


def word(
    claims: Sequence[Claim],
    llm: LlmServer | None,
    progress: Progress = silent,
    before: Mapping[str, str] = MappingProxyType({}),
) -> tuple[list[Wording], list[Claim]]:
    """Write every persona version of the claims, the one most people hold first.

    Args:
        before: persona -> the name it had, which stays where it can (`template.may_stay`).

    Returns:
        The wordings, and the claims: those on overlap now call the other persona by its name.
    """
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.version_id, []).append(claim)
    order = sorted(groups, key=lambda version: (-_share(groups[version]), version))
    named_by = {v: [claim for claim in g if claim.kind != "overlap"] for v, g in groups.items()}
    had = {v: before[g[0].persona_id] for v, g in groups.items() if g[0].persona_id in before}
    staying = {v: name for v, name in had.items() if template.may_stay(name, named_by[v])}
    names = dict(staying)
    wordings: list[Wording] = []
    down = ""
    with progress.task("Wording", len(order)) as task:
        for version in order:
            taken = [name for other, name in names.items() if other != version]
            asked = llm if not down else None
            wording = _worded(named_by[version], asked, taken, staying.get(version))
            if llm is not None and not wording.instead and down:
                wording = replace(wording, instead=down)
            if wording.instead.startswith(DOWN):
                down = wording.instead  # the others would only wait as long
            names[version] = wording.name
            wordings.append(wording)
            task.advance()
    named = [_with_name(claim, names) for claim in claims]
    return [_with_overlap(wording, named) for wording in wordings], named


def _share(claims: Sequence[Claim]) -> float:
    return max((claim.measured.value for claim in claims if claim.kind == "share"), default=0.0)


def _worded(
    claims: Sequence[Claim], llm: LlmServer | None, taken: Sequence[str], staying: str | None
) -> Wording:
    """One persona version in words; the name that stays is kept, whoever writes the rest."""
    plain = from_template(claims, taken, staying)
    if llm is None:
        return plain
    try:
        written, model = write(llm, claims, taken)
    except (Unusable, Unavailable) as error:
        return replace(plain, instead=error.message)
    if staying is not None:
        written = written.model_copy(update={"name": staying})
    return from_model(written, model, claims, taken, plain)


def from_template(
    claims: Sequence[Claim], taken: Sequence[str] = (), staying: str | None = None
) -> Wording:
    """The deterministic wording of one persona version; what it is named after is said first."""
    name = staying or template.name(claims, taken)
    claims = template.named_first(claims, name)
    return Wording(
        claims[0].persona_id,
        claims[0].version,
        name,
        template.summary(claims),
        tuple(Sentence(template.sentence(c), (c.claim_id,)) for c in claims),
    )


def from_model(
    written: Written, model: str, claims: Sequence[Claim], taken: Sequence[str], plain: Wording
) -> Wording:
    """What is right of what a model wrote; the plain wording where too little is.

    Args:
        written: its answer; claims are numbered from 1.
        taken: names of other personas.
        plain: the template's wording, which also stands in for a wrong summary.
    """
    kept: list[Sentence] = []
    cut: list[str] = []
    for sentence in written.sentences:
        wrong = _wrong(sentence.text, sentence.claims, claims)
        if wrong is None:
            ids = tuple(claims[n - 1].claim_id for n in dict.fromkeys(sentence.claims))
            kept.append(Sentence(sentence.text.strip(), ids))
        else:
            cut.append(f"{sentence.text.strip()} — {wrong}")
    coverage = len(kept) / max(len(written.sentences), 1)
    instead = ""
    if wrong_name := template.name_problem(written.name, claims, taken):
        instead = f"The model's name {written.name.strip()!r} was refused: {wrong_name}."
    elif not written.sentences:
        instead = "The model wrote no sentence."
    elif coverage < LEAST_COVERAGE or len(kept) < min(LEAST_SENTENCES, len(claims)):
        instead = f"Of {len(written.sentences)} sentences of the model {len(kept)} were right."
    if instead:
        return replace(plain, cut=tuple(cut), instead=instead)
    summary = written.summary.strip()
    if wrong_summary := summary_problem(summary, claims):
        cut.append(f"{summary} — {wrong_summary}")
        summary = plain.summary
    return replace(
        plain,
        name=written.name.strip(),
        summary=summary,
        sentences=tuple(kept),
        author=model,
        coverage=coverage,
        cut=tuple(cut),
    )


def _wrong(text: str, numbers: Sequence[int], claims: Sequence[Claim]) -> str | None:
    if any(not 1 <= number <= len(claims) for number in numbers):
        return "it cites a claim that is not there"
    return problem(text, [claims[number - 1] for number in dict.fromkeys(numbers)])


def summary_problem(text: str, claims: Sequence[Claim]) -> str | None:
    """What is wrong with a summary, which cites the claims whose phrases it uses; None: nothing."""
    return problem(text, mentioned(text, claims))


def _with_name(claim: Claim, names: Mapping[str, str]) -> Claim:
    if claim.kind != "overlap":
        return claim
    return replace(claim, subject_label=f"“{names.get(claim.subject, claim.subject)}”")


def _with_overlap(wording: Wording, claims: Sequence[Claim]) -> Wording:
    """The template's sentences on other personas, whose names are known only now."""
    mine = [c for c in claims if c.kind == "overlap" and c.version_id == wording.version_id]
    more = tuple(Sentence(template.sentence(claim), (claim.claim_id,)) for claim in mine)
    return replace(wording, sentences=wording.sentences + more)
