"""Is what came after the last search still what its rule was fitted on?

New episodes are compared with those the search knew, in five figures. All of them are by the rule
and everybody's shares, not by the person's own history: of a newcomer little is known yet, and that
is no drift. How far such figures lie from each other when nothing has changed is measured on the
old episodes themselves: the same number of people, drawn anew with replacement, in a span of time
of the same length at a random place. (People alone would not do: one week of a year differs from
the year, and always has.) A figure has drifted when it lies beyond all draws: were these
independent, the chance of a false alarm would be one in a hundred for the five together. Spans
overlap, which makes it larger; people drawn twice spread the draws more, which makes it smaller.

It cannot see what shows only in which people do what: old types in new company look like the old.

Source: Lin 1991, doi:10.1109/18.61115 (Jensen-Shannon); Efron and Tibshirani 1993 (resampling of
whole people); Dunn 1961 (Bonferroni).
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn.memberships import Soft
from gnn.rules import Stored
from gnn.tensors import Episodes, Floats, Ints

DRAWS = 499
"""One in 500 beyond all of them by chance, one in 100 for five figures."""
LEAST_PEOPLE = 20
SEED = 0

Flags = NDArray[np.bool_]

FIGURES = {
    "unexplained": "new episodes are explained by no persona more often",
    "surprise": "new episodes are less probable by the rule",
    "personas": "the mix of personas in new episodes is another",
    "types": "the mix of what people are after is another",
    "unseen": "more new episodes are of a kind (verb and topic) that the last search did not know",
}
"""Each figure of drift, and what it means when it is too large."""


@dataclass(frozen=True)
class Figure:
    """One figure of drift.

    Attributes:
        value: of the new episodes.
        usual, spread: mean and standard deviation of the draws.
        most: the largest of the draws: the bound.
    """

    value: float
    usual: float
    spread: float
    most: float

    @property
    def has_drifted(self) -> bool:
        """Whether it lies beyond chance."""
        return self.value > self.most


@dataclass(frozen=True)
class _Told:
    """What the rule says of each episode alone.

    Shapes: persona (n, k + 1) its probabilities, surprise (n,) minus the log probability beside
    that of its type, type (n,), seen (n,) whether the rule knows the type.
    """

    persona: Soft
    surprise: Floats
    type: Ints
    seen: Flags


def drift(episodes: Episodes, stored: Stored, soft: Soft, known: Flags) -> dict[str, Any] | None:
    """The figures by name, as `Figure` has them and with `has_drifted`.

    Args:
        stored: the rule, over these episodes.
        soft: everyone's episodes by the rule.
        known: which episodes the search knew.

    Returns:
        None where the new (or the known) people are too few to say anything, or no persona is left.

    Shapes: soft (n, k + 1), known (n,).
    """
    new, old = np.flatnonzero(~known), np.flatnonzero(known)
    people = len(np.unique(episodes.user[new]))
    if min(people, len(np.unique(episodes.user[old]))) < LEAST_PEOPLE or not stored.rule.personas:
        return None
    told = _told(episodes, stored, soft[old].mean(0))
    base = np.bincount(told.type[old], minlength=episodes.type_count)
    usual = told.persona[old].mean(0)
    value = _figures(told, new, np.ones(len(new)), usual, base)
    rng = np.random.default_rng(SEED)
    windows = _Windows(episodes, old, new)
    draws = []
    for _ in range(DRAWS):
        rows, weight = windows.draw(people, rng)
        draws.append(_figures(told, rows, weight, usual, base - _counts(told, rows, len(base))))
    table = np.array(draws)
    found = {}
    for place, name in enumerate(FIGURES):
        column = table[:, place]
        figure = Figure(
            value=_short(value[place]),
            usual=_short(column.mean()),
            spread=_short(column.std()),
            most=_short(column.max()),
        )
        found[name] = asdict(figure) | {"has_drifted": figure.has_drifted}
    return found


def _short(figure: float) -> float:
    return float(f"{figure:.5g}")


def reasons(figures: dict[str, Any] | None) -> list[str]:
    """Why a full search is proposed, a clause for each figure that has drifted."""
    return [
        f"{told} ({figures[name]['value']:.3g}, where chance gives {figures[name]['usual']:.3g} "
        f"and {figures[name]['most']:.3g} at most)"
        for name, told in FIGURES.items()
        if figures and figures[name]["has_drifted"]
    ]


def _told(episodes: Episodes, stored: Stored, shares: Floats) -> _Told:
    rule = stored.rule.named()
    score = rule.types.T.astype(np.float32)[episodes.type]
    for name, table in zip(rule.names, rule.manners, strict=True):
        score += table.T.astype(np.float32)[episodes.manner(name).values]
    joint = np.exp(score) * np.maximum(shares, 1e-6)
    likely = joint.sum(1)
    return _Told(
        joint / likely[:, None],
        -np.log(likely.astype(float)),
        episodes.type,
        stored.seen[episodes.type],
    )


def _counts(told: _Told, rows: Ints, types: int) -> Ints:
    return np.bincount(told.type[rows], minlength=types)


def _figures(
    told: _Told, rows: Ints, weight: Floats, usual: Floats, base: Ints
) -> tuple[float, float, float, float, float]:
    """In the order of `FIGURES`. Shapes: rows, weight (r,), usual (k + 1,), base (t,)."""
    from scipy.spatial.distance import jensenshannon

    # Of an old window: had it not been there, its types would be unseen as well.
    seen = told.seen[rows] & (base[told.type[rows]] > 0)
    rows_seen, weight_seen = rows[seen], weight[seen]
    total = max(float(weight_seen.sum()), 1e-9)
    share = base / max(base.sum(), 1)
    surprise = told.surprise[rows_seen] - np.log(share[told.type[rows_seen]])
    if not len(rows_seen):
        return 0.0, 0.0, 0.0, 0.0, 1.0
    mix = weight_seen @ told.persona[rows_seen] / total
    types = np.bincount(told.type[rows_seen], weight_seen, len(base))
    return (
        float(mix[0]),
        float(surprise @ weight_seen / total),
        float(jensenshannon(mix, usual, base=2)),
        float(jensenshannon(types, base, base=2)),
        float(1 - weight_seen.sum() / max(weight.sum(), 1e-9)),
    )


class _Windows:
    """Draws of old episodes: a span of time as long as that of the new ones, people drawn anew."""

    def __init__(self, episodes: Episodes, old: Ints, new: Ints) -> None:
        started = np.full(len(episodes), np.iinfo(np.int64).max)
        np.minimum.at(started, episodes.intents.episode, episodes.intents.started_at_ms)
        order = np.argsort(started[old], kind="stable")
        self.rows, self.at, self.user = old[order], started[old][order], episodes.user[old][order]
        # Without the ends: one late message of last year does not make it a year.
        low, high = np.quantile(started[new], [0.05, 0.95])
        self.span = int((high - low) / 0.9)

    def draw(self, people: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
        """Places of episodes, and how often each was drawn."""
        latest = max(int(self.at[-1]) - self.span, int(self.at[0]))
        start = int(rng.integers(int(self.at[0]), latest + 1))
        first, last = np.searchsorted(self.at, [start, start + self.span + 1])
        user = np.unique(self.user[first:last], return_inverse=True)[1].reshape(-1)
        count = int(user.max(initial=-1)) + 1
        if not count:  # nobody did anything then
            return self.draw(people, rng)
        times = np.bincount(rng.integers(0, count, people), minlength=count)
        drawn = times[user] > 0
        return self.rows[first:last][drawn], times[user][drawn].astype(float)
