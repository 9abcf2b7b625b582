"""A proposal from one month's files reads the next month's, too."""

from pathlib import Path

import pytest
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


def test_a_date_in_a_name_is_kept_where_another_table_is_called_alike(tmp_path: Path) -> None:
    people = table("Customer ID,Plan", "K{},plan {5}")
    orders = table("Order No,Customer ID,At,Product ID", "O{},K{50},2026-01-1{7},P{7}")
    found = of(tmp_path, **{"shop_2026-11": people, "shop_lines": orders})
    assert {one.files for one in found.mapping.tables.values()} == {
        ("shop_2026-11.csv",), ("shop_lines.csv",)}  # fmt: skip
