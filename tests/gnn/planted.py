"""A small world of intents with planted personas: shared topics, noise, one rare, two by the hour.

Personas 0 and 1 want the same topics in the same ways, one in the morning, one in the evening.
The last persona is held by 2 % of the people. Everyone holds one to three.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gnn.tensors import Episodes, Ints, arrange
from tests.clock import with_clock

VERBS = ("viewed", "bought", "asked", "returned")
CHANNELS = ("web", "store", "support")


@dataclass(frozen=True)
class Planted:
    """What happened, who, and (-1: noise) out of which persona."""

    intents: pa.Table
    users: pa.Table
    truth: NDArray[np.int64]


@dataclass(frozen=True)
class Story:
    """What to plant.

    Attributes:
        noise: share of intents that no persona explains.
        one_mood: probability that an intent follows the persona of its session.
    """

    people: int = 2000
    personas: int = 8
    topics: int = 40
    noise: float = 0.2
    one_mood: float = 0.7
    sessions: float = 8.0


def plant(seed: int, story: Story | None = None) -> Planted:
    """Make one world; the same seed makes the same."""
    story = story or Story()
    rng = np.random.default_rng(seed)
    k, topics = story.personas, story.topics
    wants = np.full((k, topics), 1e-4)
    for persona in range(k):
        liked = rng.choice(topics, 7, replace=False)
        wants[persona, liked] = rng.dirichlet(np.full(7, 2.0))
    wants[1] = wants[0]
    wants /= wants.sum(1, keepdims=True)
    verbs = rng.dirichlet(np.full(len(VERBS), 0.8), (k, topics))
    channels = rng.dirichlet(np.full(len(CHANNELS), 1.0), k)
    verbs[1], channels[1] = verbs[0], channels[0]
    hours = rng.uniform(8, 20, k)
    hours[:2] = 8.5, 19.5
    price = rng.normal(0, 0.6, k)
    rate = rng.dirichlet(np.full(k - 1, 5.0))
    popular = rng.dirichlet(np.full(topics, 1.0))

    rows: list[tuple[int, int, int, int, int, int, int, float, int]] = []
    start = 1_600_000_000_000
    number = 0
    for user in range(story.people):
        held = list(rng.choice(k - 1, rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]), False, rate))
        if rng.random() < 0.02:
            held = [*held[:2], k - 1]
        share = rng.dirichlet(np.full(len(held), 3.0))
        for _ in range(1 + rng.poisson(story.sessions * rng.gamma(2.0, 0.5))):
            number += 1
            mood = int(rng.choice(held, p=share))
            day = start + 86_400_000 * int(rng.integers(0, 360))
            channel = int(rng.choice(len(CHANNELS), p=channels[mood]))
            hour = float(np.clip(rng.normal(hours[mood], 2.0), 0, 23.9))
            for position in range(1 + rng.poisson(1.5)):
                persona = mood if rng.random() < story.one_mood else int(rng.choice(held, p=share))
                if rng.random() < story.noise:
                    topic = int(rng.choice(topics, p=popular))
                    verb, persona_price, truth = int(rng.integers(0, len(VERBS))), 0.0, -1
                else:
                    topic = int(rng.choice(topics, p=wants[persona]))
                    verb = int(rng.choice(len(VERBS), p=verbs[persona, topic]))
                    persona_price, truth = price[persona], persona
                value = float(np.exp(2 + 0.1 * topic + persona_price + rng.normal(0, 0.5)))
                at = day + int(hour * 3_600_000) + position * 60_000
                rows.append((user, number, verb, topic, channel, position, at, value, truth))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return tables(columns, story.people)


def tables(columns: list[NDArray[np.float64]], people: int) -> Planted:
    user, session, verb, topic, channel, position, at, value, truth = columns
    half = np.array(["fit", "test"])[(np.arange(people) * 7919 // 13) % 2]
    users = pa.table({"user_id": [f"u_{n:05d}" for n in range(people)], "half": half.tolist()})
    intents = pa.table(
        {
            "intent_id": [f"i_{n:07d}" for n in range(len(user))],
            "session_id": [f"s_{n:06d}" for n in session],
            "user_id": [f"u_{n:05d}" for n in user],
            "verb": [VERBS[n] for n in verb],
            "topic": [f"topic-{n:02d}" for n in topic],
            "channel": [CHANNELS[n] for n in channel],
            "position": pa.array(position + 1, pa.int64()),
            "started_at_ms": pa.array(at, pa.int64()),
            "ended_at_ms": pa.array(at, pa.int64()),
            "event_count": pa.array(np.ones(len(user)), pa.int64()),
            "quantity": np.ones(len(user)),
            "value": value,
            "text": pa.nulls(len(user), pa.string()),
            "campaign_id": pa.nulls(len(user), pa.string()),
        }
    )
    return Planted(with_clock(intents), users, truth.astype(np.int64))


def arranged(world: Planted) -> tuple[Episodes, Ints]:
    """The world's episodes, with the planted persona of each (of most of its intents)."""
    episodes = arrange(world.intents, world.users)
    intents = episodes.intents
    place = {name: at for at, name in enumerate(world.intents["intent_id"].to_pylist())}
    truth = world.truth[[place[name] for name in intents.ids.to_pylist()]]
    counts = np.zeros((len(episodes), int(world.truth.max(initial=-1)) + 2), np.int64)
    np.add.at(counts, (intents.episode, truth + 1), 1)
    return episodes, counts.argmax(1) - 1
