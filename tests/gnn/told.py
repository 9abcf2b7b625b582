"""A workspace in which each run finds the personas it is told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn import tables
from gnn.families import Families
from gnn.found import Found, PersonaConfig
from gnn.levels import Levels
from gnn.memberships import MixtureConfig, Rule
from gnn.micro import Micro
from gnn.recurrence import Recurrence
from gnn.tensors import Episodes, load
from kg.lake import Lake
from tests.gnn.planted import Planted, Story, arranged, plant
from tests.rows import table

A, B, C, D = 0, 1, 2, 3
NONE = -1
CONFIG = PersonaConfig(least_people=1)
USER = {"first_seen_ms": 0, "last_seen_ms": 0, "record_count": 1, "event_count": 1}


def small_world() -> Planted:
    """Four personas; the rare fifth is none here."""
    planted = plant(7, Story(people=150, personas=5, topics=24))
    return replace(planted, truth=np.where(planted.truth == 4, NONE, planted.truth))


class Told:
    """A workspace in which each run finds the personas it is told."""

    def __init__(self, path: Path, world: Planted) -> None:
        self.path, self.world = path, world
        self.truth = arranged(world)[1]
        self.runs = 0

    def run(self, **more: Any) -> None:
        """Find the planted personas as they are, but for these changes (see `labels`).

        `denied` are people who deny consent, `holes` what the records are said to lack.
        """
        self.runs += 1
        with Lake.writer(self.path) as lake:
            with lake.step("intents", inputs={"run": str(self.runs)}) as step:
                step.overwrite("intents", self.world.intents)
                step.summary["holes"] = more.pop("holes", [])
                denied = more.pop("denied", ())
                users = [
                    u | USER | {"consent_denied": u["user_id"] in denied}
                    for u in self.world.users.to_pylist()
                ]
                step.overwrite("users", table("users", users))
            with lake.step("personas", inputs={"run": str(self.runs)}) as step:
                episodes = load(step)
                labels = self.labels(episodes.user, **more)
                told = found(labels, episodes.type_count)
                tables.write(step, episodes, (told, levels_of(episodes, labels)), CONFIG)

    def labels(
        self, user: NDArray[np.int64], gone: tuple[int, ...] = (), split: bool = False
    ) -> Any:
        """The persona of each episode; `split`: B of every third person is one of its own."""
        labels = self.truth.copy()
        if split:
            labels[(labels == B) & (user % 3 == 0)] = labels.max() + 1
        labels[np.isin(labels, gone)] = NONE
        there = np.unique(labels[labels >= 0])
        return np.where(labels < 0, NONE, np.searchsorted(there, labels))

    def rows(self, name: str) -> list[dict[str, Any]]:
        with Lake.open(self.path) as lake:
            found: list[dict[str, Any]] = lake.arrow(name).to_pylist()
        return found

    def kinds(self) -> list[tuple[Any, Any, str]]:
        """The newest run's descent."""
        every = self.rows("descent")
        newest = max(row["number"] for row in every)
        return [
            (row["from_persona_id"], row["to_persona_id"], row["kind"])
            for row in every
            if row["number"] == newest
        ]

    def id_of(self, persona: int) -> str:
        """The id that most intents of a planted persona have now."""
        ids = self.world.intents["intent_id"].to_pylist()
        truth = dict(zip(ids, self.world.truth.tolist(), strict=True))
        names = [
            row["persona_id"]
            for row in self.rows("memberships")
            if truth[row["intent_id"]] == persona and row["persona_id"]
        ]
        return max(sorted(set(names)), key=names.count)


def levels_of(episodes: Episodes, labels: NDArray[np.int64]) -> Levels:
    """The first two personas are a family; every second episode of the second is in a part."""
    count = int(labels.max(initial=-1)) + 1
    family = np.where((np.arange(count) < 2) & (count > 1), 0, -1)
    micro = np.where((labels == B) & (np.arange(len(labels)) % 2 == 0), 0, -1)
    parts = int(micro.max(initial=-1)) + 1
    held = np.zeros((len(episodes.user_ids), parts), bool)
    held[episodes.user[micro == 0]] = True
    tests = (
        Recurrence(together=1.0, expected=0.5, lift=2.0, p=0.001, q=0.001, passed=True),
    ) * parts
    return Levels(
        Families(family, (0.8,) * int(count > 1)),
        Micro(micro, np.full(parts, B), held, tests, (0.9,) * parts),
    )


def found(labels: NDArray[np.int64], types: int) -> Found:
    """Personas by their labels; their rule says how many there are."""
    count = int(labels.max(initial=-1)) + 1
    table = np.full((count + 1, types), count / 10)
    rule = Rule(table, (), (), (), np.inf, np.full(count, 0.2), MixtureConfig())
    tests = [
        Recurrence(together=1.0, expected=0.5, lift=2.0, p=0.001, q=0.001, passed=True)
    ] * count
    return Found(rule, np.eye(count + 1)[labels + 1], tests, [0.9] * count)
