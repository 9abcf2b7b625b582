"""Data that lie elsewhere than in text files, from where they are to the lake."""

import datetime
import os
import sqlite3
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pyarrow.parquet
import pytest
from bucket import Bucket
from folders import HEAD, WRITTEN_AT, Read, fill
from postgres import Server
from workbook import write_workbook

from ingestion.ingest import check
from ingestion.mapping import load, parse
from ingestion.places import Wanted, name_of, opened
from ingestion.propose import is_needed, propose
from ingestion.propose.tables import pattern
from kg.errors import InputError, NotFound

MAPPING = (
    "time_zone: UTC\ntables:\n"
    "  people:\n    files: {people}\n    kind: profile\n    key: id\n"
    "    identifiers: {{customer: id, email: mail}}\n    traits: [plan]\n"
    "  orders:\n    files: {orders}\n    kind: event\n    key: order\n"
    "    identifiers: {{customer: buyer}}\n    time: at\n    verb: bought\n    item: sku\n"
    "    value: total\n"
)
PEOPLE = [(1, "ann@x.org", "pro"), (2, "bo@x.org", None)]
AT = datetime.datetime.fromisoformat("2026-01-05T10:00:00")
ORDERS = [
    (10, 1, AT, "cup", 2.5),
    (11, 2, AT + datetime.timedelta(hours=25), "pan", 20.0),
]
IDS = ("id", "mail", "plan")
FIELDS = ("order", "buyer", "at", "sku", "total")
CSV = {
    "people.csv": "id,mail,plan\n1,ann@x.org,pro\n2,bo@x.org,\n",
    "orders.csv": "order,buyer,at,sku,total\n10,1,2026-01-05T10:00:00,cup,2.5\n"
    "11,2,2026-01-06T11:00:00,pan,20\n",
}


def mapping(people: str, orders: str) -> str:
    return HEAD + MAPPING.format(people=people, orders=orders)


def read(data: str | Path, workspace: Path, text: str | None = None) -> Read:
    """Data from wherever they are, in a workspace; `text`: a mapping that is not beside them."""
    given = workspace.with_name("given.yaml") if text else None
    if given and text:
        given.write_text(text)
    with opened(str(data), given) as folder:
        return Read(folder, workspace, load(given) if given else None)


def assert_read(found: Read) -> None:
    assert found.report.total("quarantined") == 0
    assert found.rows("identifiers", "namespace", "value") == [
        ("customer", "1"), ("customer", "1"), ("customer", "2"), ("customer", "2"),
        ("email", "ann@x.org"), ("email", "bo@x.org")]  # fmt: skip
    assert found.rows("events", "item_id", "value", "occurred_at_ms") == [
        ("cup", 2.5, 1767607200000), ("pan", 20.0, 1767697200000)]  # fmt: skip
    assert found.rows("profiles", "traits") == ['{"plan":"pro"}', "{}"]


def rows_of(orders: Sequence[Any] = ORDERS) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(FIELDS, row, strict=True)) for row in orders])


def workbook(path: Path, orders: Sequence[Sequence[Any]] = ORDERS) -> None:
    write_workbook(path, {
        "People": [["Our people"], list(IDS), *PEOPLE], "Orders": [list(FIELDS), *orders],
        "Empty": []})  # fmt: skip


CRM = mapping("crm.xlsx/People", "crm.xlsx/Orders")


def test_the_sheets_of_a_workbook_are_tables(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {}, CRM)
    workbook(folder / "crm.xlsx")
    os.utime(folder / "crm.xlsx", (1_780_000_000, 1_780_000_000))
    found = read(folder, tmp_path / "workspace")
    assert_read(found)
    assert found.rows("records", "record_key")[0] == "crm.xlsx/Orders#10"
    assert set(found.rows("records", "recorded_at_ms")) == {1_780_000_000_000}
    assert found.file("crm.xlsx/Empty").status == "unmapped"


def test_only_the_sheet_that_has_changed_is_received_again(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {}, CRM)
    workbook(folder / "crm.xlsx")
    first = read(folder, tmp_path / "workspace")
    os.utime(folder / "crm.xlsx")
    assert read(folder, tmp_path / "workspace").run_id == first.run_id
    workbook(folder / "crm.xlsx", [ORDERS[0], (12, 1, AT, "x", 1.0)])
    again = read(folder, tmp_path / "workspace")
    assert again.file("crm.xlsx/People").status == "unchanged"
    assert again.rows("events", "item_id") == ["cup", "x"]


def test_a_bad_row_of_a_workbook_is_quarantined_with_its_reason(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {}, CRM)
    workbook(folder / "crm.xlsx", [
        *ORDERS, (None, 1, AT, "x", 1.0), (13, 1, "soon", "x", 1.0), (14, 1, AT, "x", "dear"),
        ("=1/0", 1, AT, "x", 1.0)])  # fmt: skip
    found = read(folder, tmp_path / "workspace")
    assert found.reasons() == {
        3: "missing_id", 4: "unreadable_time", 5: "not_a_number", 6: "missing_id"}  # fmt: skip
    assert found.rows("events", "item_id") == ["cup", "pan"]


@pytest.mark.parametrize("kind", ["cut", "locked"])
def test_a_workbook_that_cannot_be_opened_costs_nothing_else(tmp_path: Path, kind: str) -> None:
    text = mapping("[crm.xlsx/People, people.csv]", "[crm.xlsx/Orders, orders.csv]")
    folder = fill(tmp_path / "data", CSV, text)
    workbook(folder / "crm.xlsx")
    if kind == "cut":
        (folder / "crm.xlsx").write_bytes((folder / "crm.xlsx").read_bytes()[:2000])
    else:
        envelope = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
        (folder / "crm.xlsx").write_bytes(envelope)
    found = read(folder, tmp_path / "workspace")
    assert_read(found)
    bad = found.file("crm.xlsx")
    assert (bad.status, bad.received) == ("unreadable", 0)
    assert {"cut": "damaged", "locked": "locked with a password"}[kind] in str(bad.detail)


def test_a_file_that_only_is_called_like_a_workbook_has_no_tables(tmp_path: Path) -> None:
    text = mapping("people.csv", "[crm.xlsx/Orders, orders.csv]")
    folder = fill(tmp_path / "data", CSV | {"crm.xlsx": "a,b\n1,2\n"}, text)
    found = read(folder, tmp_path / "workspace")
    assert_read(found)
    assert "there are no tables in it" in str(found.file("crm.xlsx").detail)


def test_a_sheet_that_is_not_there_is_refused_with_its_like(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {}, mapping("crm.xlsx/People", "crm.xlsx/Order"))
    workbook(folder / "crm.xlsx")
    with pytest.raises(InputError, match=r"no file fits 'crm\.xlsx/Order'") as refused:
        read(folder, tmp_path / "workspace")
    assert refused.value.hint == "Did you mean 'crm.xlsx/Orders'?"


def shop_database(path: Path) -> None:
    con = sqlite3.connect(path)
    con.execute("PRAGMA journal_mode = WAL")
    con.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, plan, photo BLOB)")
    con.executemany("INSERT INTO people (id, mail, plan) VALUES (?, ?, ?)", PEOPLE)
    con.execute("CREATE TABLE raw (id, buyer, day, sku, total)")
    con.executemany("INSERT INTO raw VALUES (?, ?, ?, ?, ?)",
                    [(o, b, at.isoformat(), s, v) for o, b, at, s, v in ORDERS])  # fmt: skip
    con.execute('CREATE VIEW orders AS SELECT id AS "order", buyer, day AS at, sku, total FROM raw')
    con.commit()
    con.close()


def test_the_tables_of_an_sqlite_file_are_read(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {}, mapping("shop.db/people", "shop.db/orders"))
    shop_database(folder / "shop.db")
    (folder / "shop.db-journal").touch()
    found = read(folder, tmp_path / "workspace")
    assert_read(found)
    assert {one.source: one.status for one in found.report.files} == {
        "shop.db/orders": "read", "shop.db/people": "read", "shop.db/raw": "unmapped"}  # fmt: skip


def test_rows_in_the_log_of_an_sqlite_file_are_as_new_as_the_log(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {}, mapping("shop.db/people", "shop.db/orders"))
    shop_database(folder / "shop.db")
    con = sqlite3.connect(folder / "shop.db")
    now = datetime.datetime.now(datetime.UTC).isoformat()
    con.execute("INSERT INTO raw VALUES (12, 1, ?, 'pot', 3)", (now,))
    con.commit()
    os.utime(folder / "shop.db", (WRITTEN_AT - 10**7, WRITTEN_AT - 10**7))
    found = read(folder, tmp_path / "workspace")
    con.close()
    assert found.reasons() == {}
    assert found.rows("events", "item_id") == ["cup", "pan", "pot"]


def test_a_container_may_be_the_data_and_is_named_as_in_its_folder(tmp_path: Path) -> None:
    shop_database(tmp_path / "shop.db")
    text = mapping("shop.db/people", "shop.db/orders")
    assert_read(read(tmp_path / "shop.db", tmp_path / "workspace", text))
    with opened(str(tmp_path / "shop.db"), whole=True) as folder:
        assert set(propose(folder).mapping.tables) >= {"people", "orders"}


def test_a_delta_folder_is_one_table_also_as_the_data_itself(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {"people.csv": CSV["people.csv"]},
                  mapping("people.csv", "orders"))  # fmt: skip
    table = str(folder / "orders")
    deltalake.write_deltalake(table, rows_of(), partition_by=["sku"])
    deltalake.write_deltalake(table, rows_of(), mode="overwrite")
    found = read(folder, tmp_path / "workspace")
    assert_read(found)
    assert {one.source for one in found.report.files} == {"people.csv", "orders"}
    assert "orders#10" in found.rows("records", "record_key")
    assert read(folder, tmp_path / "workspace").run_id == found.run_id
    with opened(table) as plain:
        assert os.listdir(plain) == ["orders"]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_what_the_names_of_folders_say_is_a_column(tmp_path: Path, kind: str) -> None:
    head, *body = CSV["orders.csv"].splitlines()
    folder = fill(tmp_path / "data", {}, HEAD + (
        f"time_zone: UTC\ntables:\n  orders:\n    files: 'orders/**/*.{kind}'\n    kind: event\n"
        "    key: order\n    identifiers: {customer: buyer}\n    time: at\n    verb: bought\n"
        "    item: sku\n    channel: {column: shop}\n"))  # fmt: skip
    for shop, row, line in zip(("north", "south%2Fwest"), ORDERS, body, strict=True):
        place = fill(folder, {f"orders/shop={shop}/part.csv": f"{head}\n{line}\n"})
        pa.parquet.write_table(rows_of([row]), place / f"orders/shop={shop}/part.parquet")
    found = read(folder, tmp_path / "workspace")
    assert found.rows("events", "item_id", "channel") == [("cup", "north"), ("pan", "south/west")]
    assert found.rows("records", "record_key")[0] == f"orders/shop=north/part.{kind}#10"
    assert read(folder, tmp_path / "workspace").run_id == found.run_id


def test_partitions_are_proposed_as_one_table(tmp_path: Path) -> None:
    for month in ("2026-01", "2026-02"):
        lines = "\n".join(
            f"{n},{n % 7},{month}-{n % 28 + 1:02}T10:00:00,s{n % 5}" for n in range(99)
        )
        fill(
            tmp_path / "data", {f"orders/month={month}/part-0.csv": f"order,buyer,at,sku\n{lines}"}
        )
    found = propose(tmp_path / "data")
    (table,) = found.mapping.tables.values()
    assert table.files == ("orders/**/*.csv",)
    assert [case.value.constant for case in table.verb] == ["bought"]
    assert set(found.mapping.tables) == {"orders"}
    fill(tmp_path / "data", {
        "orders/month=2026-03/part-0.csv": "order,buyer,at,sku\n100,1,2026-03-01T10:00:00,s1\n"
    })  # fmt: skip
    assert {file.status for file in check(tmp_path / "data", found.mapping).files} == {"read"}


def test_a_partition_that_is_proposed_beside_another_table_stays_one_of_a_list(
    tmp_path: Path,
) -> None:
    names = ["a/dt=1/x.csv", "a/dt=2/x.csv", "a/other.csv"]
    assert pattern(names[:2], names) == names[:2]
    assert pattern(names[:1], names[:1]) == "a/**/*.csv"
    assert pattern(["dt=1/x.csv.gz", "dt=2/x.csv.gz"], ["note.csv"]) == "**/*.csv.gz"


def test_a_partition_that_the_mapping_does_not_name_is_warned_of(tmp_path: Path) -> None:
    fill(tmp_path / "data", {
        f"orders/dt={day}/part-0.csv": f"order,buyer,at,sku\n{day},1,2026-03-01T10:00:00,s1\n"
        for day in (1, 2)
    })  # fmt: skip
    found = check(tmp_path / "data", parse(HEAD + (
        "time_zone: UTC\ntables:\n  orders: {files: orders/dt=1/part-0.csv, kind: event, "
        "key: order, time: at, verb: bought, item: sku, identifiers: {customer: buyer}}\n"
    )))  # fmt: skip
    (left,) = [file for file in found.files if file.status == "unmapped"]
    assert left.source == "orders/dt=2/part-0.csv"
    assert left.detail is not None
    assert left.detail.startswith("warning: the mapping names other partitions")
    assert left.detail.endswith("write `orders/**/*.csv`")


@pytest.fixture
def shop(postgres: Server) -> Server:
    """A database with people and orders."""
    postgres.run(
        "DROP SCHEMA IF EXISTS crm CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public; "
        "CREATE TABLE people (id int PRIMARY KEY, mail text, plan text); "
        "INSERT INTO people VALUES (1, 'ann@x.org', 'pro'), (2, 'bo@x.org', NULL); "
        'CREATE TABLE orders ("order" int PRIMARY KEY, buyer int, at timestamp, sku text, '
        "total numeric(10, 2)); CREATE TABLE other (x int); "
        "INSERT INTO orders VALUES (11, 2, '2026-01-06 11:00', 'pan', 20), "
        "(10, 1, '2026-01-05 10:00', 'cup', 2.50)"
    )
    return postgres


@pytest.mark.postgres
def test_the_tables_of_a_server_are_files(shop: Server, tmp_path: Path) -> None:
    text = mapping("people", "orders")
    found = read(shop.address(), tmp_path / "workspace", text)
    assert_read(found)
    assert found.rows("records", "record_key") == ["orders#10", "orders#11", "people#1", "people#2"]
    assert found.file("other").status == "unmapped"
    shop.run("UPDATE other SET x = 1; UPDATE people SET plan = 'pro' WHERE id = 1")
    assert read(shop.address(), tmp_path / "workspace", text).run_id == found.run_id
    shop.run("DELETE FROM orders WHERE sku = 'pan'")
    again = read(shop.address(), tmp_path / "workspace", text)
    assert again.file("people").status == "unchanged"
    assert again.rows("events", "item_id") == ["cup"]


@pytest.mark.postgres
def test_what_no_mapping_names_is_not_fetched(shop: Server, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(mapping("people", "orders"))
    with opened(shop.address(), tmp_path / "m.yaml") as folder:
        sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert sizes["other"] < 100 < sizes["people"]


@pytest.mark.postgres
def test_a_table_that_is_not_there_is_refused(shop: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file fits 'order'"):
        read(shop.address(), tmp_path / "workspace", mapping("people", "order"))


@pytest.mark.postgres
def test_a_server_is_proposed_like_a_folder(shop: Server) -> None:
    with opened(shop.address(), whole=True) as folder:
        assert is_needed(folder)
        assert set(propose(folder).mapping.tables) == {"people", "orders"}


def test_a_bucket_brings_its_mapping_and_what_lies_in_it(bucket: Bucket, tmp_path: Path) -> None:
    workbook(tmp_path / "crm.xlsx")
    deltalake.write_deltalake(str(tmp_path / "orders"), rows_of())
    text = mapping("people.csv", "[lake/orders, crm.xlsx/Orders]")
    bucket.put("shop/personagraph.yaml", text.encode())
    bucket.put("shop/people.csv", CSV["people.csv"].encode())
    bucket.put("shop/notes.txt", b"a long story")
    bucket.put("shop/crm.xlsx", (tmp_path / "crm.xlsx").read_bytes())
    for path in (tmp_path / "orders").rglob("*.*"):
        bucket.put(f"shop/lake/orders/{path.relative_to(tmp_path / 'orders')}", path.read_bytes())
    found = read(bucket.address("shop"), tmp_path / "workspace")
    assert found.rows("events", "item_id") == ["cup", "pan"]
    assert found.file("lake/orders").duplicate == 2
    assert found.file("notes.txt").status == "unmapped"
    assert read(bucket.address("shop"), tmp_path / "workspace").run_id == found.run_id


def test_a_delta_table_in_a_bucket_is_named_after_its_folder(
    bucket: Bucket, tmp_path: Path
) -> None:
    deltalake.write_deltalake(str(tmp_path / "t"), rows_of())
    for path in (tmp_path / "t").rglob("*.*"):
        bucket.put(f"lake/orders/{path.relative_to(tmp_path / 't')}", path.read_bytes())
    text = HEAD + (
        "time_zone: UTC\ntables:\n  orders: {files: orders, kind: event, key: order, time: at, "
        "verb: bought, item: sku, identifiers: {customer: buyer}}\n"
    )
    found = read(bucket.address("lake/orders"), tmp_path / "workspace", text)
    assert found.rows("records", "record_key") == ["orders#10", "orders#11"]


def test_a_mapping_that_is_not_there_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    workbook(fill(tmp_path / "data", CSV) / "crm.xlsx")
    with pytest.raises(NotFound), opened(str(tmp_path / "data"), tmp_path / "no.yaml"):
        pass


def test_a_plain_folder_is_read_where_it_lies(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", CSV)
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder)
    with opened(str(folder)) as same:
        assert same == folder


def test_what_lies_beside_a_workbook_is_as_in_a_plain_folder(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", CSV | {".hidden": "x", "sub/x.csv": "a\n1\n"})
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder)
    (folder / "lost").symlink_to(folder / "nowhere")
    text = mapping("people.csv", "orders.csv")
    plain = {one.source: one.status for one in check(folder, parse(text)).files}
    workbook(folder / "crm.xlsx")
    with opened(str(folder)) as same:
        found = {one.source: one.status for one in check(same, parse(text)).files}
    sheets = {f"crm.xlsx/{name}": "unmapped" for name in ("People", "Orders")}
    sheets["crm.xlsx/Empty"] = "unreadable"
    assert found == plain | sheets
    assert plain["lost"] == plain["pipe"] == plain["loop"] == "unreadable"


def test_what_was_opened_is_nobody_elses_and_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    workbook(fill(tmp_path / "data", CSV) / "b.xlsx")
    with opened(str(tmp_path / "data")) as plain:
        assert plain.name == "data"
        (private,) = (tmp_path / "tmp").iterdir()
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("postgresql://a:s3cret@host:5432/shop?sslmode=require", "shop"),
        ("postgresql://a:s3cret@host", "host"),
        ("s3://bucket/exports/", "exports"),
        ("https://host/a%20b.csv?sig=s3cret", "a b.csv"),
        ("/data/shop", "shop"),
    ],
)
def test_the_name_of_data_holds_no_secret(data: str, name: str) -> None:
    assert name_of(data) == name


@pytest.mark.parametrize(
    ("name", "is_wanted"),
    [
        ("orders.csv", True), ("crm.xlsx", True), ("crm.xlsx/Orders", True), ("lake/t/a", True),
        ("crm.xlsx/People", False), ("people.csv", False), ("lake", True), ("lake/u", False),
        ("sub/2026/a.csv", True), ("sub2/a.csv", False), ("personagraph.yaml", True),
    ],
)  # fmt: skip
def test_a_mapping_says_what_is_wanted(name: str, is_wanted: bool) -> None:
    patterns = ("orders*", "crm.xlsx/Orders", "lake/t", "sub/**/*.csv")
    assert Wanted(patterns).has(name) is is_wanted
    assert Wanted().has(name)
