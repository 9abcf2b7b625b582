from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pytest

from gnn.text import Embedder
from gnn.topic_book import slug
from gnn.topics import TopicConfig, assign, group
from ingestion.intents import slug as by_event
from kg.hashing import text_hash
from kg.lake import Lake
from tests.rows import put

PRODUCTS = ("LUNCH BAG", "CAKE TIN", "CHRISTMAS DECORATION", "PHOTO FRAME", "SCENTED CANDLE")
LOOKS = ("RED", "SMALL PINK", "SET OF 6 BLUE", "LARGE WHITE", "VINTAGE", "RETROSPOT")


def _assigned(path: Path, **tables: Any) -> dict[str, list[dict[str, Any]]]:
    with Lake.writer(path) as lake:
        with lake.step("read", inputs={}, config={}, seed=0) as step:
            put(step, **tables)
        with lake.step("topics", inputs={}, config={}, seed=0) as step:
            assign(step, Embedder())
        return {n: lake.arrow(n).to_pylist() for n in ("item_topics", "text_topics", "topics")}


def test_category_paths_become_levels(tmp_path: Path) -> None:
    found = _assigned(tmp_path, items=[{"item_id": "1", "categories": ["GROCERY", "Frozen pizza"]}])
    topics = [(row["topic"], row["kind"], row["level"]) for row in found["item_topics"]]
    assert sorted(topics) == [("grocery", "category", 0), ("grocery/frozen-pizza", "category", 1)]
    assert {row["label"] for row in found["topics"]} == {"grocery", "Frozen pizza"}
    with Lake.open(tmp_path) as lake:
        assert lake.summary("topics")["languages"] == {}


def test_categories_that_differ_in_their_spelling_alone_are_one(tmp_path: Path) -> None:
    paths = [["SHOES"], ["Shoes", "H\u00f6he 40"], ["shoes ", "HO\u0308HE  40"], ["Shoe"]]
    items = [{"item_id": str(n), "categories": path} for n, path in enumerate(paths)]
    found = _assigned(tmp_path, items=items)
    topics = {(row["item_id"], row["level"]): row["topic"] for row in found["item_topics"]}
    assert topics["0", 0] == topics["1", 0] == topics["2", 0] == "shoes"
    assert topics["1", 1] == topics["2", 1] == "shoes/h\u00f6he-40"
    assert topics["3", 0] == "shoe"
    assert len(found["topics"]) == 3


def test_titles_without_categories_are_grouped_by_product_and_not_by_colour(tmp_path: Path) -> None:
    titles = [f"{look} {product}" for product in PRODUCTS for look in LOOKS]
    found = _assigned(
        tmp_path, items=[{"item_id": str(n), "title": t} for n, t in enumerate(titles)]
    )
    finest = max(row["level"] for row in found["item_topics"])
    of_item = {r["item_id"]: r["topic"] for r in found["item_topics"] if r["level"] == finest}
    assert of_item["0"] == of_item["1"] == of_item["2"]  # one product in three looks
    plain = {of_item[str(n * len(LOOKS))] for n in range(len(PRODUCTS))}
    assert len(plain) == len(PRODUCTS)
    assert any("lunch bag" in row["label"] for row in found["topics"])


def test_a_group_that_is_called_as_another_is_called_after_the_one_it_lies_in(
    tmp_path: Path,
) -> None:
    titles = [f"{look} {product}" for product in PRODUCTS for look in LOOKS]
    items = [{"item_id": str(n), "title": title} for n, title in enumerate(titles)]
    topics = {row["topic"]: row for row in _assigned(tmp_path, items=items)["topics"]}
    assert not [topic for topic in topics if topic.endswith("-2")]
    parts = [topic.split("/") for topic in topics if "/" in topic]
    assert parts, "some group is not divided, and keeps its label"
    assert all(topics[broad]["level"] == 0 and fine in topics for broad, fine in parts)


def test_the_same_titles_give_the_same_topics_whatever_their_order(tmp_path: Path) -> None:
    items = [
        {"item_id": f"{product} {look}", "title": f"{look} {product}"}
        for product in PRODUCTS
        for look in LOOKS
    ]
    one = _assigned(tmp_path / "one", items=items)
    other = _assigned(tmp_path / "other", items=items[::-1])
    for name, rows in one.items():
        assert [row | {"run_id": ""} for row in rows] == [
            row | {"run_id": ""} for row in other[name]
        ], name


def test_labels_are_words_of_the_titles(tmp_path: Path) -> None:
    titles = [f"{look} {product}" for product in PRODUCTS for look in LOOKS]
    found = _assigned(
        tmp_path, items=[{"item_id": str(n), "title": t} for n, t in enumerate(titles)]
    )
    label_by_topic = {row["topic"]: row["label"] for row in found["topics"]}
    finest = max(row["level"] for row in found["item_topics"])
    label = {
        int(row["item_id"]): label_by_topic[row["topic"]]
        for row in found["item_topics"]
        if row["level"] == finest
    }
    cake, christmas = PRODUCTS.index("CAKE TIN"), PRODUCTS.index("CHRISTMAS DECORATION")
    assert label[cake * len(LOOKS)] == "cake tin"
    assert label[christmas * len(LOOKS)] == "christmas decoration"


def test_every_topic_has_one_slug_and_equal_labels_say_more(tmp_path: Path) -> None:
    titles = [f"{look} {product}" for product in PRODUCTS for look in LOOKS]
    found = _assigned(
        tmp_path, items=[{"item_id": str(n), "title": t} for n, t in enumerate(titles)]
    )
    names = [row["topic"] for row in found["topics"]]
    assert len(names) == len(set(names))
    assert {row["topic"] for row in found["item_topics"]} <= set(names)


def test_only_free_texts_about_nothing_else_get_topics(tmp_path: Path) -> None:
    events = [
        {"record_key": "1", "text": "where is my parcel"},
        {"record_key": "2", "text": "lovely mug", "item_id": "9"},
        {"record_key": "3", "text": "fine", "object": "survey question"},
    ]
    found = _assigned(tmp_path, events=events)
    assert {row["text_hash"] for row in found["text_topics"]} == {text_hash("where is my parcel")}


def test_an_empty_lake_has_no_topics(tmp_path: Path) -> None:
    assert _assigned(tmp_path) == {"item_topics": [], "text_topics": [], "topics": []}


def test_broad_groups_hold_whole_fine_groups() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(12, 16))
    vectors = np.repeat(centres, 10, axis=0) + 0.05 * rng.normal(size=(120, 16))
    words = [[f"word{n // 10}"] for n in range(120)]
    broad, fine = group(words, vectors.astype(np.float32), 150, TopicConfig()).levels
    assert len(set(zip(broad.tolist(), fine.tolist(), strict=True))) == len(set(fine.tolist()))
    assert len(set(broad.tolist())) < len(set(fine.tolist()))


def test_slugs_keep_the_levels_of_a_path() -> None:
    assert slug("Crème & Co./Frozen  Pizza") == "crème-co/frozen-pizza"
    assert slug("図書") == "図書"


@pytest.mark.parametrize("category", ["Größe & Maß", "図書", "Tea_Cups 2", "CRÈME"])
def test_a_category_has_one_topic_whether_a_catalogue_names_it_or_an_event(category: str) -> None:
    named = ibis.memtable({"category": [category]})
    assert slug(category) == named.select(topic=by_event(named.category)).execute().topic[0]


def test_small_words_of_another_language_name_no_topic_and_its_texts_are_counted(
    tmp_path: Path,
) -> None:
    asked = ("wo ist meine {}", "ich möchte für die {} eine Rechnung", "die {} ist nicht da")
    things = ("Lampe", "Teekanne", "Bohrmaschine", "Küchenuhr", "Gießkanne")
    texts = [text.format(thing) for text in asked for thing in things]
    events = [{"record_key": f"e{n}", "text": text} for n, text in enumerate(texts)]
    path = tmp_path / "w"
    labels = {row["label"] for row in _assigned(path, events=events)["topics"]}
    words = {word.strip(",") for label in labels for word in label.split()}
    assert words & {"küchenuhr", "gießkanne", "möchte"}, "words are whole"
    assert not words & {"ist", "ich", "die", "für", "nicht", "wo", "da"}
    with Lake.open(path) as lake:
        told = lake.summary("topics")
    assert told["is_english_model"]
    assert told["languages"] == {
        "text": {
            "texts": len(texts),
            "shares": {"German": 1.0},
            "is_english": False,
            "undivided": [],
        }
    }
