"""Tables of databases as streams: of SQLite whatever its columns hold, of PostgreSQL by type."""

import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from postgres import Server

from kg.errors import InputError, Unavailable
from kg.lake import databases
from kg.lake.held import Held
from kg.lake.lines import UnreadableFile


def outcomes(tables: list[Held]) -> dict[str, Any]:
    """The rows of every table, or why there are none."""
    found: dict[str, Any] = {}
    for one in tables:
        try:
            found[one.name] = one.read().read_all().to_pylist()
        except UnreadableFile as error:
            found[one.name] = error.detail
    return found


def of_sqlite(path: Path, *statements: str) -> dict[str, Any]:
    con = sqlite3.connect(path)
    for one in statements:
        con.execute(one)
    con.commit()
    con.close()
    assert databases.is_sqlite(path)
    with databases.sqlite(path) as tables:
        return outcomes(tables)


def test_the_values_of_sqlite_are_texts_as_in_csv(tmp_path: Path) -> None:
    found = of_sqlite(
        tmp_path / "a.db",
        "CREATE TABLE t (a, b)",
        "INSERT INTO t VALUES (NULL, 2.5), (1, 'x'), (x'ff', NULL), ('007', 20)",
        "CREATE VIEW v AS SELECT a FROM t WHERE b = 20",
    )
    assert found["t"] == [{"a": "", "b": "2.5"}, {"a": "1", "b": "x"}, {"a": "", "b": ""},
                          {"a": "007", "b": "20"}]  # fmt: skip
    assert found["v"] == [{"a": "007"}]


def test_a_text_of_sqlite_in_another_encoding_costs_nothing_but_its_letters(tmp_path: Path) -> None:
    found = of_sqlite(
        tmp_path / "a.db",
        "CREATE TABLE a (id INTEGER, name TEXT)",
        "INSERT INTO a VALUES (1, 'Müller'), (2, CAST(X'4DFC6C6C6572' AS TEXT)), (3, NULL)",
    )
    assert [one["name"] for one in found["a"]] == ["Müller", "M\ufffdller", ""]


def test_a_table_of_sqlite_that_fails_costs_no_other(tmp_path: Path) -> None:
    found = of_sqlite(
        tmp_path / "a.db",
        "CREATE TABLE good (a)", "INSERT INTO good VALUES (1)",
        'CREATE TABLE "odd/na%me" (a)', "CREATE VIEW bad AS SELECT absent FROM good",
    )  # fmt: skip
    assert found == {
        "good": [{"a": "1"}], "odd%2Fna%25me": [],
        "bad": "the table is damaged, or is a view that fails",
    }  # fmt: skip


def test_a_damaged_sqlite_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    of_sqlite(path, "CREATE TABLE t (a)")
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 3000)
    with pytest.raises(UnreadableFile, match="damaged or locked"), databases.sqlite(path):
        pass


def test_many_rows_of_sqlite_come_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    of_sqlite(
        path,
        "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 100000) SELECT CASE WHEN i > 60000 THEN 'late' END AS x, i FROM n",
    )
    with databases.sqlite(path) as (table,):
        sizes = [len(batch) for batch in table.read()]
    assert sum(sizes) == 100_000
    assert max(sizes) < 50_000


@pytest.fixture
def server(postgres: Server) -> Server:
    """A database without tables."""
    postgres.run(
        "DROP SCHEMA IF EXISTS crm CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public"
    )
    return postgres


def of_postgres(server: Server, sql: str) -> dict[str, Any]:
    server.run(sql)
    with databases.postgres(server.address()) as tables:
        return outcomes(tables)


@pytest.mark.postgres
def test_columns_of_postgresql_keep_their_types(server: Server) -> None:
    server.run(
        "CREATE TABLE t (id int PRIMARY KEY, n numeric(10, 2), at timestamptz, local timestamp, "
        "day date, f float8, vip bool, doc jsonb, tags text[], photo bytea, code uuid); "
        "INSERT INTO t VALUES (2, 1.50, '2026-01-01 00:00+01', 'infinity', '2026-01-01', 0.1, "
        "true, '{\"a\": 1}', '{a,b}', '\\xff', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'); "
        "INSERT INTO t VALUES (1)"
    )
    with databases.postgres(server.address()) as (table,):
        found = table.read().read_all()
    assert found.schema.types == [
        pa.int32(), pa.string(), pa.timestamp("us", "UTC"), pa.timestamp("us"), pa.date32(),
        pa.float64(), pa.bool_(), *[pa.string()] * 4]  # fmt: skip
    assert found["id"].to_pylist() == [1, 2]  # by the key, not as they were written
    row = found.to_pylist()[1]
    assert row["at"].isoformat() == "2025-12-31T23:00:00+00:00"
    assert (row["n"], row["doc"], row["tags"]) == ("1.50", '{"a": 1}', '["a","b"]')
    assert row["local"] is row["photo"] is None


@pytest.mark.postgres
def test_views_and_whole_partitioned_tables_are_read_and_other_schemas_are_folders(
    server: Server,
) -> None:
    found = of_postgres(
        server,
        "CREATE TABLE part (id int, k text) PARTITION BY LIST (k); "
        "CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a'); "
        "INSERT INTO part VALUES (1, 'a'); "
        "CREATE VIEW v AS SELECT id FROM part; CREATE MATERIALIZED VIEW m AS SELECT id FROM part; "
        "CREATE SCHEMA crm; CREATE TABLE crm.contacts (x int)",
    )
    assert (found["m"], found["v"], found["crm/contacts"]) == ([{"id": 1}], [{"id": 1}], [])
    assert found["part"] == [{"id": 1, "k": "a"}]
    assert "part_a" not in found


@pytest.mark.postgres
def test_a_table_that_fails_or_may_not_be_read_costs_no_other(server: Server) -> None:
    server.run(
        "CREATE TABLE a (x int); INSERT INTO a VALUES (1); CREATE VIEW bad AS SELECT 1 / (x - 1) "
        "AS y FROM a; CREATE TABLE secret (x int); CREATE TABLE z (x int); "
        "CREATE ROLE low LOGIN PASSWORD 'low'; GRANT USAGE ON SCHEMA public TO low; "
        "GRANT SELECT ON a, bad, z TO low"
    )
    low = server.address().replace(f"reader:{server.password}", "low:low")
    try:
        with databases.postgres(low) as tables:
            found = outcomes(tables)
    finally:
        server.run("DROP OWNED BY low; DROP ROLE low")
    assert found == {
        "a": [{"x": 1}], "bad": "the server cannot read it",
        "secret": "the user may not read this table", "z": []}  # fmt: skip


@pytest.mark.postgres
def test_all_tables_are_of_one_moment(server: Server) -> None:
    server.run("CREATE TABLE a (x int); CREATE TABLE b (x int)")
    with databases.postgres(server.address()) as tables:
        assert tables[0].read().read_all().num_rows == 0
        server.run("INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)")
        assert tables[1].read().read_all().num_rows == 0


@pytest.mark.postgres
def test_nothing_can_be_written(server: Server) -> None:
    server.run(
        "CREATE TABLE a (x int); CREATE FUNCTION f() RETURNS int AS $$ INSERT INTO a VALUES (1) "
        "RETURNING 1 $$ LANGUAGE sql; CREATE VIEW sly AS SELECT f() AS x"
    )
    with databases.postgres(server.address()) as tables:
        assert outcomes(tables) == {"a": [], "sly": "the server cannot read it"}


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("password", "database", "says"),
    [("wr0ng", "postgres", "password is wrong"), (None, "nowhere", "no such user or database")],
)
def test_a_database_that_refuses_says_why_and_repeats_no_secret(
    postgres: Server, password: str | None, database: str, says: str
) -> None:
    address = postgres.address(database, password)
    with pytest.raises(Unavailable, match=says) as refused, databases.postgres(address):
        pass
    told = f"{refused.value} {refused.value.hint}"
    assert refused.value.__suppress_context__
    assert postgres.password not in told
    assert "wr0ng" not in told


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        ("postgresql://a:s3cret@127.0.0.1:1/x", Unavailable, "nothing answers there"),
        ("postgresql://a:s3cret@nowhere.invalid/x", Unavailable, "no such host"),
        ("postgresql://a:s3c#ret/@127.0.0.1:x/x", InputError, "cannot be understood"),
        ("postgresql://a:x@s3c/w@127.0.0.1:1/x", Unavailable, "The PostgreSQL database cannot be"),
        ("postgresql://a:x@s3c@127.0.0.1:1/x", Unavailable, "The PostgreSQL database cannot be"),
    ],
)
def test_a_server_that_is_not_there_is_said_to_be(
    address: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as refused, databases.postgres(address):
        pass
    assert "s3c" not in f"{refused.value} {refused.value.hint}"  # type: ignore[attr-defined]


@pytest.mark.postgres
def test_a_server_that_goes_down_while_it_is_read_is_unavailable(server: Server) -> None:
    server.run("CREATE TABLE a AS SELECT generate_series(1, 2000000) AS x, repeat('y', 50) AS y")

    def ended() -> None:
        with databases.postgres(server.address()) as (table,):
            rows = table.read()
            server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
                       "pg_backend_pid() AND backend_type = 'client backend'")  # fmt: skip
            rows.read_all()

    with pytest.raises(Unavailable, match="it broke off"):
        ended()
