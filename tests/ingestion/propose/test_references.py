"""Columns that refer to the people of another table, as foreign keys of a database do."""

from pathlib import Path

from proposals import doubted, named, of, table

from ingestion.ingest import check

PEOPLE = "k{},a{}@x.org,{}00,{5}"
ORDERS = "{},k{50},2026-03-1{5},P{7},{}.5"


def test_a_column_of_the_same_name_and_values_refers_to_the_people(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        kunden=table("kid,email,punkte,plan", PEOPLE.replace("k{}", "1{}"), 12),
        orders=table("oid,kid,am,wert", "{},1{7},2026-03-1{5},{}.5", 40),
    )
    assert named(found, "kunden") == {"kid": ("kid",), "email": ("email",)}
    assert named(found, "orders") == {"kid": ("kid",)}
    assert found.mapping.tables["orders"].kind == "event"
    assert doubted(found, "7 of the 7 values are kid of kunden; does it refer to these people?")
    assert check(tmp_path / "data", found.mapping).total("quarantined") == 0


def test_of_a_table_that_names_nobody_the_only_column_with_ids_of_people_refers_to_them(
    tmp_path: Path,
) -> None:
    found = of(
        tmp_path,
        members=table("id,email,punkte,plan", PEOPLE, 50),
        orders=table("oid,wer,am,sku,wert", ORDERS),
    )
    assert named(found, "orders") == {"member": ("wer",)}
    assert named(found, "members")["member"] == ("id",)
    assert doubted(found, "does it refer to these people?")


def test_numbers_that_only_some_people_have_as_ids_refer_to_nobody(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        members=table("id,email,punkte,plan", PEOPLE.replace("k{}", "{}"), 50),
        orders=table("oid,anlage,am,wert", "{},{7},2026-03-1{5},{}.5"),
    )
    assert found.mapping.tables["orders"].kind == "ignore"


def test_a_table_that_names_people_needs_no_reference_of_another_name(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        members=table("id,email,punkte,plan", PEOPLE, 50),
        orders=table("oid,email,wer,am", "{},a{50}@x.org,k{50},2026-03-1{5}"),
    )
    assert named(found, "orders") == {"email": ("email",)}
