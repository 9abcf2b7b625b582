"""Orders of Shopify: a row is a line item, and only the first says what holds for the order."""

import os
from pathlib import Path

from folders import WRITTEN_AT, Read, fill

from ingestion.detect import recognise

ORDERS = (
    "Name,Email,Financial Status,Paid at,Accepts Marketing,Total,Created at,Lineitem quantity,"
    "Lineitem name,Lineitem price,Lineitem sku,Billing Name,Billing City,Phone,Cancelled at,Id,"
    "Source\n"
    "#1001,ann@x.org,paid,2026-01-05 10:01:00 -0500,yes,50.00,2026-01-05 10:00:00 -0500,2,"
    "Lamp - red,12.50,L-1,Ann Ay,York,+1 202 555 0143,,4500000001,web\n"
    "#1001,ann@x.org,,,,,2026-01-05 10:00:00 -0500,1,Cup,25.00,,,,,,,\n"
    "#1002,bo@x.org,refunded,,no,12.50,2026-01-06 10:00:00 -0500,1,Lamp - red,12.50,L-1,Bo Be,,,,"
    "4500000002,pos\n"
    "#1003,bo@x.org,paid,,no,37.50,2026-01-07 10:00:00 -0500,1,Lamp - red,12.50,L-1,Bo Be,,,"
    "2026-01-07 11:00:00 -0500,4500000003,web\n"
    "#1003,bo@x.org,,,,,2026-01-07 10:00:00 -0500,1,Cup,25.00,,,,,,,\n"
)


def test_every_line_of_an_order_knows_what_its_first_row_says(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {"a.csv": ORDERS})
    assert recognise(folder / "a.csv") == "shopify_order"
    found = Read(folder, tmp_path / "workspace")
    assert found.reasons() == {}
    assert found.rows("events", "basket_id", "verb", "item_id", "quantity", "value", "channel") == [
        ("#1001", "bought", "Cup", 1.0, 25.0, "web"),
        ("#1001", "bought", "L-1", 2.0, 25.0, "web"),
        ("#1002", "returned", "L-1", 1.0, 12.5, "pos"),
        ("#1003", "cancelled", "Cup", 1.0, 25.0, "web"),
        ("#1003", "cancelled", "L-1", 1.0, 12.5, "web"),
    ]
    assert min(found.rows("events", "occurred_at_ms")) == 1767625200000
    assert set(found.rows("identifiers", "namespace", "value")) == {
        ("email", "ann@x.org"), ("email", "bo@x.org"), ("phone", "12025550143"),
    }  # fmt: skip
    assert set(found.rows("person_details", "name")) == {"Ann Ay", "Bo Be"}
    assert {row["purpose"] for row in found.rows("consents")} == {"email"}


def test_an_order_that_is_exported_again_is_no_second_order(tmp_path: Path) -> None:
    again = ORDERS.replace(",paid,", ",refunded,")
    more = again.replace("#1001", "#1000")  # so that the order stands further down
    later = again.splitlines()[0] + "\n" + "".join(more.splitlines(keepends=True)[1:3]) + again
    later = later.replace(again.splitlines()[0] + "\n#1001", "#1001")
    folder = fill(tmp_path / "data", {"a.csv": ORDERS, "b.csv": later})
    found = Read(folder, tmp_path / "workspace")
    assert found.file("a.csv").duplicate == 5
    said = found.rows("events", "basket_id", "verb")
    assert said == [("#1000", "returned")] * 2 + [("#1001", "returned")] * 2 + [
        ("#1002", "returned"), ("#1003", "cancelled"), ("#1003", "cancelled")]  # fmt: skip
    os.utime(folder / "b.csv", (WRITTEN_AT - 60, WRITTEN_AT - 60))
    anew = Read(folder, tmp_path / "other")
    assert anew.rows("events", "basket_id", "verb")[2:4] == [("#1001", "bought")] * 2


def test_a_customer_says_who_it_is_and_which_mail_it_takes(tmp_path: Path) -> None:
    customers = (
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Address1,"
        "Default Address City,Default Address Country Code,Default Address Zip,Phone,"
        "Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags\n"
        "'700001,Ann,Ay,ann@x.org,no,1 Mill Rd,York,GB,YO1 7HH,'+12025550143,yes,12.5,1,,no,vip\n"
        "'700002,Bo,Be,bo@x.org,yes,,,US,,,no,0.00,0,,no,\n"
    )
    folder = fill(tmp_path / "data", {"customers.csv": customers})
    assert recognise(folder / "customers.csv") == "shopify_customer"
    found = Read(folder, tmp_path / "workspace")
    assert found.file("customers.csv").accepted == 2
    assert set(found.rows("identifiers", "namespace", "value")) == {
        ("shopify", "'700001"), ("shopify", "'700002"), ("email", "ann@x.org"),
        ("email", "bo@x.org"), ("phone", "12025550143"),
    }  # fmt: skip
    assert found.rows("person_details", "given_name", "city", "postcode", "country") == [
        ("Ann", "York", "YO1 7HH", "GB"), ("Bo", None, None, "US")]  # fmt: skip
    assert set(found.rows("consents", "record_key", "purpose", "granted")) == {
        ("customers.csv#'700001", "email", False), ("customers.csv#'700001", "sms", True),
        ("customers.csv#'700002", "email", True), ("customers.csv#'700002", "sms", False),
    }  # fmt: skip
