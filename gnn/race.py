"""Which way to group intents comes back most when other people are grouped: a race.

People are halved, each half is grouped for itself, and what both say alike counts (`returning`).
How they were halved is luck, and of many ways the luckiest looks best; so the best must lead over
several halvings. (Tried with one: on a wholesaler's orders another seed took another way, and the
personas of events agreed to .10, adjusted Rand index; with four, of which each draws others of what
the same people did, too, two seeds agreed to .90 and a third, which took one part more, to .36 with
them; with eight, four seeds to .64 to .82, and to .97 to .99 since fewer rounds are fitted.)

Parts cost little: all are measured once, those half as good as the best again, and so on, unless
nothing has come back at all; of those that are as good as the best, within one standard error, the
fewest are taken. (Tried: two. Seeds agreed on the orders to .79, .80 and .90, but of a planted
world two personas were told as one.)
Communities cost a training each time: they run on only while twice as much comes back of them, and
are taken where they lead the parts by more than that lead varies from halving to halving. So of two
ways as good as each other the same is taken. (Tried: any such lead. Few and broad groups come back
easily: on the orders .40 nats of three communities did and .24 of three parts, and yet they said
less of what people did next, .032 of the next basket among ten items where parts say .044, and two
seeds agreed to .75 where parts agree to .97 to .99.)

Source: Maron and Moore 1994 (racing); Breiman et al. 1984 (one standard error); Hennig 2007,
doi:10.1016/j.csda.2006.11.025 (clusters that stay when people are drawn anew).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import sem

from gnn.communities import Leiden
from gnn.device import side_by_side
from gnn.found import PersonaConfig, Report, sample
from gnn.memberships import Rule, Soft, assign, fit
from gnn.proposals import COMMUNITIES, PARTS, USERS, Proposer, Way, ways
from gnn.returning import Return, compare, of_twice_as_many, returned
from gnn.tensors import Episodes, Floats, Ints, Manner

MUCH_MORE = 2.0
"""Times as much must come back of communities as of parts."""
IN_VAIN = 3
"""On so many pairs of halves nothing of any parts came back: then no more are tried."""


@dataclass
class Trial:
    """A way to group episodes, and what came of it each time it was measured.

    Attributes:
        said: what the rules of both halves say of the same episodes.
        backs: what of it came back.
    """

    way: Way
    said: list[tuple[Soft, Soft]] = field(default_factory=list)
    backs: list[Return] = field(default_factory=list)

    @property
    def information(self) -> float:
        """Nats beyond the topic that come back, on average; less than chance says is none."""
        return max(float(np.mean([back.information for back in self.backs])), 0.0)

    @property
    def error(self) -> float:
        """Standard error of that mean."""
        return float(sem([back.information for back in self.backs]))

    def beats(self, other: "Trial") -> bool:
        """Whether more comes back, by more than it varies itself."""
        return self.information - self.error > other.information

    def leads(self, other: "Trial") -> bool:
        """Whether more comes back on the same halvings, by more than the lead varies."""
        both = zip(self.backs, other.backs, strict=True)
        lead = [mine.information - theirs.information for mine, theirs in both]
        return bool(np.mean(lead) > sem(lead))

    def told(self) -> dict[str, Any]:
        """For the summary of the run."""
        return {
            "by": self.way.by,
            "size": self.way.size,
            "times": len(self.backs),
            "information": round(self.information, 4),
            "error": round(self.error, 4) if len(self.backs) > 1 else None,
        }


class Race:
    """Groups the people who are fitted in all ways, halves of them at a time.

    Args:
        manners: that may shape personas, the most telling first.
        settings: the algorithm of the store, and where the work reports.

    Attributes:
        rows: the episodes of the people who are fitted.
        common: those of them that all rules are compared on.
    """

    def __init__(
        self,
        episodes: Episodes,
        manners: tuple[Manner, ...],
        config: PersonaConfig,
        settings: tuple[Leiden, Report],
    ) -> None:
        self.episodes, self.manners, self.config = episodes, manners, config
        self.leiden, self._report = settings
        self.rows = np.flatnonzero(episodes.fit[episodes.user])
        self.common = sample(episodes, self.rows, config.most_tried, config.seed + 1)
        self._pairs: dict[int, list[tuple[Ints, Proposer]]] = {}
        self._tried: list[Trial] = []

    def winner(self) -> Trial | None:
        """The way that is taken; None where nothing comes back."""
        kinds: dict[str, list[Trial]] = {kind: [] for kind in (PARTS, COMMUNITIES, USERS)}
        for way in ways(self.config.proposals):
            kinds[way.by].append(Trial(way))
        taken = self._of_parts(kinds[PARTS])
        for kind in (COMMUNITIES, USERS):
            taken = self._challenger(kinds[kind], taken) or taken
        self._tried = tried = [trial for trials in kinds.values() for trial in trials]
        self._report.summary["trials"] = [trial.told() for trial in tried]
        if taken:
            whole = [trial for trial in tried if len(trial.backs) == len(taken.backs)]
            self._report.summary["as_good"] = [
                trial.told() for trial in whole if trial is not taken and not taken.beats(trial)
            ]
        return taken

    def _of_parts(self, trials: list[Trial]) -> Trial | None:
        """On each pair of halves those that were half as good as the best so far; of those that are
        left, and that the best does not beat, the fewest parts: more tear a persona in two."""
        left, best = trials, 0.0
        for _ in range(self.config.halvings if trials else 0):
            self._measured(left)
            best = max(trial.information for trial in left)
            if not best and len(left[0].backs) >= IN_VAIN:
                return None
            left = [trial for trial in left if trial.information >= best / 2]
        if not best:
            return None
        leader = max(left, key=lambda trial: trial.information)
        return next(trial for trial in left if not leader.beats(trial))

    def _challenger(self, trials: list[Trial], taken: Trial | None) -> Trial | None:
        """The best, if over all halvings much more of it comes back than of what is taken, and by
        more than its lead varies."""
        if not trials:
            return None
        self._measured(trials)
        bar = MUCH_MORE * taken.information if taken else 0.0
        while (best := max(trials, key=lambda trial: trial.information)).information > bar:
            if len(best.backs) == self.config.halvings:
                return best if taken is None or best.leads(taken) else None
            self._measured([best])
        return None

    def fitted(self, trial: Trial) -> Rule:
        """The rule of all people who are fitted, grouped in this way."""
        rows = sample(self.episodes, self.rows, self.config.most_fitted, self.config.seed)
        proposer = self._proposer(rows)
        if trial.way.by == COMMUNITIES:
            self._train({"all": proposer})
        start = _as_soft(proposer.groups(trial.way))
        return self.fit(rows, start)

    def stability(self, trial: Trial, rule: Rule) -> Floats:
        """How well a rule of as many other people would tell each group of this one.

        Halves tell how rules of half as many agree (`returned`); the median of all halvings, as one
        on which a half goes astray says little of the rule.

        Shapes: -> (k,), -1 to 1.
        """
        whole = assign(self.episodes, self.common, self.manners, rule)
        user = self.episodes.user[self.common]
        came_back = [returned(user, whole, said) for said in trial.said]
        return of_twice_as_many(np.median(came_back, axis=0))

    def said_by_halves(self) -> Iterator[tuple[int, Soft]]:
        """Which halving, and what a half said of the common episodes, in every way that was tried.

        Shapes: (n, k + 1) each.
        """
        for trial in self._tried:
            for halving, pair in enumerate(trial.said):
                for soft in pair:
                    yield halving, soft

    def _measured(self, trials: list[Trial]) -> None:
        """Each of these once more, all of one kind, on halves that it was not measured on."""
        kind = trials[0].way.by
        if kind == COMMUNITIES:
            self._read(len(trials[0].backs))
        with self._report.progress.task(f"Grouping intents: {kind}", len(trials)) as task:
            for trial in trials:
                self._measure(trial)
                task.advance()

    def _measure(self, trial: Trial) -> None:
        pair = self._pair(len(trial.backs))
        with self._report.clock("mixture"):
            starts = [(rows, _as_soft(one.groups(trial.way))) for rows, one in pair]
            first, second = side_by_side(lambda start: self.said(*start), starts)
        trial.said.append((first, second))
        least = self.config.least_return
        trial.backs.append(compare(self.episodes, self.common, trial.said[-1], least))

    def said(self, rows: Ints, start: Soft) -> Soft:
        """What the rule of some episodes says of those that all rules are compared on."""
        return assign(self.episodes, self.common, self.manners, self.fit(rows, start))

    def fit(self, rows: Ints, start: Soft) -> Rule:
        """The rule of some episodes, from a first guess."""
        return fit(self.episodes, rows, self.manners, start, self.config.mixture)[0]

    def _pair(self, number: int) -> list[tuple[Ints, Proposer]]:
        if number not in self._pairs:
            both = halves(self.episodes, self.config, number)
            self._pairs[number] = [(rows, self._proposer(rows)) for rows in both]
        return self._pairs[number]

    def _proposer(self, rows: Ints) -> Proposer:
        settings = (self.config.proposals, self.leiden, self.config.seed)
        return Proposer(self.episodes, rows, self.manners, settings)

    def _read(self, number: int) -> None:
        """The vectors of a pair of halves, if they are not there yet."""
        both = {f"half-{number}-{n}": one for n, (_, one) in enumerate(self._pair(number))}
        if not all(one.has_read for one in both.values()):
            self._train(both)

    def _train(self, proposers: dict[str, Proposer]) -> None:
        steps = len(proposers) * self.config.proposals.encoder.steps
        told = "Reading intents and their company"
        with (
            self._report.clock("proposals"),
            self._report.progress.task(told, steps) as task,
        ):
            for name, proposer in proposers.items():
                proposer.read(self._report.training(task, name))


def halves(episodes: Episodes, config: PersonaConfig, number: int = 0) -> list[Ints]:
    """Episodes of two disjoint halves of the people who are fitted; another pair by each number.

    Of people with many episodes others are drawn each time, too: what all pairs shared would be
    luck that no average takes away.
    """
    rows = np.flatnonzero(episodes.fit[episodes.user])
    luck = np.random.default_rng([config.seed, number])
    first = luck.random(len(episodes.user_ids)) < 0.5
    drawn = int(luck.integers(2**32))
    return [
        sample(episodes, rows[first[episodes.user[rows]] == side], config.most_tried, drawn)
        for side in (True, False)
    ]


def _as_soft(labels: Ints) -> Soft:
    """Communities (n,) as a first guess (n, k + 1); who is in none (-1) may be in any."""
    soft = np.full((len(labels), int(labels.max(initial=-1)) + 2), 0.02)
    soft[np.arange(len(labels)), labels + 1] += 1
    return np.asarray(soft / soft.sum(1, keepdims=True))
