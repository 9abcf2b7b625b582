"""The scorer: a perfect workspace recovers everything, an empty one nothing."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from program import SimulatedWorld as World
from sklearn.metrics import adjusted_rand_score

from ingestion.simulate.agreement import agreement, pairs
from ingestion.simulate.score import Recovered, score
from kg.errors import NotFound

CLAIMS = pa.schema([(name, pa.string()) for name in ("persona_id", "kind", "subject", "direction")])


def perfect(truth: Path) -> dict[str, pa.Table]:
    """What a workspace would export that knew everything."""
    records = pq.read_table(truth / "records.parquet")
    records = records.filter(pc.is_valid(records["person_id"]))
    events = pq.read_table(truth / "events.parquet")
    names = pq.read_table(truth / "personas.parquet")["persona"].unique().to_pylist()
    people = pq.read_table(truth / "people.parquet")
    personas = people["personas"].combine_chunks()
    owner = people["person_id"].take(pc.list_parent_indices(personas)).cast(pa.string())
    campaigns = pq.read_table(truth / "campaigns.parquet").to_pylist()
    return {
        "identities": pa.table({
            "record_key": records["record_key"],
            "user_id": records["person_id"].cast(pa.string())}),
        "memberships": pa.table({
            "record_key": events["record_key"], "intent_id": events["intent"].cast(pa.string()),
            "user_id": events["person_id"].cast(pa.string()), "persona_id": events["persona"]}),
        "holdings": pa.table({
            "user_id": owner, "persona_id": pc.list_flatten(personas),
            "valid_to": pa.nulls(len(owner), pa.timestamp("ms", "UTC"))}),
        "personas": pa.table({"persona_id": names, "name": names}),
        "claims": pa.Table.from_pylist([
            {"persona_id": row["persona"], "kind": "response", "subject": row["campaign_id"],
             "direction": "more" if row["effect"] > 0 else "less"} for row in campaigns], CLAIMS),
    }  # fmt: skip


@pytest.fixture(scope="module")
def best(planted: World) -> Recovered:
    return score(perfect(planted.truth), planted.truth)


def test_a_workspace_that_knows_everything_recovers_everything(best: Recovered) -> None:
    assert best.personas.ari == pytest.approx(1)
    assert best.identity.f1 == pytest.approx(1)
    assert (best.mixed_users, best.coverage, best.noise_left_out) == (0, 1, 1)
    assert all(match.is_recovered for match in best.matches)
    assert len(best.matches) == 10
    for one in best.holders.values():
        assert 0 < one.shown < one.planted == one.right
        assert one.right_shown == one.shown
        assert one.found >= one.planted  # who left no record is found as well here
    assert best.responses
    assert all(response.is_recovered for response in best.responses)


def test_a_workspace_without_personas_misses_all_of_them(planted: World) -> None:
    exports = perfect(planted.truth)
    nobody = pa.nulls(exports["memberships"].num_rows, pa.string())
    exports["memberships"] = exports["memberships"].set_column(3, "persona_id", nobody)
    exports["personas"] = exports["personas"].slice(0, 0)
    exports["claims"] = exports["claims"].slice(0, 0)
    found = score(exports, planted.truth)
    assert found.personas.ari == 0
    assert not any(match.is_recovered for match in found.matches)
    assert found.found_count == 0
    assert sum(line.startswith("  missed") for line in found.lines()) >= 10


def test_a_holder_who_is_not_said_to_be_one_costs_recall_and_a_false_one_precision(
    planted: World, best: Recovered
) -> None:
    exports = perfect(planted.truth)
    held = exports["holdings"]
    tester = pc.equal(held["persona_id"], "early_tester")
    exports["holdings"] = held.filter(pc.invert(tester))
    nobody = score(exports, planted.truth).holders["early_tester"]
    assert (nobody.found, nobody.right, nobody.recall) == (0, 0, 0.0)
    everybody = pc.unique(exports["identities"]["user_id"])
    exports["holdings"] = pa.table({
        "user_id": everybody, "persona_id": ["early_tester"] * len(everybody),
        "valid_to": pa.nulls(len(everybody), pa.timestamp("ms", "UTC"))})  # fmt: skip
    wrong = score(exports, planted.truth).holders["early_tester"]
    assert wrong.recall == 1
    assert wrong.precision == pytest.approx(wrong.planted / len(everybody))
    assert best.holders["early_tester"].recall == 1


def test_merging_two_people_costs_precision_and_splitting_one_costs_recall(
    planted: World, best: Recovered
) -> None:
    exports = perfect(planted.truth)
    users = exports["identities"]["user_id"]
    merged = pc.if_else(pc.equal(users, "1"), "2", users)
    exports["identities"] = exports["identities"].set_column(1, "user_id", merged)
    found = score(exports, planted.truth)
    assert found.mixed_users == 1
    assert found.identity.precision < best.identity.precision
    assert found.identity.recall == pytest.approx(1)


def test_the_report_says_what_was_recovered(best: Recovered) -> None:
    text = "\n".join(best.lines())
    assert "10 of 10 planted ones recovered" in text
    assert "recovered  early tester" in text
    assert "100% of those who showed it at least twice" in text
    assert "missed" not in text


def test_another_folder_is_refused(planted: World, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no simulated truth"):
        score(perfect(planted.truth), tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_the_rand_index_is_the_usual_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, found = rng.integers(0, 6, 500), rng.integers(0, 4, 500)
    found = np.where(rng.random(500) < 0.5, truth, found)
    counted = pairs(pa.chunked_array([truth]), pa.chunked_array([found]))
    assert agreement(counted).ari == pytest.approx(adjusted_rand_score(truth, found))
