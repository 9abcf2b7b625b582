"""From intents to personas: proposals by a graph encoder, a fitted rule, a test they must pass.

1. Half of the people propose: their intents get vectors from content and company (`encoder`), near
   ones are joined (`neighbours`) and grouped at several resolutions (`communities`).
2. A mixture starts from the proposals, joins what is better explained as one, and becomes a fixed
   rule (`memberships`).
3. The other half judges: a group of types that does not recur in the same people is a topic and is
   dropped (`recurrence`). Nothing left is a legal answer.
4. The rule assigns everyone. A person holds a persona when at least two of their intents, and one
   in twenty, are in it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np

from gnn.communities import Graph, Leiden, agreement, native_leiden, scan
from gnn.memberships import MixtureConfig, Rule, Soft, assign, fit, merge
from gnn.recurrence import Recurrence, RecurrenceConfig, recurrence
from gnn.tensors import Intents, Ints, Manner, informative, load
from kg.progress import Progress, silent

NO_STRUCTURE = "no stable structure: nobody's intents recur together more than chance"


@dataclass(frozen=True)
class PersonaConfig:
    """How personas are found.

    Attributes:
        resolutions: of the community scan.
        seeds: runs at each resolution.
        most_vectors: distinct vectors that neighbours are sought among.
        neighbours: of each vector.
        least_start: a community with a smaller share of the intents is no start of a persona.
        most_joined: intents that the first fit sees, which joins communities; of whole people.
        most_fitted: intents that the last fit sees.
        least_stability: personas that come back less than this are dropped.
        firm: how nearly a finer resolution must come back to be preferred to a broader one.
        least_people: personas held by fewer people are dropped (k-floor).
        least_intents: a person with fewer intents in a persona does not hold it.
        least_share: nor does one with a smaller share of their intents in it.
    """

    resolutions: tuple[float, ...] = (0.1, 0.2, 0.35, 0.5, 0.75)
    seeds: int = 2
    most_vectors: int = 24_000
    neighbours: int = 30
    least_start: float = 0.01
    most_joined: int = 30_000
    most_fitted: int = 150_000
    least_stability: float = 0.2
    firm: float = 0.7
    least_people: int = 20
    least_intents: int = 2
    least_share: float = 0.05
    mixture: MixtureConfig = field(default_factory=MixtureConfig)
    recurrence: RecurrenceConfig = field(default_factory=RecurrenceConfig)
    seed: int = 0


@dataclass(frozen=True)
class Found:
    """Personas that passed, and everyone's intents by their rule.

    Shapes: soft (n, k + 1), column 0 no persona; stability (k,).
    """

    rule: Rule
    soft: Soft
    tests: list[Recurrence]
    stability: list[float]


class _Clock:
    """Seconds per part of the work, for the summary."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        started = perf_counter()
        yield
        self.seconds[part] = round(self.seconds.get(part, 0.0) + perf_counter() - started, 2)


def find(
    step: Any,
    config: PersonaConfig | None = None,
    leiden: Leiden = native_leiden,
    progress: Progress = silent,
) -> None:
    """Find the personas in a step's intents.

    Reads intents, users, topics, and the memberships and personas of the run before (for ids);
    writes memberships, holdings, personas, persona_rules, and a summary that says what was tried.

    Args:
        leiden: the store's own algorithm.
    """
    from gnn import tables

    config = config or PersonaConfig()
    clock = _Clock()
    with clock("read"):
        intents = load(step)
        vectors = _topic_vectors(step, intents)
    found = discover(intents, vectors, config, leiden, (progress, clock, step.summary))
    with clock("write"):
        tables.write(step, intents, found, config)
    step.summary["seconds"] = clock.seconds


def discover(
    intents: Intents,
    topic_vectors: Soft,
    config: PersonaConfig,
    leiden: Leiden,
    report: tuple[Progress, _Clock, dict[str, Any]],
) -> Found:
    """The personas in intents; no lake needed.

    Shapes: topic_vectors (topics, c).
    """
    progress, clock, summary = report
    rows = np.flatnonzero(intents.fit[intents.user])
    summary.update(intents=len(intents), people=len(intents.user_ids), types=intents.type_count)
    if len(np.unique(intents.user[rows])) < 2 * config.least_people:
        summary["result"] = NO_STRUCTURE
        return _nothing(intents, config)
    with clock("manners"):
        manners, likeness = informative(intents, rows, config.seed)
        manners = tuple(sorted(manners, key=lambda manner: -likeness[manner.name]))
        summary.update(manners=likeness, manners_used=[manner.name for manner in manners])
    starts = _proposals(intents, rows, manners, topic_vectors, (config, leiden, report))
    with progress.task("Fitting personas", len(starts) + 1) as task:
        fits = []
        for start, told in zip(starts, summary["resolutions"], strict=True):
            with clock("mixture"):
                fits.append(_twice(intents, rows, manners, start, config))
            told |= {"personas": fits[-1].rule.personas, "returns": round(fits[-1].returns, 3)}
            task.advance()
        best = _finest_that_returns([one.returns for one in fits], config)
        summary["resolution"] = summary["resolutions"][best]["resolution"]
        with clock("mixture"):
            rule = _refined(intents, rows, manners, fits[best].rule, config)
        task.advance()
    return _judge(intents, manners, (rule, fits[best].overlaps), config, report)


@dataclass(frozen=True)
class Fit:
    """Personas fitted from one proposal, twice, on different people.

    Attributes:
        returns: adjusted Rand index of what the two rules say of the same intents.
        overlaps: for each persona of `rule` the overlap with the most similar one of the other.
    """

    rule: Rule
    returns: float
    overlaps: list[float]


def _twice(
    intents: Intents, rows: Ints, manners: tuple[Manner, ...], start: Ints, config: PersonaConfig
) -> Fit:
    """Fit on one half of the people and on the other, and see what comes back.

    Both rules assign a third sample; agreement by chance is taken out, so that few personas have
    no advantage over many.
    """
    rng = np.random.default_rng(config.seed)
    side = rng.random(len(intents.user_ids))[intents.user[rows]] < 0.5
    one, other = (
        _joined(intents, rows[half], manners, start[half], config) for half in (side, ~side)
    )
    common = rows[_people(intents, rows, config.most_joined, config.seed + 99)]
    mine, theirs = (assign(intents, common, manners, rule).argmax(1) - 1 for rule in (one, other))
    overlaps = _overlap(mine, theirs, one.personas)
    return Fit(one, agreement(mine, theirs), [round(float(share), 3) for share in overlaps])


def _finest_that_returns(returns: list[float], config: PersonaConfig) -> int:
    """The finest resolution whose personas come back nearly as well as the best ones do."""
    return max(n for n, r in enumerate(returns) if max(r, 0) >= config.firm * max(0, *returns))


def _nothing(intents: Intents, config: PersonaConfig) -> Found:
    rule = Rule(np.zeros((1, intents.type_count)), (), (), (), np.inf, config.mixture)
    return Found(rule, np.ones((len(intents), 1)), [], [])


def _joined(
    intents: Intents,
    rows: Ints,
    manners: tuple[Manner, ...],
    start: Ints,
    config: PersonaConfig,
) -> Rule:
    """Fit on some people, join what is one, fit again.

    Shapes: start (n,) community of each row, -1 none.
    """
    part = _people(intents, rows, config.most_joined, config.seed)
    some = rows[part]
    _, soft = fit(intents, some, manners, _as_soft(start[part]), config.mixture)
    soft = merge(soft, intents, some, manners, config.mixture)
    return fit(intents, some, manners, soft, config.mixture)[0]


def _refined(
    intents: Intents, rows: Ints, manners: tuple[Manner, ...], rule: Rule, config: PersonaConfig
) -> Rule:
    """The rule fitted on as many people as are worth the time."""
    some = rows[_people(intents, rows, config.most_fitted, config.seed)]
    soft = assign(intents, some, manners, rule)
    return fit(intents, some, manners, soft, replace(config.mixture, rounds=16))[0]


def _people(intents: Intents, rows: Ints, most: int, seed: int) -> Ints:
    """Places of the rows of randomly drawn people, about `most` rows."""
    users, user = np.unique(intents.user[rows], return_inverse=True)
    size = int(min(1.0, most / max(len(rows), 1)) * len(users))
    if size >= len(users):
        return np.arange(len(rows))
    drawn = np.zeros(len(users), bool)
    drawn[np.random.default_rng(seed).choice(len(users), size, replace=False)] = True
    return np.flatnonzero(drawn[user])


def _as_soft(start: Ints) -> Soft:
    soft = np.full((len(start), int(start.max(initial=-1)) + 2), 0.02)
    soft[np.arange(len(start)), start + 1] += 1
    return np.asarray(soft / soft.sum(1, keepdims=True))


def _proposals(
    intents: Intents,
    rows: Ints,
    manners: tuple[Manner, ...],
    topic_vectors: Soft,
    settings: tuple[PersonaConfig, Leiden, tuple[Progress, _Clock, dict[str, Any]]],
) -> list[Ints]:
    """Communities of the intents, one proposal per resolution, the broadest first.

    Shapes: -> list of (n,) community of each row, -1 none.
    """
    from gnn.encoder import EncoderConfig, encode
    from gnn.neighbours import mutual_neighbours

    config, leiden, (progress, clock, summary) = settings
    with clock("encoder"):
        nodes, node_of_row, person = _nodes(intents, rows, manners[:1], topic_vectors)
        options = EncoderConfig()
        with progress.task("Reading intents and their company", options.steps) as task:
            vectors = encode(nodes, options, config.seed, task)
    with clock("neighbours"):
        chosen = _spread(len(vectors), config.most_vectors)
        source, target, weight = mutual_neighbours(vectors[chosen], config.neighbours)
    with clock("communities"):
        graph = Graph(source, target, weight, person[chosen])
        reports, found = scan(graph, leiden, config.resolutions, config.seeds, config.seed)
        summary.update(vectors=len(vectors), vectors_joined=len(chosen), edges=len(source))
        summary["resolutions"] = [{**vars(r), "stability": round(r.stability, 3)} for r in reports]
        place = _nearest_chosen(vectors, chosen)
        return [_large(runs[0][place][node_of_row], config.least_start) for runs in found]


def _spread(count: int, most: int) -> Ints:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _nearest_chosen(vectors: Any, chosen: Ints) -> Ints:
    """For each vector the place (in `chosen`) of itself, or of the chosen one nearest to it."""
    if len(chosen) == len(vectors):
        return np.arange(len(vectors))
    from usearch.index import Index

    index = Index(ndim=vectors.shape[1], metric="cos", dtype="f32", connectivity=16)
    index.add(np.arange(len(chosen)), vectors[chosen], threads=1)
    return np.asarray(index.search(vectors, 1, threads=1).keys, np.int64).reshape(-1)


def _large(labels: Ints, least_share: float) -> Ints:
    """Communities numbered by size; those with a smaller share of the rows, -1."""
    counts = np.bincount(labels)
    order = np.argsort(-counts, kind="stable")
    large = int((counts >= least_share * len(labels)).sum())
    rank = np.full(len(counts), -1, np.int64)
    rank[order[:large]] = np.arange(large)
    return rank[labels]


def _nodes(
    intents: Intents, rows: Ints, split: tuple[Manner, ...], topic_vectors: Soft
) -> tuple[Any, Ints, Ints]:
    """The nodes of the encoder: each person's distinct kinds (type and most telling manner)."""
    from gnn.encoder import Nodes

    bins = len(split[0].bins) if split else 1
    value = split[0].values[rows] if split else np.zeros(len(rows), np.int64)
    kinds, kind = np.unique(intents.type[rows] * bins + value, return_inverse=True)
    key = intents.user[rows] * len(kinds) + kind
    pair, first, node_of_row, count = np.unique(
        key, return_index=True, return_inverse=True, return_counts=True
    )
    verb, topic = intents.type_parts[kinds // bins].T
    content = [np.eye(len(intents.verbs))[verb], topic_vectors[topic], np.eye(bins)[kinds % bins]]
    user = pair // len(kinds)
    person = np.unique(user, return_inverse=True)[1]
    start = np.searchsorted(person, np.arange(int(person.max(initial=-1)) + 2))
    nodes = Nodes(
        pair % len(kinds),
        count.astype(np.float32),
        intents.occasion[rows][first],
        start,
        np.hstack(content).astype(np.float32),
    )
    return nodes, node_of_row, person


def _overlap(labels: Ints, others: Ints, count: int) -> Soft:
    """For each label the Jaccard overlap with its most similar other label. -> (count,)"""
    table = np.zeros((count + 1, int(others.max(initial=-1)) + 2))
    np.add.at(table, (labels + 1, others + 1), 1)
    union = table.sum(1, keepdims=True) + table.sum(0) - table
    share = (table / np.maximum(union, 1))[1:, 1:]
    return np.asarray(share.max(1) if share.shape[1] else np.zeros(count))


def _judge(
    intents: Intents,
    manners: tuple[Manner, ...],
    fitted: tuple[Rule, list[float]],
    config: PersonaConfig,
    report: tuple[Progress, _Clock, dict[str, Any]],
) -> Found:
    """Keep what recurs in the people who were not fitted and is held by enough of them."""
    progress, clock, summary = report
    rule, stability = fitted
    with clock("recurrence"), progress.task("Testing that personas recur", 1) as task:
        tests = _tests(intents, manners[:1], rule, config)
        task.advance()
    everyone = np.arange(len(intents))
    firm = [share >= config.least_stability for share in stability]
    kept = np.array([n for n, test in enumerate(tests) if test.passed and firm[n]], np.int64)
    with clock("assign"):
        while True:
            soft = assign(intents, everyone, manners, rule.only(kept))
            people = holders(intents, soft, config).sum(0)
            if not len(kept) or people.min() >= config.least_people:
                break
            kept = np.delete(kept, int(people.argmin()))
    summary["candidates"] = [
        {"kept": n in set(kept.tolist()), "stability": stability[n], **_rounded(test)}
        for n, test in enumerate(tests)
    ]
    labels = soft.argmax(1)
    summary["personas"] = len(kept)
    summary["unassigned_share"] = round(float((labels == 0).mean()), 4)
    summary["occasion_firmness"] = rule.occasion if np.isfinite(rule.occasion) else None
    summary["information_with_topics"] = mutual_information(
        labels, intents.type_parts[intents.type, 1]
    )
    summary["result"] = f"{len(kept)} personas" if len(kept) else NO_STRUCTURE
    return Found(rule.only(kept), soft, [tests[n] for n in kept], [stability[n] for n in kept])


def _rounded(test: Recurrence) -> dict[str, Any]:
    return {
        "pairs": test.pairs,
        "lift": round(test.lift, 3),
        "p": float(f"{test.p:.3g}"),
        "q": float(f"{test.q:.3g}"),
        "passed": test.passed,
    }


def _tests(
    intents: Intents, split: tuple[Manner, ...], rule: Rule, config: PersonaConfig
) -> list[Recurrence]:
    """The recurrence test of every persona on the people it was not fitted on.

    A persona's kinds are those it prefers: at least half again as often as everyone.
    """
    rows = np.flatnonzero(~intents.fit[intents.user])
    split = tuple(manner for manner in split if manner.name in rule.names)
    bins = len(split[0].bins) if split else 1
    value = split[0].values[rows] if split else np.zeros(len(rows), np.int64)
    kinds, kind = np.unique(intents.type[rows] * bins + value, return_inverse=True)
    pair = np.unique(intents.user[rows] * len(kinds) + kind)
    person = np.unique(pair // len(kinds), return_inverse=True)[1]
    prefers = rule.types[1:, kinds // bins]
    if split:
        prefers = prefers + rule.manners[rule.names.index(split[0].name)][1:, kinds % bins]
    groups = [np.flatnonzero(row > np.log(1.5)) for row in prefers]
    topics = intents.type_parts[kinds // bins, 1]
    return recurrence(person, pair % len(kinds), topics, groups, config.recurrence, config.seed)


def holders(intents: Intents, soft: Soft, config: PersonaConfig) -> Any:
    """Who holds what. Shapes: (n, k + 1) -> (users, k) bool."""
    counts = counts_by_person(intents, soft)
    total = np.bincount(intents.user, minlength=len(intents.user_ids))[:, None]
    return (counts >= config.least_intents) & (counts >= config.least_share * total)


def counts_by_person(intents: Intents, soft: Soft) -> Ints:
    """How many intents of each person are in each persona. -> (users, k) int64"""
    counts = np.zeros((len(intents.user_ids), soft.shape[1]), np.int64)
    np.add.at(counts, (intents.user, soft.argmax(1)), 1)
    return counts[:, 1:]


def mutual_information(left: Ints, right: Ints) -> float:
    """Normalised (by the mean of both entropies) mutual information, 0 to 1."""
    first = np.unique(left, return_inverse=True)[1]
    second = np.unique(right, return_inverse=True)[1]
    if not len(first):
        return 0.0
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1 / len(first))

    def entropy(share: Soft) -> float:
        share = share[share > 0]
        return float(-(share * np.log(share)).sum())

    alone = entropy(table.sum(0)) + entropy(table.sum(1))
    return round(2 * (alone - entropy(table.reshape(-1))) / alone, 4) if alone else 0.0


def _topic_vectors(step: Any, intents: Intents) -> Soft:
    """What topics mean, in few dimensions; one-hot beside it, so that no two are the same.

    Shapes: -> (topics, c).
    """
    del step
    return np.eye(len(intents.topics))


def signature_id(signature: str) -> str:
    """The id of a persona nobody has seen before."""
    return "p_" + hashlib.sha256(signature.encode()).hexdigest()[:8]
