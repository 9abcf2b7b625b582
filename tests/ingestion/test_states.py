"""Somebody whose e-mail address changes is the same person; whose address was mistaken is not."""

from pathlib import Path

import pytest
from folders import HEAD, fill

from ingestion.identity.config import IdentityConfig
from ingestion.identity.explain import explain
from ingestion.identity.resolution import resolve
from ingestion.ingest import ingest
from kg.lake import Lake

SHOP = HEAD + (
    "tables:\n"
    "  customers:\n"
    "    files: customers*\n"
    "    kind: profile\n"
    "    key: id\n"
    "    newest: {column: changed, zone: UTC}\n"
    "    identifiers: {customer: id, email: mail}\n"
    "    traits: {plan: plan}\n"
    "  orders:\n"
    "    files: orders*\n"
    "    kind: event\n"
    "    key: id\n"
    "    identifiers: {email: mail}\n"
    "    time: {column: at, zone: UTC}\n"
    "    verb: bought\n"
    "    item: item\n"
)
HEADER = "id,mail,plan,changed\n"
ORDERS = (
    "id,mail,at,item\n"
    "1,ann@x.org,2026-01-05 10:00:00,saw\n"
    "2,ann@x.org,2026-01-06 10:00:00,nail\n"
    "3,lee@x.org,2026-03-06 10:00:00,saw\n"
)
OLD = "c1,ann@x.org,free,2026-01-01 00:00:00\n"
NEW = "c1,lee@x.org,free,2026-03-01 00:00:00\n"


def people(folder: Path, workspace: Path) -> dict[str, str]:
    """Reads a folder and tells people apart: record key -> user id."""
    with Lake.writer(workspace) as lake:
        number = lake.head.number if lake.head else 0
        ingest(lake, folder)
        with lake.step("identity", config={"number": number}) as step:
            resolve(step, bytes(32))
    with Lake.open(workspace) as lake:
        rows = lake.arrow("identities").to_pylist()
    return {row["record_key"].partition("#")[2]: row["user_id"] for row in rows}


def shop(
    folder: Path, customers: dict[str, str], orders: str = ORDERS, mapping: str = SHOP
) -> Path:
    files = {name: HEADER + rows for name, rows in customers.items()}
    return fill(folder, {**files, "orders.csv": orders}, mapping)


@pytest.mark.parametrize(
    ("then", "gone"),
    [
        ({"customers.csv": NEW}, []),  # written over
        ({"customers-2.csv": NEW}, []),  # beside it
        ({"customers-2.csv": NEW}, ["customers.csv"]),  # instead of it
        ({"customers.csv": OLD + NEW}, []),  # appended
    ],
)
def test_who_has_a_new_address_is_who_they_were_however_it_is_told(
    tmp_path: Path, then: dict[str, str], gone: list[str]
) -> None:
    folder = shop(tmp_path / "data", {"customers.csv": OLD})
    first = people(folder, tmp_path / "w")
    assert first["c1"] == first["1"] == first["2"] != first["3"]
    for name in gone:
        (folder / name).unlink()
    shop(folder, then)
    for orders in (ORDERS, ORDERS + "4,ann@x.org,2026-04-01 10:00:00,axe\n"):  # and the run after
        shop(folder, {}, orders)
        later = people(folder, tmp_path / "w")
        assert {*later.values()} == {first["c1"]}
    with Lake.open(tmp_path / "w") as lake:
        found = explain(lake, "customers.csv#c1", "orders.csv#1", IdentityConfig())
        traits = lake.arrow("golden_traits").to_pylist()
    said = {row["name"]: row["value"] for row in traits if row["record_key"] == "customers.csv#c1"}
    assert said == {"email": "lee@x.org", "plan": "free"}
    assert found.identifiers == ["for: the same email, by what an earlier state of a record named"]


def test_an_address_that_somebody_else_has_now_is_theirs(tmp_path: Path) -> None:
    folder = shop(tmp_path / "data", {"customers.csv": OLD})
    people(folder, tmp_path / "w")
    shop(folder, {"customers.csv": NEW + "c2,ann@x.org,free,2026-03-02 00:00:00\n"})
    found = people(folder, tmp_path / "w")
    assert found["c2"] == found["1"] == found["2"] != found["c1"] == found["3"]


@pytest.mark.parametrize("changed", ["2026-01-01 00:00:00", "2025-12-01 00:00:00"])
def test_an_address_that_was_put_right_leaves_nothing(tmp_path: Path, changed: str) -> None:
    folder = shop(tmp_path / "data", {"customers.csv": OLD})
    people(folder, tmp_path / "w")
    shop(folder, {"customers.csv": f"c1,lee@x.org,free,{changed}\n"})
    found = people(folder, tmp_path / "w")
    assert found["c1"] == found["3"] != found["1"] == found["2"]


def test_what_another_mapping_took_for_an_address_is_forgotten(tmp_path: Path) -> None:
    folder = shop(tmp_path / "data", {"customers.csv": OLD})
    wrong = SHOP.replace("email: mail}\n    traits", "email: plan}\n    traits")
    fill(folder, {"customers.csv": HEADER + OLD.replace("free", "ann@x.org")}, wrong)
    people(folder, tmp_path / "w")
    fill(folder, {"customers.csv": HEADER + NEW}, SHOP)
    found = people(folder, tmp_path / "w")
    assert found["c1"] == found["3"] != found["1"]


def test_of_an_id_of_which_a_person_has_one_the_newest_is_right(tmp_path: Path) -> None:
    mapping = SHOP.replace("email: mail", "card: {column: mail, unique: true}")
    folder = shop(tmp_path / "data", {"customers.csv": OLD}, mapping=mapping)
    people(folder, tmp_path / "w")
    fill(folder, {"customers.csv": HEADER + NEW})
    found = people(folder, tmp_path / "w")
    assert found["c1"] == found["3"] != found["1"]


def test_an_order_is_whose_its_newest_state_says(tmp_path: Path) -> None:
    mapping = SHOP.replace(
        "    identifiers: {email: mail}\n", "    newest: {column: at, zone: UTC}\n"
        "    identifiers: {email: mail}\n"
    )  # fmt: skip
    folder = shop(tmp_path / "data", {"customers.csv": OLD}, mapping=mapping)
    people(folder, tmp_path / "w")
    fill(
        folder, {"orders.csv": ORDERS.replace("1,ann@x.org,2026-01-05", "1,other@x.org,2026-02-05")}
    )
    found = people(folder, tmp_path / "w")
    assert found["c1"] == found["2"] != found["1"]


def test_who_names_nobody_any_more_is_nobody(tmp_path: Path) -> None:
    mapping = SHOP.replace("customer: id, ", "")
    folder = shop(tmp_path / "data", {"customers.csv": OLD}, mapping=mapping)
    people(folder, tmp_path / "w")
    fill(folder, {"customers.csv": HEADER + NEW.replace("lee@x.org", "")})
    assert "c1" not in people(folder, tmp_path / "w")
