"""What a workspace recovered of a simulated world, and what it missed.

Truth and exports meet on `record_key`; everything is a count in a table of (true, found) pairs, so
that a world of any size is scored in a few passes over columns. Needs only exported tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.simulate.agreement import Agreement, Pairs, agreement, pairs
from ingestion.simulate.holders import Holders, holders
from kg.errors import NotFound
from kg.lake.parquet import read_parquet

if TYPE_CHECKING:
    from kg.lake import Lake

FOUND_F1 = 0.7
"""A planted persona is recovered when a found one matches its events this well."""
PLANTED_EFFECT = 0.08
"""Campaign effects of this size or more count as planted (a share of people)."""
EXPORTS = ("identities", "memberships", "holdings", "personas", "claims")


@dataclass(frozen=True)
class Match:
    """A planted persona and the found one that fits its events best.

    Args:
        persona_id, name: of the found one; empty: nothing overlaps.
        f1: over events.
        people_share: of all people, how many hold the planted one.
    """

    planted: str
    persona_id: str
    name: str
    f1: float
    people_share: float

    @property
    def is_recovered(self) -> bool:
        """Whether the match is good enough to say so."""
        return self.f1 >= FOUND_F1


@dataclass(frozen=True)
class Response:
    """A planted campaign effect, and what the claims say of it.

    Args:
        claimed: `more`, `less`, or empty: no claim of the matching persona speaks of it.
    """

    campaign_id: str
    persona: str
    effect: float
    claimed: str

    @property
    def is_recovered(self) -> bool:
        """Whether a claim says so, in the right direction."""
        return self.claimed == ("more" if self.effect > 0 else "less")


@dataclass(frozen=True)
class Recovered:
    """What was planted, what was recovered and what was missed.

    Args:
        people: with a record that was taken as somebody's; users: what they turned out to be.
        mixed_users: users with records of several people.
        identity: records about a person against people.
        coverage: share of the events that should count which got an intent.
        personas: events of planted intents against planted personas; an event without a found
            persona is in a group of its own kind ("none").
        noise_left_out: share of the events of no persona that were given none.
        holders: by planted persona, of those recovered.
    """

    people: int
    users: int
    mixed_users: int
    identity: Agreement
    coverage: float
    personas: Agreement
    noise_left_out: float
    matches: tuple[Match, ...]
    found_count: int
    responses: tuple[Response, ...]
    holders: Mapping[str, Holders]

    def lines(self) -> list[str]:
        """The report, a sentence per line."""
        good = [match for match in self.matches if match.is_recovered]
        missed = [match for match in self.matches if not match.is_recovered]
        lines = [
            f"People: {self.people:,} true people became {self.users:,} users, "
            f"{self.mixed_users:,} of them mixed up from several people "
            f"(B-cubed precision {self.identity.precision:.3f}, "
            f"recall {self.identity.recall:.3f}).",
            f"Events: {self.coverage:.1%} of those that should count are in an intent; "
            f"{self.noise_left_out:.0%} of the events of no persona were given none.",
            f"Personas: {len(good)} of {len(self.matches)} planted ones recovered by "
            f"{self.found_count} found (events to personas: ARI {self.personas.ari:.2f}).",
        ]
        lines += [
            f"  recovered  {_words(match.planted)}: {match.name or match.persona_id} "
            f"(events F1 {match.f1:.2f}; {_people(self.holders[match.planted])})"
            for match in good
        ]
        lines += [
            f"  missed     {_words(match.planted)} "
            f"(best F1 {match.f1:.2f}, planted in {match.people_share:.0%} of people)"
            for match in missed
        ]
        every = sum(self.holders.values(), Holders())
        if every.found:
            lines.append(
                f"Holders: {every.precision:.0%} of those said to hold a recovered persona do; of "
                f"those who hold it in truth {every.recall:.0%} are found, and "
                f"{every.recall_shown:.0%} of those who showed it at least twice (one visit is no "
                "habit)."
            )
        return lines + self._of_campaigns()

    def _of_campaigns(self) -> list[str]:
        said = [one for one in self.responses if one.is_recovered]
        if not said:
            return []  # claims of this version compare nobody's campaign with its control arm
        return [
            f"Campaigns: {len(said)} of {len(self.responses)} planted effects of "
            f"{PLANTED_EFFECT:.0%} or more are claimed with the right sign."
        ]


def recovered(lake: "Lake", truth: Path) -> Recovered:
    """Compare a workspace with the truth of the world that it was made from.

    Raises:
        NotFound: `truth` is not the truth folder of a simulated world.
    """
    from kg.exports import export_rows

    return score({name: lake.run(export_rows(lake, name)) for name in EXPORTS}, truth)


def score(exports: Mapping[str, pa.Table], truth: Path) -> Recovered:
    """Compare exported tables (identities, memberships, personas, claims) with the truth.

    Raises:
        NotFound: `truth` is not the truth folder of a simulated world.
    """
    if not (truth / "world.json").exists():
        raise NotFound(
            f"There is no simulated truth in {truth}.",
            hint="`personagraph simulate` writes it beside the data.",
        )
    owners = identity_pairs(exports["identities"], truth)
    events = event_table(exports["memberships"], truth)
    is_planted = pc.is_valid(events["persona"])
    planted, noise = events.filter(is_planted), events.filter(pc.invert(is_planted))
    matches = _matches(events, exports["personas"], truth)
    left_out = pc.mean(pc.cast(pc.is_null(noise["persona_id"]), pa.float64())).as_py()
    people_per_user = np.bincount(owners.found, minlength=len(owners.found_names))
    return Recovered(
        people=len(owners.true_names),
        users=len(owners.found_names),
        mixed_users=int((people_per_user > 1).sum()),
        identity=agreement(owners),
        coverage=_coverage(events, truth),
        personas=agreement(pairs(planted["persona"], planted["persona_id"])),
        noise_left_out=1.0 if left_out is None else left_out,
        matches=matches,
        found_count=len(set(events["persona_id"].unique().to_pylist()) - {None}),
        responses=_responses(matches, exports["claims"], truth),
        holders=holders(
            exports["identities"],
            exports["holdings"],
            {match.persona_id: match.planted for match in matches if match.is_recovered},
            truth,
        ),
    )


def identity_pairs(identities: pa.Table, truth: Path) -> Pairs:
    """(person, user) of every record that was taken as somebody's."""
    records = read_parquet(truth / "records.parquet", ["record_key", "person_id"])
    records = records.filter(pc.is_valid(records["person_id"]))
    joined = identities.select(["record_key", "user_id"]).join(
        records, "record_key", join_type="inner"
    )
    return pairs(joined["person_id"], joined["user_id"])


def event_table(memberships: pa.Table, truth: Path) -> pa.Table:
    """Events in an intent with their planted and found persona, null where there is none.

    A row of a source that became several events counts once for each.
    """
    columns = ["record_key", "person_id", "persona", "intent"]
    planted = read_parquet(truth / "events.parquet", columns)
    found = memberships.select(["record_key", "user_id", "persona_id"])
    return found.join(planted, "record_key", join_type="inner")


def _coverage(events: pa.Table, truth: Path) -> float:
    """Of the events that are no duplicate, not broken and not denied, how many are in an intent."""
    expected = read_parquet(truth / "events.parquet", ["record_key", "person_id"])
    people = read_parquet(truth / "people.parquet", ["person_id", "consent_denied"])
    people = people.filter(pc.invert(people["consent_denied"])).select(["person_id"])
    dirt = read_parquet(truth / "dirt.parquet")
    repeats = pc.equal(dirt["dirt"], "re-exported")
    out = dirt.filter(pc.or_(repeats, pc.equal(dirt["expected"], "quarantined")))
    expected = expected.join(people, "person_id", join_type="left semi")
    expected = expected.join(out.select(["record_key"]), "record_key", join_type="left anti")
    if not expected.num_rows:
        return 1.0
    seen = expected.join(events.select(["record_key"]), "record_key", join_type="left semi")
    return float(seen.num_rows / expected.num_rows)


def _matches(events: pa.Table, personas: pa.Table, truth: Path) -> tuple[Match, ...]:
    counted = pairs(events["persona"], events["persona_id"])
    names = dict(zip(*(personas[c].to_pylist() for c in ("persona_id", "name")), strict=True))
    sizes = counted.true_sizes[counted.truth] + counted.found_sizes[counted.found]
    is_real = np.array([name is not None for name in counted.found_names], dtype=bool)
    f1 = np.where(is_real[counted.found], 2 * counted.count / np.maximum(sizes, 1), 0.0)
    facts = read_parquet(truth / "personas.parquet", ["persona", "people_share"])
    shares = dict(zip(*(facts[c].to_pylist() for c in ("persona", "people_share")), strict=True))
    codes = {name: at for at, name in enumerate(counted.true_names)}
    matches = []
    for planted, share in shares.items():
        mine = np.flatnonzero(counted.truth == codes.get(planted, -1))
        best = mine[f1[mine].argmax()] if mine.size else -1
        found = str(counted.found_names[counted.found[best]]) if best >= 0 and f1[best] else ""
        matches.append(
            Match(planted, found, names.get(found) or "", float(f1[best]) if found else 0.0, share)
        )
    return tuple(matches)


def _responses(matches: tuple[Match, ...], claims: pa.Table, truth: Path) -> tuple[Response, ...]:
    """Planted effects on recovered personas, against the claims of kind `response`."""
    said = claims.filter(pc.equal(claims["kind"], "response"))
    columns = (said[name].to_pylist() for name in ("persona_id", "subject", "direction"))
    direction = {(persona, subject): way for persona, subject, way in zip(*columns, strict=True)}
    persona_id = {match.planted: match.persona_id for match in matches if match.is_recovered}
    facts = read_parquet(truth / "campaigns.parquet", ["campaign_id", "persona", "effect"])
    return tuple(
        Response(row["campaign_id"], row["persona"], row["effect"],
                 direction.get((persona_id.get(row["persona"]), row["campaign_id"]), ""))
        for row in facts.to_pylist()
        if abs(row["effect"]) >= PLANTED_EFFECT
    )  # fmt: skip


def _people(one: Holders) -> str:
    return f"{one.right:,} of its {one.found:,} holders rightly, planted in {one.planted:,} people"


def _words(name: str) -> str:
    return name.replace("_", " ")
