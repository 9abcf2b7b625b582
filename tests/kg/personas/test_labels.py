"""What subjects are called."""

from pathlib import Path

from kg.lake import Lake
from kg.personas.labels import Labels
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
        assert labels.item("99") == "99"
