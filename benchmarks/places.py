"""What opening a table costs, by where it lies and how many rows it has; memory must stay flat.

    python -m benchmarks.places [--rows 500000 4000000]

Makes tables of two sizes (sheets of a tenth) in PostgreSQL (a real server, as the tests start it),
SQLite, a Delta folder and a workbook, opens each in a process of its own, and prints seconds, rows,
the size written and the peak memory, as a ratio to that of the smallest.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import deltalake
import pyarrow as pa
import xlsxwriter

from tests.postgres import MissingServer, postgres_server

_CHUNK = 500_000
_OPEN = r"""
import re, sys, time
from pathlib import Path
import pyarrow.parquet as pq
from ingestion.places import opened
started = time.monotonic()
with opened(sys.argv[1], whole=True) as folder:
    files = [path for path in folder.rglob("*") if path.is_file()]
    rows = sum(pq.ParquetFile(path).metadata.num_rows for path in files)
    size = sum(path.stat().st_size for path in files)
# Not `ru_maxrss`, in which a process begins with that of the one that started it.
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024
print(rows, size, time.monotonic() - started, peak)
"""


def _in_postgres(rows: int, folder: Path) -> Iterator[str]:
    del folder
    with postgres_server() as server:
        server.run(
            "CREATE TABLE t AS SELECT n AS id, 'K-' || n AS customer, md5(n::text) || md5((n + 1)"
            "::text) AS note, n * 1.5 AS total, timestamptz '2026-01-01' + n * interval '1 second' "
            f"AS at FROM generate_series(1, {rows}) n; ALTER TABLE t ADD PRIMARY KEY (id)"
        )
        yield server.address()


def _in_sqlite(rows: int, folder: Path) -> Iterator[str]:
    con = sqlite3.connect(folder / "t.db")
    con.execute(
        f"CREATE TABLE t AS WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE "
        f"n < {rows}) SELECT n AS id, 'K-' || n AS customer, hex(randomblob(32)) AS note, n * 1.5 "
        "AS total FROM g"
    )
    con.commit()
    con.close()
    yield str(folder / "t.db")


def _in_delta(rows: int, folder: Path) -> Iterator[str]:
    for start in range(0, rows, _CHUNK):
        ids = range(start, min(rows, start + _CHUNK))
        table = pa.table({"id": ids, "note": [f"some longer text {n:064}" for n in ids]})
        deltalake.write_deltalake(str(folder / "t"), table, mode="append")
    yield str(folder / "t")


def _in_workbook(rows: int, folder: Path) -> Iterator[str]:
    book = xlsxwriter.Workbook(folder / "t.xlsx", {"constant_memory": True})
    sheet = book.add_worksheet("S")
    sheet.write_row(0, 0, ["id", "customer", "total", "a", "b", "note"])
    for n in range(1, rows // 10 + 1):
        sheet.write_row(n, 0, [n, f"K-{n}", n * 1.5, n % 7, n % 2, f"text {n}"])
    book.close()
    yield str(folder / "t.xlsx")


PLACES = {
    "PostgreSQL": _in_postgres,
    "SQLite": _in_sqlite,
    "Delta": _in_delta,
    "workbook": _in_workbook,
}


def main() -> None:
    """Measure every place at every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[500_000, 4_000_000])
    sizes = sorted(parser.parse_args().rows)
    for name, make in PLACES.items():
        least = None
        for rows in sizes:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    least = _measured(name, make(rows, Path(folder)), least)
                except MissingServer as missing:
                    print(f"{name}: {missing}")


def _measured(name: str, made: Iterator[str], least: int | None) -> int:
    data = next(made)
    done = subprocess.run([sys.executable, "-c", _OPEN, data], capture_output=True, text=True,
                          check=True, env=os.environ | {"PYTHONPATH": "."})  # fmt: skip
    rows, size, seconds, peak = map(float, done.stdout.split())
    next(made, None)
    ratio = f", {peak / least:.2f} times the smallest" if least else ""
    print(
        f"{name}: {rows:,.0f} rows, {size / 1e6:.0f} MB written, {seconds:.1f} s, "
        f"peak {peak:.0f} MiB{ratio}",
        flush=True,
    )
    return least or int(peak)


if __name__ == "__main__":
    main()
