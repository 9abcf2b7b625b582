"""The step `identity`: what was decided, written: judgements, users and what is known of them.

Where only records were added, it decides about the people whom these touch (`touched`) and leaves
the rows of all others as they are; the tables then say what a pass over everybody would say.
"""

from typing import TYPE_CHECKING

import ibis
import numpy as np
import pyarrow as pa

from ingestion.identity.belonging import accounts, households
from ingestion.identity.changes import changes
from ingestion.identity.config import IdentityConfig
from ingestion.identity.consent import denied_users
from ingestion.identity.decisions import evidence_summary
from ingestion.identity.facts import received, user_identifiers, user_table
from ingestion.identity.gathered import gathered
from ingestion.identity.golden import described_traits, golden_traits
from ingestion.identity.matching import keep
from ingestion.identity.newcomers import newcomers
from ingestion.identity.output import Output
from ingestion.identity.reviews import in_order, reviews
from ingestion.identity.scope import Scope
from ingestion.identity.settle import Settled, settle
from ingestion.identity.statements import not_used, of_nobody, statement_table
from ingestion.identity.touched import FOR_NOBODY, rules_of, touched

if TYPE_CHECKING:
    from kg.lake import Step

MOST_LISTED = 200


def resolve(
    step: "Step", key: bytes, config: IdentityConfig | None = None, *, spark_master: str = ""
) -> None:
    """Decide which records are about one person; write users and what is known of them.

    Reads identifiers, person_details, merged_ids, records, judgements, consents, profiles, events;
    writes judgements (appended), statements, identities, users, user_aliases, former_identities,
    user_identifiers, golden_traits, user_traits, received, accounts, households, reviews and what
    was compared. The summary counts what was blocked and cut, with reasons and without personal
    values, and lists who changed since the run before; `settled` of its records were decided about
    anew.

    Args:
        step: of the lake.
        key: the workspace's, for the hashes of personal values.
        config: what the mapping says; without it nothing is declared and consent is granted.
        spark_master: of the Spark that compares; empty: this process does.
    """
    config = config or IdentityConfig()
    narrowed = touched(step, config)
    scope = None
    if narrowed is not None:
        scope, added = narrowed
        added.write(step)
    found = settle(step, config, scope, spark_master)
    step.append("judgements", found.judgements)
    if scope is None and found.evidence is not None:
        keep(step, found.people, found.evidence)
    _write(step, key, config, found, scope)
    blocked, cut = not_used(step, config.limits())
    step.summary.update(
        **_counted(step),
        settled=len(found.stated.records),
        new_judgements=len(found.judgements),
        blocked=blocked,
        cut=cut,
        nobody=of_nobody(step),
        evidence=evidence_summary(step, found.evidence, found.decided.cause),
        gathered=gathered(step, config.limits()),
        newcomers=newcomers(step),
        changes=changes(found.people, found.users, found.before, MOST_LISTED),
        rules=rules_of(config),
    )


def _write(
    step: "Step", key: bytes, config: IdentityConfig, found: Settled, scope: Scope | None
) -> None:
    people, users = found.people, found.users
    out = Output.of(step, scope, users)
    out.records("statements", statement_table(found))
    named = np.flatnonzero(users.user >= 0)
    identities = pa.table(
        {
            "record_key": people.records["record_key"].take(named),
            "user_id": users.ids.take(users.user[named]),
        }
    )
    out.records("identities", identities)
    names = ~found.blocked.any_of(FOR_NOBODY)
    denied = denied_users(out.source, found.stated, names, users, config)
    out.users("users", user_table(people, users, denied), ["user_id"])
    out.users("user_aliases", users.aliases, ["alias_id"])
    out.records("former_identities", users.former)
    called = user_identifiers(people, users, found.cut.kept, (key, config.limits()))
    out.users("user_identifiers", called, [])
    golden = out.users("golden_traits", golden_traits(out.source, config), ["user_id", "name"])
    out.users("user_traits", described_traits(golden, config.describe), ["user_id", "name"])
    out.users("received", received(out.source), ["user_id", "campaign_id", "at_ms", "arm"])
    out.places("account", *accounts(step, key, scope))
    out.places("household", *households(step, key, scope))
    out.pairs("reviews", reviews(people, users, found.evidence, found.decided.cause), in_order)


def _counted(step: "Step") -> dict[str, int]:
    """How many there are of everything."""
    users, ids = step.table("users"), step.table("identities")
    stated = step.table("statements").select("record_key").distinct()
    lost = stated.anti_join(ids, "record_key")
    counts = {
        "people": users.count(),
        "records": ids.count(),
        "records_without_identifier": lost.count(),
        "denied": users.filter(users.consent_denied).count(),
        "merged": step.table("user_aliases").count(),
        "reviews": step.table("reviews").count(),
        "accounts": step.table("accounts").count(),
        "households": step.table("households").count(),
    }
    rows = ibis.union(
        *(n.name("n").as_table().mutate(what=ibis.literal(name)) for name, n in counts.items())
    )
    return {row["what"]: int(row["n"]) for row in step.lake.run(rows).to_pylist()}
