"""Who lives in the world: people with personas, names, identifiers, times and deliberate mix-ups.

People are made in chunks of `CHUNK`, each from its own random stream, so a world of any size is
made in constant memory and its first chunks are the same whatever its size.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ingestion.simulate import names, world

CHUNK = 1_000
MAX_DEVICES = 4
PHONES_PER_CHUNK = 750  # 75 % of CHUNK; numbers beyond 75,000 are for switchboards
_PERSONAS = len(world.PERSONAS)
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass
class People:
    """One chunk of people, as columns.

    Shapes:
        (n,) everything but weights (n, personas), device_id (n, MAX_DEVICES).
        trouble_* (m,): things that happened to people `trouble_person`, in no order.
    """

    id: Ints
    weights: Floats
    joined_ms: Ints
    left_ms: Ints
    left_cause: list[str]
    visits_mean: Floats
    known: Flags
    in_crm: Flags
    plan: Ints
    region: Ints
    age: Ints
    denied: Flags
    device_count: Ints
    has_app: Flags
    trouble_person: Ints
    trouble_cause: Ints
    trouble_ms: Ints
    first: list[str]
    last: list[str]
    email: list[str]
    crm_email: list[str]
    phone: list[str]
    street: list[str]
    city: list[tuple[str, str]]
    user_id: list[str]
    customer_no: list[str]
    contact_id: list[str]
    device_id: list[list[str]]
    dirt: dict[int, list[str]] = field(default_factory=dict)
    """Person (place in the chunk) -> what is deliberately mixed up about them."""
    dirty_device: dict[tuple[int, int], str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.id)

    def all_alike(self) -> "People":
        """The same people, each with everyone's mean mix of personas."""
        mean = np.repeat(self.weights.mean(axis=0, keepdims=True), len(self), axis=0)
        return replace(self, weights=mean)

    def mark(self, person: int, what: str) -> None:
        """Note a deliberate mix-up of a person."""
        self.dirt.setdefault(person, []).append(what)


def make_people(rng: np.random.Generator, start: int, count: int) -> People:
    """People `start` to `start + count` of the world."""
    weights = _weights(rng, count)
    known = rng.random(count) < world.COVERAGE.known
    joined, left, cause, trouble = _lifetimes(rng, known, weights)
    devices = np.where(known, np.minimum(1 + rng.poisson(0.7, count), MAX_DEVICES), 1)
    share = (left - joined) / (world.END_MS - world.START_MS)
    visits = world.VISITS_MEDIAN * np.exp(rng.normal(0, world.VISITS_SIGMA, count))
    ids = np.arange(start, start + count)
    first, last = names.first_names(rng, count), names.last_names(rng, count)
    people = People(
        id=ids, weights=weights, joined_ms=joined, left_ms=left, left_cause=cause,
        visits_mean=np.maximum(visits * share, 1.0),
        known=known, in_crm=known & (rng.random(count) < world.COVERAGE.in_crm),
        plan=_plans(rng, weights),
        region=rng.integers(0, len(world.REGIONS), count),
        age=rng.integers(0, len(world.AGE_BANDS), count),
        denied=known & (rng.random(count) < world.COVERAGE.consent_denied),
        device_count=devices,
        has_app=(devices > 1) & (rng.random(count) < world.COVERAGE.has_app),
        trouble_person=trouble[0], trouble_cause=trouble[1], trouble_ms=trouble[2],
        first=first, last=last,
        email=[names.email(f, x, i, d) for f, x, i, d in
               zip(first, last, ids.tolist(), rng.integers(0, 4, count).tolist(), strict=True)],
        crm_email=[], phone=_phones(rng, start, count),
        street=names.streets(rng, count),
        city=[names.city(at) for at in rng.integers(0, 900, count).tolist()],
        user_id=[f"usr-{i * 69621 % 2147483647:08x}" for i in (ids + 1).tolist()],
        customer_no=[f"C{i * 48271 % 8999993 + 1000000}" for i in (ids + 1).tolist()],
        contact_id=[_contact_id(at) for at in ids.tolist()], device_id=_device_ids(rng, count),
    )  # fmt: skip
    people.crm_email = list(people.email)
    _mix_up(rng, people)
    return people


def _contact_id(person: int) -> str:
    """15 letters and digits, as a CRM would give them."""
    serial = names.base36((person * 7368787 + 15485863) % 36**9)
    return f"003{serial:0>9}{names.base36(person % 1296):0>3}".upper()


def _device_ids(rng: np.random.Generator, count: int) -> list[list[str]]:
    draws = rng.integers(0, 2**63, (count, MAX_DEVICES, 2), dtype=np.uint64)
    return [[f"{a:016x}{b >> 32:08x}" for a, b in row] for row in draws.tolist()]


def _weights(rng: np.random.Generator, count: int) -> Floats:
    """Persona weights, (count, personas); one to three are positive in a row."""
    held = 1 + rng.choice(3, count, p=world.HELD_COUNT_SHARES)
    shares = np.array([persona.share for persona in world.PERSONAS])
    # Gumbel keys draw without replacement in proportion to the shares; the rare one has no share.
    with np.errstate(divide="ignore"):
        keys = np.log(shares) + rng.gumbel(size=(count, _PERSONAS))
    keys[rng.random(count) < world.RARE_SHARE, world.RARE] = np.inf
    lower = np.argmin(keys[:, list(world.PAIR)], axis=1)
    keys[np.arange(count), np.asarray(world.PAIR)[lower]] = -np.inf  # nobody holds both
    rank = np.argsort(np.argsort(-keys, axis=1, kind="stable"), axis=1, kind="stable")
    parts = rng.gamma(world.DIRICHLET_ALPHA, size=(count, _PERSONAS)) * (rank < held[:, None])
    weights: Floats = parts / parts.sum(axis=1, keepdims=True)
    return weights


def _lifetimes(
    rng: np.random.Generator, known: Flags, weights: Floats
) -> tuple[Ints, Ints, list[str], tuple[Ints, Ints, Ints]]:
    """When people came and left, why, and every trouble they had (also those who stayed)."""
    history, count = world.END_MS - world.START_MS, len(weights)
    came = rng.random(count) < 0.40
    joined = world.START_MS + np.where(came, rng.random(count) * 0.88 * history, 0).astype(np.int64)
    base = rng.exponential(30 / world.CHURN_BASE_MONTHLY, count) * world.DAY_MS
    left = joined + np.maximum(base, 3 * world.DAY_MS).astype(np.int64)
    cause = np.full(count, -1)
    quiet = weights[:, world.PERSONA_NAMES.index("bargain_restocker")]
    people, causes, times = [], [], []
    for number, trouble in enumerate(world.CHURN_CAUSES):
        rate = trouble.rate * (1 - quiet if trouble.name == "unresolved_ticket" else 1)
        rate = rate * known * (world.END_MS - joined) / history
        who = np.repeat(np.arange(count), rng.poisson(rate))
        when = joined[who] + (rng.random(who.size) * (world.END_MS - joined[who])).astype(np.int64)
        leaves = rng.random(who.size) < trouble.leave_share
        wait = rng.uniform(*world.LEAVE_AFTER_DAYS, who.size) * world.DAY_MS
        gone = np.where(leaves, when + wait.astype(np.int64), np.iinfo(np.int64).max)
        for person, at in zip(who.tolist(), gone.tolist(), strict=True):
            if at < left[person]:
                left[person], cause[person] = at, number
        people.append(who)
        causes.append(np.full(who.size, number))
        times.append(when)
    left = np.maximum(left, joined + 2 * world.DAY_MS)
    stayed = left >= world.END_MS
    left = np.where(stayed, world.END_MS, left)
    named = [
        "" if stay else ("none recorded" if at < 0 else world.CHURN_CAUSES[at].name)
        for stay, at in zip(stayed.tolist(), cause.tolist(), strict=True)
    ]
    who, which, when = (np.concatenate(parts) for parts in (people, causes, times))
    happened = when < left[who] - world.DAY_MS
    return joined, left, named, (who[happened], which[happened], when[happened])


def _plans(rng: np.random.Generator, weights: Floats) -> Ints:
    plan: Ints = rng.choice(len(world.PLANS), len(weights), p=world.PLAN_SHARES).astype(np.int64)
    bulk = weights.argmax(axis=1) == world.PERSONA_NAMES.index("bulk_buyer")
    team = bulk & (rng.random(len(weights)) < world.TEAM_SHARE_OF_BULK_BUYERS)
    plan[team] = world.PLANS.index("team")
    return plan


def _phones(rng: np.random.Generator, start: int, count: int) -> list[str]:
    """Every person's own number, or nothing; no two people share one here."""
    place = rng.permutation(count)
    first = start // CHUNK * PHONES_PER_CHUNK
    limit = int(count * world.COVERAGE.has_phone)
    return [names.phone(first + at) if at < limit else "" for at in place.tolist()]


def _mix_up(rng: np.random.Generator, people: People) -> None:
    """Family pairs, company switchboards, recycled numbers: traps for whoever merges people."""
    share = len(people) / CHUNK
    order = [int(at) for at in rng.permutation(np.flatnonzero(people.in_crm & ~people.denied))]

    def several(per_chunk: int) -> int:
        return max(1, round(per_chunk * share)) if len(order) >= 60 else 0

    for pair in range(several(world.DIRT.family_pairs)):
        _make_family(people, order.pop(), order.pop(), same_email=pair % 3 != 0)
    for number in range(several(world.DIRT.companies)):
        company = int(people.id[0]) // CHUNK * world.DIRT.companies + number
        _make_company(people, [order.pop() for _ in range(5)], company)
    for _ in range(several(world.DIRT.recycled_phones)):
        _recycle(people, order.pop(), order.pop(), "recycled phone")
    early = [at for at in order if people.left_ms[at] < world.START_MS + 240 * world.DAY_MS]
    late = [at for at in order if people.joined_ms[at] > world.START_MS + 245 * world.DAY_MS]
    for number in range(several(world.DIRT.recycled_numbers) + several(world.DIRT.resold_devices)):
        if early and late:
            what = "recycled customer number" if number % 2 == 0 else "resold device"
            _recycle(people, early.pop(), late.pop(), what)


def _make_family(people: People, father: int, son: int, *, same_email: bool) -> None:
    for of in (people.first, people.last, people.street):
        of[son] = of[father]
    people.city[son] = people.city[father]
    people.phone[father] = people.phone[son] = people.phone[father] or people.phone[son]
    people.age[father], people.age[son] = 3, 0
    if same_email:
        people.crm_email[son] = people.crm_email[father]
    for person in (father, son):
        people.mark(person, "father and son" + (", one e-mail" if same_email else ""))


def _make_company(people: People, staff: list[int], company: int) -> None:
    domain = f"{people.last[staff[0]].translate(names.ASCII).lower()}-{names.base36(company)}.test"
    for place, person in enumerate(staff):
        people.phone[person] = names.phone(75_000 + company)
        people.mark(person, "switchboard")
        if place < 3:
            people.crm_email[person] = f"info@{domain}"
            people.mark(person, "role mailbox")


def _recycle(people: People, earlier: int, later: int, what: str) -> None:
    """Something that named the earlier person names the later one afterwards."""
    if what == "recycled phone":
        people.phone[later] = people.phone[earlier] = people.phone[earlier] or people.phone[later]
    elif what == "recycled customer number":
        people.customer_no[later] = people.customer_no[earlier]
    else:
        people.device_id[later][0] = people.device_id[earlier][0]
        people.dirty_device[earlier, 0] = people.dirty_device[later, 0] = what
    people.mark(earlier, what)
    people.mark(later, what)
