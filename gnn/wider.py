"""Personas that were overlooked are added to those that came back, one by one."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from gnn.device import side_by_side
from gnn.found import sample
from gnn.memberships import Rule, Soft, assign, merged
from gnn.overlooked import seen, unexplained
from gnn.race import Race, halves
from gnn.returning import correlations, same_place
from gnn.tensors import Floats, Ints

HALVINGS = 3
"""Of the people, in whose median what was overlooked must come back; by one it is luck."""


@dataclass(frozen=True)
class Told:
    """A rule, which of its groups come back, and how well each of these does.

    Shapes: kept, stability (k,).
    """

    rule: Rule
    kept: Ints
    stability: Floats


class Wider:
    """What was told, and what is added to it.

    Args:
        race: whose people and episodes these are.
    """

    def __init__(self, race: Race, told: Told) -> None:
        episodes, config = race.episodes, race.config
        self.told = told
        self._race = race
        self._some = sample(episodes, race.rows, config.most_fitted, config.seed)
        self._pairs = [halves(episodes, config, number) for number in range(HALVINGS)]
        self._soft, self._common = (
            assign(episodes, rows, race.manners, told.rule) for rows in (self._some, race.common)
        )

    def looked(self) -> Told:
        """With what halves of the people saw, and then with what is still unexplained."""
        for proposed in (self._seen, self._unexplained):
            for guess in proposed().T:
                self._try(guess)
        return self.told

    def _seen(self) -> Soft:
        race = self._race
        named = merged(self._common, self.told.kept)
        user, said = race.episodes.user[race.common], race.said_by_halves()
        found = seen(user, said, named, race.config.overlooked)
        guesses = np.zeros((len(race.episodes), found.shape[1]))
        guesses[race.common] = found
        return np.asarray(guesses[self._some])

    def _unexplained(self) -> Soft:
        race, named = self._race, merged(self._soft, self.told.kept)
        settings = (race.config.overlooked, race.leiden, race.config.seed)
        return unexplained(race.episodes, self._some, named, settings)

    def _try(self, guess: Soft) -> None:
        """Take one if it is no part of one found, leaves those found what they were, and comes back
        in the median of several halvings.

        Both halves are fitted from the guess for all, so that a handful of people each need not
        find a small persona anew.
        """
        race, told = self._race, self.told
        people = race.episodes.user[race.common]
        start = np.concatenate([self._soft * (1 - guess[:, None]), guess[:, None]], 1) + 1e-3
        rule = race.fit(self._some, start / start.sum(1, keepdims=True))
        common = assign(race.episodes, race.common, race.manners, rule)
        found = merged(self._common, told.kept)[:, 1:]
        if correlations(people, common[:, -1:], found).max(initial=0) > race.config.most_part:
            return
        same = same_place(people, self._common, common[:, :-1])[told.kept]
        if same.min(initial=1) < race.config.least_same:
            return
        again = partial(self._refitted, rule)
        backs = [same_place(people, *side_by_side(again, pair))[-1] for pair in self._pairs]
        back = np.median(backs)
        if back >= race.config.least_return:
            kept = np.append(told.kept, rule.personas - 1)
            self.told = Told(rule, kept, np.append(told.stability, back))
            self._common = common
            self._soft = assign(race.episodes, self._some, race.manners, rule)

    def _refitted(self, rule: Rule, half: Ints) -> Soft:
        """What the rule says of the common episodes when it is fitted to a half alone."""
        race = self._race
        return race.said(half, assign(race.episodes, half, race.manners, rule))
