"""A part of the lake: what some records say, searched for once."""

from pathlib import Path

import pyarrow as pa

from ingestion.identity.part import Part
from kg.lake import Lake
from tests.ingestion.identity.people import person, run

ANN = person("a", crm="1", given_name="Ann", family_name="Kelner")
BEA = person("b", crm="2", given_name="Bea", family_name="Fenby")


def keys(*names: str) -> pa.Array:
    return pa.array(names, pa.string())


def test_a_table_is_searched_once_until_the_step_writes_to_it(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "shop") as lake:
        run(lake, [ANN, BEA])
        with lake.step("look") as step:
            part = Part(step, keys("a"))
            details = part.table("person_details")
            assert part.table("person_details") is details
            assert part.arrow("person_details", ["given_name"]).to_pylist() == [
                {"given_name": "Ann"}
            ]
            step.append("consents", pa.table({
                "record_key": ["a", "b"], "purpose": ["ads", "ads"], "granted": [True, False],
                "at_ms": [1, 1], "until_ms": pa.nulls(2, pa.int64()), "source": ["x.csv", "x.csv"],
            }))  # fmt: skip
            assert part.arrow("consents", ["granted"]).to_pylist() == [{"granted": True}]
            step.overwrite("consents", pa.table({
                "record_key": ["a"], "purpose": ["ads"], "granted": [False], "at_ms": [2],
                "until_ms": pa.nulls(1, pa.int64()), "source": ["x.csv"],
            }))  # fmt: skip
            assert part.arrow("consents", ["granted"]).to_pylist() == [{"granted": False}]
            assert part.table("person_details") is details


def test_of_other_users_the_same_records_are_not_searched_for_again(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "shop") as lake:
        run(lake, [ANN, BEA])
        with lake.step("look") as step:
            ids = {
                row["record_key"]: row["user_id"] for row in step.arrow("identities").to_pylist()
            }
            ann = Part(step, keys("a"), keys(ids["a"]))
            details = ann.table("person_details")
            assert ann.arrow("users", ["user_id"])["user_id"].to_pylist() == [ids["a"]]
            both = ann.of_users(keys(ids["a"], ids["b"]))
            assert both.table("person_details") is details
            assert sorted(both.arrow("users", ["user_id"])["user_id"].to_pylist()) == sorted(
                [ids["a"], ids["b"]]
            )
            assert len(ann.arrow("users")) == 1
