"""Stripe: the API's objects and the dashboard's tables; cents of every currency; test mode."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from folders import HEAD, WRITTEN_AT, Read, fill, lines

from ingestion.detect import recognise
from ingestion.ingest import check
from kg.errors import InputError

CUSTOMERS: list[dict[str, Any]] = [
    {"id": "cus_1", "object": "customer", "created": 1767600000, "email": "Ann@x.org",
     "name": "Ann Ay", "phone": None, "livemode": True, "metadata": {"user_id": "u1"},
     "address": {"city": "York", "country": "GB", "line1": "1 Low Rd", "postal_code": "Y1"}},
    {"id": "cus_2", "object": "customer", "created": 1767600000, "email": "test@x.org",
     "livemode": False, "metadata": {}},
]  # fmt: skip
SUBSCRIPTIONS = [
    {"id": "sub_1", "object": "subscription", "customer": {"id": "cus_1", "email": "a@x.org"},
     "created": 1767600000, "start_date": 1767600000, "canceled_at": 1770000000,
     "ended_at": 1772000000, "trial_start": None, "livemode": True, "quantity": None,
     "items": {"data": [{"quantity": 3, "price": {"id": "price_1", "product": "prod_1",
               "nickname": "Team", "recurring": {"interval": "month"}}}]}},
]  # fmt: skip
INVOICES = [
    {"id": f"in_{n}", "object": "invoice", "customer": "cus_1", "customer_email": "ann@x.org",
     "created": 1767600000, "amount_due": 9999, "amount_paid": 2900, "currency": currency,
     "livemode": True, "billing_reason": "subscription_cycle",
     "status_transitions": {"paid_at": 1767700000 if n else None}}
    for n, currency in enumerate(["usd", "usd", "jpy", "kwd"])
]  # fmt: skip
TABLES = {
    "customers": "id,Description,Email,Name,Created (UTC),Delinquent,Plan,Status,tag (metadata),"
                 "phone\ncus_1,,ann@x.org,Ann Ay,2026-01-05 08:00,,Team,active,,+44 20 7946 0018\n",
    "subscriptions": "id,Customer ID,Customer Email,Plan,Quantity,Interval,Amount,Status,"
                     "Created (UTC),Start (UTC),Canceled At (UTC),Ended At (UTC)\n"
                     "sub_1,cus_1,ann@x.org,price_1,3,month,29.00,canceled,2026-01-05 08:00,"
                     "2026-01-05 08:00,2026-02-02 10:00,\n",
    "invoices": "id,Customer,Customer Email,Date (UTC),Paid At (UTC),Amount Due,Amount Paid\n"
                'in_1,cus_1,ann@x.org,2026-01-05 08:00,2026-01-06 08:00,99.00,"1,029.50"\n',
}  # fmt: skip


def read(tmp_path: Path, **files: str) -> Read:
    return Read(fill(tmp_path / "data", files), tmp_path / "workspace")


def test_pages_of_the_api_are_read_and_the_test_mode_is_nobody_s(tmp_path: Path) -> None:
    page = {"object": "list", "url": "/v1/customers", "has_more": False, "data": CUSTOMERS}
    found = read(tmp_path, customers=json.dumps(page, indent=2))
    assert found.file("customers").accepted == 2
    assert found.rows("identifiers", "namespace", "value") == [
        ("email", "ann@x.org"), ("stripe", "cus_1"), ("user_id", "u1")]  # fmt: skip
    assert found.rows("person_details", "name", "city") == [("Ann Ay", "York")]
    assert found.rows("profiles", "traits") == ['{"country":"GB"}']


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_a_customer_who_was_deleted_says_nothing_any_more(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    gone = {"id": "cus_1", "object": "customer", "deleted": True}
    files = lines(CUSTOMERS), lines([gone, {**CUSTOMERS[0], "id": "cus_3", "metadata": {}}])
    found = read(tmp_path, **dict(zip(names, files, strict=True)))
    told = {key.partition("#")[2] for key in found.rows("identifiers", "record_key")}
    assert told == {"cus_3"}


def test_next_month_s_export_says_who_changed_and_who_is_gone(tmp_path: Path) -> None:
    def read_on(day: int, **files: str) -> Read:
        folder = fill(tmp_path / "data", files)
        for name in files:
            os.utime(folder / name, (WRITTEN_AT + day * 86400,) * 2)
        return Read(folder, tmp_path / "workspace")

    others = [{**CUSTOMERS[0], "id": "cus_3", "email": "b@x.org", "metadata": {}}]
    still = [{**SUBSCRIPTIONS[0], "canceled_at": None, "ended_at": None}]
    read_on(0, customers_1=lines([CUSTOMERS[0], *others]), subs_1=lines(still))
    now = {**CUSTOMERS[0], "email": "new@x.org"}
    found = read_on(30, customers_2=lines([now, *others]), subs_2=lines(SUBSCRIPTIONS))
    assert ("customers_1#cus_1", "new@x.org") in found.rows("identifiers", "record_key", "value")
    assert "ann@x.org" not in found.rows("identifiers", "value")
    assert found.rows("events", "verb") == ["cancelled", "ended_subscription", "subscribed"]
    gone = [{"id": "cus_3", "object": "customer", "deleted": True}]
    found = read_on(60, customers_3=lines(gone))
    assert found.file("customers_3").recognised_as == "stripe_customer"
    assert "b@x.org" not in found.rows("identifiers", "value")


def test_a_subscription_begins_is_cancelled_and_ends(tmp_path: Path) -> None:
    found = read(tmp_path, subscriptions=lines(SUBSCRIPTIONS))
    assert found.rows("events", "verb", "item_id", "occurred_at_ms", "quantity") == [
        ("cancelled", "prod_1", 1770000000000, None),
        ("ended_subscription", "prod_1", 1772000000000, None),
        ("subscribed", "prod_1", 1767600000000, 3.0),
    ]
    assert found.rows("identifiers", "value") == ["cus_1"]
    assert found.rows("items", "item_id", "title") == [("prod_1", "Team")]


def test_what_was_paid_is_money_in_whole_units_of_its_currency(tmp_path: Path) -> None:
    found = read(tmp_path, invoices=lines(INVOICES))
    assert found.rows("events", "verb", "value") == [
        ("paid", 2.9), ("paid", 29.0), ("paid", 2900.0), *[("was_invoiced", None)] * 4]  # fmt: skip


def test_the_dashboard_s_tables_are_recognised_and_read(tmp_path: Path) -> None:
    folder = fill(tmp_path, TABLES)
    assert [recognise(folder / name) for name in TABLES] == [
        "stripe_customer_export",
        "stripe_subscription_export",
        "stripe_invoice_export",
    ]
    found = read(tmp_path / "two", **TABLES)
    assert found.rows("events", "verb", "value") == [
        ("cancelled", None),
        ("paid", 1029.5),
        ("subscribed", None),
        ("was_invoiced", None),
    ]
    assert set(found.rows("identifiers", "namespace", "value")) == {
        ("stripe", "cus_1"), ("email", "ann@x.org"), ("phone", "442079460018")}  # fmt: skip


def test_an_amount_that_is_no_number_any_more_is_quarantined(tmp_path: Path) -> None:
    changed = {**INVOICES[1], "id": "in_9", "amount_paid": {"value": 1}}
    found = read(tmp_path, invoices=lines([*INVOICES, changed]))
    assert found.reasons() == {5: "not_a_number"}


def test_a_page_that_ends_in_the_middle_is_not_read_and_costs_no_other_file(tmp_path: Path) -> None:
    page = json.dumps({"object": "list", "data": CUSTOMERS}, indent=2)
    mapping = HEAD + "tables:\n  people: {files: 'c*.json', format: stripe_customer}\n"
    folder = fill(tmp_path / "data", {"c1.json": page[:-40], "c2.json": page}, mapping)
    found = Read(folder, tmp_path / "workspace")
    assert found.file("c1.json").status == "unreadable"
    assert found.file("c2.json").accepted == 2


def test_an_empty_page_is_a_file_without_records(tmp_path: Path) -> None:
    mapping = HEAD + "tables:\n  people: {files: c.json, format: stripe_customer}\n"
    folder = fill(tmp_path / "data", {"c.json": '{"object": "list", "data": []}'}, mapping)
    (report,) = check(folder).files
    assert (report.status, report.received) == ("read", 0)
    with pytest.raises(InputError, match="No record in 'data' can be used: its files hold none"):
        Read(folder, tmp_path / "workspace")


def test_an_invoice_that_was_exported_before_it_was_paid_is_paid(tmp_path: Path) -> None:
    paid = {
        **INVOICES[1],
        "status_transitions": {"finalized_at": 1767600060, "paid_at": 1767700000},
    }
    still = {**paid, "amount_paid": 0, "status_transitions": {"finalized_at": 1767600060}}
    found = read(tmp_path, a=lines([still]), b=lines([paid]))
    assert [(one.accepted, one.duplicate) for one in found.report.files] == [(0, 1), (1, 0)]
    assert found.rows("events", "verb", "value") == [("paid", 29.0), ("was_invoiced", None)]
