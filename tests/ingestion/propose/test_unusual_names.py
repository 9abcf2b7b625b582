"""Tables whose columns are called by words of a trade: people and times are known by their values,
and what is not sure is asked about, never left out in silence."""

from pathlib import Path

import pytest
from proposals import doubted, named, of, table

from ingestion.ingest import check

BANK = table("Buchungstag;IBAN;Verwendungszweck;Betrag",
             "1{5}.03.2026;DE8937040044053201{50};Miete {5};{},50")  # fmt: skip
TELCO = table("msisdn_a,msisdn_b,ts_start,dur", "4917012345{50},49171765432{7},17676{7}0000,{7}",
              350)  # fmt: skip
SESSIONS = table("uid,did,t0,screen", "a{50}f,d{50}e,1767600{5}00000,home {5}")
QUOTES = table("Angebot,Debitor,Angebotsdatum,gültig bis,Netto",
               "A{},10{50}00,2026031{5},2026041{5},{}.5")  # fmt: skip
CLINIC = table("PatID;Termin_Datum;Termin_Uhrzeit;Grund", "P{50};1{5}.03.2026;1{7}:30;Impfung {5}")
ENERGY = table("GP-Nr;Vertragskonto;Ablesedatum;Stand", "1{50}0;7{50}0;1{5}.03.2026;{}")
UNI = table("MatrNr;Kurs;Note;Datum", "40{50}00;Kurs {7};{5},3;1{5}.03.2026")
GIFTS = table("Gift ID,Constituent ID,Gift Date,Gift Amt,Fund", "{},C{50},3/1{5}/2026,{7},F {5}")


@pytest.mark.parametrize(
    ("content", "who", "when", "asked"),
    [
        (BANK, {"iban": ("IBAN",)}, "Buchungstag", True),
        (SESSIONS, {"uid": ("uid",)}, "t0", True),
        (QUOTES, {"debitor": ("Debitor",)}, "Angebotsdatum", False),
        (CLINIC, {"pat": ("PatID",)}, "Termin_Datum", False),
        (ENERGY, {"gp": ("GP-Nr",)}, "Ablesedatum", True),
        (UNI, {"matr": ("MatrNr",)}, "Datum", False),
        (GIFTS, {"constituent": ("Constituent ID",)}, "Gift Date", False),
    ],
)
def test_who_comes_again_at_times_did_something(
    tmp_path: Path, content: str, who: dict[str, tuple[str, ...]], when: str, asked: bool
) -> None:
    found = of(tmp_path, rows=content)
    read = found.mapping.tables["rows"]
    assert (read.kind, named(found, "rows")) == ("event", who)
    assert read.time is not None
    assert (read.time.column, len(read.time.formats)) == (when, 1)
    assert doubted(found, "it comes again: does it name the people?") == asked
    assert check(tmp_path / "data", found.mapping).total("quarantined") == 0


def test_a_time_of_day_is_nothing_that_rows_are_about(tmp_path: Path) -> None:
    read = of(tmp_path, rows=CLINIC).mapping.tables["rows"]
    assert read.item is None
    assert read.object is not None
    assert read.object.column == "Grund"


def test_who_called_is_asked_about_where_who_was_called_stands_beside(tmp_path: Path) -> None:
    found = of(tmp_path, calls=TELCO)
    assert named(found, "calls") == {"phone": ("msisdn_a",)}
    assert doubted(found, "msisdn_b is another than msisdn_a in 350 rows: it is left out")


def test_events_that_have_only_a_name_are_about_it(tmp_path: Path) -> None:
    row = "u{50},song_{5},2026-01-0{7}T10:00:00Z"
    read = of(tmp_path / "a", rows=table("user_id,event,timestamp", row, 300)).mapping
    assert read.tables["rows"].object is not None
    assert read.tables["rows"].object.column == "event"
    told = table("user_id,event,timestamp,category", row + ",Music {7}", 300)
    assert of(tmp_path / "b", rows=told).mapping.tables["rows"].object is None


def test_times_with_ids_that_come_again_are_not_left_out_unasked(tmp_path: Path) -> None:
    found = of(tmp_path, footfall=table("store_id,date,visitors", "S{7},2026-01-1{5},{}"))
    assert found.mapping.tables["footfall"].kind == "ignore"
    assert doubted(found, "footfall.kind: it has times, but no column that tells people apart")


def test_who_comes_again_at_times_is_no_list_of_people(tmp_path: Path) -> None:
    found = of(tmp_path, visits=table(
        "Nr;Name;E-Mail;Telefon;Termin;Leistung",
        "{};N{50};a{50}@x.de;0171 5551{50}0;1{5}.03.2026;Schnitt {5}",
    ))  # fmt: skip
    read = found.mapping.tables["visits"]
    assert (read.kind, read.key) == ("event", ("Nr",))
    assert named(found, "visits") == {"email": ("E-Mail",), "phone": ("Telefon",)}


def test_what_differs_in_every_row_describes_nobody(tmp_path: Path) -> None:
    found = of(tmp_path, people=table("kid,email,wert,plan", "{},a{}@x.org,7{},{5}", 12))
    assert found.mapping.tables["people"].describe == ("plan",)


@pytest.mark.parametrize(("name", "kind"), [("station_code", "ignore"), ("uid", "event")])
def test_beside_people_an_id_of_nothing_is_no_person_s_unless_its_name_may_say_so(
    tmp_path: Path, name: str, kind: str
) -> None:
    found = of(
        tmp_path,
        people=table("customer_id,email,plan", "K-{},a{}@x.org,{5}"),
        rows=table(f"{name},date,value", "S{50},2026-03-1{5},{}.5"),
    )
    assert found.mapping.tables["rows"].kind == kind
    assert doubted(found, "rows.kind" if kind == "ignore" else "rows.identifiers.uid")


def test_deeds_of_people_who_came_but_once_are_no_list_of_people(tmp_path: Path) -> None:
    did = ("viewed", "bought", "returned")
    rows = "user_id,timestamp,action\n" + "".join(
        f"u{n},2026-01-1{n % 9}T10:00:00Z,{did[n % 3]}\n" for n in range(200)
    )
    read = of(tmp_path, rows=rows).mapping.tables["rows"]
    assert (read.kind, read.verb is not None) == ("event", True)
    signed = table("user_id,created_at,plan", "u{},2026-01-1{5}T10:00:00Z,P{5}", 200)
    assert of(tmp_path / "other", rows=signed).mapping.tables["rows"].kind == "profile"


def test_which_of_several_addresses_it_is_does_not_matter_and_whose_mail_is_accepted_does(
    tmp_path: Path,
) -> None:
    content = table(
        "Customer No,Home City,Default Address Zip,Accepts Email Marketing,Plan",
        "C{},York {50},YO{5} 7HH,yes,plan {5}",
    ).replace("yes,plan 1", "no,plan 1")
    read = of(tmp_path, people=content).mapping.tables["people"]
    assert read.person is not None
    assert read.person.city == ("Home City",)
    assert read.person.postcode == ("Default Address Zip",)
    assert set(read.traits) == {"plan"}
    assert [(one.purpose.constant, one.granted) for one in read.consents] == [
        ("email", "Accepts Email Marketing")]  # fmt: skip
