"""A proposal from one month's files reads the next month's, too."""

from pathlib import Path

import pytest
from folders import Read, fill
from proposals import of, table

from ingestion.ingest import check

MODIFIED = "Last Modified"


@pytest.mark.parametrize(
    ("changed", "newest"),
    [
        ("2026-01-1{7}T10:00:00Z", {"column": MODIFIED, "zone": None}),
        ("2026-01-1{7}", {"column": MODIFIED, "zone": "UTC"}),
        ("17676{7}0000", {"column": MODIFIED, "zone": None}),
        ("0{7}/0{5}/2026", None),  # which is the month?
        ("0{7}.13.2026", None),  # no time
    ],
)
def test_next_months_export_is_foreseen(
    tmp_path: Path, changed: str, newest: dict[str, str | None] | None
) -> None:
    content = table(f"Customer ID,Plan,{MODIFIED}", f"K{{}},plan {{5}},{changed}")
    found = of(tmp_path, **{"customers_2026-11": content})
    (read,) = found.mapping.tables.values()
    assert read.files == ("customers_*.csv",)
    said = read.newest and read.newest.model_dump(include={"column", "zone"})
    assert said == newest
    assert check(tmp_path / "data", found.mapping).total("accepted") == 150


def test_of_a_list_that_says_no_changes_the_file_written_last_counts(tmp_path: Path) -> None:
    head = "Customer ID,Plan,City"
    november = table(head, "K{},plan {5},town {7}")
    found = of(tmp_path, **{"customers_2026-11": november})
    (read,) = found.mapping.tables.values()
    assert read.newest_file
    december = table(head, "K{},plan gold,town {7}", rows=100)
    folder = tmp_path / "data"
    for name in ("customers_2026-12.csv", "customers_2026-10.csv"):  # equally old: the last by name
        fill(folder, {name: december})
        said = Read(folder, tmp_path / "workspace", found.mapping).rows("profiles", "traits")
        assert sum('"plan gold"' in traits for traits in said) == 100
    assert said == Read(folder, tmp_path / "other", found.mapping).rows("profiles", "traits")
    assert not next(
        iter(of(tmp_path / "b", customers=november).mapping.tables.values())
    ).newest_file


def test_a_date_in_a_name_is_kept_where_another_table_is_called_alike(tmp_path: Path) -> None:
    people = table("Customer ID,Plan", "K{},plan {5}")
    orders = table("Order No,Customer ID,At,Product ID", "O{},K{50},2026-01-1{7},P{7}")
    found = of(tmp_path, **{"shop_2026-11": people, "shop_lines": orders})
    assert {one.files for one in found.mapping.tables.values()} == {
        ("shop_2026-11.csv",), ("shop_lines.csv",)}  # fmt: skip
