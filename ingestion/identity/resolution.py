"""The step `identity`: from records to users, over the log of judgements.

identifiers ─ junk, role mailboxes, shared ones are blocked ─▶ statements
statements  ─ what would bridge two people is cut ──────────▶ judgements (appended)
judgements  ─ fold ─────────────────────────────────────────▶ users
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.consent import denied_users
from ingestion.identity.decisions import Decided, decide, evidence_summary, torn
from ingestion.identity.facts import received, user_identifiers, user_table, user_traits
from ingestion.identity.judgements import fold, new_judgements, read_log
from ingestion.identity.limits import shipped
from ingestion.identity.links import (
    BY_DETAILS,
    BY_PERSON,
    KEPT,
    Codes,
    Cut,
    Flags,
    Manual,
    Statements,
    contradictory,
    cut,
    distinct,
    fan_out,
)
from ingestion.identity.matching import Found, find
from ingestion.identity.people import RECORD, People, read_people
from ingestion.identity.reviews import reviews
from ingestion.identity.users import Before, name_users

if TYPE_CHECKING:
    from kg.lake import Step


@dataclass(frozen=True)
class IdentityConfig:
    """What a mapping says about people.

    Args:
        consent_default: what holds for people who said nothing.
        namespaces: namespace -> (trust, unique), as the mapping declares them.
        describe: the traits that claims may speak of.
        phone_region: the country of national telephone numbers, e.g. `GB`.
    """

    consent_default: Literal["granted", "denied"] = "granted"
    namespaces: Mapping[str, tuple[int, bool]] = field(default_factory=dict)
    describe: tuple[str, ...] = ()
    phone_region: str | None = None


_WHY = {
    "junk": "these values name nobody (null, test, zeros, placeholders)",
    "role_mailbox": "these mailboxes are read by many people",
    "evidence_only": "this kind of identifier is kept, but nobody is merged on it",
    "shared": "these values were seen with more different people than their limit",
    "contradictory": "these records name two values where a person has one",
}


def resolve(step: "Step", key: bytes, config: IdentityConfig | None = None) -> None:
    """Decide which records are about one person; write users and what is known of them.

    Reads identifiers, records, judgements, consents, profiles, events; writes judgements
    (appended), identities, users, user_aliases, user_identifiers, user_traits, received. The
    summary counts what was blocked and cut, with reasons and without personal values.

    Args:
        step: of the lake.
        key: the workspace's, for the hashes of personal values.
        config: what the mapping says; without it nothing is declared and consent is granted.
    """
    config = config or IdentityConfig()
    limits = shipped().declared(config.namespaces)
    stated = read_people(step, limits)
    blocked = _blocked(stated)
    people = replace(stated, statements=stated.statements.only(~blocked.any_cause))
    log = read_log(step, people)
    evidence = find(step, people)
    people, found, decided = _settled(people, log.people(), evidence)
    judgements, log = new_judgements(decided.people, decided.cut, log, decided.said)
    step.append("judgements", judgements)
    before = Before.read(step)
    group = fold(log, people.statements.record_count)
    users = name_users(people, group, found.kept, _told(evidence), limits, before)

    named = np.flatnonzero(users.user >= 0)
    identities = pa.table(
        {
            "record_key": people.records["record_key"].take(named),
            "user_id": users.ids.take(users.user[named]),
        }
    )
    step.overwrite("identities", identities)
    denied = denied_users(step, people, users, config.consent_default)
    table = user_table(people, users, denied)
    step.overwrite("users", table)
    step.overwrite("user_aliases", users.aliases)
    step.overwrite("user_identifiers", user_identifiers(people, users, found.kept, key))
    step.overwrite("user_traits", user_traits(step, config.describe))
    step.overwrite("received", received(step))
    step.overwrite("reviews", reviews(people, users, evidence, decided.cause))
    step.summary.update(
        people=len(users.ids),
        records=len(named),
        records_without_identifier=len(users.user) - len(named),
        denied=int(denied.sum()),
        new_judgements=len(judgements),
        merged=len(users.aliases),
        blocked=_blocked_summary(stated, blocked),
        cut=_cut_summary(people, found),
        evidence=evidence_summary(evidence, decided.cause),
    )


def _settled(people: People, manual: Manual, evidence: Found | None) -> tuple[People, Cut, Decided]:
    """Identifiers first, then evidence; a record that evidence gives to somebody else as well is
    taken from whom a shared identifier gave it to, and both are done again."""
    strangers = None if evidence is None else evidence.strangers()
    found = cut(people.statements, people.namespaces, manual, strangers)
    decided = decide(people, found, manual, evidence)
    leaving = torn(people, decided, evidence)
    if len(leaving):
        people = replace(people, statements=_without_company(people, leaving))
        found = cut(people.statements, people.namespaces, manual, strangers)
    people, found = _without_lost(people, found, evidence)
    return people, found, decide(people, found, manual, evidence)


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
class _Blocked:
    """Why statements are not used; (n,) bool each."""

    causes: dict[str, Flags]

    @property
    def any_cause(self) -> Flags:
        return np.asarray(np.any(np.stack(list(self.causes.values())), axis=0))


def _blocked(people: People) -> _Blocked:
    said = people.statements
    causes = {
        name: pc.fill_null(pc.equal(people.unusable, name), False).to_numpy(zero_copy_only=False)[
            said.value
        ]
        for name in ("junk", "role_mailbox", "evidence_only")
    }
    real = ~np.any(np.stack(list(causes.values())), axis=0)
    limit = people.namespaces.limit[said.namespace]
    shared = (limit >= 0) & (fan_out(said.only(real), people.namespaces) > limit)
    causes["shared"] = real & shared[said.value]
    causes["contradictory"] = np.zeros(len(real), bool)
    causes["contradictory"][real] = contradictory(said.only(real), people.namespaces)
    return _Blocked(causes)


def _blocked_summary(people: People, blocked: _Blocked) -> list[dict[str, Any]]:
    return [
        {**row, "cause": cause, "why": _WHY[cause]}
        for cause, rows in blocked.causes.items()
        for row in _counts(people, rows)
    ]


_BECAUSE = {
    BY_PERSON: "a person said different",
    BY_DETAILS: "names and dates of birth there are those of different people",
}


def _cut_summary(people: People, found: Cut) -> list[dict[str, Any]]:
    summary = []
    for cause in distinct(found.because[found.because != KEPT]):
        bridged = people.namespace_names[cause] if cause >= 0 else None
        why = _BECAUSE.get(cause) or f"would join different values of {bridged}"
        for row in _counts(people, found.because == cause):
            summary.append({**row, "bridges": bridged, "why": why})
    return summary


def _counts(people: People, rows: Flags) -> list[dict[str, Any]]:
    """Per namespace, how many values and records these statements hold."""
    said = people.statements.only(rows)
    namespace: Codes = said.namespace[said.value]
    return [
        {
            "namespace": people.namespace_names[code],
            "values": len(distinct(said.value[namespace == code])),
            "records": len(distinct(said.record[namespace == code])),
        }
        for code in distinct(namespace)
        if people.namespace_names[code] != RECORD
    ]
