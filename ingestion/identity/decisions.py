"""From evidence to decisions: pairs that are probable enough and that no guard forbids are joined.

What is joined becomes judgements like those of identifiers; what a guard holds back, and what is
merely probable, is left to a person (`reviews`).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from ingestion.identity.joining import Cause, Evidence, Guards, join, smallest_labels
from ingestion.identity.judgements import Said
from ingestion.identity.links import BY_DETAILS, KEPT, Codes, Cut, Manual, Statements, distinct
from ingestion.identity.matching import AGAINST, DOUBT, OPERATING_POINT, Found, Pairs, bits_of
from ingestion.identity.people import MATCH, People


@dataclass(frozen=True)
class Decided:
    """What was decided, in the form in which judgements are made of it.

    Attributes:
        people, cut: with every joined pair as a value of the namespace `MATCH`.
        said: how sure those pairs are.
        cause: (e,) what became of each pair of the evidence.
    """

    people: People
    cut: Cut
    said: Said
    cause: Codes


def decide(people: People, cut: Cut, manual: Manual, evidence: Found | None) -> Decided:
    """Join what the evidence makes probable and no guard forbids."""
    none = np.zeros(0, np.int64)
    if evidence is None:
        return Decided(people, cut, Said(none, none.astype(float), pa.array([], pa.string())), none)
    pairs = evidence.pairs
    group = smallest_labels(cut.group)
    members = np.zeros(len(group), np.int64)
    members += np.bincount(group[evidence.compared.record], minlength=len(group))
    owners = cut.owners.after(group)
    guards = Guards(
        owner=owners.only(owners.namespace >= 0).held(len(group)),
        strangers=owners.only(owners.namespace == BY_DETAILS).held(len(group)),
        apart=_apart(manual, group, pairs),
        members=members,
        margin_bits=bits_of(OPERATING_POINT),
    )
    weighed = Evidence(
        pairs.left, pairs.right, pairs.bits, pairs.speaks_for, pairs.bits < bits_of(AGAINST)
    )
    joined = join(group, weighed, guards)
    new = joined.cause == Cause.JOINED
    left, right = pairs.left[new], pairs.right[new]
    key = left * len(group) + right
    order = np.argsort(key, kind="stable")
    said = Said(key[order], pairs.probability[new][order], pairs.only(new).reason.take(order))
    return Decided(
        _with_pairs(people, left, right),
        Cut(
            np.r_[cut.kept, np.ones(2 * len(left), bool)],
            np.r_[cut.because, np.full(2 * len(left), KEPT, np.int64)],
            joined.group,
            cut.owners,
        ),
        said,
        joined.cause,
    )


def _apart(manual: Manual, group: Codes, pairs: Pairs) -> tuple[Codes, Codes]:
    """Records of groups that people say are two: one of each that the pairs are about."""
    about = np.zeros(len(group), bool)
    about[group[pairs.left]] = about[group[pairs.right]] = True
    left, right = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for said in manual.different:
        one, other = (distinct(group[side]) for side in (said.left, said.right))
        one, other = one[about[one]], other[about[other]]
        left.append(np.repeat(one, len(other)))
        right.append(np.tile(other, len(one)))
    return np.concatenate(left), np.concatenate(right)


def torn(people: People, decided: Decided, evidence: Found | None) -> Codes:
    """Records that a shared identifier gave to one person and evidence as much to another.

    A father's old row with the family's telephone, for one: only records without an id of their
    own can be torn, and only between people who cannot be one.
    """
    if evidence is None:
        return np.zeros(0, np.int64)
    pairs, group, said = evidence.pairs, decided.cut.group, people.statements
    best = {}
    for name, rows in (
        ("own", np.flatnonzero(group[pairs.left] == group[pairs.right])),
        ("other", np.flatnonzero(np.isin(decided.cause, (Cause.UNIQUE, Cause.STRANGERS)))),
    ):
        best[name] = np.full(said.record_count, -np.inf)
        for side in (pairs.left, pairs.right):
            np.maximum.at(best[name], side[rows], pairs.bits[rows])
    own = np.zeros(said.record_count, bool)
    own[said.record[people.namespaces.unique[said.namespace[said.value]]]] = True
    margin = bits_of(OPERATING_POINT)
    known = np.isfinite(best["own"]) & np.isfinite(best["other"])
    return np.flatnonzero(~own & known & (best["other"] > best["own"] - margin))


def _with_pairs(people: People, left: Codes, right: Codes) -> People:
    said, count = people.statements, len(people.values)
    value = count + np.arange(len(left))
    code = people.namespace_names.index(MATCH)
    statements = Statements(
        np.r_[said.record, left, right],
        np.r_[said.value, value, value],
        np.r_[said.namespace, np.full(len(left), code, np.int64)],
        said.record_count,
        None if said.alias is None else np.r_[said.alias, value],
    )
    return replace(people, values=pa.nulls(count + len(left), pa.string()), statements=statements)


def evidence_summary(step: Any, evidence: Found | None, cause: Codes) -> dict[str, Any]:
    """What was compared, by which model, and what became of the pairs that were decided about;
    `rows` and `pairs` are all there are."""
    if evidence is None:
        return {}
    pairs, model = evidence.pairs, evidence.model
    counts = {one.name.lower(): int((cause == one).sum()) for one in Cause if one != Cause.OPEN}
    doubtful = (pairs.bits >= bits_of(DOUBT)) & ~pairs.speaks_for
    return {
        "model": model.id,
        "estimated": bool(model.trained_on),
        **{
            name: int(step.lake.run(step.table(table).count().name("n").as_table())["n"][0].as_py())
            for name, table in (("rows", "compared"), ("pairs", "matches"))
        },
        "operating_point": OPERATING_POINT,
        **counts,
        "doubtful": int(doubtful.sum()),
        "conflicts": int(evidence.sharing.conflict.sum()),
    }
