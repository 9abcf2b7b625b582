import gzip
import os
from pathlib import Path

import pytest
from folders import Read, fill, lines

from ingestion import shipped
from ingestion.detect import examples_by_name, find_mapping, known_formats
from kg.errors import InputError

MESSAGE = {
    "type": "track",
    "event": "X",
    "messageId": "m",
    "userId": "u",
    "timestamp": "2026-01-05T10:00:00Z",
}
TICKET = {"id": 1, "created_at": "2026-01-05T10:00:00Z", "requester_id": 5, "subject": "x"}


def test_the_mapping_beside_the_data_comes_first(tmp_path: Path) -> None:
    own = (
        "name: mine\nconsent: {default: denied, basis: a test}\n"
        "tables: {a: {files: a.jsonl, kind: ignore, reason: a test}}\n"
    )
    assert find_mapping(fill(tmp_path, {"a.jsonl": lines([MESSAGE])}, own)).name == "mine"


def test_files_that_speak_for_themselves_need_no_mapping(tmp_path: Path) -> None:
    folder = fill(
        tmp_path / "data",
        {"a.jsonl": lines([MESSAGE]), "b.log": lines([TICKET]), "c.txt": "hello\n"},
    )
    found = Read(folder, tmp_path / "workspace")
    assert {one.source: one.status for one in found.report.files} == {
        "a.jsonl": "read", "b.log": "read", "c.txt": "unmapped"}  # fmt: skip
    assert "none declared" in found.report.consent["basis"]


def test_files_without_data_are_said_to_be_so(tmp_path: Path) -> None:
    whole = lines([MESSAGE] * 3)
    bad = {
        "cut.jsonl.gz": gzip.compress(whole.encode())[:-20],
        "empty.jsonl": "",
        "header.csv": "id,who,at\n",
    }
    found = Read(fill(tmp_path / "data", {"a.jsonl": whole, **bad}), tmp_path / "workspace")
    assert {one.source: (one.status, one.detail) for one in found.report.files} == {
        "a.jsonl": ("read", None),
        "cut.jsonl.gz": (
            "unreadable", "cut_off: the compressed file ends early or is damaged"),
        "empty.jsonl": ("unreadable", "empty: the file holds nothing"),
        "header.csv": ("unmapped", "it holds a header and no rows"),
    }  # fmt: skip
    with pytest.raises(InputError, match=r"cut.jsonl.gz: the compressed file ends early.*nothing"):
        find_mapping(fill(tmp_path / "bad", bad))
    with pytest.raises(InputError, match="Nothing says how to read") as refused:
        find_mapping(fill(tmp_path / "some", {"a.csv": "x,y\n1,2\n", "e.jsonl": ""}))
    assert "e.jsonl: the file holds nothing" in (refused.value.hint or "")


def test_the_nearest_example_and_what_it_lacks_are_named(tmp_path: Path) -> None:
    folder = fill(tmp_path, {"Contact.csv.gz": "x\n", "OnlinePurchases.csv.gz": "x\n"})
    with pytest.raises(InputError) as refused:
        find_mapping(folder)
    assert "ms_customer_insights_sample, lacks: file Customer-Loyalty.csv.gz" in (
        refused.value.hint or ""
    )


def test_a_folder_that_nothing_fits_is_told_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        find_mapping(fill(tmp_path, {"a.csv": "x,y\n1,2\n"}))
    assert "docs/mapping.md" in (refused.value.hint or "")


def test_an_example_whose_columns_are_not_there_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        find_mapping(fill(tmp_path, {"online_retail_ii.parquet": "Invoice,StockCode\n1,2\n"}))
    assert "online_retail_ii, lacks: column sheet in online_retail_ii" in (refused.value.hint or "")


def test_formats_and_examples_are_listed() -> None:
    names = {one.name for one in known_formats()}
    assert names >= {"segment", "tickets", "survey", "csv", "completejourney"}
    assert all(one.about for one in known_formats())


def test_every_published_table_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/business-sources.md").read_text()
    assert [name for name in shipped.tables() if f"`{name}`" not in page] == []


@pytest.mark.data
@pytest.mark.parametrize("name", sorted(examples_by_name()))
def test_a_public_data_set_finds_its_example(name: str) -> None:
    data = os.environ.get("PERSONAGRAPH_TEST_DATA")
    if not data:
        pytest.skip("PERSONAGRAPH_TEST_DATA names no folder")
    assert find_mapping(Path(data) / name).name == name
