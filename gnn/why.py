"""Why somebody holds a persona, and the smallest change that would end it.

Both are read off the stored rule over the person's own episodes, as an update does it, so they can
be counted again: episodes and occasions in the persona against what holding takes. A change is a
set of occasions without which the rule, asked anew about all that is left, no longer says that they
hold it. What they might have done instead, or more of, is not asked.

Invariant: a change that is told ends the membership. It is told to be the smallest only where all
smaller ones were tried.
"""

from dataclasses import dataclass, replace
from itertools import combinations, islice
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from gnn import rules
from gnn.found import PersonaConfig, holders
from gnn.rules import Stored
from gnn.tensors import Episodes, load
from kg.errors import NotFound

if TYPE_CHECKING:
    from kg.lake import Lake

MOST_TRIED = 10_000
"""Changes of one size that are tried; of more, not all are."""
AT_ONCE = 50_000
"""Episodes that are assigned at once."""


@dataclass(frozen=True)
class Reason:
    """An episode that is in the persona.

    Attributes:
        intent_id: the intent that speaks for it, of the rarest verb.
        started_at_ms: its first intent.
        occasion: which of the person's, from 1.
        intents: how many it took.
        probability: that it is of this persona, given all that the person did.
        times: how many times as common its type (verb and topic) is in the persona as in all.
    """

    intent_id: str
    started_at_ms: int
    occasion: int
    intents: int
    probability: float
    times: float


@dataclass(frozen=True)
class Why:
    """Why somebody holds a persona.

    Attributes:
        occasions, episodes, intents: in the persona; of `all_occasions` and so on.
        least_occasions, least_share: what holding takes: so many occasions, and such a share of
            all episodes.
        reasons: the episodes in it, the earliest first.
        change: the fewest occasions found without which they would not hold it.
        is_smallest: all smaller ones were tried.
    """

    user_id: str
    persona_id: str
    occasions: int
    all_occasions: int
    episodes: int
    all_episodes: int
    intents: int
    all_intents: int
    least_occasions: int
    least_share: float
    reasons: tuple[Reason, ...]
    change: tuple[int, ...]
    is_smallest: bool


def why(lake: "Lake", user_id: str, persona_id: str) -> Why:
    """Why this user holds this persona now.

    Raises:
        NotFound: they do not.
    """
    holdings = lake.table("holdings")
    mine = holdings.filter(holdings.user_id == user_id, holdings.valid_to_ms.isnull())
    held = lake.run(mine.select("persona_id").order_by("persona_id"))["persona_id"].to_pylist()
    if persona_id not in held:
        raise NotFound(
            "This person does not hold this persona.",
            hint=f"They hold: {', '.join(held) or 'none'}.",
        )
    episodes, config = load(lake), PersonaConfig()
    stored = rules.read(lake, episodes)
    person = _Person(episodes, stored, episodes.user_ids.index(user_id), config)
    return person.why(stored.standing.ids.index(persona_id))


class _Person:
    """One person's episodes, to be assigned with some of them left out."""

    def __init__(
        self, episodes: Episodes, stored: Stored, place: int, config: PersonaConfig
    ) -> None:
        self.episodes, self.stored, self.config = episodes, stored, config
        self.rows = np.flatnonzero(episodes.user == place)
        self.occasion = np.unique(episodes.occasion[self.rows], return_inverse=True)[1].reshape(-1)
        self.soft = self._without([()])[1]
        self.labels = self.soft.argmax(1) - 1

    def why(self, persona: int) -> Why:
        own, intents = np.flatnonzero(self.labels == persona), self.episodes.intents.episode
        change, is_smallest = self._smallest(persona)
        reasons = [self._reason(place, persona) for place in own.tolist()]
        return Why(
            user_id=self.episodes.user_ids[self.episodes.user[self.rows[0]]],
            persona_id=self.stored.standing.ids[persona],
            occasions=len(np.unique(self.occasion[own])),
            all_occasions=int(self.occasion.max()) + 1,
            episodes=len(own),
            all_episodes=len(self.rows),
            intents=sum(reason.intents for reason in reasons),
            all_intents=int(np.isin(intents, self.rows).sum()),
            least_occasions=self.config.least_occasions,
            least_share=self.config.least_share,
            reasons=tuple(sorted(reasons, key=lambda one: (one.started_at_ms, one.intent_id))),
            change=tuple(number + 1 for number in sorted(change)),
            is_smallest=is_smallest,
        )

    def _reason(self, place: int, persona: int) -> Reason:
        intents, row = self.episodes.intents, self.rows[place]
        mine = np.flatnonzero(intents.episode == row)
        preference = self.stored.rule.types[persona + 1, self.episodes.type[row]]
        return Reason(
            intent_id=intents.ids[int(self.episodes.leading[row])].as_py(),
            started_at_ms=int(intents.started_at_ms[mine].min()),
            occasion=int(self.occasion[place]) + 1,
            intents=len(mine),
            probability=float(self.soft[place, persona + 1]),
            times=float(np.exp(preference)),
        )

    def _smallest(self, persona: int) -> tuple[tuple[int, ...], bool]:
        """The fewest occasions in a persona that end it, and whether no fewer do.

        Some that end it are found step by step; then all smaller changes are tried, while these are
        few.
        """
        best = self._step_by_step(persona)
        own = np.unique(self.occasion[self.labels == persona]).tolist()
        most = max(AT_ONCE // len(self.rows), 1)
        for size in range(1, len(best)):
            if comb(len(own), size) > MOST_TRIED:
                return best, False
            tried = combinations(own, size)
            while some := list(islice(tried, most)):
                ends = ~self._without(some)[0][:, persona]
                if ends.any():
                    return some[int(ends.argmax())], True
        return best, True

    def _step_by_step(self, persona: int) -> tuple[int, ...]:
        """Occasions that end it: each the one with most episodes in the persona of those left."""
        gone: tuple[int, ...] = ()
        while True:
            held, soft = self._without([gone])
            if not held[0, persona]:
                return gone
            left = self.occasion[~np.isin(self.occasion, gone)]
            inside = np.bincount(left[soft.argmax(1) == persona + 1])
            gone = (*gone, int(inside.argmax()))

    def _without(self, changes: list[tuple[int, ...]]) -> tuple[Any, Any]:
        """Who they would be, each without some occasions.

        Shapes: v changes -> who holds what (v, k), the posterior of all that is left, one change
        after the other (rows, k + 1).
        """
        size = len(changes)
        which, place = np.nonzero([~np.isin(self.occasion, change) for change in changes])
        rows, every = self.rows[place], self.episodes
        width = int(self.occasion.max()) + 1
        copies = replace(
            every,
            user=which.astype(np.int64),
            occasion=which * width + self.occasion[place],
            type=every.type[rows],
            leading=every.leading[rows],
            manners=tuple(replace(one, values=one.values[rows]) for one in every.manners),
            user_ids=tuple(str(number) for number in range(size)),
            fit=np.zeros(size, bool),
        )
        soft = rules.assigned(copies, self.stored)
        return holders(copies, soft, self.config), soft
