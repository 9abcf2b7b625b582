"""A folder of another company's people, run into a workspace by mistake, is noticed; others not."""

from pathlib import Path

import pytest

from ingestion.identity import resolve
from ingestion.ingest import ingest
from ingestion.mapping import load
from kg.lake import Lake
from tests.folders import EVENTS, GOOD, fill

KEY = b"k" * 32


def _day(*people: str, order: str = "a") -> str:
    rows = [f"{order}-{who}-{n},{who},2026-03-0{n},hammer,1" for who in people for n in (1, 2)]
    return "\n".join([GOOD, *rows, ""])


def _run(workspace: Path, folder: Path) -> int:
    """Read a folder and resolve; how many newcomers are told of."""
    with Lake.writer(workspace) as lake:
        ingest(lake, folder, load(folder / "personagraph.yaml"), key=KEY)
        inputs = {"ingest": lake.step_id("ingest")}
        with lake.step("identity", inputs=inputs) as step:
            if not step.done:
                resolve(step, KEY)
        return int(lake.summary("identity")["newcomers"])


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace in which ann and ben are known."""
    folder = fill(tmp_path / "shop", {"events.csv": _day("ann", "ben")}, EVENTS)
    assert _run(tmp_path / "w", folder) == 0
    return folder


@pytest.mark.parametrize("name", ["events-2.csv", "events.csv"])
def test_a_folder_whose_people_are_all_unknown_is_noticed(
    tmp_path: Path, shop: Path, name: str
) -> None:
    other = fill(tmp_path / "other", {name: _day("zoe", "yan", "xia")}, EVENTS)
    assert _run(tmp_path / "w", other) == 3
    assert _run(tmp_path / "w", other) == 3  # nothing is new, and what was said still holds


def test_a_second_folder_that_shares_a_person_is_not(tmp_path: Path, shop: Path) -> None:
    second = fill(tmp_path / "second", {"events-2.csv": _day("zoe", "ben", order="b")}, EVENTS)
    assert _run(tmp_path / "w", second) == 0


def test_the_folder_with_a_file_more_is_not_whoever_is_in_it(tmp_path: Path, shop: Path) -> None:
    fill(shop, {"events-2.csv": _day("zoe", "yan")})
    assert _run(tmp_path / "w", shop) == 0


def test_the_folder_read_by_another_mapping_is_not(tmp_path: Path, shop: Path) -> None:
    fill(shop, {}, EVENTS.replace("{customer: who}", "{client: who}"))
    assert _run(tmp_path / "w", shop) == 0
