"""People compared on Spark: real PySpark in this process, and what DuckDB says of the same."""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.identity.compared import WORDED
from ingestion.identity.fields import KINDS, Field
from ingestion.identity.model import score, usual
from kg.errors import Unavailable
from kg.lake import Lake
from kg.lake.scratch import Scratch
from kg.lake.spark import Spark
from tests.ingestion.identity.people import ids, judgements, person, run

MASTER = "local[2]"


@pytest.fixture(autouse=True)
def quick_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so little work, most would be Java compiling what it runs."""
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")


VALUES: dict[str, list[Any]] = {
    "given_name": ["ann", "anne", "a", "jan", "jana", "william", "bill", "kelner", "anna",
                   "жанна", "жаннa",
                   "bill sr", "bill ii", "anna maria", "सीता", "गीता", None],
    "family_name": ["kelner", "kellner", "ann", "kelnerova", "élodie", "elodie", "fenby",
                    "kelner senior", "kelner iii", None],
    "birth_date": ["19840312", "19840321", "19841203", "20100624", "1984031", "0000", None],
    "number": ["123456782", "123456728", "123456", "щ12345", "щ12344", None],
    "email": ["ann@kelner.org", "ann@new.org", "an@kelner.org", "x@y.z", "noat", None],
    "phone": ["+442079460018", "02079460018", "+442079460019", "7", None],
    "street": ["quarry lane 7", "quarry lane 9", "lane quarry 7", "mill road", None],
    "postcode": ["10112", "10113", "77001", "щ1", None],
    "city": ["ashmoor", "ashmor", "fernhold", None],
    "region": ["north", "south", None],
    "organisation": ["a b c d e f", "a b c d e g", "a b c x y z", "a b c d e f gmbh", "ab", None],
    "amount": [100.0, 100.5, 104.0, 119.0, 500.0, None],
    "day": [1, 2, 4, 9, 30, 400, None],
}  # fmt: skip
KIND_OF = {"region": "choice", "organisation": "title"}
FIELDS = [Field(name, KIND_OF.get(name, name)) for name in VALUES]
FORMS = {"william": ["bill", "william"], "bill": ["bill", "william"], "ann": ["ann", "anna"]}


def everything() -> pa.Table:
    """Rows in which every value of a kind meets every other."""
    count = 90
    columns: dict[str, Any] = {"unique_id": list(range(count))}
    rng = np.random.default_rng(5)
    for name, values in VALUES.items():
        columns[name] = [values[at] for at in rng.integers(0, len(values), count)]
    swapped = ["ann", "kelner"]
    columns["given_name"][:2], columns["family_name"][:2] = swapped, swapped[::-1]
    columns["given_name_forms"] = [
        None if one is None else FORMS.get(one, [one]) for one in columns["given_name"]
    ]
    for name in WORDED:
        columns[f"{name}_words"] = [one and one.split(" ") for one in columns[name]]
    return pa.table(columns)


def scored(folder: Path, master: str) -> pa.Table:
    """All pairs of those rows, with the level on which each field agrees."""
    with Scratch.open(folder, spark_master=master) as scratch:
        scratch.keep_as("rows", everything())
        scratch.sql(
            'CREATE TABLE pairs AS SELECT l.unique_id AS "left", r.unique_id AS "right" '
            "FROM rows l JOIN rows r ON l.unique_id < r.unique_id"
        )
        score(scratch, "rows", usual(FIELDS), "scored", pairs="pairs", explained=True)
        return scratch.sql("FROM scored ORDER BY ALL")


def test_every_way_to_agree_is_the_same_on_spark(tmp_path: Path) -> None:
    one, other = scored(tmp_path, ""), scored(tmp_path, MASTER)
    levels = [name for name in one.column_names if name.startswith("level_")]
    assert len(levels) == len(FIELDS)
    for field in FIELDS:
        met = set(one[f"level_{field.name}"].to_pylist())
        assert met == set(range(-1, len(KINDS[field.kind].levels) + 1)), field.name
    exact = ["left", "right", *levels]
    assert other.select(exact).to_pydict() == one.select(exact).to_pydict()
    for name in ("bits", "personal_bits"):
        assert np.allclose(one[name], other[name], rtol=0, atol=1e-9)


@pytest.fixture
def febrl() -> list[Any]:
    data = os.environ.get("PERSONAGRAPH_TEST_DATA")
    if not data:
        pytest.skip("PERSONAGRAPH_TEST_DATA names no folder")
    file = Path(data) / "er_person_febrl_splink/febrl_dataset1.parquet"
    names = {"given_name": "given_name", "surname": "family_name", "date_of_birth": "birth_date",
             "address_1": "street", "postcode": "postcode", "suburb": "city",
             "state": "region"}  # fmt: skip
    rows = pq.read_table(file).to_pylist()
    return [
        person(row["rec_id"], **{ours: row[name] for name, ours in names.items() if row[name]})
        for row in rows
    ]


@pytest.mark.data
def test_the_same_people_are_found_and_what_one_compared_the_other_keeps(
    tmp_path: Path, febrl: list[Any]
) -> None:
    found = []
    for place, master in (("here", ""), ("spark", MASTER)):
        with Lake.writer(tmp_path / place) as lake:
            evidence = run(lake, febrl[:900], spark_master=master)["evidence"]
            assert evidence["estimated"]
            more = run(lake, febrl[900:])["evidence"]  # what was compared there holds here
            assert more["model"] == evidence["model"]
            pairs = lake.arrow("matches").drop_columns(["run_id"])
            order = [("left_record_key", "ascending"), ("right_record_key", "ascending")]
            found.append((evidence, more, ids(lake), judgements(lake), pairs.sort_by(order)))
    (one, one_more, users, log, pairs), (other, other_more, same_users, same_log, same) = found
    assert (one, one_more) == (other, other_more)
    assert users == same_users
    assert len(set(users.values())) < len(users)
    bits = [table["bits"].to_numpy() for table in (pairs, same)]
    assert np.allclose(*bits, rtol=0, atol=2e-6)  # they are rounded to six places
    rest = [name for name in pairs.column_names if name not in {"bits", "probability"}]
    assert pairs.select(rest).to_pydict() == same.select(rest).to_pydict()
    for row, twin in zip(log, same_log, strict=True):
        assert abs(row.pop("probability") - twin.pop("probability")) < 1e-6
        assert row == twin


def test_spark_without_a_jdk_is_refused_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="needs a JDK") as refused:
        Spark(MASTER, tmp_path)
    assert "openjdk" in (refused.value.hint or "")


def test_spark_that_is_not_installed_is_refused_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(Unavailable, match="not installed") as refused:
        Spark(MASTER, tmp_path)
    assert "personagraph[spark]" in (refused.value.hint or "")


def test_a_master_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Spark failed") as refused:
        Spark("nowhere", tmp_path)
    assert "PERSONAGRAPH_SPARK_MASTER" in (refused.value.hint or "")
