"""What people do: visits, intents of planted personas (and of none), and the events they leave.

People -> visits -> intents -> events, each step a repeat of the one before, in columns. An intent
belongs to one persona or to none; all its events do. Support, survey and store intents happen apart
from the visit that they were drawn for.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestion.simulate import world
from ingestion.simulate.catalogue import Catalogue
from ingestion.simulate.people import Flags, Floats, Ints, People

NOBODY = -1  # the persona of noise
VERB = {verb: at for at, verb in enumerate(world.VERBS)}
CHANNEL = {channel: at for at, channel in enumerate(world.CHANNELS)}
TOPIC = {topic: at for at, topic in enumerate(world.TOPICS)}
TIER = {tier: at for at, tier in enumerate(world.TIERS)}

# What an event is in its source; the verb of its intent and its place decide (see `_codes`).
CODES = (
    "page", "category_page", "guide", "search", "list", "view", "compare", "wish", "add", "use",
    "redeem", "quote", "return", "line", "ticket", "answer", "identify", "group", "offer",
    "delayed",
)  # fmt: skip
CODE = {code: at for at, code in enumerate(CODES)}


@dataclass
class Intents:
    """Planted intents of a chunk, ordered by visit and place in it.

    Shapes:
        all (n,). `persona` is NOBODY for noise; `visit` numbers stretches of time on one device.
    """

    person: Ints
    visit: Ints
    persona: Ints
    verb: Ints
    topic: Ints
    channel: Ints
    tier: Ints
    size: Floats
    start_ms: Ints  # of the visit
    app: Flags
    campaign: Ints  # of a response; else -1

    def __len__(self) -> int:
        return len(self.person)

    def take(self, index: Ints) -> "Intents":
        """The intents at these places."""
        return Intents(**{name: column[index] for name, column in vars(self).items()})


@dataclass
class Events:
    """Events of a chunk, ordered by visit and time.

    Shapes:
        all (n,). `intent` is a place in Intents; item -1: none; `lead_ms` belongs to the visit.
    """

    intent: Ints
    code: Ints
    ms: Ints
    item: Ints
    quantity: Ints

    def __len__(self) -> int:
        return len(self.intent)

    def take(self, index: Ints) -> "Events":
        """The events at these places."""
        return Events(**{name: column[index] for name, column in vars(self).items()})


def _kind_table() -> dict[str, NDArray[np.float64]]:
    rows = [
        (
            p,
            VERB[k.verb],
            TOPIC[k.topic],
            CHANNEL[k.channel],
            TIER[k.tier],
            k.step,
            k.size,
            k.weight,
        )
        for p, persona in enumerate(world.PERSONAS)
        for k in persona.kinds
    ]
    names = ("persona", "verb", "topic", "channel", "tier", "step", "size", "weight")
    return dict(zip(names, np.array(rows, dtype=float).T, strict=True))


_KINDS = _kind_table()
_DATES = np.datetime64(world.STARTS_ON) + np.arange(world.DAYS)
_WEEKDAY = (_DATES.astype("datetime64[D]").astype(np.int64) + 3) % 7
_MONTH = _DATES.astype("datetime64[M]").astype(np.int64) % 12


def _day_cdf() -> NDArray[np.float64]:
    """(personas, days + 1): cumulative weight of days, starting with 0."""
    rows = [np.array(p.weekdays)[_WEEKDAY] * np.array(p.months)[_MONTH] for p in world.PERSONAS]
    return np.cumsum(np.pad(np.array(rows), ((0, 0), (1, 0))), axis=1)


_DAY_CDF = _day_cdf()


def make_intents(rng: np.random.Generator, people: People, *, planted: bool = True) -> Intents:
    """Every planted intent of these people, noise included.

    Without `planted` it is the control: as many intents of the same kinds, but drawn from
    everyone's mix whoever the person is, so nothing recurs in anybody beyond chance; all are noise.
    """
    if not planted:
        people = people.all_alike()
    person = np.repeat(np.arange(len(people)), rng.poisson(people.visits_mean))
    main = _draw(rng, people.weights[person])
    start = _start_ms(rng, people, person, main)
    app = people.has_app[person] & (rng.random(person.size) < _column("app_share")[main])
    count = 1 + rng.choice(4, person.size, p=world.INTENTS_PER_VISIT)
    visit = np.repeat(np.arange(person.size), count)
    stray = rng.random(visit.size) < world.STRAY_SHARE
    persona = np.where(stray, _draw(rng, people.weights[person[visit]]), main[visit])
    if not planted:
        persona = _draw(rng, people.weights[person[visit]])
    noise = rng.random(visit.size) < world.NOISE_SHARE
    kind = _kinds(rng, persona)
    drawn = {
        name: _KINDS[name][kind].astype(np.int64)
        for name in ("verb", "topic", "channel", "tier", "step")
    }
    _make_noise(rng, drawn, noise)
    intents = Intents(
        person=person[visit], visit=visit, persona=np.where(noise | (not planted), NOBODY, persona),
        verb=drawn["verb"], topic=drawn["topic"], channel=drawn["channel"], tier=drawn["tier"],
        size=np.where(noise, 1.0, _KINDS["size"][kind]), start_ms=start[visit], app=app[visit],
        campaign=np.full(visit.size, -1),
    )  # fmt: skip
    in_order = _column("in_order")[main[visit]].astype(bool) & (intents.persona == main[visit])
    rank = np.where(
        in_order, drawn["step"] + rng.random(visit.size) * 0.5, rng.uniform(0, 4, visit.size)
    )
    intents = intents.take(np.lexsort((rank, intents.start_ms, visit)))
    return _apart(rng, people, intents)


def _column(name: str) -> NDArray[np.float64]:
    return np.array([getattr(persona, name) for persona in world.PERSONAS], dtype=float)


def _draw(rng: np.random.Generator, weights: Floats) -> Ints:
    cumulative = np.cumsum(weights, axis=1)
    at: Ints = (cumulative < rng.random(len(weights))[:, None] * cumulative[:, -1:]).sum(axis=1)
    return at


def _start_ms(rng: np.random.Generator, people: People, person: Ints, main: Ints) -> Ints:
    """When visits begin: day by season and weekday of the persona, hour by its habit."""
    first = (people.joined_ms[person] - world.START_MS) // world.DAY_MS
    last = np.maximum((people.left_ms[person] - world.START_MS) // world.DAY_MS - 2, first + 1)
    last = np.minimum(last, world.DAYS - 2)
    day = np.empty(person.size, dtype=np.int64)
    for at, cumulative in enumerate(_DAY_CDF):
        mine = main == at
        low, high = cumulative[first[mine]], cumulative[last[mine]]
        draw = low + rng.random(low.size) * np.maximum(high - low, 1e-9)
        day[mine] = np.searchsorted(cumulative, draw, side="right") - 1
    day = np.clip(day, 0, world.DAYS - 2)
    hour = rng.normal(_column("hour")[main], _column("hour_spread")[main])
    millis = np.round(np.clip(hour, 0.1, 27.0) * 3_600_000).astype(np.int64)
    return world.START_MS + day * world.DAY_MS + millis


def _kinds(rng: np.random.Generator, persona: Ints) -> Ints:
    kind = np.empty(persona.size, dtype=np.int64)
    for at in range(len(world.PERSONAS)):
        mine = persona == at
        rows = np.flatnonzero(_KINDS["persona"] == at)
        shares = _KINDS["weight"][rows]
        kind[mine] = rng.choice(rows, mine.sum(), p=shares / shares.sum())
    return kind


def _make_noise(rng: np.random.Generator, drawn: dict[str, Ints], noise: Flags) -> None:
    """Overwrite the noise places: topic by popularity, verb and price level at random."""
    count = int(noise.sum())
    popularity = 1 / np.arange(2, len(world.CATEGORIES) + 2) ** 0.7
    verbs = [VERB[verb] for verb in world.NOISE_VERBS]
    drawn["topic"][noise] = rng.choice(
        np.random.default_rng(7).permutation(len(world.CATEGORIES)),
        count,
        p=popularity / popularity.sum(),
    )
    drawn["verb"][noise] = rng.choice(verbs, count, p=list(world.NOISE_VERBS.values()))
    bought = drawn["verb"][noise] == VERB["buy"]
    drawn["channel"][noise] = np.where(
        bought & (rng.random(count) < 0.5), CHANNEL["store"], CHANNEL["visit"]
    )
    drawn["tier"][noise] = rng.integers(1, 4, count)


def _apart(rng: np.random.Generator, people: People, intents: Intents) -> Intents:
    """Give store, support and survey intents a time (and a visit number) of their own.

    Strangers write no tickets and answer no surveys.
    """
    day = intents.start_ms - intents.start_ms % world.DAY_MS
    hour = (intents.start_ms - day) / 3_600_000 + rng.normal(0.5, 0.7, len(intents))
    opening = day + (np.clip(hour, 8.2, 19.5) * 3_600_000).astype(np.int64)
    delay = (rng.uniform(0.2, 9, len(intents)) * 3_600_000).astype(np.int64)
    for channel, start in (("store", opening), ("support", intents.start_ms + delay),
                           ("survey", intents.start_ms + 2 * delay)):  # fmt: skip
        there = intents.channel == CHANNEL[channel]
        intents.start_ms = np.where(there, start, intents.start_ms)
        own = intents.visit.max(initial=0) + 1 + np.arange(int(there.sum()))
        intents.visit[there] = own
        intents.app[there] = False
    intents.start_ms = np.minimum(intents.start_ms, world.END_MS - 2 * 3_600_000)
    reachable = people.known[intents.person] | (intents.channel < CHANNEL["support"])
    order = np.argsort(intents.visit, kind="stable")
    return intents.take(order[reachable[order]])


def make_responses(
    rng: np.random.Generator, people: People, campaign: int, sent: tuple[Ints, Flags]
) -> tuple[Intents, Flags]:
    """Offers redeemed within 14 days of a campaign; returns them and who responded.

    Args:
        sent: people (places) and whether each is in the treated arm.
    """
    facts = world.CAMPAIGNS[campaign]
    who, treated = sent
    effect = people.weights[who] @ np.array(
        [facts.effects.get(p, 0.0) for p in world.PERSONA_NAMES]
    )
    responds = rng.random(who.size) < np.clip(facts.base_rate + treated * effect, 0, 1)
    wait = np.minimum(rng.exponential(3.5, who.size), world.RESPONSE_DAYS - 0.1) * world.DAY_MS
    sent_ms = world.START_MS + facts.sent_day * world.DAY_MS + 9 * 3_600_000
    at = (sent_ms + wait.astype(np.int64))[responds]
    return server_intents(who[responds], "respond", "Newsletter", at, campaign), responds


def server_intents(who: Ints, verb: str, topic: str, ms: Ints, campaign: int = -1) -> Intents:
    """Intents of no persona that stand alone (responses, troubles); visits are numbered from 0."""
    count = who.size
    channel = CHANNEL["support"] if verb == "ask" else CHANNEL["server"]
    return Intents(
        person=who, visit=np.arange(count), persona=np.full(count, NOBODY),
        verb=np.full(count, VERB[verb]), topic=np.full(count, TOPIC[topic]),
        channel=np.full(count, channel), tier=np.zeros(count, np.int64), size=np.ones(count),
        start_ms=ms, app=np.zeros(count, bool), campaign=np.full(count, campaign),
    )  # fmt: skip


def joined(parts: list[Intents]) -> Intents:
    """Several sets of intents as one, with visits numbered anew."""
    offset, visits = 0, []
    for part in parts:
        visits.append(part.visit + offset)
        offset += int(part.visit.max(initial=-1)) + 1
    columns = {n: np.concatenate([getattr(part, n) for part in parts]) for n in vars(parts[0])}
    return Intents(**{**columns, "visit": np.concatenate(visits)})


# verb -> (events before, the repeated event, events after)
_SHAPES: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "browse": (("category_page",), "view", ()),
    "read": ((), "guide", ()),
    "search": (("search", "list"), "view", ()),
    "compare": ((), "view", ("compare",)),
    "save": (("view",), "wish", ()),
    "buy": (("view",), "add", ()),
    "use": ((), "use", ()),
    "redeem": (("page",), "redeem", ()),
    "quote": (("view",), "quote", ()),
    "return": ((), "return", ()),
    "ask": ((), "ticket", ()),
    "answer": ((), "answer", ()),
    "respond": ((), "offer", ()),
    "wait": ((), "delayed", ()),
}
_ONCE = ("redeem", "ask", "answer", "respond", "wait")


def make_events(rng: np.random.Generator, intents: Intents, catalogue: Catalogue) -> Events:
    """The events of intents, with times and items; order lines come after (see `order_lines`)."""
    count = len(intents)
    repeats = 1 + rng.poisson(np.minimum(intents.size, 1.5))
    repeats[np.isin(intents.verb, [VERB[verb] for verb in _ONCE])] = 1
    before, after = np.zeros(count, np.int64), np.zeros(count, np.int64)
    is_page = intents.topic >= len(world.CATEGORIES)
    for verb, (lead, _, tail) in _SHAPES.items():
        mine = intents.verb == VERB[verb]
        before[mine], after[mine] = len(lead), len(tail)
    before[(intents.verb == VERB["browse"]) & is_page] = 0
    silent = (intents.channel == CHANNEL["store"]) & (intents.verb == VERB["buy"])
    total = np.where(silent, 0, before + repeats + after)
    intent = np.repeat(np.arange(count), total)
    place = np.arange(intent.size) - np.repeat(np.cumsum(total) - total, total)
    code = _codes(intents, intent, place, (before, repeats))
    item = catalogue_items(rng, intents, intent, catalogue)
    item[
        np.isin(code, [CODE[c] for c in ("category_page", "list", "search", "guide", "page")])
    ] = -1
    quantity = 1 + rng.poisson(np.where(intents.size[intent] > 2.5, 6.0, 0.3))
    return Events(intent, code, _times(rng, intents, intent, place), item, quantity)


def catalogue_items(
    rng: np.random.Generator, intents: Intents, intent: Ints, catalogue: Catalogue
) -> Ints:
    """An item of the topic and price level for each event; -1 where the topic is no category."""
    topic = intents.topic[intent]
    has_item = topic < len(world.CATEGORIES)
    picked = catalogue.pick(rng, np.where(has_item, topic, 0), intents.tier[intent])
    return np.where(has_item, picked, -1)


def _codes(intents: Intents, intent: Ints, place: Ints, counts: tuple[Ints, Ints]) -> Ints:
    before, repeats = (part[intent] for part in counts)
    code = np.full(intent.size, -1)
    for verb, (lead, main, tail) in _SHAPES.items():
        mine = intents.verb[intent] == VERB[verb]
        code[mine] = CODE[main]
        for at, name in enumerate(lead):
            code[mine & (place == at) & (before > at)] = CODE[name]
        for at, name in enumerate(tail):
            code[mine & (place == before + repeats + at)] = CODE[name]
    browses_page = (intents.verb[intent] == VERB["browse"]) & (
        intents.topic[intent] >= len(world.CATEGORIES)
    )
    code[browses_page] = CODE["page"]
    return code


def _times(rng: np.random.Generator, intents: Intents, intent: Ints, place: Ints) -> Ints:
    """Times within visits: half a minute between events, more between intents, never 25 minutes."""
    visit = intents.visit[intent]
    gap = np.where(place == 0, rng.exponential(80, intent.size), rng.exponential(25, intent.size))
    gap = np.round(np.clip(gap, 1, 900) * 1000).astype(np.int64)
    new = np.r_[True, visit[1:] != visit[:-1]] if visit.size else np.zeros(0, bool)
    gap[new] = 0
    total = np.cumsum(gap)
    base = np.maximum.accumulate(np.where(new, np.arange(visit.size), 0))
    at: Ints = intents.start_ms[intent] + total - total[base]
    return at


def order_lines(
    rng: np.random.Generator, intents: Intents, events: Events, catalogue: Catalogue
) -> tuple[Events, Ints]:
    """Lines of baskets, all at the basket's time, and the basket (= visit) of each line.

    What was bought in one visit is one basket, paid at the end of the visit.
    """
    buys = np.flatnonzero(intents.verb == VERB["buy"])
    counts = 1 + rng.poisson(intents.size[buys])
    intent = np.repeat(buys, counts)
    item = catalogue_items(rng, intents, intent, catalogue)
    quantity = 1 + rng.poisson(np.where(intents.size[intent] > 2.5, 6.0, 0.3))
    last = np.zeros(int(intents.visit.max(initial=0)) + 1, np.int64)
    np.maximum.at(last, intents.visit, intents.start_ms)
    np.maximum.at(last, intents.visit[events.intent], events.ms)
    basket = intents.visit[intent]
    ms = (last[basket] // 1000 + 45) * 1000
    return Events(intent, np.full(intent.size, CODE["line"]), ms, item, quantity), basket
