"""What a search for personas is told, and what it finds: the words its steps have in common."""

import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from gnn.crew import ALONE, Crew
from gnn.families import FamilyConfig
from gnn.memberships import MixtureConfig, Rule, Soft
from gnn.overlooked import OverlookedConfig
from gnn.proposals import ProposalConfig
from gnn.recurrence import Recurrence, RecurrenceConfig
from gnn.tensors import Episodes, Ints
from gnn.training import Work
from kg.personas.labels import TELLS_APART
from kg.personas.statistics import MIN_PEOPLE
from kg.progress import Progress, Task, silent

NO_STRUCTURE = "no stable structure: nobody's intents recur together more than chance"
ONE_TOPIC = (
    "no persona can be seen: all intents are of one topic, and none recurs across topics. "
    f"Name in the mapping what tells things apart ({TELLS_APART}), and run again"
)
NO_INTENT = (
    "no persona can be looked for: there is no intent to find one in. Is a table of the mapping "
    "read as what people did (`kind: event`), may these people be profiled, and does personas.yaml "
    "leave anything in?"
)
TOO_FEW = "too few people to look for personas"
ASKED_FOR = "personas.yaml asks for so many"
MOST_SHARED = 0.9
"""Of all types, that people have on average: from here on they hardly differ in what they do."""
UNTOLD = (
    "no persona can be told: what recurs tells its people from nobody as active as they are. Other "
    "topics (`topic_level`, `categories` in the mapping) or more of what they did may tell them"
)


@dataclass(frozen=True)
class PersonaConfig:
    """How personas are found.

    Attributes:
        most_tried: episodes of each half that the fits at every resolution see.
        most_fitted: episodes that the last fit sees.
        halvings: of the people, over which a way to group intents must lead to be taken; 2 or more.
        least_return: personas whose people agree less (as a correlation) are dropped: in the race
            between the rules of both halves, in the end between rules of all who are fitted.
        most_part: an overlooked persona is a part of one found if people's weights in it correlate
            more with those in the other, as it was. (Parts of planted personas: .31 to .71; planted
            ones of one person in fifty: .21 at most.)
        least_same: nor is it taken where weights in one found correlate less with what they were.
            (A wholesaler's four personas did so at .77 to .88 with each that was tried.)
        least_people: personas held by fewer people are dropped (k-floor).
        least_occasions: a person in a persona on fewer occasions does not hold it (the questions of
            one survey, answered once, are no habit).
        least_share: nor does one with a smaller share of their episodes in it.
        least_share_of_people: personas held by a smaller share of everybody are dropped.
        manners_out: names of manners that shape no persona.
        manners_in: names of manners that do, whether or not they are informative.
        must_keep: ids of personas that go on by their old rule if they are not found again.
    """

    proposals: ProposalConfig = field(default_factory=ProposalConfig)
    mixture: MixtureConfig = field(default_factory=MixtureConfig)
    overlooked: OverlookedConfig = field(default_factory=OverlookedConfig)
    recurrence: RecurrenceConfig = field(default_factory=RecurrenceConfig)
    families: FamilyConfig = field(default_factory=FamilyConfig)
    halvings: int = 8
    most_tried: int = 40_000
    most_fitted: int = 600_000
    least_return: float = 0.7
    most_part: float = 0.3
    least_same: float = 0.95
    least_people: int = MIN_PEOPLE
    least_occasions: int = 2
    least_share: float = 0.05
    least_share_of_people: float = 0.0
    manners_out: tuple[str, ...] = ()
    manners_in: tuple[str, ...] = ()
    must_keep: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Kept:
    """A persona that the business keeps and this run did not find, and what speaks against it."""

    persona_id: str
    because: str


@dataclass(frozen=True)
class Found:
    """Personas that passed, and everyone's episodes by their rule.

    The last of them may be `kept` only; their stability is the one last measured.

    Shapes: soft (n, k + 1), column 0 no persona; stability (k,).
    """

    rule: Rule
    soft: Soft
    tests: list[Recurrence]
    stability: list[float]
    kept: tuple[Kept, ...] = ()


@dataclass
class Report:
    """Where the work reports: progress, seconds per part, and the summary of the run.

    Attributes:
        crew: the processes that train together.
        aside: the file of a name that outlives an interruption; None: nothing does.
    """

    progress: Progress = silent
    summary: dict[str, Any] = field(default_factory=dict)
    crew: Crew = ALONE
    aside: Callable[[str], Path] | None = None

    def say(self, message: str) -> None:
        """Tell the user now, and whoever reads the summary."""
        self.progress.say(message)
        self.summary.setdefault("messages", []).append(message)

    def training(self, task: Task, name: str) -> Work:
        """How a training of this name is carried out here."""
        aside = self.aside(name) if self.aside else None
        return Work(task, self.say, self.crew, aside)

    @contextmanager
    def clock(self, part: str) -> Iterator[None]:
        """Add up the seconds of a part of the work."""
        started = perf_counter()
        yield
        seconds = self.summary.setdefault("seconds", {})
        seconds[part] = round(seconds.get(part, 0.0) + perf_counter() - started, 2)


def with_floor(config: PersonaConfig, episodes: Episodes) -> PersonaConfig:
    """With the least share of people as a number of these people."""
    share = math.ceil(config.least_share_of_people * len(episodes.user_ids))
    return replace(config, least_people=max(config.least_people, share))


def sample(episodes: Episodes, rows: Ints, most: int, seed: int) -> Ints:
    """About `most` of the rows, of everybody: the same number at most of each person.

    Whole occasions are drawn. All people and some of what they did show more than some people and
    all of it (a wholesaler's customers: 7 of 8 personas came back, against 4 of 9), and a person
    who did a thousand things counts no more than others.
    """
    if len(rows) <= most:
        return rows
    _, user, count = np.unique(episodes.user[rows], return_inverse=True, return_counts=True)
    cap = int(np.searchsorted([np.minimum(count, c).sum() for c in range(int(count.max()))], most))
    drawn = np.random.default_rng(seed).random(int(episodes.occasion[rows].max()) + 1)
    order = np.lexsort((drawn[episodes.occasion[rows]], user.reshape(-1)))
    first = np.cumsum(count) - count
    place = np.arange(len(rows)) - np.repeat(first, count)
    return np.sort(rows[order[place < max(cap, 1)]])


def holders(episodes: Episodes, soft: Soft, config: PersonaConfig) -> Any:
    """Who holds what. Shapes: (n, k + 1) -> (users, k) bool."""
    persona = soft.argmax(1)
    first = np.unique(np.stack([episodes.occasion, persona]), axis=1, return_index=True)[1]
    occasions = _by_person(episodes, persona, first, soft.shape[1])
    counts = _by_person(episodes, persona, np.arange(len(episodes)), soft.shape[1])
    total = np.bincount(episodes.user, minlength=len(episodes.user_ids))[:, None]
    return (occasions >= config.least_occasions) & (counts >= config.least_share * total)


def _by_person(episodes: Episodes, persona: Ints, rows: Ints, width: int) -> Ints:
    """How many of the rows of each person are in each persona. -> (users, k) int64"""
    counts = np.zeros((len(episodes.user_ids), width), np.int64)
    np.add.at(counts, (episodes.user[rows], persona[rows]), 1)
    return counts[:, 1:]


def information(labels: Ints, topics: Ints) -> float:
    """Normalised (by the mean of both entropies) mutual information, 0 to 1."""
    from sklearn.metrics import normalized_mutual_info_score

    return round(float(normalized_mutual_info_score(labels, topics)), 4)


def alike(episodes: Episodes) -> str:
    """That people are too much alike for any persona, and what to do; empty: they are not."""
    people, types = len(episodes.user_ids), episodes.type_count
    pairs = np.unique(episodes.user * types + episodes.type)
    shared = len(pairs) / max(people * types, 1)
    if shared < MOST_SHARED:
        return ""
    return (
        f"no persona can be seen: people are too much alike. On average each did {shared:.0%} of "
        f"the {types:,} things (a verb and a topic) that anybody did. Is every id one person, and "
        "no shop, device or robot? If they differ in what the records say more narrowly, name that "
        "in the mapping (`item`, `categories`, `object`, a finer `topic_level`) and run again"
    )


def held_by_few(config: PersonaConfig) -> str:
    """That no persona is held by as many people as it takes, and who asks for so many."""
    asked = config.least_people > MIN_PEOPLE
    why = ASKED_FOR if asked else "of fewer nothing is said; read more"
    return f"no persona is held by {config.least_people:,} people ({why})"


def signature_id(signature: str) -> str:
    """The id of a persona nobody has seen before."""
    return "p_" + hashlib.sha256(signature.encode()).hexdigest()[:8]
