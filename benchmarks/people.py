"""What people, sessions and intents cost, beside one hand-written DuckDB script in the same run.

    python benchmarks/people.py DATA/online_retail_ii/online_retail_ii.parquet [--copies 1 3]

Prints one JSON line per size: seconds of each step, the ratio to the bare script that writes the
same tables, what came out, and peak memory. Copies are the same lines under shifted ids.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from ingestion.identity import resolve
from ingestion.intents import intents
from kg.lake import Lake, Writer

LINES = """
CREATE TABLE lines AS
WITH numbered AS (
    SELECT * EXCLUDE (in_overlap, is_cancellation), row_number() OVER (PARTITION BY sheet, Invoice,
        StockCode, Description, Quantity, InvoiceDate, Price, CustomerID, Country) AS n
    FROM read_parquet('{file}')),
once AS (SELECT *, row_number() OVER () AS position FROM (
    SELECT DISTINCT * EXCLUDE (sheet) FROM numbered))
SELECT format('online_retail_ii.parquet#{{}}-{{}}', copy, position) AS record_key,
    copy || '-' || CustomerID AS customer, 'i' || StockCode AS item_id,
    epoch_ms(InvoiceDate) AS at_ms, copy || '-' || Invoice AS basket, Quantity AS quantity,
    Quantity * Price AS value, if(Quantity < 0, 'returned', 'bought') AS verb
FROM once, range({copies}) r(copy)
"""
TABLES = {
    "records": """SELECT record_key, 'a' AS source, 0::BIGINT AS position, 'a' AS dataset,
        'event' AS kind, 'accepted' AS status, NULL::VARCHAR AS reason, NULL::VARCHAR AS detail,
        '' AS dedupe_key, NULL::VARCHAR AS duplicate_of, at_ms AS occurred_at_ms,
        0::BIGINT AS recorded_at_ms, NULL::VARCHAR AS raw, NULL::VARCHAR AS content_hash
        FROM lines""",
    "events": """SELECT record_key, 'a' AS source, 'a' AS dataset, at_ms AS occurred_at_ms,
        0::BIGINT AS recorded_at_ms, 'shop' AS channel, verb, item_id, NULL::VARCHAR AS object,
        NULL::VARCHAR AS category, NULL::VARCHAR AS text, basket AS basket_id,
        quantity::DOUBLE AS quantity, value, NULL::VARCHAR AS campaign_id, NULL::VARCHAR AS arm,
        false AS sampled FROM lines""",
    "identifiers": """SELECT record_key, 'customer' AS namespace, customer AS value,
        1::INTEGER AS trust FROM lines WHERE customer IS NOT NULL""",
    "item_topics": """SELECT item_id, 'topic-' || hash(item_id) % topics AS topic,
        'category' AS kind, level::INTEGER AS level
        FROM (SELECT DISTINCT item_id FROM lines), (VALUES (0, 40), (1, 150)) t(level, topics)""",
}
BARE = """
CREATE OR REPLACE TEMP TABLE owned AS
SELECT record_key, 'u_' || sha256(customer)[:16] AS user_id, lines.* EXCLUDE (record_key, customer),
    'topic-' || hash(item_id) % 150 AS topic
FROM lines WHERE customer IS NOT NULL;
CREATE OR REPLACE TEMP TABLE moments AS
SELECT *, 's_' || sha256(user_id || max(opens) OVER w)[:16] AS session_id FROM (
    SELECT *, if(at_ms - lag(at_ms) OVER (PARTITION BY user_id ORDER BY at_ms) <= 1800000,
        NULL, at_ms) AS opens
    FROM (SELECT DISTINCT user_id, at_ms FROM owned))
WINDOW w AS (PARTITION BY user_id ORDER BY at_ms);
CREATE OR REPLACE TEMP TABLE runs AS
SELECT *, 'i_' || sha256(session_id || sum(opens::INT) OVER w)[:16] AS intent_id FROM (
    SELECT *, lag((verb, topic)) OVER (PARTITION BY session_id ORDER BY at_ms, topic, verb)
        IS DISTINCT FROM (verb, topic) AS opens
    FROM (SELECT session_id, user_id, at_ms, verb, topic, count(*) AS events, sum(value) AS value
          FROM owned JOIN moments USING (user_id, at_ms) GROUP BY ALL))
WINDOW w AS (PARTITION BY session_id ORDER BY at_ms, topic, verb);
COPY (SELECT min(record_key) OVER (PARTITION BY user_id) AS left_record_key,
    record_key AS right_record_key, 'same' AS verdict, 1.0 AS probability, 'same customer' AS reason
    FROM owned) TO '{folder}/judgements.parquet' (COMPRESSION zstd);
COPY (SELECT record_key, user_id FROM owned) TO '{folder}/identities.parquet' (COMPRESSION zstd);
COPY (SELECT user_id, min(at_ms), max(at_ms), count(*) FROM owned GROUP BY ALL)
    TO '{folder}/users.parquet' (COMPRESSION zstd);
COPY (SELECT session_id, user_id, min(at_ms), max(at_ms), sum(events), sum(value)
    FROM runs GROUP BY ALL ORDER BY ALL) TO '{folder}/sessions.parquet' (COMPRESSION zstd);
COPY (SELECT intent_id, session_id, user_id, verb, topic, min(at_ms), max(at_ms), sum(events),
    sum(value) FROM runs GROUP BY ALL ORDER BY ALL)
    TO '{folder}/intents.parquet' (COMPRESSION zstd);
CREATE OR REPLACE TEMP TABLE linked AS
SELECT record_key, item_id, session_id, user_id, intent_id, owned.value FROM owned
JOIN runs USING (user_id, at_ms, verb, topic);
COPY (SELECT DISTINCT record_key, session_id, intent_id, user_id FROM linked ORDER BY ALL)
    TO '{folder}/event_intents.parquet' (COMPRESSION zstd);
COPY (SELECT intent_id, item_id, count(*), sum(value) FROM linked GROUP BY ALL ORDER BY ALL)
    TO '{folder}/intent_items.parquet' (COMPRESSION zstd);
"""


def measured(lake: Writer) -> dict[str, float]:
    """Seconds of the two steps."""
    started = time.perf_counter()
    with lake.step("identity") as step:
        resolve(step, bytes(32))
    resolved = time.perf_counter()
    with lake.step("intents") as step:
        intents(step)
    ended = time.perf_counter()
    return {"identity": resolved - started, "intents": ended - resolved}


def bare(engine: Any, folder: Path) -> float:
    """Seconds of the hand-written script."""
    started = time.perf_counter()
    for statement in BARE.format(folder=folder).split(";")[:-1]:
        engine.execute(statement)
    return time.perf_counter() - started


def main() -> None:
    """Print one line per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--copies", type=int, nargs="+", default=[1])
    arguments = parser.parse_args()
    for copies in arguments.copies:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            engine = duckdb.connect()
            engine.execute(LINES.format(file=arguments.file, copies=copies))
            rows = engine.execute("SELECT count(*) FROM lines").fetchone()[0]
            with Lake.writer(folder / "workspace") as lake:
                with lake.step("ingest") as step:
                    for table, query in TABLES.items():
                        step.append(table, engine.execute(query).to_arrow_reader(122_880))
                seconds = measured(lake)
                people, goals = lake.summary("identity"), lake.summary("intents")
            peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            ours, theirs = sum(seconds.values()), bare(engine, folder)
        print(
            json.dumps(
                {
                    "events": rows,
                    **{f"{step}_s": round(value, 2) for step, value in seconds.items()},
                    "total_s": round(ours, 2),
                    "bare_s": round(theirs, 2),
                    "ratio": round(ours / theirs, 2),
                    "people": people["people"],
                    "sessions": goals["sessions"],
                    "intents": goals["intents"],
                    "levels": goals["levels"],
                    "peak_gib": round(peak_kib / 2**20, 2),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
