import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pytest
from sklearn.metrics import adjusted_rand_score

from kg.lake import Lake
from tests.gnn.lake import personas_of, rows_of
from tests.gnn.planted import Planted, Story, plant

SMALL = Story(people=900, personas=5, topics=24)


@pytest.fixture(scope="module")
def world() -> Planted:
    return plant(21, SMALL)


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


def test_planted_personas_are_recovered(world: Planted, found: Path) -> None:
    memberships = rows_of(found, "memberships").sort_by("intent_id")
    persona = [name or "none" for name in memberships["persona_id"].to_pylist()]
    assert memberships["intent_id"].to_pylist() == world.intents["intent_id"].to_pylist()
    planted = world.truth >= 0
    ari = adjusted_rand_score(world.truth[planted], np.array(persona)[planted])
    assert ari > 0.6


@pytest.mark.parametrize("seed", range(3))
def test_nobody_has_a_persona_when_intents_are_dealt_at_random(
    world: Planted, tmp_path: Path, seed: int
) -> None:
    personas_of(_shuffled(world, seed), tmp_path)
    assert rows_of(tmp_path, "personas").num_rows == 0
    assert rows_of(tmp_path, "holdings").num_rows == 0
    assert set(rows_of(tmp_path, "memberships")["persona_id"].to_pylist()) == {None}
    assert "no stable structure" in Lake.open(tmp_path).summary("personas")["result"]


def test_few_people_are_an_answer_too(tmp_path: Path) -> None:
    personas_of(plant(1, Story(people=15)), tmp_path)
    assert rows_of(tmp_path, "personas").num_rows == 0


def test_the_same_input_gives_the_same_personas(
    world: Planted, found: Path, tmp_path: Path
) -> None:
    personas_of(world, tmp_path)
    for name in ("personas", "memberships", "holdings", "persona_rules"):
        assert rows_of(tmp_path, name).equals(rows_of(found, name)), name


def test_who_holds_a_persona_has_two_intents_in_it(found: Path) -> None:
    holdings = rows_of(found, "holdings").to_pandas()
    assert (holdings.intents >= 2).all()
    assert ((holdings.low <= holdings.weight) & (holdings.weight <= holdings.high)).all()
    inside = rows_of(found, "memberships").to_pandas().dropna()
    counts = inside.groupby(["user_id", "persona_id"]).size()
    assert [counts[key] for key in zip(holdings.user_id, holdings.persona_id, strict=True)] == list(
        holdings.intents
    )


def test_a_persona_says_how_common_it_is_and_what_it_is_made_of(found: Path) -> None:
    personas = rows_of(found, "personas").to_pandas()
    assert (personas.people >= 20).all()
    assert ((personas.share_low < personas.share) & (personas.share < personas.share_high)).all()
    assert (personas.recurrence_q < 0.01).all()
    assert (personas.recurrence_lift > 1).all()
    for signature in personas.signature:
        assert all(kind["lift"] > 1 for kind in json.loads(signature)["types"])


def test_personas_keep_their_ids_when_people_are_added(tmp_path: Path) -> None:
    whole = plant(22, SMALL)
    early = whole.intents.filter(
        pa.compute.less(whole.intents["user_id"], "u_00800")  # the last hundred come later
    )
    personas_of(Planted(early, whole.users, whole.truth[: len(early)]), tmp_path, run="a")
    before = set(rows_of(tmp_path, "personas")["persona_id"].to_pylist())
    personas_of(whole, tmp_path, run="b")
    after = rows_of(tmp_path, "personas")
    kept = before & set(after["persona_id"].to_pylist())
    assert len(kept) >= 0.7 * len(before)
    assert max(after["version"].to_pylist()) == 2
