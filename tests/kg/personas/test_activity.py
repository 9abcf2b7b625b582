"""Activity alone sets no persona apart: a world where returns, channels and hours are random."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from kg.activity import STRATA, cuts, strata
from kg.lake import Lake
from kg.lake.tables import TABLES
from kg.personas import claims
from kg.personas.counts import Scan, counts
from kg.personas.statistics import effect

PERSONAS = 14
PEOPLE = 4000
HOUR_MS = 3_600_000


def random_world(path: Path, seed: int) -> None:
    """People of very different activity; a persona is two intents or more on its topic.

    Which verb, channel and hour an intent has is drawn alike for everybody.
    """
    rng = np.random.default_rng(seed)
    number = 1 + rng.poisson(rng.gamma(0.7, 9.0, PEOPLE))
    user = np.repeat(np.arange(PEOPLE), number)
    likes = rng.dirichlet(np.full(PERSONAS, 0.3), PEOPLE).cumsum(axis=1)
    topic = (rng.random(len(user))[:, None] > likes[user]).sum(axis=1).clip(0, PERSONAS - 1)
    verb = rng.choice(["viewed", "bought", "returned"], len(user), p=[0.5, 0.4, 0.1])
    hour = rng.integers(0, 24 * 90, len(user))
    pairs, held = np.unique(np.stack([user, topic]), axis=1, return_counts=True)
    holder, persona = pairs[:, held >= 2]
    ids = [f"u_{n:04d}" for n in range(PEOPLE)]
    tables = {
        "users": {"user_id": ids, "half": "test", "consent_denied": False},
        "intents": {
            "intent_id": [f"i_{n}" for n in range(len(user))],
            "session_id": [f"s_{n}" for n in range(len(user))],
            "user_id": [ids[n] for n in user],
            "verb": verb.tolist(),
            "topic": [f"t{n}" for n in topic],
            "channel": rng.choice(["web", "app", "shop", "support"], len(user)).tolist(),
            "started_at_ms": hour * HOUR_MS,
            "hour": hour % 24,
            "weekday": (hour // 24 + 3) % 7,
        },
        "holdings": {
            "user_id": [ids[n] for n in holder],
            "persona_id": [f"p_{n}" for n in persona],
        },
        "personas": {"persona_id": [f"p_{n}" for n in range(PERSONAS)], "version": 1},
    }
    with Lake.writer(path) as lake, lake.step("random", seed=seed) as step:
        for name, columns in tables.items():
            step.overwrite(name, filled(name, columns))


def filled(name: str, columns: dict[str, object]) -> pa.Table:
    """A table of the lake with these columns, the others empty."""
    rows = max(len(column) for column in columns.values() if isinstance(column, list))
    fields = [field for field in TABLES[name] if field.name != "run_id"]
    filled = []
    for field in fields:
        empty = None if field.nullable else "" if pa.types.is_string(field.type) else 0
        value = columns.get(field.name, empty)
        whole = value if isinstance(value, list | np.ndarray) else [value] * rows
        filled.append(pa.array(whole, field.type))
    return pa.Table.from_arrays(filled, schema=pa.schema(fields))


@pytest.fixture(scope="module")
def random_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random world in a lake."""
    path = tmp_path_factory.mktemp("random") / "workspace"
    random_world(path, seed=3)
    return path


def test_returns_at_random_are_claimed_of_no_persona_though_holders_return_more(
    random_lake: Path,
) -> None:
    with Lake.open(random_lake) as lake:
        found = claims.by_pair(lake.run(counts(Scan(lake), "returned")).to_pylist())
        chosen = claims.choose(lake, sampled=False)
    crude = [float(effect(*([sum(box)] for box in pair.boxes))) for pair in found.values()]
    assert len(crude) == PERSONAS
    assert sum(apart >= claims.MIN_EFFECT for apart in crude) > PERSONAS / 2
    assert chosen.stated["returned"] == 0


@pytest.mark.parametrize("kind", ["verb", "channel", "support", "daypart", "weekday"])
def test_nothing_drawn_alike_for_everybody_is_claimed_more_often_than_by_chance(
    random_lake: Path, kind: str
) -> None:
    with Lake.open(random_lake) as lake:
        assert claims.choose(lake, sampled=False).stated[kind] <= 1


def test_strata_part_holders_evenly_and_everybody_is_in_one(random_lake: Path) -> None:
    with Lake.open(random_lake) as lake:
        ends, rows = cuts(lake), lake.run(strata(lake)).to_pydict()
        held = set(lake.arrow("holdings")["user_id"].to_pylist())
        intents = lake.arrow("intents", ["user_id", "started_at_ms"]).to_pandas()
    assert sorted(ends.days) == list(ends.days)
    activity = dict(zip(rows["user_id"], rows["activity"], strict=True))
    days = (intents.started_at_ms // (24 * HOUR_MS)).groupby(intents.user_id).nunique()
    number = intents.user_id.value_counts()
    assert sorted(activity) == sorted(number.index)
    of_holders = np.bincount([activity[user] for user in held if days[user] > 1], minlength=STRATA)
    assert of_holders[0] == 0
    assert of_holders[1:] / of_holders.sum() == pytest.approx(np.full(8, 1 / 8), abs=0.06)
    for user in number.index:
        band = sum(days[user] > end for end in ends.days)
        busy = band > 0 and number[user] > ends.intents[band - 1]
        assert activity[user] == (2 * band - 1 + busy if band else 0)
    some = number.index[:500]
    assert [activity[user] for user in some] == list(
        ends.stratum(days[some].to_numpy(), number[some].to_numpy())
    )


def test_who_came_once_is_no_measure_for_those_who_came_again(tmp_path: Path) -> None:
    """Of people with ten intents, half did them in one visit; returns take a second one."""
    path, people = tmp_path / "workspace", [f"u_{n:03d}" for n in range(400)]
    user = np.repeat(people, 10)
    often = np.repeat(np.arange(400) % 2 == 1, 10)
    day = np.where(often, np.arange(4000) % 5, 0)
    returned = often & (np.arange(4000) % 10 == 9)
    holds = [name for n, name in enumerate(people) if n % 4 == 1]
    tables = {
        "users": {"user_id": people, "half": "test", "consent_denied": False},
        "intents": {
            "intent_id": [f"i_{n}" for n in range(4000)],
            "session_id": [f"s_{n}" for n in range(4000)],
            "user_id": user.tolist(),
            "verb": np.where(returned, "returned", "bought").tolist(),
            "topic": "t",
            "channel": "web",
            "started_at_ms": day * 24 * HOUR_MS,
        },
        "holdings": {"user_id": holds, "persona_id": "p_1"},
        "personas": {"persona_id": ["p_1"], "version": 1},
    }
    with Lake.writer(path) as lake, lake.step("visits") as step:
        for name, columns in tables.items():
            step.overwrite(name, filled(name, columns))
    with Lake.open(path) as lake:
        found = claims.by_pair(lake.run(counts(Scan(lake), "returned")).to_pylist())
        assert claims.choose(lake, sampled=False).stated["returned"] == 0
    (pair,) = found.values()
    assert float(effect(*([sum(box)] for box in pair.boxes))) > 0.5
