"""The made-up company, whose mapping was not looked at when the rules were made."""

from pathlib import Path

from readings import assert_declares, assert_read_the_same

from ingestion.mapping import load, parse
from ingestion.propose import propose
from ingestion.simulate import simulate

# Two clocks that the files name nowhere.
CORRECTED = [
    ("time_zone: UTC", "time_zone: Europe/Berlin"),
    (
        '{column: submitted_at, formats: "%d/%m/%Y %H:%M"}',
        '{column: submitted_at, formats: "%d/%m/%Y %H:%M", zone: Europe/London}',
    ),
]


def test_two_corrected_lines_read_the_world_as_its_own_mapping_does(tmp_path: Path) -> None:
    simulate(1000, 5, tmp_path)
    folder = tmp_path / "data"
    own = folder / "personagraph.yaml"
    expected = load(own.rename(tmp_path / "own.yaml"))
    text = propose(folder).text
    for wrong, right in CORRECTED:
        assert text.count(wrong) == 1
        text = text.replace(wrong, right)
    proposed = parse(text)
    assert_read_the_same(folder, proposed, expected)
    assert_declares(folder, proposed, expected)
