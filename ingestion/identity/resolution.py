"""The step `identity`: what was decided, written: judgements, users and what is known of them."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ingestion.identity.belonging import accounts, households
from ingestion.identity.changes import changes
from ingestion.identity.consent import denied_users
from ingestion.identity.decisions import evidence_summary
from ingestion.identity.facts import received, user_identifiers, user_table
from ingestion.identity.gathered import gathered
from ingestion.identity.golden import described_traits, golden_traits
from ingestion.identity.links import BY_DETAILS, BY_PERSON, KEPT, Codes, Cut, Flags, distinct
from ingestion.identity.matching import keep
from ingestion.identity.people import RECORD, People
from ingestion.identity.reviews import reviews
from ingestion.identity.settle import Blocked, IdentityConfig, settle

if TYPE_CHECKING:
    from kg.lake import Step

MOST_LISTED = 200

_WHY = {
    "junk": "these values name nobody (null, test, zeros, placeholders)",
    "role_mailbox": "these mailboxes are read by many people",
    "evidence_only": "this kind of identifier is kept, but nobody is merged on it",
    "shared": "these values were seen with more different people than their limit",
    "contradictory": "these records name two values where a person has one",
}


def resolve(
    step: "Step", key: bytes, config: IdentityConfig | None = None, *, spark_master: str = ""
) -> None:
    """Decide which records are about one person; write users and what is known of them.

    Reads identifiers, person_details, merged_ids, records, judgements, consents, profiles, events;
    writes judgements (appended), identities, users, user_aliases, user_identifiers, golden_traits,
    user_traits, received, accounts, households, reviews and what was compared. The summary counts
    what was blocked and cut, with reasons and without personal values, and lists who changed since
    the run before.

    Args:
        step: of the lake.
        key: the workspace's, for the hashes of personal values.
        config: what the mapping says; without it nothing is declared and consent is granted.
        spark_master: of the Spark that compares; empty: this process does.
    """
    config = config or IdentityConfig()
    found = settle(step, config, spark_master)
    people, users = found.people, found.users
    step.append("judgements", found.judgements)
    if found.evidence is not None:
        keep(step, people, found.evidence)
    named = np.flatnonzero(users.user >= 0)
    identities = pa.table(
        {
            "record_key": people.records["record_key"].take(named),
            "user_id": users.ids.take(users.user[named]),
        }
    )
    step.overwrite("identities", identities)
    denied = denied_users(step, people, users, config.consent_default)
    step.overwrite("users", user_table(people, users, denied))
    step.overwrite("user_aliases", users.aliases)
    step.overwrite("user_identifiers", user_identifiers(people, users, found.cut.kept, key))
    step.overwrite("golden_traits", golden_traits(step, people, found.cut.kept, config))
    step.overwrite("user_traits", described_traits(step, config.describe))
    step.overwrite("received", received(step))
    companies, homes = _belonging(step, key)
    waiting = reviews(people, users, found.evidence, found.decided.cause)
    step.overwrite("reviews", waiting)
    step.summary.update(
        people=len(users.ids),
        records=len(named),
        records_without_identifier=len(users.user) - len(named),
        denied=int(denied.sum()),
        new_judgements=len(found.judgements),
        merged=len(users.aliases),
        blocked=_blocked_summary(found.stated, found.blocked),
        cut=_cut_summary(people, found.cut),
        evidence=evidence_summary(found.evidence, found.decided.cause),
        reviews=len(waiting),
        accounts=companies,
        households=homes,
        gathered=gathered(people, users, config.limits()),
        changes=changes(people, users, found.before, MOST_LISTED),
    )


def _belonging(step: "Step", key: bytes) -> tuple[int, int]:
    """Write accounts and households, and who is of them; how many there are."""
    companies, members = accounts(step, key)
    step.overwrite("accounts", companies)
    step.overwrite("account_members", members)
    homes, living = households(step, key)
    step.overwrite("households", homes)
    step.overwrite("household_members", living.drop_columns(["role"]))
    return len(companies), len(homes)


def _blocked_summary(people: People, blocked: Blocked) -> list[dict[str, Any]]:
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
