"""Catalogues: Google Merchant feeds as text and XML, schema.org products in documents and pages."""

import json
from pathlib import Path

import pytest
from folders import HEAD, Read, fill, lines

from ingestion.detect import recognise

COLUMNS = ("id", "title", "price", "availability", "product type", "google product category",
           "item group id", "brand")  # fmt: skip
ROWS = [
    ("d-1", "Floor, lamp", "15.00 USD", "in_stock", "Home > Light > Lamps", "594", "d", "Ay"),
    ("d-2", "Desk lamp", "1,015.50 USD", "in_stock", "", "Home & Garden > Lighting", "d", "Ay"),
    ("x", "Cup", "3 USD", "out_of_stock", "", "594", "", ""),
]
ITEMS = [
    ("d-1", "Floor, lamp", ["Home", "Light", "Lamps"], 15.0),
    ("d-2", "Desk lamp", ["Home & Garden", "Lighting"], 1015.5),
    ("x", "Cup", [], 3.0),
]
RSS = """<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>
<title>Shop</title><link>https://x.org</link><description>All</description>
{items}</channel></rss>"""
ATOM = """<?xml version="1.0" encoding="{encoding}"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
<title>Shop</title><link rel="self" href="https://x.org"/>{items}</feed>"""


def text(separator: str) -> str:
    """The feed as text, what needs them in quotes."""
    rows = [COLUMNS, *ROWS]
    return "".join(separator.join(f'"{one}"' for one in row) + "\n" for row in rows)


def elements(name: str) -> str:
    """The feed's products as elements."""
    told = ""
    for number, title, price, stock, kind, google, group, brand in ROWS:
        told += f"<{name}><title>{title}</title><g:id>{number}</g:id><g:price>{price}</g:price>"
        told += f"<g:availability>{stock}</g:availability><g:brand>{brand}</g:brand>"
        told += f"<g:item_group_id>{group}</g:item_group_id>"
        told += f"<g:product_type>{kind.replace('>', '&gt;')}</g:product_type>" if kind else ""
        told += "<g:product_type>Sale &gt; All</g:product_type>" if kind else ""
        google = google.replace("&", "&amp;").replace(">", "&gt;")
        told += f"<g:google_product_category>{google}</g:google_product_category>"
        told += "<g:shipping><g:country>US</g:country><g:price>5 USD</g:price></g:shipping>"
        told += f"</{name}>\n"
    return told


FEEDS = {
    "tsv": text("\t").encode(),
    "csv": text(",").encode(),
    "rss": RSS.format(items=elements("item")).encode(),
    "atom": ATOM.format(items=elements("entry"), encoding="utf-16").encode("utf-16"),
}


@pytest.mark.parametrize("name", FEEDS)
def test_a_merchant_feed_is_a_catalogue_however_it_is_written(tmp_path: Path, name: str) -> None:
    found = Read(fill(tmp_path / "data", {name: FEEDS[name]}), tmp_path / "workspace")
    assert (found.file(name).recognised_as, found.file(name).accepted) == ("google_merchant", 3)
    assert found.rows("items", "item_id", "title", "categories", "price") == ITEMS
    told = json.loads(found.rows("items", "attributes")[1])
    assert (told["item_group_id"], told["brand"]) == ("d", "Ay")


def test_feeds_as_text_and_as_xml_lie_beside_each_other(tmp_path: Path) -> None:
    files = {name: FEEDS[name] for name in ("csv", "rss")}
    found = Read(fill(tmp_path / "data", files), tmp_path / "workspace")
    assert [one.name for one in found.report.datasets] == ["google_merchant_csv", "google_merchant"]
    assert len(found.rows("items")) == 3


def test_a_price_that_no_rule_reads_is_quarantined(tmp_path: Path) -> None:
    mapping = HEAD + "tables:\n  shop: {files: feed, format: google_merchant}\n"
    content = text("\t").replace("15.00 USD", "15,00 EUR").replace("3 USD", "cheap")
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


LAMP = {"@context": "https://schema.org/", "@type": "Product", "sku": "s1", "name": "Lamp",
        "category": "Home > Light", "brand": {"@type": "Brand", "name": "Ay"},
        "offers": {"@type": "Offer", "price": "15.00", "priceCurrency": "USD"}}  # fmt: skip
CUP = {"@type": ["http://schema.org/Product", "Thing"], "gtin13": "4000000000001", "name": "Cup",
       "category": [{"@type": "CategoryCode", "name": "Kitchen"}],
       "offers": [{"@type": "AggregateOffer", "lowPrice": 3, "highPrice": 5}]}  # fmt: skip
SHIRT = {"@type": "ProductGroup", "productGroupID": "g1", "name": "Shirt", "category": "Clothes",
         "hasVariant": [
             {"@type": "Product", "sku": "g1-s", "size": "S", "offers": {"price": 9}},
             {"@type": "Product", "sku": "g1-m", "name": "Shirt M", "offers": {"price": 9.5}},
         ]}  # fmt: skip
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
