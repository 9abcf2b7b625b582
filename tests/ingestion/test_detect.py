import gzip
import json
import os
from pathlib import Path

import pytest
from folders import Read, fill, lines

from ingestion import shipped
from ingestion.detect import examples_by_name, find_mapping, known_formats
from ingestion.ingest import check
from ingestion.propose import is_needed, propose
from ingestion.wholeness import NO_RECORDS
from kg.errors import InputError, PartlyRead
from kg.lake.files import first_rows, shape_of

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
    good = {"a.jsonl": whole, "row.csv": "id,who,at\n1,ann,today"}  # a row, though it has no end
    found = Read(fill(tmp_path / "data", good | bad), tmp_path / "workspace")
    assert {one.source: (one.status, one.detail) for one in found.report.files} == {
        "a.jsonl": ("read", None),
        "cut.jsonl.gz": (
            "unreadable", "cut_off: the compressed file ends early or is damaged"),
        "empty.jsonl": ("unreadable", "empty: the file holds nothing"),
        "header.csv": ("unmapped", "it holds a header and no rows"),
        "row.csv": (
            "unmapped", "nothing says how to read it: it is of no format that is known by itself"),
    }  # fmt: skip
    with pytest.raises(InputError, match=r"cut.jsonl.gz: the compressed file ends early.*nothing"):
        find_mapping(fill(tmp_path / "bad", bad))
    with pytest.raises(InputError, match="Nothing says how to read") as refused:
        find_mapping(fill(tmp_path / "some", {"a.csv": "x,y\n1,2\n", "e.jsonl": ""}))
    assert "e.jsonl: the file holds nothing" in (refused.value.hint or "")


PAGE = json.dumps({"tickets": [TICKET, TICKET], "count": 2})
FEED = "<rss version='2.0'><channel><item><title>Lamp</title></item></channel></rss>"
BROKEN = {
    "page.json": (PAGE[:-30], "this is not a whole JSON document"),
    "pretty.json": (json.dumps(json.loads(PAGE), indent=1)[:-20], "not a whole JSON document"),
    "middle.json": (json.dumps([{"a": 1}] * 90)[:-1] + ', {"a" 1}]', "not a whole JSON document"),
    "list.json": (json.dumps([TICKET, TICKET])[:-2], "this is not a whole JSON document"),
    "lines.jsonl": ('{"id": 1, "a"\n{"id": 2, "a"\n', "not one of its first lines is whole JSON"),
    "cut.xml": (FEED[:-30], "this is not a whole XML feed"),
    "typed.xml": (f"<!DOCTYPE a [<!ENTITY x 'y'>]>{FEED}", "it declares a document type"),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_json_and_feeds_that_are_not_whole_are_unreadable_though_nothing_names_them(
    tmp_path: Path, name: str
) -> None:
    content, why = BROKEN[name]
    if name == "typed.xml":
        content = f"<?xml version='1.0'?>{content}"
    folder = fill(tmp_path / "data", {"a.jsonl": lines([MESSAGE]), name: content})
    report = check(folder)
    told = {one.source: (one.status, one.detail or "") for one in report.files}[name]
    assert told[0] == "unreadable"
    assert why in told[1]
    with pytest.raises(PartlyRead):
        report.refuse_unread("")
    assert f"# {name} is not read: " in propose(folder).text
    alone = fill(tmp_path / "alone", {name: content})
    assert not is_needed(alone)
    with pytest.raises(InputError, match=f"No file of 'alone' holds data.*{name}: .*{why}"):
        find_mapping(alone)


@pytest.mark.parametrize(
    "content",
    ["[2026-01-05 10:00] started\n", '{"compilerOptions": {"strict": true}}', "<svg><a/></svg>",
     "<?xml version='1.0'?><project><a/></project>", "{% if x %}\n"],
)  # fmt: skip
def test_other_files_are_just_not_named(tmp_path: Path, content: str) -> None:
    report = check(fill(tmp_path, {"a.jsonl": lines([MESSAGE]), "other": content}))
    assert report.files[1].status == "unmapped"
    report.refuse_unread("")


@pytest.mark.parametrize(
    "content",
    ["[]", '{"tickets": [], "next_page": null, "count": 0}',
     '{"object": "list", "data": [], "has_more": false}', '{"records": [], "totalSize": 0}'],
)  # fmt: skip
def test_a_page_without_records_is_said_to_be_empty(tmp_path: Path, content: str) -> None:
    folder = fill(tmp_path / "data", {"a.jsonl": lines([MESSAGE]), "page.json": content})
    report = check(folder)
    assert (report.files[1].status, report.files[1].detail) == ("unmapped", NO_RECORDS)
    report.refuse_unread("")
    assert f"# page.json is not read: {NO_RECORDS}" in propose(folder).text
    with pytest.raises(InputError, match=f"page.json: {NO_RECORDS}"):
        find_mapping(fill(tmp_path / "alone", {"page.json": content}))


def test_a_page_whose_list_begins_in_the_first_line_is_one_document(tmp_path: Path) -> None:
    page = '{"tickets": [\n' + ",\n".join(json.dumps({**TICKET, "id": n}) for n in (1, 2)) + "\n]}"
    fill(tmp_path, {"page.json": page})
    assert shape_of(tmp_path / "page.json") == "json"
    assert len(first_rows(tmp_path / "page.json")[0]["tickets"]) == 2


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
