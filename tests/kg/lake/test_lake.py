"""What a reader sees and what a step may write."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kg.errors import Conflict, InputError, NotFound, Unavailable
from kg.lake import TABLES, Lake, Workspace, Writer, WrongTable, tables
from kg.lake.engine import Engine
from kg.lake.manifest import Manifest, write_manifest

ROWS = 300_000
ROWS_THAT_HANG = 1_000_000


def identities(*rows: tuple[str, str]) -> pa.Table:
    return pa.table(
        {"record_key": [key for key, _ in rows], "user_id": [user for _, user in rows]},
        schema=pa.schema([("record_key", pa.string()), ("user_id", pa.string())]),
    )


def keys(lake: Lake) -> list[str]:
    found: list[str] = lake.arrow("identities", ["record_key"])["record_key"].to_pylist()
    return found


def test_a_table_never_written_is_empty_and_typed(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        assert lake.head is None
        for name, schema in TABLES.items():
            assert lake.arrow(name).num_rows == 0
            assert lake.arrow(name).schema.names == schema.names
            assert lake.arrow(name).schema.types == schema.types


def test_a_table_overwritten_with_nothing_is_empty(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("x") as step:
            step.overwrite("identities", identities(("a", "u")))
        with lake.step("y") as step:
            assert step.overwrite("identities", identities()) == 0
            assert step.overwrite("user_aliases", step.table("user_aliases")) == 0
        assert keys(lake) == []


def test_what_a_step_wrote_is_there_after_it(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("identity", inputs={"ingest": None}) as step:
            assert not step.done
            assert step.overwrite("identities", identities(("a#1", "u_1"), ("a#2", "u_2"))) == 2
            more = step.table("identities").limit(1).mutate(record_key=ibis.literal("b#1"))
            assert step.append("identities", more) == 1
            assert step.arrow("identities").num_rows == 3
            assert lake.arrow("identities").num_rows == 0
            step.summary["users"] = 2
        assert lake.arrow("identities").num_rows == 3
    with Lake.open(tmp_path / "w") as reader:
        assert keys(reader) == ["a#1", "a#2", "b#1"]
        assert reader.step_id("identity") == step.id
        assert reader.step_id("sessions") is None
        assert reader.summary("identity") == {"users": 2}
        assert reader.summary("sessions") == {}
        assert reader.summary_at(step.id, "identity") == {"users": 2}
        assert set(reader.arrow("identities")["run_id"].to_pylist()) == {step.id}


def test_a_step_that_is_done_is_not_run_again(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("x", config={"a": 1, "b": 2}) as first:
            first.summary["found"] = 1
        with lake.step("x", config={"b": 2, "a": 1}) as again:
            assert again.done
            assert again.id == first.id
            assert again.summary == {"found": 1}
            with pytest.raises(WrongTable, match="is done"):
                again.overwrite("identities", identities())
        assert lake.head is not None
        assert lake.head.number == 1
        for changed in (
            lake.step("x", config={"a": 1, "b": 3}),
            lake.step("x", config={"a": 1, "b": 2}, seed=1),
            lake.step("x", config={"a": 1, "b": 2}, inputs={"y": "1"}),
        ):
            with changed as step:
                assert not step.done


def test_a_manifest_says_what_was_read_and_written(tmp_path: Path) -> None:
    moments = iter(datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 9))
    with Writer(Workspace.create(tmp_path / "w"), clock=lambda: next(moments)) as lake:
        with lake.step("x") as step:
            step.overwrite("identities", identities(("a", "u")))
        with lake.step("y", inputs={"x": lake.step_id("x")}, config={"k": 20}, seed=3) as step:
            step.append("user_aliases", step.table("identities").rename(alias_id="record_key"))
            step.table("user_aliases")
        head = lake.head
    assert head is not None
    assert (head.number, head.step, head.run_id) == (2, "y", step.id)
    assert (head.started_at, head.finished_at) == (
        "2026-01-03T00:00:00+00:00",
        "2026-01-04T00:00:00+00:00",
    )
    assert (head.config, head.seed) == ({"k": 20}, 3)
    assert head.reads == {"identities": 0}
    assert head.writes == {"user_aliases": 0}
    assert head.tables == {"identities": 0, "user_aliases": 0}
    assert set(head.steps) == {"x", "y"}
    names = sorted(file.name for file in (tmp_path / "w" / "runs").iterdir())
    assert names[1] == f"000002-y-{step.id}.json"


def test_an_earlier_run_stays_readable(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        for number in range(1, 131):
            with lake.step("x", seed=number) as step:
                step.append("identities", identities((f"a#{number}", "u")))
    with Lake.open(tmp_path / "w") as lake:
        assert len(keys(lake)) == 130
        for number in (1, 7, 99, 100, 101, 129):
            with lake.at(number) as earlier:
                assert keys(earlier) == [f"a#{n}" for n in range(1, number + 1)]
        with pytest.raises(NotFound, match="no run number 131"):
            lake.at(131)


def test_a_reader_stays_where_it_is_until_it_moves_on(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("x") as step:
            step.overwrite("identities", identities(("old", "u")))
        reader = Lake.open(tmp_path / "w")
        before = reader.table("identities")
        with lake.step("y") as step:
            step.overwrite("identities", identities(("new", "u")))
            assert keys(reader) == ["old"]
        assert keys(reader) == ["old"]
        reader.refresh()
        assert keys(reader) == ["new"]
        assert reader.run(before)["record_key"].to_pylist() == ["old"]


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("x") as step:
            step.overwrite("identities", identities(("kept", "u")))
        with pytest.raises(WrongTable):
            write_two_tables_and_fail(lake)
        assert keys(lake) == ["kept"]
        assert lake.step_id("y") is None
        with lake.step("y") as step:
            step.append("identities", identities(("next", "u")))
        assert keys(lake) == ["kept", "next"]
        assert lake.arrow("user_aliases").num_rows == 0


def write_two_tables_and_fail(lake: Writer) -> None:
    with lake.step("y") as step:
        step.append("identities", identities(("lost", "u")))
        step.append("user_aliases", step.table("identities").rename(alias_id="record_key"))
        step.append("users", step.table("identities"))


def test_a_step_interrupted_once_its_manifest_is_there_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_and_be_interrupted(runs: Path, manifest: Manifest) -> None:
        write_manifest(runs, manifest)
        raise KeyboardInterrupt

    with Lake.writer(tmp_path / "w") as lake:
        monkeypatch.setattr("kg.lake.writer.write_manifest", write_and_be_interrupted)
        with pytest.raises(KeyboardInterrupt), lake.step("identity") as step:
            step.overwrite("identities", identities(("a", "u")))
        monkeypatch.undo()
        assert lake.step_id("identity") == step.id
        assert keys(lake) == ["a"]
    with Lake.open(tmp_path / "w") as reader:
        assert keys(reader) == ["a"]


def test_what_an_interrupted_step_put_aside_is_there_for_it_and_gone_once_it_is_done(
    tmp_path: Path,
) -> None:
    def begin(lake: Writer, part: int) -> Path:
        with lake.step("identity", config={"part": part}) as step:
            file = step.aside("state")
            if not file.exists():
                file.write_text(str(part))
                raise KeyboardInterrupt
            assert file.read_text() == str(part)
            step.append("identities", identities(("a#1", "u_1")))
            return file

    with Lake.writer(tmp_path / "w") as lake:
        for part in (1, 2):
            with pytest.raises(KeyboardInterrupt):
                begin(lake, part)
    with Lake.writer(tmp_path / "w") as lake:  # another process finds its own, and no other's
        begin(lake, 2)
        assert not list(lake.workspace.aside.iterdir())


def test_what_a_step_put_aside_that_was_killed_after_its_manifest_is_gone(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake, lake.step("identity") as step:
        pass
    left = lake.workspace.aside / f"identity-{step.id}"
    left.mkdir(parents=True)
    with Lake.writer(tmp_path / "w"):
        assert not left.exists()


def test_rows_stay_in_the_order_given(tmp_path: Path) -> None:
    numbers = ibis.range(ROWS).unnest().name("n").as_table()
    data = numbers.select(
        record_key=numbers.n.cast("string"), user_id=ibis.literal("u_1")
    ).order_by(ibis.desc("record_key"))
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("x") as step:
            assert step.overwrite("identities", data) == ROWS
            step.append("identities", identities(("last", "u_1")))
        expected = sorted((str(n) for n in range(ROWS)), reverse=True)
        assert keys(lake) == [*expected, "last"]


def test_a_stream_survives_whatever_is_asked_meanwhile(tmp_path: Path) -> None:
    data = pa.table({"n": range(ROWS)})
    with Lake.writer(tmp_path / "w") as lake:
        streams = [lake.batches(lake.memtable(data)) for _ in range(2)]
        counts = [stream.read_next_batch().num_rows for stream in streams]
        lake.table("users").count().to_pyarrow()
        lake.arrow("users")
        for place, stream in enumerate(streams):
            counts[place] += sum(batch.num_rows for batch in stream)
        assert counts == [ROWS, ROWS]


def test_a_stream_out_of_two_large_parts_that_are_joined_ends(tmp_path: Path) -> None:
    # As a stream DuckDB waits for ever on it, from about this size on.
    engine = Engine(tmp_path / "spill")
    engine._con.raw_sql("SET threads = 2")
    numbers = ibis.range(ROWS_THAT_HANG).unnest().cast("int64").name("n").as_table()
    one, two, three = (engine.keep(numbers.mutate(m=numbers.n)) for _ in range(3))
    both = ibis.union(one.join(two, ["n", "m"]), one.join(three, ["n", "m"]))
    assert sum(batch.num_rows for batch in engine.batches(both)) == 2 * ROWS_THAT_HANG
    assert engine.arrow(both).num_rows == 2 * ROWS_THAT_HANG
    in_order = engine.batches(both.order_by("m", "n").select("m")).read_all()["m"]
    assert pc.all(pc.less_equal(in_order[:-1], in_order[1:])).as_py()
    engine.close()


def test_arrow_data_joins_with_the_tables_of_the_lake(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("x") as step:
            step.overwrite("identities", identities(("a", "u_1"), ("b", "u_2")))
            names = step.memtable(pa.table({"user_id": ["u_2"], "alias_id": ["old"]}))
            joined = step.table("identities").join(names, "user_id").select("alias_id", "user_id")
            step.overwrite("user_aliases", joined)
        assert lake.arrow("user_aliases", ["alias_id", "user_id"]).to_pylist() == [
            {"alias_id": "old", "user_id": "u_2"}
        ]


def test_what_a_step_keeps_has_the_types_that_were_said_and_goes_with_the_step(
    tmp_path: Path,
) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("x") as step:
            step.overwrite("identities", identities(("a", "u"), ("b", "u")))
            table = step.table("identities")
            users = table.group_by("user_id").aggregate(n=table.record_key.length().sum())
            kept = step.keep(users.join(lake.memtable(pa.table({"user_id": ["u"]})), "user_id"))
            assert kept.schema() == users.schema()
            assert lake.run(kept).to_pylist() == [{"user_id": "u", "n": 2}]
        with pytest.raises(duckdb.CatalogException):
            lake.run(kept)


def test_types_are_cast_where_nothing_is_lost(tmp_path: Path) -> None:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array([1.0, 2.0, 3.0, 4.0], pa.float32()), 2)
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("x") as step:
            step.overwrite(
                "embeddings",
                pa.table(
                    {
                        "vector": vectors,
                        "model": pa.array(["m", "m"]).dictionary_encode(),
                        "text_hash": pa.array(["1", "2"], pa.large_string()),
                    }
                ),
            )
            numbers = {"claim_id": ["c"], "path": pa.array([1], pa.int16()), "position": [2]}
            step.overwrite("evidence", pa.table({**numbers, "label": ["User"], "node_id": ["u_1"]}))
        assert lake.arrow("embeddings")["vector"].to_pylist() == [[1.0, 2.0], [3.0, 4.0]]
        assert lake.arrow("evidence")["path"].to_pylist() == [1]


@pytest.mark.parametrize(
    ("table", "data", "reason"),
    [
        ("nothing", {"a": [1]}, "no table 'nothing'"),
        ("identities", {"record_key": ["a"]}, r"lacks \['user_id'\]"),
        ("identities", {"record_key": ["a"], "user_id": ["u"], "x": [1]}, r"not know \['x'\]"),
        ("identities", {"record_key": ["a"], "user_id": [None]}, "user_id must not be null"),
        ("identities", {"record_key": ["a"], "user_id": [1]}, "user_id must be string, received"),
        (
            "text_topics",
            {"text_hash": ["a"], "topic": ["t"], "level": [2**40]},
            "level must be int32",
        ),
    ],
)
def test_rows_that_do_not_fit_are_our_mistake(
    table: str, data: dict[str, list[object]], reason: str, tmp_path: Path
) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with pytest.raises(WrongTable, match=reason), lake.step("x") as step:
            step.overwrite(table, pa.table(data))
        assert lake.head is None


def test_a_source_read_again_replaces_its_rows(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("ingest", inputs={"o'ne.csv": "1", "two.csv": "1"}) as first:
            first.overwrite("records", records("o'ne.csv#1", "o'ne.csv#2", "two.csv#1"))
            found = identities(("o'ne.csv#1", "u"), ("o'ne.csv#2", "u"), ("two.csv#1", "u"))
            first.overwrite("identities", found)
        with lake.step("ingest", inputs={"o'ne.csv": "2", "two.csv": "1"}) as second:
            gone = ["o'ne.csv", "never.csv"]
            assert second.replace_sources("records", gone, records("o'ne.csv#2")) == 1
            fresh = identities(("o'ne.csv#2", "v"))
            assert second.replace_sources("identities", gone, fresh) == 1
            assert second.replace_sources("items", gone, TABLES["items"].empty_table()) == 0
            with pytest.raises(WrongTable, match="neither source nor record_key"):
                second.replace_sources("users", gone, TABLES["users"].empty_table())
        wanted = [("two.csv#1", first.id), ("o'ne.csv#2", second.id)]
        for table in ("records", "identities"):
            rows = lake.arrow(table, ["record_key", "run_id"]).to_pylist()
            assert [(row["record_key"], row["run_id"]) for row in rows] == wanted
        with lake.at(1) as earlier:
            assert earlier.arrow("records").num_rows == 3


def test_a_row_of_no_record_survives_every_source(tmp_path: Path) -> None:
    nowhere = {field.name: [None] for field in TABLES["items"] if field.nullable}
    item = {"item_id": ["i"], "role": ["item"], "categories": [["a"]], "attributes": ["{}"]}
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("x") as step:
            step.overwrite("records", records("one.csv#1"))
            step.overwrite("items", pa.table({**item, **nowhere}))
        with lake.step("y") as step:
            step.replace_sources("items", ["one.csv"], step.table("items").limit(0))
        assert lake.arrow("items")["item_id"].to_pylist() == ["i"]


def records(*record_keys: str) -> pa.Table:
    count = len(record_keys)
    schema = TABLES["records"]
    return pa.table(
        {
            field.name: pa.array(
                list(record_keys)
                if field.name == "record_key"
                else [key.split("#")[0] for key in record_keys]
                if field.name == "source"
                else ["accepted"] * count
                if field.name == "status"
                else [0] * count
                if pa.types.is_integer(field.type)
                else ["x"] * count,
                field.type,
            )
            for field in schema
        }
    )


def test_a_column_added_later_is_null_in_older_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Lake.writer(tmp_path / "w") as lake, lake.step("x") as step:
        step.overwrite("identities", identities(("old", "u")))
    wider = TABLES["identities"].insert(2, pa.field("why", pa.string()))
    monkeypatch.setitem(tables.TABLES, "identities", wider)
    with Lake.writer(tmp_path / "w") as lake:
        assert lake.arrow("identities")["why"].to_pylist() == [None]
        with lake.step("y") as step:
            more = identities(("new", "u")).append_column("why", pa.array(["because"]))
            step.append("identities", more)
        assert lake.arrow("identities")["why"].to_pylist() == [None, "because"]


@pytest.mark.parametrize("name", ["with space", "ä#?&'", "a*b{c}"])
def test_a_workspace_may_have_an_unusual_name(name: str, tmp_path: Path) -> None:
    with Lake.writer(tmp_path / name) as lake:
        with lake.step("x") as step:
            step.overwrite("identities", identities(("a", "u")))
            step.append("identities", identities(("b", "u")))
        assert keys(lake) == ["a", "b"]


@pytest.mark.parametrize("name", ["a[b]", "a|b", "a%20b", "a^b", "a\\b", "a\nb"])
def test_a_name_that_tables_cannot_have_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Lake.writer(tmp_path / name)


def test_a_damaged_table_is_told_apart_from_a_missing_one(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("x") as step:
            step.overwrite("identities", identities(("a", "u")))
        (file,) = (tmp_path / "w" / "lake" / "identities").glob("*.parquet")
        file.unlink()
        with pytest.raises(Unavailable):
            lake.arrow("identities")
    log = tmp_path / "w" / "lake" / "identities" / "_delta_log"
    next(log.glob("*.json")).write_text("no")
    with Lake.open(tmp_path / "w") as reader, pytest.raises(Unavailable):
        reader.arrow("identities")


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    with (
        Lake.writer(tmp_path / "w"),
        pytest.raises(Conflict, match=r"Process \d+ is writing"),
        Lake.writer(tmp_path / "w"),
    ):
        pass
    with Lake.writer(tmp_path / "w"):
        pass


def test_a_stream_that_fails_in_the_middle_is_told_like_any_failure(tmp_path: Path) -> None:
    numbers = pa.table({"n": range(3_000_000)})
    with Lake.writer(tmp_path / "w") as lake:
        for setting in ("memory_limit = '40MB'", "temp_directory = ''"):
            lake._engine._con.raw_sql(f"SET GLOBAL {setting}")
        keys = lake.memtable(numbers).select(record_key=ibis._.n.cast("string").reverse())
        rows = keys.mutate(user_id=keys.record_key).order_by("record_key")
        for attempt in (
            lambda: lake.run(rows),
            lambda: list(lake.batches(rows)),
            lambda: write(lake, rows),
        ):
            with pytest.raises(Unavailable, match="ran out of memory"):
                attempt()
        assert lake.head is None


def write(lake: Writer, rows: ibis.Table) -> None:
    with lake.step("x") as step:
        step.overwrite("identities", rows)


def test_a_stream_that_is_wrong_stays_our_mistake(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        words = lake.memtable(pa.table({"word": ["1"] * ROWS + ["one"]}))
        with pytest.raises(duckdb.Error, match="Conversion Error"):
            list(lake.batches(words.mutate(n=words.word.cast("int64"))))
