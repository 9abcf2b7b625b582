from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from kg.errors import Conflict, NotFound
from kg.lake import TABLES, Lake, WrongTable


def identities(*rows: tuple[str, str]) -> pa.Table:
    return pa.table(
        {"record_key": [key for key, _ in rows], "user_id": [user for _, user in rows]},
        schema=pa.schema([("record_key", pa.string()), ("user_id", pa.string())]),
    )


def test_a_table_never_written_is_empty_and_typed(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        for name, schema in TABLES.items():
            assert lake.arrow(name).num_rows == 0
            assert lake.arrow(name).schema.names == schema.names
            assert lake.arrow(name).schema.types == schema.types


def test_what_a_step_wrote_is_there_after_it(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("identity", inputs={"ingest": None}) as step:
            assert not step.done
            assert step.overwrite("identities", identities(("a#1", "u_1"), ("a#2", "u_2"))) == 2
            step.append(
                "identities",
                step.table("identities").limit(1).mutate(record_key=ibis.literal("b#1")),
            )
            assert step.arrow("identities").num_rows == 3
            assert lake.arrow("identities").num_rows == 0
            step.summary["users"] = 2
        assert lake.arrow("identities").num_rows == 3
        with lake.step("identity", inputs={"ingest": None}) as step:
            assert step.done
            assert step.summary == {"users": 2}
    reader = Lake.open(tmp_path / "w")
    assert reader.arrow("identities", ["record_key"])["record_key"].to_pylist() == [
        "a#1",
        "a#2",
        "b#1",
    ]
    assert reader.step_id("identity") == step.id
    assert reader.step_id("sessions") is None
    assert set(reader.arrow("identities")["run_id"].to_pylist()) == {step.id}


def test_a_path_that_is_no_workspace_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        Lake.open(tmp_path / "none")
    assert "personagraph run DATA --workspace" in str(caught.value.hint)


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w"), pytest.raises(Conflict), Lake.writer(tmp_path / "w"):
        pass


def test_rows_that_do_not_fit_are_our_mistake(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake, pytest.raises(WrongTable), lake.step("x") as step:
        step.overwrite("identities", pa.table({"record_key": ["a"], "user_id": [None]}))
