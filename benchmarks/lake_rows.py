"""What the lake costs: writing, reading and exporting events, beside bare DuckDB in the same run.

    python benchmarks/lake_rows.py [--rows 100000 1000000 3000000] [--repeats 3]

Prints one JSON line per size: best seconds of the repeats, ratios to the bare query, peak memory.
"""

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from kg.exports import write_export
from kg.lake import TABLES, Lake, Step, Writer
from kg.lake.code import code_version

MANY = 300

EVENTS = """
SELECT 'shop/orders-' || (i % 10) || '.csv#' || i AS record_key,
    'shop/orders-' || (i % 10) || '.csv' AS source, 'orders' AS dataset,
    1700000000000 + i * 1000 AS occurred_at_ms, 1700000000000 + i AS recorded_at_ms,
    'web' AS channel, 'purchase' AS verb, 'item_' || (i * 7919 % 5000) AS item_id,
    CAST(NULL AS VARCHAR) AS object, CAST(NULL AS VARCHAR) AS category,
    CAST(NULL AS VARCHAR) AS "text", 'b' || (i // 10) AS basket_id,
    CAST(1 AS DOUBLE) AS quantity, (i % 1000) / 10 AS value,
    CAST(NULL AS VARCHAR) AS campaign_id, CAST(NULL AS VARCHAR) AS arm, false AS sampled
FROM range({rows}) t(i)
"""


def best(repeats: int, action: Callable[[], Any]) -> float:
    """Seconds of the fastest repeat."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return min(times)


def bare(rows: int, folder: Path, repeats: int) -> dict[str, float]:
    """The same work, written by hand."""
    engine = duckdb.connect()
    events = folder / "events.parquet"
    query = EVENTS.format(rows=rows)
    write = f"COPY ({query}) TO '{events}' (FORMAT parquet, COMPRESSION zstd)"
    count = f"SELECT item_id, sum(value) FROM '{events}' GROUP BY item_id"
    export = (
        f"COPY (SELECT record_key, source FROM '{events}' ORDER BY record_key, source) "
        f"TO '{folder / 'bare.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
    )
    return {
        "write": best(repeats, lambda: engine.execute(write)),
        "read": best(repeats, lambda: engine.execute(count).to_arrow_table()),
        "export": best(repeats, lambda: engine.execute(export)),
    }


def ours(rows: int, folder: Path, repeats: int) -> dict[str, float]:
    """The same work, through the lake; rows become visible at the end of a step."""
    figures = {"start": best(1, lambda: Lake.writer(folder / "w"))}
    with Lake.writer(folder / "w") as lake:
        events = ibis.duckdb.connect().sql(EVENTS.format(rows=rows), dialect="duckdb")
        numbers = iter(range(1_000_000))

        def step(action: Callable[[Step], Any], name: str = "ingest") -> None:
            with lake.step(name, seed=next(numbers)) as under_way:
                action(under_way)

        def read() -> None:
            table = lake.table("events")
            lake.run(table.group_by("item_id").agg(total=table.value.sum()))

        figures["write"] = best(
            repeats, lambda: step(lambda s: s.overwrite("events", lake.batches(events)))
        )
        figures["read"] = best(repeats, read)
        figures["export"] = _export(lake, step, folder, repeats)
        one = lake.run(lake.table("events").limit(1000))
        first = ["shop/orders-0.csv"]
        figures["replace_source"] = best(
            repeats, lambda: step(lambda s: s.replace_sources("events", first, one))
        )
        figures.update(_small_runs(step, one))
        figures["open"] = best(repeats, lambda: Lake.open(folder / "w").close())
        figures["read_many"] = best(repeats, read)
    return figures


def _export(lake: Writer, step: Callable[..., None], folder: Path, repeats: int) -> float:
    step(lambda s: s.overwrite("identities", _identities(s)), "identity")
    return best(repeats, lambda: write_export(lake, "identities", folder / "ours.parquet"))


def _identities(step: Step) -> Any:
    events = step.table("events")
    return events.select(record_key=events.record_key, user_id=events.source)


def _small_runs(step: Callable[..., None], rows: pa.Table) -> dict[str, float]:
    times = [
        best(1, lambda: step(lambda under_way: under_way.append("events", rows)))
        for _ in range(MANY)
    ]
    return {"append_median": statistics.median(times), "append_slowest": max(times)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 3_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    code_s = best(1, code_version)
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            theirs = bare(rows, Path(folder), options.repeats)
            lake = ours(rows, Path(folder), options.repeats)
        ratios = {name: round(lake[name] / theirs[name], 2) for name in theirs}
        seconds = {name: round(value, 4) for name, value in lake.items()}
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        line = {"rows": rows, "columns": len(TABLES["events"]), "seconds": seconds}
        line |= {"ratio_to_bare": ratios, "peak_mib": peak_mib, "code_version_s": round(code_s, 4)}
        print(json.dumps(line))


if __name__ == "__main__":
    main()
