"""How fast files become records: online_retail_ii, and a made-up stream of Segment messages.

    python benchmarks/ingest.py [--events 1000000] [--data FOLDER]

Prints one JSON line per reading: rows, wall and CPU seconds, rows per second, peak memory. Each
reading runs in a process of its own, so that the peak is its own. Beside the made-up messages
stands what DuckDB's own `read_json` needs for the same files, read into a table and nothing more;
`times_bare` is our CPU and wall time over that, the fixed start of the program included.
"""

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MAPPING = """\
name: made_up_events
consent: {default: granted, basis: made up}
tables:
  product: {files: "events-*", format: segment, describe: [plan]}
"""


def message(number: int, people: int) -> dict[str, object]:
    person = (number * 7919) % people
    stamp = (
        f"2026-{1 + number % 9:02d}-{1 + number % 28:02d}T{number % 24:02d}:{number % 60:02d}:07Z"
    )
    usual: dict[str, object] = {
        "messageId": f"m{number:09d}", "anonymousId": f"anon-{person:08x}", "timestamp": stamp,
        "sentAt": stamp, "receivedAt": stamp, "type": "track",
        "context": {"library": {"name": "analytics.js", "version": "5"}, "locale": "en-GB",
                    "page": {"path": f"/p/{number % 100}", "title": "A page"},
                    "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},
    }  # fmt: skip
    things = [
        {"product_id": f"p{n % 2000}", "name": f"Thing {n % 2000}", "price": 3.0, "quantity": 2}
        for n in range(number, number + 3)
    ]
    match number % 10:
        case 0 | 1 | 2 | 3:
            return {**usual, "event": "Product Viewed", "properties": things[0]}
        case 4 | 5:
            return {**usual, "type": "page", "name": "Home", "properties": {"path": "/"}}
        case 6:
            traits = {"email": f"u{person}@mail.test", "plan": "pro"}
            return {**usual, "type": "identify", "userId": f"usr-{person}", "traits": traits}
        case 7:
            order = {"order_id": f"o{number}", "products": things}
            return {
                **usual,
                "event": "Order Completed",
                "userId": f"usr-{person}",
                "properties": order,
            }
        case _:
            return {**usual, "event": "Feature Used", "properties": {"feature": f"f{number % 30}"}}


def make_events(folder: Path, count: int, each: int = 250_000) -> None:
    folder.mkdir(parents=True)
    (folder / "personagraph.yaml").write_text(MAPPING)
    for start in range(0, count, each):
        name = folder / f"events-{start // each:03d}.jsonl.gz"
        with gzip.open(name, "wt", 1) as file:
            for number in range(start, min(start + each, count)):
                file.write(json.dumps(message(number, count // 20 + 1)) + "\n")


def read(folder: Path, workspace: Path) -> dict[str, object]:
    from ingestion.ingest import ingest
    from kg.lake import Lake

    started, cpu = time.perf_counter(), time.process_time()
    with Lake.writer(workspace) as lake:
        report = ingest(lake, folder)
    seconds = time.perf_counter() - started
    received = report.total("received")
    return {
        "what": report.mapping, "received": received, "accepted": report.total("accepted"),
        "duplicate": report.total("duplicate"), "quarantined": report.total("quarantined"),
        "seconds": round(seconds, 2), "cpu_seconds": round(time.process_time() - cpu, 2),
        "rows_per_second": round(received / seconds),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


def read_bare(folder: Path) -> dict[str, object]:
    import duckdb

    started, cpu = time.perf_counter(), time.process_time()
    files = str(folder / "events-*")
    query = f"CREATE TABLE bare AS FROM read_json('{files}', format = 'newline_delimited')"
    with duckdb.connect() as connection:
        connection.execute(query)
        received = connection.execute("SELECT count(*) FROM bare").fetchall()[0][0]
    return {
        "what": "bare read_json", "received": received,
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


def run(*arguments: str) -> dict[str, object]:
    command = [sys.executable, __file__, *arguments]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    print(out.strip(), flush=True)
    found: dict[str, object] = json.loads(out)
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--data", default=os.environ.get("PERSONAGRAPH_TEST_DATA"))
    options.add_argument("--read", type=Path, help="read this one folder (used by the benchmark)")
    options.add_argument("--bare", action="store_true", help="with --read: by DuckDB alone")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if asked.read:
            workspace = Path(scratch) / "workspace"
            print(json.dumps(read_bare(asked.read) if asked.bare else read(asked.read, workspace)))
            return
        folders = []
        if asked.data:
            names = ("completejourney", "ms_customer_insights_sample", "online_retail_ii")
            folders = [Path(asked.data) / name for name in names]
        for count in (asked.events // 4, asked.events) if asked.events else ():
            made = Path(scratch) / f"events-{count}"
            make_events(made, count)
            folders.append(made)
        for folder in folders:
            ours = run("--read", str(folder))
            if folder.name.startswith("events-"):
                bare = run("--read", str(folder), "--bare")
                ratios = {
                    name: round(float(str(ours[name])) / float(str(bare[name])), 1)
                    for name in ("seconds", "cpu_seconds")
                }
                print(json.dumps({"what": folder.name, "times_bare": ratios}), flush=True)


if __name__ == "__main__":
    main()
