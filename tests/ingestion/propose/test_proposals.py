"""What is proposed for small files, and what is left to a person; never a value of anybody's."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from folders import Read, fill, lines

from ingestion.columns import is_clock
from ingestion.ingest import check
from ingestion.mapping import Mapping, parse
from ingestion.propose import Proposal, is_needed, propose
from ingestion.values import SERIAL
from kg.errors import InputError
from kg.words import some

PEOPLE = "".join(
    f"K-{n:04d},ann{n}@x.org,{'free' if n % 3 else 'pro'},{n % 28 + 1:02d}/{n % 12 + 1:02d}/2025\n"
    for n in range(60)
)


def of(tmp_path: Path, **files: str) -> Proposal:
    folder = fill(tmp_path / "data", {name.replace("_csv", ".csv"): text
                                      for name, text in files.items()})  # fmt: skip
    return propose(folder)


def table(found: Proposal, name: str) -> dict[str, object]:
    return found.mapping.tables[name].model_dump(exclude_defaults=True, by_alias=True)


def reads(tmp_path: Path, mapping: Mapping) -> None:
    """The proposal reads the files without quarantining anything."""
    report = check(tmp_path / "data", mapping)
    assert report.total("quarantined") == 0
    assert report.total("accepted") > 0


def test_people_with_dates_that_say_which_number_is_the_day(tmp_path: Path) -> None:
    found = of(tmp_path, people_csv="Kundennr,Mail,Plan,Since\n".replace("Kundennr", "CustomerNo")
               + PEOPLE)  # fmt: skip
    assert table(found, "people") == {
        "files": ("people.csv",), "kind": "profile", "key": ("CustomerNo",),
        "identifiers": {"customer": {"column": ("CustomerNo",)}, "email": {"column": ("Mail",)}},
        "time": {"column": "Since", "formats": ("%d/%m/%Y",)},
        "traits": {"plan": "Plan"}, "describe": ("plan",),
    }  # fmt: skip
    assert "certainly the day first" in found.text
    reads(tmp_path, found.mapping)


@pytest.mark.parametrize("nobody", ["n/a", "N/A", "unknown", "info@x.org", "null@"])
def test_words_and_mailboxes_of_nobody_do_not_list_people_twice(
    tmp_path: Path, nobody: str
) -> None:
    rows = "".join(f"K-{n:04d},{nobody if n % 9 == 0 else f'ann{n}@x.org'}\n" for n in range(90))
    found = of(tmp_path, people_csv="customer_id,email\n" + rows)
    assert found.mapping.namespaces()["customer"] == (1, True)
    assert "several ids" not in found.text


@pytest.mark.parametrize(("shared", "doubted"), [(1, True), (12, False)])
def test_one_shared_mailbox_is_asked_for_and_many_are_people_listed_twice(
    tmp_path: Path, shared: int, doubted: bool
) -> None:
    rows = "".join(f"K-{n:04d},ann{n if n >= shared else n + 100}@x.org\n" for n in range(200))
    found = of(tmp_path, people_csv="customer_id,email\n" + rows)
    assert found.mapping.namespaces()["customer"] == (1, False)
    assert f"several ids stand beside {shared} of {200 - shared} addresses" in found.text
    assert any("several ids" in doubt for doubt in found.doubts) == doubted


def test_dates_that_can_be_read_both_ways_are_proposed_both_ways_and_in_doubt(
    tmp_path: Path,
) -> None:
    rows = "".join(f"K-{n:04d},{n % 12 + 1:02d}/{n % 9 + 1:02d}/2025,{n}.50\n" for n in range(40))
    found = of(tmp_path, orders_csv="customer_id,ordered_on,total\n" + rows * 2)
    assert found.mapping.tables["orders"].time is not None
    assert set(found.mapping.tables["orders"].time.formats) == {"%m/%d/%Y", "%d/%m/%Y"}
    assert any("cannot be told apart" in doubt for doubt in found.doubts)


def test_orders_refer_to_people_by_another_name_where_the_values_say_so(tmp_path: Path) -> None:
    orders = "".join(
        f"{n},K-{n % 60:04d},2026-01-{n % 28 + 1:02d},S-{n % 7},{-1 if n % 50 == 0 else 2},3.5\n"
        for n in range(300)
    )
    found = of(
        tmp_path,
        people_csv="CustomerNo,Mail,Plan,Since\n" + PEOPLE,
        shop_csv="order_line,buyer_ref,at,sku,qty,unit_price\n" + orders,
    )
    shop = found.mapping.tables["shop"]
    assert {space: one.column for space, one in shop.identifiers.items()} == {
        "customer": ("buyer_ref",)
    }
    assert "60 of the 60 values are CustomerNo of people" in found.text
    assert [case.value.constant for case in shop.verb] == ["returned", "bought"]
    assert shop.value is not None
    assert shop.value.product == ("qty", "unit_price")
    assert shop.item is not None
    assert shop.item.id.column == "sku"
    reads(tmp_path, found.mapping)


def test_who_was_sent_what_with_arms_and_who_agreed_to_what(tmp_path: Path) -> None:
    sends = "".join(
        f"S{n},K-{n % 60:04d},C{n % 3},{'treated' if n % 5 else 'control'},2026-02-01T10:00:00Z\n"
        for n in range(180)
    )
    consent = "".join(
        f"ann{n}@x.org,email,{'withdrawn' if n % 4 == 0 else 'granted'},2026-01-01T00:00:00Z\n"
        for n in range(60)
    )
    found = of(
        tmp_path,
        sends_csv="send_id,customer_id,campaign_id,arm,sent_at\n" + sends,
        consent_csv="email,purpose,status,changed_at\n" + consent,
    )
    sent = found.mapping.tables["sends"]
    assert sent.campaign is not None
    assert sent.campaign.arm is not None
    assert (sent.campaign.id.column, sent.campaign.arm.column) == ("campaign_id", "arm")
    assert [case.value.constant for case in sent.verb] == ["received"]
    (agreed,) = found.mapping.tables["consent"].consents
    assert (agreed.yes, agreed.no) == (("granted",), ("withdrawn",))
    assert any("consent.consents" in doubt for doubt in found.doubts)
    assert found.mapping.time_zone is None  # every time says its own
    reads(tmp_path, found.mapping)


def test_when_a_consent_ends_is_read_and_which_of_two_ends_is_asked(tmp_path: Path) -> None:
    rows = "".join(
        f"ann{n}@x.org,profiling,{'yes' if n % 4 else 'no'},2025-01-01,2025-{1 + n % 12:02d}-28,\n"
        for n in range(60)
    )
    head = "email,purpose,granted,granted_at,valid_until,note\n"
    found = of(tmp_path, consent_csv=head + rows)
    (agreed,) = found.mapping.tables["consent"].consents
    assert agreed.until is not None
    assert agreed.until.column == "valid_until"
    rows = rows.replace(",\n", ",2025-02-02\n")
    two = of(tmp_path / "two", consent_csv=head.replace("note", "withdrawn_at") + rows)
    (agreed,) = two.mapping.tables["consent"].consents
    assert agreed.until is not None
    assert agreed.until.column == "withdrawn_at"
    assert any("valid_until is not read: which is it?" in one for one in two.doubts)


def test_a_yes_that_somebody_was_held_out_is_an_arm(tmp_path: Path) -> None:
    rows = "".join(
        f"K-{n % 60:04d},C{n % 3},{'yes' if n % 5 else 'no'},2026-02-01T10:00:00Z\n"
        for n in range(180)
    )
    found = of(tmp_path, exposure_csv="customer_id,campaign_id,is_holdout,at\n" + rows)
    told = found.mapping.tables["exposure"]
    assert told.campaign is not None
    assert (told.campaign.control, told.campaign.treated) == (("yes",), ("no",))
    assert [case.value.constant for case in told.verb] == ["received"]
    reads(tmp_path, found.mapping)


def test_opting_out_means_no(tmp_path: Path) -> None:
    rows = "".join(f"K-{n:04d},ann{n}@x.org,{'Yes' if n % 2 else 'No'}\n" for n in range(40))
    found = of(tmp_path, people_csv="customer_id,email,email_opt_out\n" + rows)
    (agreed,) = found.mapping.tables["people"].consents
    assert agreed.purpose.constant == "email"
    assert "yes" in agreed.no
    assert "no" in agreed.yes


def test_objects_of_json_and_what_their_fields_hold(tmp_path: Path) -> None:
    visits = [
        {
            "id": f"v{n}",
            "user": {"id": f"u-{n % 20:03d}"},
            "ts": 1767600000 + n,
            "page": f"/p{n % 9}",
        }
        for n in range(120)
    ]
    found = of(tmp_path, **{"visits.jsonl": lines(visits)})
    seen = found.mapping.tables["visits"]
    assert {space: one.column for space, one in seen.identifiers.items()} == {
        "user_id": ("user.id",)
    }
    assert seen.time is not None
    assert (seen.time.column, seen.time.formats) == ("ts", ("epoch_s",))
    assert seen.object is not None
    assert seen.object.column == "page"
    reads(tmp_path, found.mapping)


def test_lines_that_are_cut_off_cost_the_others_nothing_and_are_counted(tmp_path: Path) -> None:
    tickets = [
        {"ticket_id": 9000 + n, "created": f"2026-01-{n % 28 + 1:02d}", "from": f"a{n}@x.org"}
        for n in range(60)
    ]
    found = of(tmp_path, **{"tickets.jsonl": lines(tickets) + '{"ticket_id": 1, "created":\n'})
    assert found.mapping.tables["tickets"].key == ("ticket_id",)
    assert "# 60 rows" in found.text
    assert any("quarantined: 1 invalid_json" in doubt for doubt in found.doubts)
    assert check(tmp_path / "data", found.mapping).total("quarantined") == 1


@pytest.mark.parametrize("step", [1, 10, 100])
def test_an_order_and_the_number_of_its_line_tell_rows_apart(tmp_path: Path, step: int) -> None:
    rows = "".join(
        f"{5000 + n},{line * step},K-{n % 60:04d},2026-01-{n % 28 + 1:02d},S-{n % 7},1,9.50\n"
        for n in range(150)
        for line in range(1, n % 3 + 2)
    )
    head = "Order ID,Line,customer_id,ordered_on,sku,qty,unit_price\n"
    found = of(tmp_path, orders_csv=head + rows)
    orders = found.mapping.tables["orders"]
    assert orders.key == ("Order ID", "Line")
    assert orders.basket is not None
    assert orders.part is None
    report = check(tmp_path / "data", found.mapping)
    assert (report.total("accepted"), report.total("duplicate")) == (300, 0)


def test_states_and_amounts_that_are_not_taken_for_granted_are_asked_for(tmp_path: Path) -> None:
    rows = "".join(
        f"{5000 + n},K-{n % 60:04d},2026-01-{n % 28 + 1:02d},S-{n % 7},{n % 3 + 1},£1,000.50,"
        f"{'cancelled' if n % 9 == 0 else 'paid'}\n".replace("£1,000.50", '"£1,000.50"')
        for n in range(150)
    )
    head = "order_no,customer_id,ordered_on,sku,qty,unit_price,status\n"
    found = of(tmp_path, orders_csv=head + rows)
    orders = found.mapping.tables["orders"]
    assert [case.value.constant for case in orders.verb] == ["cancelled", "bought"]
    assert any("status says so" in doubt for doubt in found.doubts)
    assert orders.forms == {"unit_price": "amount"}
    reads(tmp_path, found.mapping)


SHOPS = {
    "sales": "Txn Ref,Cust#,When,What,Dept,How many,Paid (GBP)",
    "bons": "BelegNr;KdNr;Wann;Artikelbez;WG;Stk;EUR",
    "commandes": "N° commande;Code client;Date;Désignation;Catégorie;Qté;Prix TTC",
    "ventas": "Número de pedido;Id cliente;Fecha;Descripción;Categoría;Cantidad;Precio unitario",
}


def shop(n: int, header: str) -> str:
    """A file of 300 order lines: 9 names of things in 3 categories."""
    mark = "," if "," in header else ";"
    paid = f"{n + 1}.50" if mark == "," else "1.234,50"
    rows = [
        (f"{'TBCP'[n]}{k // 2:04d}", f"{'CKXV'[n]}-{k % 60:04d}", f"{k % 28 + 1:02d}.01.2026",
         f"Mug {k % 9}", f"Dept {k % 3}", str(k % 4 + 1), paid if k % 9 else f"{n + 1}")
        for k in range(300)
    ]  # fmt: skip
    return header + "\n" + "".join(mark.join(row) + "\n" for row in rows)


def test_what_was_bought_how_many_and_for_how_much_in_four_languages(tmp_path: Path) -> None:
    found = of(tmp_path, **{
        f"{name}_csv": shop(n, header) for n, (name, header) in enumerate(SHOPS.items())
    })  # fmt: skip
    for name, header in SHOPS.items():
        basket, who, when, what, category, many, paid = header.replace(";", ",").split(",")
        read = found.mapping.tables[name]
        assert [one.column for one in read.identifiers.values()] == [(who,)]
        assert read.time is not None
        assert read.time.column == when
        assert read.item is not None
        assert (read.item.id.column, read.item.categories) == (what, (category,))
        assert read.quantity is not None
        assert read.quantity.column == many
        assert read.value is not None
        assert paid in read.value.columns()
        assert read.basket is not None
        assert read.basket.column == basket
        assert [case.value.constant for case in read.verb] == ["bought"]
        assert read.forms == ({} if name == "sales" else {paid: "amount_comma"})
    assert "not used" not in found.text
    assert "with a decimal comma" in found.text
    reads(tmp_path, found.mapping)


def test_what_is_not_used_and_amounts_that_may_be_read_both_ways_are_asked_for(
    tmp_path: Path,
) -> None:
    rows = "".join(
        f"K-{n % 60:04d};2026-01-{n % 28 + 1:02d};1,250;{'$5,00' if n % 2 else '€5,00'};;"
        f"thing {n % 8};{n * 7 % 11}\n"
        for n in range(150)
    )
    found = of(tmp_path, orders_csv="customer_id;ordered_on;total;price;extra;zzq;zzr\n" + rows)
    orders = found.mapping.tables["orders"]
    assert (orders.value, orders.forms) == (None, {})
    assert orders.item is not None
    assert orders.item.id.column == "zzq"
    told = " ".join(found.doubts)
    assert "zzq has 8 values that come again and again" in told
    assert "total holds amounts like 1,250, which may be 1250 or 1.25" in told
    assert "price holds amounts in 2 currencies" in told
    assert "not used: total (1 value), price (2 values), extra (empty), zzr (11 values)" in told


def test_a_file_of_western_letters_is_read_as_such_and_asked_for(tmp_path: Path) -> None:
    def rows(start: int, street: str, mail: str, name: str) -> bytes:
        return (f"CustomerNo,{mail},{street}\n" + "".join(
            f"K-{n:04d},ann{n}@x.org,{name if n % 9 == 0 else 'Ring'} {n % 7}\n"
            for n in range(start, start + 40)
        )).encode("latin-1")  # fmt: skip

    found = propose(fill(tmp_path / "data", {
        "people_1.csv": rows(100, "Street", "Mail", "Ring"),
        "people_2.csv": rows(200, "Street", "Mail", "Allée"),
        "guests.csv": rows(300, "Straße", "E-mail", "Ring"),
        "others.csv": rows(400, "Street", "Email", "Allée").decode("latin-1").encode(),
    }))  # fmt: skip
    encodings = {name: one.encoding for name, one in found.mapping.tables.items()}
    assert encodings == {"people": "cp1252", "guests": "cp1252", "others": "utf-8"}
    assert found.mapping.tables["people"].files == ("people_*.csv",)
    assert "people.encoding: it is not UTF-8" in " ".join(found.doubts)
    assert is_needed(tmp_path / "data")
    reads(tmp_path, found.mapping)


def test_a_vendor_s_export_of_western_letters_is_read_as_such(tmp_path: Path) -> None:
    head = "Record ID,Email,Create Date,First Name\n"

    def contacts(start: int, name: str, encoding: str = "cp1252") -> bytes:
        rows = (f"{n},b{n}@x.org,2026-03-12 09:14,{name}\n" for n in range(start, start + 20))
        return (head + "".join(rows)).encode(encoding)

    survey = "Respondent ID,Collector ID,End Date,Email Address,Wie war die Qualität?\n,,,,\n"
    rows = "".join(f"{n},7,03/13/2026 09:00:00 AM,b{n}@x.org,Schön\n" for n in range(20))
    folder = fill(tmp_path / "data", {
        "hub_1.csv": contacts(100, "Zoë “Z”"),
        "hub_2.csv": contacts(200, "Ann"),
        "hub_3.csv": contacts(300, "Zoë", "utf-8"),
        "survey.csv": (survey + rows).encode("latin-1"),
    })  # fmt: skip
    assert is_needed(folder)
    found = propose(folder)
    tables = {(one.format, one.files, one.encoding) for one in found.mapping.tables.values()}
    assert tables == {
        ("hubspot_contact", ("hub_1.csv", "hub_2.csv"), "cp1252"),
        ("hubspot_contact", ("hub_3.csv",), "utf-8"),
        ("surveymonkey", ("survey.csv",), "cp1252"),
    }
    assert "hubspot_contact.encoding: it is not UTF-8" in " ".join(found.doubts)
    read = Read(folder, tmp_path / "workspace", found.mapping)
    assert read.report.total("accepted") == 80
    assert set(read.rows("person_details", "given_name")) == {"Ann", "Zoë", "Zoë “Z”"}


def test_a_few_broken_letters_in_a_file_of_utf_8_stay_what_they_are(tmp_path: Path) -> None:
    good = "CustomerNo,Mail,Town\n" + "".join(f"K-{n:04d},ann{n}@x.org,Zürich\n" for n in range(40))
    folder = fill(tmp_path / "data", {"people.csv": good.encode() + b"K-9,b@x.org,K\xf6\n"})
    found = propose(folder)
    assert found.mapping.tables["people"].encoding == "utf-8"
    assert any("quarantined: 1 encoding" in doubt for doubt in found.doubts)


def orders(tmp_path: Path, name: str, values: list[str]) -> Proposal:
    rows = "".join(f"O-{n},K-{n % 5:04d},{value},{n}.50\n" for n, value in enumerate(values))
    return of(tmp_path, orders_csv=f"order_id,customer_id,{name},amount\n{rows}")


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("order_date", 16, ["soon"]),
        ("order_date", 8, ["2026-13-45"]),
        ("order_date", 7, ["soon", "31.12.2025", "later"]),
        ("handed_over", 16, ["soon"]),
    ],
)
def test_a_few_bad_dates_do_not_make_a_column_no_time(
    tmp_path: Path, name: str, good: int, bad: list[str]
) -> None:
    found = orders(tmp_path, name, [*(f"2026-01-{n + 1:02d}" for n in range(good)), *bad])
    table = found.mapping.tables["orders"]
    assert (table.kind, table.time and table.time.column) == ("event", name)
    told = f"{len(bad)} value{'s' if len(bad) > 1 else ''} of another form"
    assert f"orders.time: {told}; written like 2026-01-31" in found.doubts
    report = check(tmp_path / "data", found.mapping)
    (file,) = report.files
    assert (file.accepted, file.reasons) == (good, {"unreadable_time": len(bad)})


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [("parcel_date_ref", 8, 8), ("handed_over", 7, 3), ("order_date", 6, 3)],
)
def test_what_looks_like_a_date_in_too_few_values_is_no_time(
    tmp_path: Path, name: str, good: int, bad: int
) -> None:
    values = [f"2026-01-{n + 1:02d}" for n in range(good)] + [f"X-{n}" for n in range(bad)]
    found = orders(tmp_path, name, values)
    assert found.mapping.tables["orders"].kind == "ignore"


def test_exports_that_overlap_ignore_no_amount_and_what_they_ignore_is_asked_for(
    tmp_path: Path,
) -> None:
    rows = "".join(
        f"K-{n % 60:04d},2026-01-{n % 28 + 1:02d},S-{n % 7},{n % 3 + 1},{n}.5,{export},{export}-x\n"
        for export, first in (("old", 0), ("new", 60))
        for n in range(first, first + 120)
    )
    head = "customer_id,ordered_on,sku,qty,total,export,remark\n"
    found = of(tmp_path, orders_csv=head + rows)
    orders = found.mapping.tables["orders"]
    assert (orders.part, orders.ignore_columns) == ("export", ("remark",))
    assert any("orders.ignore_columns" in doubt for doubt in found.doubts)


def test_one_thing_is_told_of_as_one() -> None:
    assert (some(1, "row"), some(0, "row"), some(2000, "value")) == (
        "1 row",
        "0 rows",
        "2,000 values",
    )


def test_a_list_of_questions_makes_a_table_a_survey(tmp_path: Path) -> None:
    answers = "".join(f"r{n},ann{n}@x.org,2026-01-05,{n % 11},good\n" for n in range(30))
    found = of(
        tmp_path,
        answers_csv="response_id,email,submitted,q1,q2\n" + answers,
        questions_csv="question,wording\nq1,How likely are you to come back?\nq2,Why is that so?\n",
    )
    assert found.mapping.tables["answers"].format == "survey"
    assert "questions" not in found.mapping.tables
    reads(tmp_path, found.mapping)


def test_files_that_are_recognised_keep_their_format_and_their_clock_is_asked_for(
    tmp_path: Path,
) -> None:
    hubspot = (
        "Record ID,Email,Create Date\n1,a@x.org,2026-03-12 09:14\n2,b@x.org,2026-03-13 10:00\n"
    )
    folder = fill(tmp_path / "data", {"hub.csv": hubspot})
    found = propose(folder)
    assert found.mapping.tables["hubspot_contact"].format == "hubspot_contact"
    assert found.mapping.time_zone == "UTC"
    assert any(doubt.startswith("time_zone: ") for doubt in found.doubts)
    assert is_needed(folder)
    reads(tmp_path, found.mapping)


def test_tables_about_nobody_are_not_read_and_say_why(tmp_path: Path) -> None:
    stores = "".join(f"{n},{n * 7},Town {n}\n" for n in range(30))
    found = of(tmp_path, stores_csv="store_id,size,town\n" + stores)
    assert found.mapping.tables["stores"].kind == "ignore"
    assert found.mapping.tables["stores"].reason == "it names neither a person nor a time"


def test_no_value_of_a_person_is_shown(tmp_path: Path) -> None:
    rows = "".join(
        f"K-{n:04d},Given{n % 9},ann{n}@x.org,1980-01-{n % 28 + 1:02d}\n" for n in range(60)
    )
    found = of(tmp_path, people_csv="customer_id,first_name,email,date_of_birth\n" + rows)
    assert "Given1" not in found.text
    assert "@x.org" not in found.text
    assert "1980-" not in found.text


def test_the_same_files_give_the_same_proposal(tmp_path: Path) -> None:
    files = {"people_csv": "CustomerNo,Mail,Plan,Since\n" + PEOPLE}
    assert of(tmp_path, **files).text == of(tmp_path, **files).text


@pytest.mark.parametrize(
    "content", ["", "just some words\n", "a,b\n", b"\x89PNG\r\n\x1a\n\x00\x00".decode("latin-1")]
)
def test_files_that_are_no_tables_are_refused_with_what_is_wrong(
    tmp_path: Path, content: str
) -> None:
    with pytest.raises(InputError, match="can be read as records"):
        propose(fill(tmp_path, {"x.csv": content.encode("latin-1")}))


def test_one_file_of_a_folder_can_be_looked_at_alone(tmp_path: Path) -> None:
    folder = fill(
        tmp_path, {"people.csv": "CustomerNo,Mail,Plan,Since\n" + PEOPLE, "b.csv": "x,y\n1,2\n"}
    )
    assert set(propose(folder / "people.csv").mapping.tables) == {"people"}


ORDERS = "".join(
    f"{1000 + n};K-{n % 9};{n % 28 + 1:02d}.{n % 9 + 1:02d}.2025;M{n % 5};{n % 90},50\n"
    for n in range(60)
)


def test_titles_above_the_header_and_a_line_of_units_below_it_are_found(tmp_path: Path) -> None:
    names = "Auftrag;Kundennr;Datum;Artikel;Betrag\n"
    found = of(
        tmp_path,
        titled_csv="Umsätze\nErstellt am: 05.11.2025 10:33\n\n" + names + ORDERS,
        padded_csv="Umsätze;;;;\n;;;;\n" + names + ";;TT.MM.JJJJ;;EUR\n" + ORDERS,
        units_csv=names + ";;TT.MM.JJJJ;;EUR\n" + ORDERS,
    )
    assert is_needed(tmp_path / "data")
    told = {name: one.header for name, one in found.mapping.tables.items()}
    assert told == {"titled": (4, 4), "padded": (3, 4), "units": (1, 2)}
    assert "header: 4  # the names of the columns stand in line 4, below a title" in found.text
    asked = [doubt for doubt in found.doubts if ".header" in doubt]
    assert len(asked) == 2, "a line that is left out is for a person to look at"
    assert all("no row, but units or names" in doubt for doubt in asked)
    reads(tmp_path, found.mapping)


def test_a_linked_file_is_read_as_its_own_table_says(tmp_path: Path) -> None:
    fill(tmp_path / "data", {
        "orders.csv": "id,who,shop\n1,a,S1\n2,b,S2\n",
        "shops.csv": "Filialen\n\nshop;opened\nS1;2025-01-01\nS2;2025-01-02\n".encode("utf-16"),
    })  # fmt: skip
    mapping = parse(
        "name: small\nconsent: {default: granted, basis: a test}\ntime_zone: UTC\ntables:\n"
        "  shops: {files: shops.csv, kind: item, header: 3, encoding: utf-16, item: shop}\n"
        "  orders: {files: orders.csv, kind: event, verb: bought, identifiers: {customer: who},\n"
        "           links: {at: {file: shops.csv, on: shop}}, time: at.opened}\n"
    )
    reads(tmp_path, mapping)


@pytest.mark.parametrize(
    ("column", "written", "formats"),
    [
        ("ORDER_DT", "{d:02d}-MAR-26", "%d-%b-%y"),
        ("ORDER_DT", "{d:02d}-MAR-26 10.15.30.000000000 AM", "%d-%b-%y %I.%M.%S.%n %p"),
        ("sent", '"Sun, {d:02d} Mar 2026 10:00:00 GMT"', "%a, %d %b %Y %H:%M:%S GMT"),
        ("sent", "{d} Mar 2026 10:00:00 +0100", "%d %b %Y %H:%M:%S %z"),
        ("at", "17724{d:02d}600123456", "epoch_us"),
        ("at", "17724{d:02d}600123456789", "epoch_ns"),
        ("Kaufdatum", "460{d:02d}", SERIAL),
        ("order date", "460{d:02d}.4375", SERIAL),
        ("start_km", "460{d:02d}", ""),
        ("Betrag", "460{d:02d}", ""),
        ("card_at", "45392{d:02d}600123456", ""),
    ],
)
def test_times_of_databases_mails_and_spreadsheets_are_proposed_where_they_are_plain(
    tmp_path: Path, column: str, written: str, formats: str
) -> None:
    rows = "".join(
        f"O{n},K{n % 7},{written.format(d=(1, 8, 15, 22)[n % 4])},P{n % 5}\n" for n in range(60)
    )
    found = of(tmp_path, orders_csv=f"order_id,customer_id,{column},product_id\n{rows}")
    time = found.mapping.tables["orders"].time
    assert (time.formats if time else ("",)) == (formats,)
    assert any("spreadsheet" in doubt for doubt in found.doubts) == (formats == SERIAL)
    assert (found.mapping.time_zone is None) == (not time or not is_clock(formats))
    if time is not None:
        reads(tmp_path, found.mapping)


def test_numbers_that_count_seconds_are_times_in_parquet_too(tmp_path: Path) -> None:
    orders = pa.table({
        "order_id": [f"O{n}" for n in range(60)],
        "customer_id": [f"K{n % 7}" for n in range(60)],
        "created_at": [1_772_400_000_000 + n * 3_600_000 for n in range(60)],
        "amount": [46_000 + n for n in range(60)],
    })  # fmt: skip
    (tmp_path / "data").mkdir()
    pq.write_table(orders, tmp_path / "data" / "orders.parquet")
    found = propose(tmp_path / "data")
    assert table(found, "orders")["time"] == {"column": "created_at", "formats": ("epoch_ms",)}
    assert found.mapping.time_zone is None
    reads(tmp_path, found.mapping)


def test_of_an_order_said_in_its_first_line_the_lines_are_read(tmp_path: Path) -> None:
    rows = "".join(
        f"N{n // 2},ann{n % 9}@x.org,{'' if n % 2 else at},{at},Art {n % 5},A-{n % 5},{n % 3 + 1},"
        f"{n % 7}.50,{'' if n % 2 else 90 + n}.10,{500 + n // 2}.20\n".replace(",.10", ",")
        for n in range(120)
        for at in [f"2026-01-{n // 2 % 28 + 1:02d} 10:00:00 -0500"]
    )
    head = "Order,Email,Paid at,Placed at,Product,Lineitem sku,Quantity,Price,Total,Gross\n"
    found = of(tmp_path, orders_csv=head + rows)
    said = found.mapping.tables["orders"]
    assert said.time is not None
    assert said.time.column == "Placed at"
    assert said.item is not None
    assert said.item.id.column == "Lineitem sku"
    assert said.value is not None
    assert said.value.product == ("Quantity", "Price")
    assert "said of a whole order, not of its lines: Total, Gross" in " ".join(found.text.split())
    reads(tmp_path, found.mapping)
