import pytest

from ingestion.dated import every_date


@pytest.mark.parametrize(
    ("name", "glob"),
    [
        ("orders_2026-11-30.csv", "orders_*.csv"),
        ("orders_nov.csv", "orders_*.csv"),
        ("orders.2026.11.csv", "orders.*.csv"),
        ("crm/orders-20261101.csv.gz", "crm/orders-*.csv.gz"),
        ("Kunden 30.11.2026.xlsx", "Kunden *.xlsx"),
        ("sales_2026_q3.parquet", "sales_*.parquet"),
        ("events.2026-11-30T10.jsonl", "events.*.jsonl"),
        ("orders.csv", None),
        ("may.csv", None),
        ("2026-11-30.csv", None),
        ("2026/orders.csv", None),
        ("march_madness.csv", None),
        ("report_2026_final.csv", None),
        ("orders_11.csv", None),
        ("orders[1]_2026.csv", None),
    ],
)
def test_files_are_called_alike_but_for_a_date(name: str, glob: str | None) -> None:
    assert every_date(name) == glob
