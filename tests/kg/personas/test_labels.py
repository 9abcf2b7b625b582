"""What subjects are called."""

from pathlib import Path

from kg.lake import Lake
from kg.personas.kinds import KINDS
from kg.personas.labels import Labels, phrase
from tests.kg.personas.test_activity import filled


def test_campaigns_of_one_title_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    items = {
        "item_id": ["13", "18", "20"],
        "title": ["Type A", "Type A", "Type C"],
        "categories": [[], [], []],
    }
    with Lake.writer(tmp_path / "workspace") as lake, lake.step("items") as step:
        step.overwrite("items", filled("items", items))
    with Lake.open(tmp_path / "workspace") as lake:
        labels = Labels(lake)
        assert labels.item("13") == "Type A (13)"
        assert labels.item("20") == "Type C"
        assert labels.item("SKU_99") == "SKU_99"


def test_topics_of_one_name_are_told_apart_beside_each_other(tmp_path: Path) -> None:
    topics = {
        "topic": ["garden/plants", "plants", "toys", "office/paper", "paper"],
        "label": ["Plants", "Plants", "Toys", "paper", "Paper"],
    }
    with Lake.writer(tmp_path / "workspace") as lake, lake.step("topics") as step:
        step.overwrite("topics", filled("topics", topics))
    with Lake.open(tmp_path / "workspace") as lake:
        labels = Labels(lake)
        assert labels.topic("plants") == "Plants"
        sequence = KINDS["sequence"]
        assert labels.of(sequence, "toys > plants") == "Toys, then Plants"
        told = labels.of(sequence, "garden/plants > plants")
        assert told == "Plants (garden/plants), then Plants (plants)"
        assert phrase(sequence, "garden/plants > plants", told) == (
            "took up Plants (plants) in the visit after Plants (garden/plants)"
        )
        assert labels.topics(["toys", "plants"]) == {"toys": "Toys", "plants": "Plants"}
        told = labels.topics(["office/paper", "paper"])
        assert told == {"office/paper": "paper (office/paper)", "paper": "Paper (paper)"}


def test_what_is_about_its_own_name_is_said_once() -> None:
    topic, common = KINDS["topic"], KINDS["common"]
    assert phrase(topic, "song_played song played", "Song Played") == "did “song played”"
    assert phrase(common, "bought bought", "bought") == "of all who hold it bought something"
    assert phrase(topic, "song_played jazz", "Jazz") == "did “song played” with Jazz"


def test_what_is_called_by_a_number_alone_is_no_count(tmp_path: Path) -> None:
    topics = {"topic": ["4", "a/1"], "label": ["4", "1"]}
    with Lake.writer(tmp_path / "workspace") as lake, lake.step("topics") as step:
        step.overwrite("topics", filled("topics", topics))
        step.overwrite("items", filled("items", {"item_id": [], "title": [], "categories": []}))
    with Lake.open(tmp_path / "workspace") as lake:
        labels = Labels(lake)
        assert labels.item("920-1") == "no. 920-1"
        told = labels.topic("4")
        assert phrase(KINDS["topic"], "bought 4", told) == "bought no. 4"
        assert labels.of(KINDS["sequence"], "4 > a/1") == "no. 4, then no. 1"
