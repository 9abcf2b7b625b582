"""Catalogues: Google Merchant feeds as text and XML, schema.org products in documents and pages."""

import json
from pathlib import Path

import pytest
from business import CUP, FEEDS, LAMP, SHIRT, feed_text
from folders import HEAD, Read, fill, lines

from ingestion.detect import recognise

ITEMS = [
    ("d-1", "Floor, lamp", ["Home", "Light", "Lamps"], 15.0),
    ("d-2", "Desk lamp", ["Home & Garden", "Lighting"], 1015.5),
    ("x", "Cup", [], 3.0),
]


@pytest.mark.parametrize("name", FEEDS)
def test_a_merchant_feed_is_a_catalogue_however_it_is_written(tmp_path: Path, name: str) -> None:
    found = Read(fill(tmp_path / "data", {name: FEEDS[name]}), tmp_path / "workspace")
    assert (found.file(name).recognised_as, found.file(name).accepted) == ("google_merchant", 3)
    assert found.rows("items", "item_id", "title", "categories", "price") == ITEMS
    told = json.loads(found.rows("items", "attributes")[1])
    assert (told["item_group_id"], told["brand"]) == ("d", "Ay")


@pytest.mark.parametrize(
    ("kind", "levels"),
    [
        ("Tools > Hand > Hammers, Sale > All", ["Tools", "Hand", "Hammers"]),
        ('""Food, drinks > Tea, black"", Sale > All', ["Food, drinks", "Tea, black"]),
        ("Food, drinks > Tea", ["Food, drinks", "Tea"]),
        ("", ["Home & Garden", "Lighting, lamps", "Desk"]),
    ],
)
def test_of_several_paths_in_one_column_the_first_counts(
    tmp_path: Path, kind: str, levels: list[str]
) -> None:
    head = '"id"\t"title"\t"price"\t"availability"\t"product_type"\t"google_product_category"\n'
    row = f'"a"\t"A"\t"3 USD"\t"in stock"\t"{kind}"\t"Home & Garden > Lighting, lamps > Desk"\n'
    found = Read(fill(tmp_path / "data", {"feed": head + row}), tmp_path / "workspace")
    assert found.rows("items", "categories") == [levels]


def test_feeds_as_text_and_as_xml_lie_beside_each_other(tmp_path: Path) -> None:
    files = {name: FEEDS[name] for name in ("csv", "rss")}
    found = Read(fill(tmp_path / "data", files), tmp_path / "workspace")
    assert [one.name for one in found.report.datasets] == ["google_merchant_csv", "google_merchant"]
    assert len(found.rows("items")) == 3


def test_a_price_that_no_rule_reads_is_quarantined(tmp_path: Path) -> None:
    mapping = HEAD + "tables:\n  shop: {files: feed, format: google_merchant}\n"
    content = feed_text("\t").replace("15.00 USD", "15,00 EUR").replace("3 USD", "cheap")
    found = Read(fill(tmp_path / "data", {"feed": content}, mapping), tmp_path / "workspace")
    assert found.reasons() == {1: "not_a_number", 3: "not_a_number"}


LAUGHS = b'<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
XXE = b'<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (FEEDS["rss"][:-40], "unreadable"),
        (FEEDS["rss"].replace(b"Cup", b"Cup\xff"), "unreadable"),
        (FEEDS["rss"].replace(b"<rss", LAUGHS + b"<rss").replace(b"Cup", b"&b;"), "foreign"),
        (FEEDS["rss"].replace(b"<rss", XXE + b"<rss").replace(b"Cup", b"&a;"), "foreign"),
        (b'<?xml version="1.0" encoding="klingon"?><rss/>', "unreadable"),
        (b'<?xml version="1.0"?><orders><item><id>1</id></item></orders>', "foreign"),
        (b'<?xml version="1.0"?>' + b"<rss>" * 100_000, "unreadable"),
    ],
)  # fmt: skip
def test_xml_that_is_cut_off_hostile_or_no_feed_costs_only_itself(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    mapping = HEAD + "tables:\n  shop: {files: 'feed*', format: google_merchant}\n"
    folder = fill(tmp_path / "data", {"feed-a": content, "feed-b": FEEDS["rss"]}, mapping)
    found = Read(folder, tmp_path / "workspace")
    assert (found.file("feed-a").detail or "").startswith(f"{reason}: ")
    assert found.rows("items", "title") == ["Cup", "Desk lamp", "Floor, lamp"]


GRAPH = {"@context": "https://schema.org",
         "@graph": [CUP, SHIRT, {"@type": "BreadcrumbList", "itemListElement": []}]}  # fmt: skip
PAGE = """<!DOCTYPE html><html><head><title>A > B</title>
<script>var x = "<b>no</b>";</script>
<script type="application/ld+json">{lamp}</script></head>
<body><p>1 < 2</p><SCRIPT TYPE='application/ld+json; charset=utf-8'>
{graph}
</SCRIPT></body></html>"""
PRODUCTS = [
    ("4000000000001", "Cup", ["Kitchen"], 3.0),
    ("g1", "Shirt", ["Clothes"], None),
    ("g1-m", "Shirt M", ["Clothes"], 9.5),
    ("g1-s", "Shirt", ["Clothes"], 9.0),
    ("s1", "Lamp", ["Home", "Light"], 15.0),
]


@pytest.mark.parametrize(
    "content",
    [
        lines([LAMP, GRAPH]),
        json.dumps([LAMP, *GRAPH["@graph"]], indent=2),
        PAGE.format(lamp=json.dumps(LAMP), graph=json.dumps(GRAPH, indent=1)),
        PAGE.format(lamp=json.dumps([LAMP]), graph=json.dumps(GRAPH)),
    ],
)
def test_products_of_schema_org_are_read_wherever_they_stand(tmp_path: Path, content: str) -> None:
    found = Read(fill(tmp_path / "data", {"shop": content}), tmp_path / "workspace")
    report = found.file("shop")
    assert (report.recognised_as, report.accepted, report.quarantined) == ("schema_org", 6, 0)
    assert found.rows("items", "item_id", "title", "categories", "price") == PRODUCTS
    assert '"brand_name":"Ay"' in "".join(found.rows("items", "attributes"))


def test_pages_that_are_broken_or_say_nothing_cost_only_themselves(tmp_path: Path) -> None:
    page = PAGE.format(lamp=json.dumps(LAMP), graph=json.dumps(GRAPH))
    files = {
        "a.html": page[: page.index("Cup")],
        "b.html": PAGE.format(lamp='{"@type": "Product", "name": ', graph="[1, 2]"),
        "c.html": "<html><body>Nothing here</body></html>",
        "d.html": PAGE.format(lamp='{"@type": "Product", "name": "No id"}', graph=""),
        "e.html": page.encode("utf-16"),
        "f.html": page.replace("Lamp", "Lämp").encode("latin-1"),
    }
    mapping = HEAD + "tables:\n  shop: {files: '*.html', format: schema_org}\n"
    found = Read(fill(tmp_path / "data", files, mapping), tmp_path / "workspace")
    told = {one.source: one.reasons for one in found.report.files}
    assert told == {
        "a.html": {"invalid_json": 1},
        "b.html": {"invalid_json": 3},
        "c.html": {},
        "d.html": {"missing_id": 1},
        "e.html": {},
        "f.html": {"encoding": 1},
    }
    assert found.rows("items", "item_id", "title", "categories", "price") == PRODUCTS
    assert recognise(tmp_path / "data" / "c.html") is None
