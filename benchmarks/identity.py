"""How well and how fast people are told apart, on sets whose truth is known.

    python benchmarks/identity.py DATA [--only febrl_3 febrl_4 …] [--world FOLDER]

Prints one JSON line per set. The truth is read after everything is decided; nothing is fitted on
it, and the operating point is the product's own on every set (`ingestion.identity.matching`). It
was chosen on `febrl_1`, `febrl_2` and `fake_1000`, which are printed for that reason only.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ingestion.identity import IdentityConfig, resolve
from ingestion.ingest import ingest
from ingestion.mapping import parse
from ingestion.simulate.agreement import agreement, pairs
from kg.lake import Lake, Writer

Figures = dict[str, Any]
PEOPLE = "er_person_febrl_splink"
_HEAD = """\
name: {name}
consent: {{default: granted, basis: published test data}}
time_zone: UTC
tables:
"""
_FEBRL = """\
  {table}:
    files: {table}.parquet
    kind: profile
    key: rec_id
    person:
      given_name: given_name
      family_name: surname
      street: [street_number, address_1]
      city: suburb
      postcode: postcode
      region: state
      number: soc_sec_id
      birth_date: {{column: date_of_birth, formats: "%Y%m%d"}}
"""
_FAKE = """\
  fake:
    files: fake.parquet
    kind: profile
    key: unique_id
    identifiers: {email: {column: email, trust: 6}}
    person: {given_name: first_name, family_name: surname, birth_date: dob, city: city}
"""


def febrl(data: Path, work: Path, *numbers: str) -> Figures:
    """A FEBRL set through the whole pipeline; the truth is in the record's own id."""
    mapping = _HEAD.format(name="febrl")
    for number in numbers:
        name = f"febrl{number}"
        mapping += _FEBRL.format(table=name)
        source = data / PEOPLE / f"febrl_dataset{number}.parquet"
        _copy(f"SELECT * EXCLUDE entity_id FROM '{source}'", work / f"data/{name}.parquet")
    sources = ", ".join(f"'{data / PEOPLE / f'febrl_dataset{n}.parquet'}'" for n in numbers)
    truth = f"SELECT rec_id AS key, entity_id AS truth FROM read_parquet([{sources}])"
    return _resolved(work, mapping, truth)


def fake_1000(data: Path, work: Path) -> Figures:
    """Splink's own small set; an e-mail address is only evidence there, as the set has slips."""
    source = data / PEOPLE / "splink_fake_1000.parquet"
    _copy(f"SELECT * EXCLUDE cluster FROM '{source}'", work / "data/fake.parquet")
    truth = f"SELECT unique_id::VARCHAR AS key, cluster AS truth FROM '{source}'"
    return _resolved(work, _HEAD.format(name="fake") + _FAKE, truth)


def _copy(query: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql(f"COPY ({query}) TO '{file}' (FORMAT parquet)")


def _resolved(work: Path, text: str, truth: str) -> Figures:
    """Ingest and resolve, then score against the truth (key, truth) by the key of the record."""
    mapping = parse(text)
    with Lake.writer(work / "workspace") as lake:
        ingest(lake, work / "data", mapping, key=bytes(32))
        seconds = _resolve(lake, mapping)
        found = lake.arrow("identities")
        summary = lake.summary("identity")
    return {"seconds": seconds, "evidence": summary["evidence"], **scored(found, truth)}


def _resolve(lake: Writer, mapping: Any) -> float:
    config = IdentityConfig(mapping.consent.default, mapping.namespaces(), (), mapping.phone_region)
    started = time.perf_counter()
    with lake.step("identity", inputs={"ingest": lake.step_id("ingest")}) as step:
        resolve(step, bytes(32), config)
    return round(time.perf_counter() - started, 1)


def scored(found: pa.Table, truth: str) -> Figures:
    """Pairwise and B-cubed figures of records (record_key, user_id) against (key, truth)."""
    rows = duckdb.sql(
        f"SELECT truth, user_id FROM ({truth}) JOIN "
        "(SELECT *, regexp_extract(record_key, '#(.*)$', 1) AS key FROM found) USING (key)"
    ).to_arrow_table()
    got = agreement(pairs(rows["truth"], rows["user_id"]))
    both = got.pair_precision + got.pair_recall
    return {
        "records": len(rows),
        "precision": round(got.pair_precision, 4),
        "recall": round(got.pair_recall, 4),
        "f1": round(2 * got.pair_precision * got.pair_recall / both, 4) if both else 0.0,
        "b_cubed_f1": round(got.f1, 4),
    }


SETS: dict[str, Callable[[Path, Path], Figures]] = {
    "febrl_1": lambda data, work: febrl(data, work, "1"),
    "febrl_2": lambda data, work: febrl(data, work, "2"),
    "fake_1000": fake_1000,
    "febrl_3": lambda data, work: febrl(data, work, "3"),
    "febrl_4": lambda data, work: febrl(data, work, "4a", "4b"),
}


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def main() -> None:
    """Print one line per set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(SETS), default=list(SETS))
    arguments = parser.parse_args()
    for name in arguments.only:
        with _folder() as work:
            figures = SETS[name](arguments.data, work)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        line = {"set": name, **figures, "peak_gib": round(peak, 2), "cpus": os.cpu_count()}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
