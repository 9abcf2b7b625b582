"""Topics of what came after the last search: what was there stays, what is new joins it or none."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from gnn.joining import join
from gnn.text import Embedder
from gnn.topics import assign
from kg.hashing import text_hash
from kg.lake import Lake
from tests.gnn.test_topics import LOOKS, PRODUCTS
from tests.rows import put

TITLES = [f"{look} {product}" for product in PRODUCTS for look in LOOKS]
ITEMS = [{"item_id": f"{n:02d}", "title": title} for n, title in enumerate(TITLES)] + [
    {"item_id": "A", "title": "beans", "categories": ["GROCERY", "Tins"]}
]
EVENTS = [
    {"record_key": f"e{n}", "text": text}
    for n, text in enumerate(
        ["where is my parcel", "my parcel is late", "parcel not delivered", "cannot log in"]
    )
]
NAMES = ("item_topics", "text_topics", "topics")


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("joining") / "w"
    with Lake.writer(path) as lake:
        with lake.step("read") as step:
            put(step, items=ITEMS, events=EVENTS)
        with lake.step("topics") as step:
            assign(step, Embedder())
    return path


def _joined(path: Path, *parts: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    with Lake.writer(path) as lake:
        for number, part in enumerate(parts):
            with lake.step("read", inputs={"part": str(number)}) as step:
                put(step, **part)
            with lake.step("topics", inputs={"part": str(number)}) as step:
                join(step, Embedder())
        return {
            name: sorted(
                lake.arrow(name).drop_columns(["run_id"]).to_pylist(), key=lambda row: str(row)
            )
            for name in NAMES
        }


@pytest.fixture
def path(grouped: Path, tmp_path: Path) -> Path:
    return shutil.copytree(grouped, tmp_path / "w")


def _topics(rows: list[dict[str, Any]], key: str, value: str) -> list[str]:
    return [row["topic"] for row in sorted(rows, key=lambda r: r["level"]) if row[key] == value]


MUG = {"item_id": "N1", "title": "LARGE GREEN LUNCH BAG"}
STRANGE = {"item_id": "N2", "title": "hydraulic excavator spare gasket"}
TINNED = {"item_id": "N3", "title": "peas", "categories": ["GROCERY", "Tins"]}
FROZEN = {"item_id": "N4", "title": "ice", "categories": ["GROCERY", "Frozen"]}


def test_new_items_join_what_is_near_and_categories_that_are_named(path: Path) -> None:
    with Lake.open(path) as lake:
        was = lake.arrow("item_topics").drop_columns(["run_id"]).to_pylist()
    found = _joined(path, {"items": [MUG, STRANGE, TINNED, FROZEN]})
    items = found["item_topics"]
    assert all(row in items for row in was)
    assert _topics(items, "item_id", "N1") == _topics(items, "item_id", "00")
    assert _topics(items, "item_id", "N2") == []
    assert _topics(items, "item_id", "N3") == ["grocery", "grocery/tins"]
    assert _topics(items, "item_id", "N4") == ["grocery", "grocery/frozen"]
    count = {row["topic"]: row["item_count"] for row in found["topics"]}
    assert (count["grocery"], count["grocery/tins"], count["grocery/frozen"]) == (3, 2, 1)


def test_a_category_that_is_spelled_otherwise_is_the_one_that_is_there(path: Path) -> None:
    with Lake.open(path) as lake:
        was = {row["topic"] for row in lake.arrow("topics").to_pylist()}
    shouted = {"item_id": "N5", "title": "beans", "categories": ["Grocery ", "TINS"]}
    found = _joined(path, {"items": [shouted]})
    assert _topics(found["item_topics"], "item_id", "N5") == ["grocery", "grocery/tins"]
    assert {row["topic"] for row in found["topics"]} == was


def test_new_texts_join_the_nearest_group_or_none(path: Path) -> None:
    new = [
        {"record_key": "n1", "text": "the parcel is late"},
        {"record_key": "n2", "text": "a recipe for plum cake with cinnamon"},
    ]
    found = _joined(path, {"events": new})["text_topics"]
    late = _topics(found, "text_hash", text_hash("my parcel is late"))
    assert _topics(found, "text_hash", text_hash("the parcel is late")) == late
    assert _topics(found, "text_hash", text_hash(new[1]["text"])) == []


def test_it_does_not_matter_in_how_many_parts_things_come(path: Path, tmp_path: Path) -> None:
    other = shutil.copytree(path, tmp_path / "other")
    parts = _joined(path, {"items": [MUG, TINNED]}, {"items": [STRANGE, FROZEN]})
    assert parts == _joined(other, {"items": [MUG, STRANGE, TINNED, FROZEN]})


def test_languages_are_told_of_all_texts_those_in_no_topic_among_them(
    grouped: Path, tmp_path: Path
) -> None:
    path = tmp_path / "w"
    shutil.copytree(grouped, path)
    new = ["wo ist mein Paket", "ich kann mich nicht anmelden", "das ist nicht da"]
    events = [*EVENTS, *({"record_key": f"n{n}", "text": text} for n, text in enumerate(new))]
    _joined(path, {"events": events}, {"events": events})
    with Lake.open(path) as lake:
        told = lake.summary("topics")["languages"]
    assert told["text"] == {
        "texts": 7,
        "shares": {"German": 3 / 7},
        "is_english": False,
        "undivided": [],
    }
    assert told["item"] == {"texts": len(TITLES), "shares": {}, "is_english": True, "undivided": []}
