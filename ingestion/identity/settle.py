"""Who is one person, decided from everything the lake says; a pure function of it.

identifiers ─ junk, role mailboxes, shared ones are blocked ─▶ statements
statements  ─ what would bridge two people is cut ──────────▶ groups
evidence    ─ what no guard forbids is joined ──────────────▶ judgements
judgements  ─ fold ─────────────────────────────────────────▶ users
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.config import IdentityConfig
from ingestion.identity.decisions import Decided, decide, torn
from ingestion.identity.judgements import fold, new_judgements, read_log, read_verdicts
from ingestion.identity.limits import Limits, Rules
from ingestion.identity.links import (
    BY_PERSON,
    Codes,
    Cut,
    Flags,
    Manual,
    Sides,
    Statements,
    contradictory,
    cut,
    fan_out,
    people_behind,
)
from ingestion.identity.matching import Found, find
from ingestion.identity.merged import Alone, as_one, standing
from ingestion.identity.names import initials
from ingestion.identity.people import People, read_people
from ingestion.identity.recalled import recall
from ingestion.identity.scope import Scope
from ingestion.identity.users import Before, Users, name_users, taken_in
from kg.errors import NotFound


def refuse_unresolved(lake: Any) -> None:
    """Of a workspace in which people were not resolved yet nothing can be told of them.

    Raises:
        NotFound: it is such a one; the hint says whether a run is under way.
    """
    if not lake.summary("ingest") or lake.step_id("identity") is None:
        name = lake.workspace.name
        raise NotFound(f"Nobody was resolved in {name} yet.", hint=lake.run_hint())


def configured(lake: Any, rules: Rules) -> IdentityConfig:
    """The configuration of a workspace: what its mapping declared when it was read, and `rules`.

    Raises:
        NotFound: people were not resolved in it yet.
    """
    refuse_unresolved(lake)
    said = lake.summary("ingest")
    return IdentityConfig(
        consent_default=said["consent"]["default"],
        namespaces={n: (row["trust"], row["unique"]) for n, row in said["namespaces"].items()},
        describe=tuple(said["describe"]),
        phone_region=said.get("phone_region"),
        rules=rules,
    )


@dataclass(frozen=True)
class Settled:
    """What was decided, before anything of it is written.

    Attributes:
        stated: with every statement; people: with those that are used.
        blocked: why the others are not.
        cut, decided: what joins.
        evidence: what was compared, if anything says who it is about.
        judgements: the rows that the log needs.
        users: who each record is about.
        before: the users of the run before.
    """

    stated: People
    people: People
    blocked: "Blocked"
    cut: Cut
    decided: Decided
    evidence: Found | None
    judgements: pa.Table
    users: Users
    before: Before


def settle(
    step: Any, config: IdentityConfig, scope: Scope | None = None, spark_master: str = ""
) -> Settled:
    """Decide which records are about one person; writes nothing.

    Args:
        step: of the lake, or a `Reader` of one.
        config: what the mapping says.
        scope: whom to decide about; None: everybody.
        spark_master: of the Spark that compares everybody; empty: this process does. It decides
            nothing.
    """
    limits = config.limits()
    source = step if scope is None else scope.part
    stated, blocked, people = used(source, limits, None if scope is None else scope.shared)
    log = read_log(source, people)
    evidence = find(step, people, spark_master) if scope is None else recall(source, people)
    said = read_verdicts(source, people)
    people, found, decided, manual = _settled(people, said, evidence)
    judgements, log = new_judgements(decided.people, decided.cut, log, decided.said)
    before = Before.read(source)
    group = fold(log, manual.same, people.statements.record_count)
    taken = taken_in(step)
    users = name_users(people, group, found.kept, _told(evidence), limits, before, taken)
    return Settled(stated, people, blocked, found, decided, evidence, judgements, users, before)


def used(
    source: Any, limits: Limits, shared: pa.Table | None = None
) -> tuple[People, "Blocked", People]:
    """What the records say, why some of it is not used, and what is.

    Args:
        source: what to read.
        limits: what each namespace may decide.
        shared: (namespace, value) that too many share, whatever these records say.
    """
    stated = read_people(source, limits)
    blocked = blocks(stated, initials(source, stated), shared)
    people = replace(stated, statements=stated.statements.only(~blocked.any_cause))
    return stated, blocked, people


def _settled(
    people: People, said: tuple[Sides, ...], evidence: Found | None
) -> tuple[People, Cut, Decided, Manual]:
    """Identifiers first, then evidence; a record that evidence gives to somebody else as well is
    taken from whom a shared identifier gave it to, and both are done again. Whom people join is
    joined then, whole. Of what people said the last is what no later verdict contradicts."""
    manual = Manual(said)
    strangers = None if evidence is None else evidence.strangers()
    apart = manual.different_only
    found = cut(people.statements, people.namespaces, apart, strangers)
    decided = decide(people, found, apart, evidence)
    leaving = torn(people, decided, evidence)
    if len(leaving):
        people = replace(people, statements=_without_company(people, leaving))
        found = cut(people.statements, people.namespaces, apart, strangers)
    if any(one.same for one in said):
        alone = Alone(people, found, decide(people, found, apart, evidence).cut.group)
        manual = standing(said, alone.group)
        people, strangers, start = as_one(alone, strangers, manual)
        found = cut(people.statements, people.namespaces, manual, strangers, start)
    people, found = _without_lost(people, found, evidence)
    return people, found, decide(people, found, manual, evidence), manual


def _told(evidence: Found | None) -> Codes:
    """The records that say who they are about."""
    if evidence is None:
        return np.zeros(0, np.int64)
    return np.concatenate([evidence.compared.record, evidence.compared.follower])


def _without_company(people: People, leaving: Codes) -> Statements:
    """The statements, less those of the records that leave on values that others name too."""
    said = people.statements
    count = np.bincount(said.value, minlength=len(said.namespace))
    return said.only(~(np.isin(said.record, leaving) & (count[said.value] > 1)))


def _without_lost(people: People, found: Cut, evidence: Found | None) -> tuple[People, Cut]:
    """Records that name nothing but what two people share, and say no more, are nobody's."""
    said = people.statements
    lost = ~found.kept & (found.because != BY_PERSON)
    somebody = np.zeros(said.record_count, bool)
    somebody[said.record[~lost]] = True
    somebody[_told(evidence)] = True
    keep = ~lost | somebody[said.record]
    return (
        replace(people, statements=said.only(keep)),
        replace(found, kept=found.kept[keep], because=found.because[keep]),
    )


@dataclass(frozen=True)
class Blocked:
    """Why statements are not used; (n,) bool each."""

    causes: dict[str, Flags]

    @property
    def any_cause(self) -> Flags:
        """Whether a statement is not used at all."""
        return self.any_of(self.causes)

    def any_of(self, names: Iterable[str]) -> Flags:
        """Whether a statement is not used for one of these causes."""
        return np.asarray(np.any(np.stack([self.causes[name] for name in names]), axis=0))


def blocks(people: People, named: Codes, known: pa.Table | None = None) -> Blocked:
    """Which statements must not join, and why.

    Args:
        people: with all they say.
        named: (records,) whom each record names, as `initials` tell them apart.
        known: values (namespace, value) that are shared, whoever names them.
    """
    said = people.statements
    causes = {
        name: pc.fill_null(pc.equal(people.unusable, name), False).to_numpy(zero_copy_only=False)[
            said.value
        ]
        for name in ("junk", "role_mailbox", "evidence_only")
    }
    real = ~np.any(np.stack(list(causes.values())), axis=0)
    limit = people.namespaces.limit[said.namespace]
    usable = said.only(real)
    stronger, crowded = fan_out(usable, people.namespaces)
    seen_with = np.maximum(stronger, people_behind(usable, named))
    shared = crowded | ((limit >= 0) & (seen_with > limit))
    if known is not None:
        shared |= _among(people, known)
    causes["shared"] = real & shared[said.value]
    causes["contradictory"] = np.zeros(len(real), bool)
    causes["contradictory"][real] = contradictory(usable, people.namespaces)
    return Blocked(causes)


def _among(people: People, known: pa.Table) -> Flags:
    """Which values are among these (namespace, value)."""
    found = np.zeros(len(people.values), bool)
    for code, name in enumerate(people.namespace_names):
        mine = known["value"].filter(pc.equal(known["namespace"], name))
        first, last = np.searchsorted(people.statements.namespace, [code, code + 1])
        if len(mine) and last > first:
            asked = people.values.slice(first, last - first)
            found[first:last] = pc.is_in(asked, mine.combine_chunks()).to_numpy(
                zero_copy_only=False
            )
    return found
