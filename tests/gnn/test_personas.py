import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from gnn.found import PersonaConfig, held_by_few, holders
from kg.lake import TABLES, Lake
from tests.gnn.lake import personas_of, rows_of
from tests.gnn.planted import Planted, Story, arranged, plant

SMALL = Story(people=700, personas=5, topics=24)
LATE = "u_00660"  # who comes from here on is not there at first


@pytest.fixture(scope="module")
def whole() -> Planted:
    return plant(21, SMALL)


@pytest.fixture(scope="module")
def world(whole: Planted) -> Planted:
    """The whole world without those who come late."""
    early = pa.compute.less(whole.intents["user_id"], LATE)
    return Planted(
        whole.intents.filter(early), whole.users, whole.truth[early.to_numpy().astype(bool)]
    )


@pytest.fixture(scope="module")
def found(world: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("personas") / "workspace"
    personas_of(world, path)
    return path


def _shuffled(world: Planted, seed: int) -> Planted:
    """The same intents dealt to people at random; everyone keeps their number of intents."""
    order = pa.array(np.random.default_rng(seed).permutation(len(world.intents)))
    intents = world.intents
    for name in ("user_id", "session_id"):
        place = intents.column_names.index(name)
        intents = intents.set_column(place, name, world.intents[name].take(order))
    return Planted(intents, world.users, world.truth)


def _topic_clusters(world: Planted) -> np.ndarray:
    """What one gets without any of this: k-means of people by their shares of topics."""
    user, topic = (
        np.unique(world.intents[name].to_numpy(zero_copy_only=False), return_inverse=True)[1]
        for name in ("user_id", "topic")
    )
    shares = np.zeros((user.max() + 1, topic.max() + 1))
    np.add.at(shares, (user, topic), 1)
    shares /= shares.sum(1, keepdims=True)
    found = KMeans(SMALL.personas, n_init=10, random_state=0).fit_predict(shares)
    return np.asarray(found[user])


def test_planted_personas_are_recovered_far_better_than_by_clusters_of_people(
    world: Planted, found: Path
) -> None:
    memberships = rows_of(found, "memberships").sort_by("intent_id")
    persona = np.array([name or "none" for name in memberships["persona_id"].to_pylist()])
    assert memberships["intent_id"].to_pylist() == world.intents["intent_id"].to_pylist()
    planted = world.truth >= 0
    ari = adjusted_rand_score(world.truth[planted], persona[planted])
    plain = adjusted_rand_score(world.truth[planted], _topic_clusters(world)[planted])
    assert ari > 0.6
    assert ari > plain + 0.2
    assert adjusted_rand_score(world.truth, persona) > 0.5  # noise told apart as well


@pytest.mark.parametrize("seed", range(3))
def test_nobody_has_a_persona_when_intents_are_dealt_at_random(
    world: Planted, tmp_path: Path, seed: int
) -> None:
    personas_of(_shuffled(world, seed), tmp_path)
    assert rows_of(tmp_path, "personas").num_rows == 0
    assert rows_of(tmp_path, "holdings").num_rows == 0
    assert set(rows_of(tmp_path, "memberships")["persona_id"].to_pylist()) == {None}
    assert "no stable structure" in Lake.open(tmp_path).summary("personas")["result"]


def _told(world: Planted, people: int, goals: list[tuple[str, str]]) -> Planted:
    """People who all have exactly these intents (verb, topic), one a day."""
    count = people * len(goals)
    day = np.tile(np.arange(len(goals)), people)
    owner = [f"u_{number // len(goals):05d}" for number in range(count)]
    columns = {
        "user_id": pa.array(owner),
        "session_id": pa.array([f"s_{number:06d}" for number in range(count)]),
        "verb": pa.array([goals[n][0] for n in day]),
        "topic": pa.array([goals[n][1] for n in day]),
        "started_at_ms": pa.array(1_600_000_000_000 + 86_400_000 * day, pa.int64()),
    }
    intents = world.intents.slice(0, count)
    for name, column in columns.items():
        intents = intents.set_column(intents.column_names.index(name), name, column)
    return Planted(intents, world.users, np.full(count, -1))


GOALS = [("bought", f"topic-{number:02d}") for number in range(8)]


@pytest.mark.parametrize(
    ("people", "goals", "why"),
    [
        (0, [], "no persona can be looked for: there is no intent to find one in. Is a table"),
        (1, GOALS, "too few people"),
        (30, GOALS, "too few people to look for personas: 30 people had an intent; in the half"),
        (200, GOALS, "no persona can be seen: people are too much alike. On average each did 100%"),
        (300, GOALS[:1], "too few people to look for personas: 0 of 300 did something on 2 occ"),
        (300, GOALS[:1] * 2, "no persona can be seen: all intents are of one topic"),
    ],
    ids=["no intents", "one user", "few people", "all identical", "one event each", "one topic"],
)
def test_where_nothing_can_recur_nobody_has_a_persona(
    whole: Planted, tmp_path: Path, people: int, goals: list[tuple[str, str]], why: str
) -> None:
    world = _told(whole, people, goals)
    personas_of(world, tmp_path)
    for name in ("personas", "holdings", "persona_rules"):
        assert rows_of(tmp_path, name).num_rows == 0
    assert rows_of(tmp_path, "memberships").num_rows == len(world.intents)
    assert Lake.open(tmp_path).summary("personas")["result"].startswith(why)


def test_who_asks_for_more_people_than_there_are_is_told_so(whole: Planted, tmp_path: Path) -> None:
    personas_of(whole, tmp_path, least=1_000_000)
    told = Lake.open(tmp_path).summary("personas")["result"]
    assert told.endswith("1,000,000 are needed (personas.yaml asks for so many)")


def test_one_event_of_each_person_shows_no_persona(whole: Planted, tmp_path: Path) -> None:
    owners = whole.intents["user_id"].to_numpy(zero_copy_only=False)
    first = np.unique(owners, return_index=True)[1]
    personas_of(
        Planted(whole.intents.take(pa.array(first)), whole.users, whole.truth[first]), tmp_path
    )
    assert rows_of(tmp_path, "personas").num_rows == 0


def test_the_same_input_gives_the_same_personas(
    world: Planted, found: Path, tmp_path: Path
) -> None:
    personas_of(world, tmp_path)
    for name in ("personas", "memberships", "holdings", "persona_rules"):
        assert rows_of(tmp_path, name).equals(rows_of(found, name)), name


def test_who_holds_a_persona_has_two_intents_in_it(found: Path) -> None:
    holdings = rows_of(found, "holdings").to_pandas()
    holdings = holdings[holdings.valid_to_ms.isna()]  # the others had two by the time it ended
    assert len(holdings)
    assert (holdings.intents >= 2).all()
    assert (holdings.groupby("user_id").weight.sum() <= 1 + 1e-9).all()
    assert ((holdings.low <= holdings.weight) & (holdings.weight <= holdings.high)).all()
    inside = rows_of(found, "memberships").to_pandas().dropna(subset=["persona_id"])
    counts = inside.groupby(["user_id", "persona_id"]).size()
    assert [counts[key] for key in zip(holdings.user_id, holdings.persona_id, strict=True)] == list(
        holdings.intents
    )


def test_a_persona_says_how_common_it_is_and_what_it_is_made_of(found: Path) -> None:
    personas = rows_of(found, "personas").to_pandas()
    assert len(personas)
    assert rows_of(found, "personas").schema.names == TABLES["personas"].names[:-1]
    assert (personas.people >= 20).all()
    assert ((personas.share_low < personas.share) & (personas.share < personas.share_high)).all()
    assert (personas.recurrence_q < 0.01).all()
    assert (personas.recurrence_lift > 1).all()
    for signature in personas.signature:
        assert all(kind["lift"] > 1 for kind in json.loads(signature)["types"])


def test_personas_keep_their_ids_when_people_are_added(
    whole: Planted, found: Path, tmp_path: Path
) -> None:
    path = shutil.copytree(found, tmp_path / "workspace")
    before = set(rows_of(path, "personas")["persona_id"].to_pylist())
    personas_of(whole, path, run="b")
    after = rows_of(path, "personas")
    kept = before & set(after["persona_id"].to_pylist())
    assert len(kept) >= 0.7 * len(before)
    assert max(after["version"].to_pylist()) == 2


def test_who_was_in_a_persona_on_one_occasion_only_does_not_hold_it() -> None:
    world = plant(3, Story(people=30))
    episodes, _ = arranged(world)
    person, first = np.unique(episodes.user, return_index=True)
    several = np.flatnonzero(episodes.occasion != episodes.occasion[first][episodes.user])
    once, twice = person[0], person[1]
    sitting = np.flatnonzero(episodes.occasion == episodes.occasion[first[once]])
    persona = np.zeros(len(episodes), int)
    persona[sitting] = 1
    persona[[first[twice], several[episodes.user[several] == twice][0]]] = 1
    config = PersonaConfig(least_share=0.0)
    held = holders(episodes, np.eye(2)[persona], config)
    assert np.flatnonzero(held[:, 0]).tolist() == [twice]


def test_who_asks_for_more_people_than_hold_any_persona_is_said() -> None:
    floor = held_by_few(PersonaConfig())
    assert floor == "no persona is held by 20 people (of fewer nothing is said; read more)"
    asked = held_by_few(PersonaConfig(least_people=50))
    assert asked == "no persona is held by 50 people (personas.yaml asks for so many)"
