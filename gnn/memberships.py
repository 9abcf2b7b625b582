"""Which persona each episode belongs to: a mixture fitted on some people, then a fixed rule.

A person holds a few personas; an episode comes out of one of them, or out of none (the background:
with probability `none`, a type by its popularity). A persona prefers types and manners. Counts are
soft; what the background explains is taken out of every persona's profile, since a profile that
keeps it explains the noise as well as the background does and then nothing is ever noise (tried:
no subtraction and a fixed background found 24 % of planted noise, this 65 %).

Personas are learned from the people who hold them. Whether a person does is asked of all they did:
the Bayes factor of holding it with any share, all shares equally probable, against not holding it,
and how many people do. (Tried without: a persona of few people had no say against everybody's
noise, collected it and was lost. Asked only how sure the occasions in a persona are: of 150 people
who did anything at random 90 "held" each of three personas, and half of a wholesaler's customers
one that said little of them. An occasion as one witness, or as the root of its number of episodes:
of the wholesaler's orders, baskets of twenty things, nothing was left, or something else with each
seed.)

The fitted *rule* is a table of log preferences (log of how much more often than everyone): whoever
has it can assign any episode, and everyone of both halves is assigned by it.

Source: Asuncion et al. 2009, arXiv:1205.2662 (CVB0); Hiemstra et al. 2004,
doi:10.1145/1008992.1009025 (background taken out of profiles); Ishwaran and Rao 2005,
doi:10.1214/009053604000001147 (spike and slab); Kass and Raftery 1995 (Bayes factors).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn.tensors import Episodes, Ints, Manner

MOST_CERTAIN = 1000.0
"""How many times as probable at most an episode is out of a persona as without it."""
HELD_WITHIN = (1e-3, 0.95)
"""Bounds of the share of people who hold a persona, so that nothing is ever beyond doubt."""

SHARES, WORTH = (np.polynomial.legendre.leggauss(8) + np.array([[1.0], [0.0]])) / 2
"""Shares of a person's episodes that a persona may have, and how much each counts."""
SMALL = np.float32(1e-9)

Soft = NDArray[Any]  # float32 where there is a row per intent, float64 for tables


@dataclass(frozen=True)
class MixtureConfig:
    """How personas are fitted.

    Attributes:
        none: prior share of episodes that no persona explains, and the share of everyone's
            behaviour that is taken out of every profile.
        concentration: prior weight of each persona in a person; small: people hold few.
        type_prior: prior weight of everyone's types in a persona's, in episodes.
        manner_prior: the same for manners.
        background_prior: how firmly the background is everyone's behaviour, in episodes.
        rounds: of the fit. Few: each takes out of a profile what the background explains, so that a
            broad persona wears away, whatever people do. (Tried on a wholesaler's orders: of five
            groups fitted from the same start, the largest has 153,000 episodes after 8 rounds,
            18,000 after 80 and 1,200 after 320, and three draws agree to .90, .71 and .51 on
            average. With 12 instead of 40 twice as much comes back, .25 nats for .11, and worlds
            that were planted come out the same.)
        fold_in_rounds: of the assignment by the fixed rule.
        held: share of people taken to hold a persona before anything is known.
    """

    none: float = 0.2
    concentration: float = 0.1
    type_prior: float = 2.0
    manner_prior: float = 20.0
    background_prior: float = 100.0
    rounds: int = 12
    fold_in_rounds: int = 15
    held: float = 0.2


@dataclass(frozen=True)
class Rule:
    """The fitted rule.

    Attributes:
        types: (k + 1, t) log preference; row 0 is the background.
        manners: per manner (k + 1, bins) log preference.
        names: names of these manners.
        trust: how much each manner's preference counts: one over how much more occasions differ in
            it than their personas explain. One visit has one hour, so its episodes are no
            independent witnesses (tried without: wholesale orders fell apart into weekdays; by
            person instead of occasion: what sets people apart was trusted least).
        occasion: how firmly a person's weights hold within an occasion (infinite: no occasions);
            small, and the occasion's other episodes decide.
        held: (k,) share of people who hold each persona.
        unnamed: how many of the last are explanations only: groups that no persona is made of, so
            that what they explain falls to no persona. (Tried without: the personas left took it in
            and became everybody's; a wholesaler's went from 31 % of its customers to 70 %.)
    """

    types: Soft
    manners: tuple[Soft, ...]
    names: tuple[str, ...]
    trust: tuple[float, ...]
    occasion: float
    held: Soft
    config: MixtureConfig
    unnamed: int = 0

    @property
    def personas(self) -> int:
        """How many personas there are."""
        return len(self.held) - self.unnamed

    def only(self, kept: Ints) -> "Rule":
        """The rule with these personas (0 is the first persona, not the background)."""
        return self._with(kept, np.arange(self.personas, len(self.held)))

    def naming(self, kept: Ints) -> "Rule":
        """The rule with these personas; the others explain what they did, and are unnamed."""
        return self._with(kept, np.setdiff1d(np.arange(len(self.held)), kept))

    def named(self) -> "Rule":
        """The rule without its unnamed groups."""
        return self._with(np.arange(self.personas), np.zeros(0, np.int64))

    def _with(self, named: Ints, unnamed: Ints) -> "Rule":
        places = np.concatenate([named, unnamed]).astype(np.int64)
        rows = np.concatenate([[0], places + 1])
        return replace(
            self,
            types=self.types[rows],
            manners=tuple(table[rows] for table in self.manners),
            held=self.held[places],
            unnamed=len(unnamed),
        )

    def rounded(self) -> "Rule":
        """The rule as the lake keeps it: four decimals, manners by name."""
        order = sorted(range(len(self.names)), key=lambda place: self.names[place])
        return replace(
            self,
            types=np.round(self.types, 4),
            manners=tuple(np.round(self.manners[place], 4) for place in order),
            names=tuple(self.names[place] for place in order),
            trust=tuple(self.trust[place] for place in order),
            held=np.round(self.held, 4),
        )


@dataclass(frozen=True)
class Cells:
    """The part of the episodes that one fit sees, with what adds them up.

    Attributes:
        user, occasion, type: (n,) numbered from 0 within these rows (types: over all).
        owner: (occasions,) whose each is.
        usual: per manner (t, bins) the share of each bin, as everyone does the type.
        weight: (n,) 0 for an episode that is hidden, to be predicted.
    """

    user: Ints
    occasion: Ints
    owner: Ints
    type: Ints
    manners: tuple[Ints, ...]
    usual: tuple[Soft, ...]
    sums: tuple[Any, ...]
    weight: Soft

    def by(self, which: int, soft: Soft) -> Soft:
        """Sums over user (0), occasion (1), type (2) and each manner (3 ...)."""
        return np.asarray(self.sums[which] @ soft)


def cells(
    episodes: Episodes, rows: Ints, manners: tuple[Manner, ...], weight: Soft | None = None
) -> Cells:
    """The cells of some episodes; `weight` 0 hides one from all sums."""
    from scipy.sparse import csr_array

    weight = np.ones(len(rows)) if weight is None else weight
    weight = weight.astype(np.float32)
    user = np.unique(episodes.user[rows], return_inverse=True)[1]
    _, first, occasion = np.unique(episodes.occasion[rows], return_index=True, return_inverse=True)
    kinds, values = episodes.type[rows], tuple(manner.values[rows] for manner in manners)

    def adder(groups: Ints, count: int) -> Any:
        place = (groups, np.arange(len(rows)))
        return csr_array((weight, place), shape=(count, len(rows)))

    sums = (
        adder(user, int(user.max(initial=-1)) + 1),
        adder(occasion, int(occasion.max(initial=-1)) + 1),
        adder(kinds, episodes.type_count),
        *(adder(v, len(manner.bins)) for v, manner in zip(values, manners, strict=True)),
    )
    usual = tuple(
        _usual(kinds * len(m.bins) + v, weight, (episodes.type_count, len(m.bins)))
        for v, m in zip(values, manners, strict=True)
    )
    return Cells(user, occasion, user[first], kinds, values, usual, sums, weight)


def _usual(cell: Ints, weight: Soft, shape: tuple[int, int]) -> Soft:
    """How everyone does each type: a few episodes of overall behaviour keep rare ones apart."""
    table = np.bincount(cell, weight, shape[0] * shape[1]).reshape(shape)
    overall = table.sum(0) / max(table.sum(), 1e-9)
    return np.asarray((table + 5 * overall) / (table.sum(1, keepdims=True) + 5))


def fit(
    episodes: Episodes, rows: Ints, manners: tuple[Manner, ...], start: Soft, config: MixtureConfig
) -> tuple[Rule, Soft]:
    """Fit personas to some episodes from a first guess.

    Shapes: rows (n,), start (n, k + 1), column 0 no persona -> the rule and (n, k + 1) posterior.
    """
    data = cells(episodes, rows, manners)
    soft = start.astype(np.float32)
    held = np.full(soft.shape[1] - 1, config.held)
    plain = Rule(np.zeros((1, 1)), (), tuple(m.name for m in manners), (), np.inf, held, config)
    rule = _learn(data, soft, replace(plain, trust=_trust(data, soft)))
    for number in range(config.rounds):
        odds = _odds(data, rule)
        soft = _posterior(data, soft, rule, odds)
        if number % 10 == 9:
            rule = replace(rule, trust=_trust(data, soft))
        rule = _learn(data, *_theirs(data, soft, rule, odds))
    rule = replace(rule, occasion=_firmness(episodes, rows, manners, rule, soft))
    for _ in range(config.rounds // 4):
        odds = _odds(data, rule)
        soft = _posterior(data, soft, rule, odds)
        rule = _learn(data, *_theirs(data, soft, rule, odds))
    return rule, _theirs(data, soft, rule, _odds(data, rule))[0]


def assign(episodes: Episodes, rows: Ints, manners: tuple[Manner, ...], rule: Rule) -> Soft:
    """The personas of episodes by a fixed rule; the weights of each person are found on the way.

    Shapes: rows (n,) -> (n, k + 1) posterior, column 0 no persona.
    """
    return merged(explained(episodes, rows, manners, rule), np.arange(rule.personas))


def merged(soft: Soft, named: Ints) -> Soft:
    """What all groups of a rule explain, with that of the unnamed as no persona's.

    Shapes: soft (n, groups + 1), named (k,), 0 the first group -> (n, k + 1).
    """
    unnamed = np.setdiff1d(np.arange(soft.shape[1]), named + 1)
    return np.concatenate([soft[:, unnamed].sum(1, keepdims=True), soft[:, named + 1]], 1)


def explained(episodes: Episodes, rows: Ints, manners: tuple[Manner, ...], rule: Rule) -> Soft:
    """As `assign`, the unnamed groups apart. Shapes: -> (n, k + unnamed + 1)."""
    kept = tuple(manner for name in rule.names for manner in manners if manner.name == name)
    data = cells(episodes, rows, kept)
    width = len(rule.held) + 1
    soft = np.full((len(rows), width), 1.0 / width, np.float32)
    odds = _odds(data, rule)
    for _ in range(rule.config.fold_in_rounds):
        soft = _posterior(data, soft, rule, odds)
    return _theirs(data, soft, rule, odds)[0]


def _learn(data: Cells, soft: Soft, rule: Rule) -> Rule:
    """The rule with preferences out of soft counts."""
    config = rule.config
    by_type = data.by(2, soft).astype(float)  # (t, k + 1)
    total = by_type.sum(0)
    everyone = (by_type.sum(1) + 1e-9) / (by_type.sum() + 1e-9 * len(by_type))
    own = np.maximum(by_type - config.none * everyone[:, None] * total, 0)
    profile = own + config.type_prior * everyone[:, None]
    profile /= profile.sum(0)
    background = by_type[:, 0] + config.background_prior * everyone
    profile[:, 0] = background / background.sum()
    tables = []
    for number, trust in enumerate(rule.trust):
        seen = data.by(3 + number, soft).astype(float)  # (bins, k + 1)
        # How often each bin would occur, did a persona do its types the way everyone does them.
        expected = data.usual[number].T @ by_type
        prior = config.manner_prior * expected / np.maximum(expected.sum(0), 1e-9) + 1e-6
        tables.append(trust * np.log((seen + prior) / (expected + prior)).T)
    types = np.log(profile / everyone[:, None]).T
    return replace(rule, types=types, manners=tuple(tables))


def _trust(data: Cells, soft: Soft) -> tuple[float, ...]:
    by_occasion = data.by(1, soft)
    return tuple(
        1 / dispersion(data, by_occasion, data.manners[number], data.by(3 + number, soft))
        for number in range(len(data.manners))
    )


def dispersion(data: Cells, by_occasion: Soft, values: Ints, seen: Soft) -> float:
    """How much more occasions differ than their personas explain: 1 not at all, at least 1.

    Pearson's statistic of the table of occasions and values over its degrees of freedom.

    Shapes: by_occasion (occasions, k + 1), values (n,), seen (bins, k + 1).
    Source: McCullagh and Nelder 1989, section 4.5 (overdispersion).
    """
    expected = by_occasion @ (seen / np.maximum(seen.sum(0), 1e-9)).T
    cell = data.occasion * expected.shape[1] + values
    found = np.bincount(cell, data.weight, expected.size).reshape(expected.shape)
    there = expected > 0.02
    free = max(float(there.sum() - there.any(1).sum()), 1.0)
    return max(float(((found - expected)[there] ** 2 / expected[there]).sum()) / free, 1.0)


def _odds(data: Cells, rule: Rule) -> Soft:
    """(n, k + 1): how much more often each persona has an episode like each than everyone has."""
    score: Soft = rule.types.T.astype(np.float32)[data.type]
    for values, table in zip(data.manners, rule.manners, strict=True):
        score += table.T.astype(np.float32)[values]
    return np.asarray(np.exp(score, out=score))


def _total(soft: Soft) -> Soft:
    """(n, k) -> (n, 1): the sum of each row, as a product: numpy adds up short rows slowly."""
    return np.asarray(soft @ np.ones((soft.shape[1], 1), soft.dtype))


def _posterior(data: Cells, soft: Soft, rule: Rule, odds: Soft) -> Soft:
    joint = _joint(data, soft, rule, odds)
    joint /= _total(joint)
    return joint


def _joint(data: Cells, soft: Soft, rule: Rule, odds: Soft) -> Soft:
    """(n, k + 1): how probable each episode (against everyone's behaviour) out of each persona.

    An occasion can be in the mood of no persona as well as in that of one.
    """
    none, own = np.float32(rule.config.none), soft * data.weight[:, None]
    least = np.float32(rule.config.concentration)
    share = _others(data.by(0, soft), data.user, own)
    share += least
    share[:, 0] = 0
    share *= (1 - none) / np.maximum(_total(share), least)  # less where there is no persona
    share[:, 0] = none
    if np.isfinite(rule.occasion):
        share *= np.float32(rule.occasion)
        share += _others(data.by(1, soft), data.occasion, own)
        share /= _total(share)
    share *= odds
    return share


def _others(sums: Soft, group: Ints, own: Soft) -> Soft:
    """What the other episodes of each one's group add up to. (groups, k), (n,), (n, k) -> (n, k)"""
    others = sums[group]
    others -= own
    return np.maximum(others, 0, out=others)


def _theirs(data: Cells, soft: Soft, rule: Rule, odds: Soft) -> tuple[Soft, Rule]:
    """The posterior when people have only personas they hold; the rule with how many hold each.

    Shapes: soft, odds (n, k + 1) -> (n, k + 1).
    """
    from scipy.special import expit, logit

    holds = expit(_favour(data, soft, odds) + logit(rule.held))
    theirs = soft.copy()
    theirs[:, 1:] *= holds.astype(soft.dtype)[data.user]
    theirs /= _total(theirs)
    held = holds.mean(0) if len(holds) else rule.held
    return theirs, replace(rule, held=np.clip(held, *HELD_WITHIN))


def _favour(data: Cells, soft: Soft, odds: Soft) -> Soft:
    """(users, k): log Bayes factor of holding a persona, with any share, against not holding it.

    Without it, an episode is everyone's behaviour or comes of what else the person is after,
    whichever explains it better. All shares are equally probable: the mean over them is Gauss and
    Legendre's.
    """
    mine = data.by(0, soft)
    mine /= np.maximum(_total(mine), SMALL)
    otherwise = mine[data.user] * odds
    otherwise = np.maximum(_total(otherwise) - otherwise[:, 1:], odds[:, :1])
    ratio = np.clip(odds[:, 1:] / otherwise, 1 / MOST_CERTAIN, MOST_CERTAIN)
    favour = np.full((len(mine), ratio.shape[1]), -np.inf)
    for share, worth in zip(SHARES, WORTH, strict=True):
        likely = ratio * np.float32(share)
        likely += np.float32(1 - share)
        np.log(likely, out=likely)
        favour = np.logaddexp(favour, np.log(worth) + data.by(0, likely))
    return favour


def _firmness(
    episodes: Episodes, rows: Ints, manners: tuple[Manner, ...], rule: Rule, soft: Soft
) -> float:
    """How much an occasion has one mood: what predicts hidden episodes best."""
    hidden = np.random.default_rng(0).random(len(rows)) < 0.15
    data = cells(episodes, rows, manners, np.where(hidden, 0.0, 1.0))
    odds = _odds(data, rule)
    best, found = -np.inf, np.inf
    for occasion in (np.inf, 8.0, 4.0, 2.0, 1.0, 0.5):
        tried, guess = replace(rule, occasion=occasion), soft
        for _ in range(4):
            guess = _posterior(data, guess, tried, odds)
        likely = float(np.log(_joint(data, guess, tried, odds)[hidden].sum(1)).mean())
        if likely > best + 1e-3:
            best, found = likely, occasion
    return found
