"""The three public data sets, whole: what is received and where every row of it goes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from folders import Read

pytestmark = pytest.mark.data


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Read]:
    data = os.environ.get("PERSONAGRAPH_TEST_DATA")
    if not data:
        pytest.skip("PERSONAGRAPH_TEST_DATA names no folder")
    return lambda name: Read(Path(data) / name, tmp_path / "workspace")


def test_online_retail_ii_keeps_real_repeats_and_drops_the_overlap(
    read: Callable[[str], Read],
) -> None:
    found = read("online_retail_ii")
    told = found.file("online_retail_ii.parquet")
    assert (told.received, told.accepted, told.duplicate) == (1_067_370, 1_044_954, 22_416)
    (dataset,) = found.report.datasets
    assert dataset.anonymous == 235_394
    assert dataset.identifiers["customer"]["distinct"] == 5_942
    assert dataset.verbs == {
        "bought": 1_015_131, "returned": 17_973, "adjusted": 6_019, "charged": 4_638,
        "credited": 1_193}  # fmt: skip
    items = found.rows("items")
    assert {"POST", "M", "DOT", "AMAZONFEE"}.isdisjoint(one["item_id"] for one in items)
    assert "nan" not in {one["title"] for one in items}


def test_completejourney_has_purchases_campaigns_and_households(
    read: Callable[[str], Read],
) -> None:
    found = read("completejourney")
    assert {one.name: one.accepted for one in found.report.datasets} == {
        "purchases": 75_000, "products": 92_331, "campaigns_received": 6_589,
        "campaign_descriptions": 27, "redemptions": 2_102, "households": 801}  # fmt: skip
    assert found.report.total("quarantined") == found.report.total("duplicate") == 0
    purchases = next(one for one in found.report.datasets if one.name == "purchases")
    assert purchases.verbs == {"bought": 74_585}
    assert (purchases.of_nobody, purchases.anonymous) == (415, 0)
    assert {one.source for one in found.report.files if one.status == "ignored"} == {
        "coupons.parquet", "promotions_sample.parquet"}  # fmt: skip
    campaigns = [one for one in found.rows("items") if one["role"] == "campaign"]
    assert len(campaigns) == 27
    assert {"5978648", "5978656"}.isdisjoint(one["item_id"] for one in found.rows("items"))
    assert all(one["starts_at_ms"] for one in campaigns)


def test_ms_customer_insights_is_read_whole_by_certain_formats(read: Callable[[str], Read]) -> None:
    found = read("ms_customer_insights_sample")
    assert {one.name: one.accepted for one in found.report.datasets} == {
        "contacts": 5_000, "loyalty_cards": 5_002, "crm_contacts": 4_999,
        "online_purchases": 12_369, "store_purchases": 20_024, "reviews": 20_020,
        "hotel_stays": 41_550}  # fmt: skip
    assert found.report.total("quarantined") == 0
    hotel = {one["value"] for one in found.rows("identifiers") if one["namespace"] == "hotel_guest"}
    assert len(hotel) == 10_000
