"""Which pairs are worth comparing: rules proposed from the data, within a budget.

A rule is a set of keys that must all be equal. Every rule's pairs are counted before it is used,
so a frequent name or a placeholder date cannot cost a quadratic amount.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from ingestion.identity.fields import Field

PAIRS_PER_ROW = 12
"""All rules together compare about this many pairs per row (and never fewer than `FEWEST`)."""
FEWEST_PAIRS = 1_000_000
CHEAP_PAIRS_PER_ROW = 2
MOST_RULES = 20
TRAINING_PAIRS = (50, 3_000_000)
"""A training rule has enough pairs to learn from, and not more than that takes."""

Count = Callable[[Sequence[tuple[str, ...]]], list[int]]
"""Expressions of several rules -> how many pairs of rows each gives."""


@dataclass(frozen=True)
class Key:
    """An expression whose equal values make two rows worth a look; `{0}` is its column."""

    field: str
    expression: str
    whole: bool
    alone: bool

    def of(self, side: str = "") -> str:
        """The expression over a row, or over the row `l` or `r` of a pair."""
        column = f'"{self.field}"'
        return self.expression.replace("{0}", f"{side}.{column}" if side else column)


@dataclass(frozen=True)
class Rule:
    """Keys that must all be equal, and how many pairs that gives."""

    keys: tuple[Key, ...]
    pairs: int

    @property
    def fields(self) -> frozenset[str]:
        """The fields it looks at."""
        return frozenset(key.field for key in self.keys)

    @property
    def condition(self) -> str:
        """The rule in SQL, over rows `l` and `r`."""
        return " AND ".join(f"{key.of('l')} = {key.of('r')}" for key in self.keys)


def counted_rules(fields: Sequence[Field], count: Count) -> list[Rule]:
    """Every rule these fields offer, with its pairs."""
    found = list(_candidates(fields))
    counts = count([tuple(key.of() for key in keys) for keys in found])
    return [Rule(keys, pairs) for keys, pairs in zip(found, counts, strict=True)]


def _candidates(fields: Sequence[Field]) -> Iterable[tuple[Key, ...]]:
    """Each whole value, any two whole values, three keys of which one is part of a value."""
    keys = [
        Key(field.name, expression, number == 0, field.how.alone)
        for field in fields
        for number, expression in enumerate(field.how.keys)
    ]
    yield from ((key,) for key in keys if key.whole or key.alone)
    yield from (pair for pair in combinations([k for k in keys if k.whole], 2))
    for three in combinations([key for key in keys if not key.alone], 3):
        parts = sum(not key.whole for key in three)
        if len({key.field for key in three}) == 3 and 1 <= parts <= 2:
            yield three


def proposed(rules: Sequence[Rule], row_count: int) -> list[Rule]:
    """The rules to compare by: the cheapest first, until the budget is spent.

    A rule that another one implies is left out: it finds nothing new.
    """
    budget = max(FEWEST_PAIRS, PAIRS_PER_ROW * row_count)
    chosen: list[Rule] = []
    for rule in sorted(rules, key=lambda rule: _cost(rule, row_count)):
        implied = any(set(one.keys) <= set(rule.keys) for one in chosen)
        if rule.pairs and not implied and rule.pairs <= budget:
            chosen.append(rule)
            budget -= rule.pairs
        if len(chosen) == MOST_RULES:
            break
    return chosen


def _cost(rule: Rule, row_count: int) -> tuple[bool, bool, int, int, str]:
    """Cheap single values first (they imply all rules that ask for more), parts of values last."""
    partly = not all(key.whole for key in rule.keys)
    dear = rule.pairs > CHEAP_PAIRS_PER_ROW * row_count
    return (partly, dear, len(rule.keys), rule.pairs, rule.condition)


def training(rules: Sequence[Rule], fields: Sequence[Field]) -> list[Rule]:
    """Rules to learn from: inside each, every field that it does not look at is learnt.

    The first is the most selective; each further one leaves free a field that none has yet.
    """
    fewest, most = TRAINING_PAIRS
    usable = [rule for rule in rules if fewest <= rule.pairs <= most and len(rule.keys) <= 2]
    usable = [rule for rule in usable if all(key.whole for key in rule.keys)]
    usable.sort(key=lambda rule: (rule.pairs, rule.condition))
    chosen: list[Rule] = []
    learnt: set[str] = set()
    names = {field.name for field in fields}
    while usable and learnt < names:
        best = max(usable, key=lambda rule: len((names - rule.fields) - learnt))
        new = (names - best.fields) - learnt
        if not new:
            break
        chosen.append(best)
        learnt |= new
        usable.remove(best)
    return chosen


def household(rules: Sequence[Rule], fields: Sequence[Field]) -> list[Rule]:
    """The rule that best stands for sharing a household, as one more lesson: the most selective of
    those that look at nothing personal. None where everything, or nothing, is personal."""
    personal = {field.name for field in fields if field.how.personal}
    fewest, most = TRAINING_PAIRS
    shared = [
        rule
        for rule in rules
        if fewest <= rule.pairs <= most
        and not rule.fields & personal
        and all(key.whole for key in rule.keys)
    ]
    return sorted(shared, key=lambda rule: (rule.pairs, rule.condition))[:1] if personal else []
