"""Whose ids and addresses the columns of a table hold: never those of staff or of third parties."""

from pathlib import Path

import pytest
from proposals import doubted, named, of, table

from ingestion.ingest import check

GRADES = table("student,instructor,course,graded_on,grade",
               "s{50}@x.org,prof{5}@x.org,C{7},2026-01-1{5},{7}")  # fmt: skip
GIFTS = table("order,purchaser_email,recipient_email,placed_at,product_code,units,line_total",
              "O{},b{50}@x.org,b{7}@y.org,2026-01-1{5},P{7},1,9.5")  # fmt: skip
LEADS = table("Lead ID,Contact Email,Owner Email,Created,Activity,Modified By",
              "L{50},c{50}@x.org,o{5}@x.org,2026-01-1{5},call,m{7}@x.org")  # fmt: skip
CALLS = table("CallNo,AgentMail,Kunde Mail,at,Dauer",
              "A{},a{5}@x.org,c{50}@x.org,2026-01-1{5},{7}")  # fmt: skip
PHONES = table("Nr,Filiale Telefon,Kunde Telefon,Termin",
               "A{},030 1234567{5},0171 23456{50},2026-01-1{5}")  # fmt: skip
SHOPS = table("order_id,shop_customer_id,email,shop_phone,at,total",
              "O{},K-{50},c{50}@x.org,030 1234567{5},2026-01-1{5},9.5")  # fmt: skip
REFERRED = table("order_id,referred_by_customer_id,customer_id,at,total",
                 "O{},K-{7},K-{50},2026-01-1{5},9.5")  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (GRADES, {"email": ("student",)}),
        (GIFTS, {"email": ("purchaser_email",)}),
        (LEADS, {"lead": ("Lead ID",), "email": ("Contact Email",)}),
        (CALLS, {"email": ("Kunde Mail",)}),
        (PHONES, {"phone": ("Kunde Telefon",)}),
        (SHOPS, {"shop_customer": ("shop_customer_id",), "email": ("email",)}),
        (REFERRED, {"customer": ("customer_id",)}),
    ],
)
def test_staff_and_third_parties_are_nobody_s_identifiers(
    tmp_path: Path, content: str, expected: dict[str, tuple[str, ...]]
) -> None:
    found = of(tmp_path, rows=content)
    assert named(found, "rows") == expected
    assert check(tmp_path / "data", found.mapping).total("quarantined") == 0


def test_who_alone_is_named_is_asked_about_if_it_may_be_staff(tmp_path: Path) -> None:
    found = of(tmp_path, calls=table("id,AgentMail,at", "A{},a{5}@x.org,2026-01-1{5}"))
    assert named(found, "calls") == {"email": ("AgentMail",)}
    assert doubted(found, "who served them")


def test_a_second_address_that_is_another_is_left_out_and_asked_about(tmp_path: Path) -> None:
    head = "order,email,mail2,placed_at,sku"
    found = of(tmp_path, orders=table(
        head, "O{},b{50}@x.org,b{7}@y.org,2026-01-1{5},P{7}"
    ))  # fmt: skip
    assert named(found, "orders") == {"email": ("email",)}
    assert doubted(found, "mail2 is another than email in 150 rows: it is left out")


def test_a_second_address_of_each_in_a_list_of_people_is_asked_about(tmp_path: Path) -> None:
    row = "K-{},a{}@x.org,b{}@y.org,pro"
    found = of(tmp_path, people=table("customer_id,email,work_email,plan", row))
    assert named(found, "people")["email"] == ("email", "work_email")
    assert doubted(found, "are both of the same person?")


def test_an_address_that_is_the_same_is_not_asked_about(tmp_path: Path) -> None:
    row = "O{},b{50}@x.org,B{50}@x.org,2026-01-1{5},P{7}"
    found = of(tmp_path, orders=table("order,email,invoice_mail,placed_at,sku", row))
    assert named(found, "orders") == {"email": ("email", "invoice_mail")}
    assert not doubted(found, "invoice_mail is another")


def test_addresses_that_stand_beside_many_ids_are_of_somebody_else(tmp_path: Path) -> None:
    row = "K-{50},p{5}@x.org,2026-01-1{5},call"
    found = of(tmp_path, calls=table("customer_id,handled,at,topic", row))
    assert named(found, "calls") == {"customer": ("customer_id",)}
    assert doubted(found, "handled is left out: 5 of its 5 values")


def test_ids_beyond_the_largest_integer_are_looked_at(tmp_path: Path) -> None:
    ids = ["89490200001234567890", "89490200001234567891", "5e19"]
    rows = "".join(f"a{n}@x.org,{one},2026-01-0{n + 1}\n" for n, one in enumerate(ids))
    found = of(tmp_path, cards="email,iccid,at\n" + rows)
    assert found.mapping.tables["cards"].kind != "ignore"


@pytest.mark.parametrize(
    ("written", "asked"), [("{50}.0", True), ("00{50}", True), ("{50}", False)]
)
def test_ids_of_one_name_that_share_no_value_are_asked_about(
    tmp_path: Path, written: str, asked: bool
) -> None:
    found = of(
        tmp_path,
        people=table("customer_id,email,plan", "{},a{}@x.org,pro", 50),
        orders=table("order_id,customer_id,at,sku", f"O{{}},{written},2026-01-1{{5}},P{{7}}"),
    )
    assert named(found, "orders") == {"customer": ("customer_id",)}
    assert doubted(found, "orders.identifiers.customer") == asked
    assert doubted(found, "none of its values is one of customer_id of orders") == asked


@pytest.mark.parametrize(
    ("by", "expected", "told"),
    [
        (5, {"customer": ("customer_id",)}, "mgr is left out: 5 of its 5 values"),
        (50, {"customer": ("customer_id",), "email": ("mgr",)}, "are these their own addresses?"),
    ],
)
def test_addresses_that_most_people_of_a_list_share_are_asked_about(
    tmp_path: Path, by: int, expected: dict[str, tuple[str, ...]], told: str
) -> None:
    found = of(tmp_path, people=table("customer_id,mgr,plan", f"K-{{}},m{{{by}}}@x.org,{{5}}"))
    assert named(found, "people") == expected
    assert doubted(found, told)


GYM = table("CheckInID,MemberNo,{name},Class,CheckInTime",
            "{},M{50},N{50} Lee,Yoga {5},2026-01-1{5} 10:00")  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["MemberName", "Guest name", "Buyer First Name", "Mitgliedsname", "Vorname Kunde", "from_name",
     "Trainer Name", "account_name", "Billing Street"],
)  # fmt: skip
def test_names_and_addresses_of_people_are_nothing_that_rows_are_about(
    tmp_path: Path, name: str
) -> None:
    found = of(tmp_path, checkins=GYM.replace("{name}", name))
    read = found.mapping.tables["checkins"]
    assert named(found, "checkins") == {"member": ("MemberNo",)}
    assert (read.item, read.object, read.category is not None) == (None, None, True)


@pytest.mark.parametrize("name", ["student_name", "Billing Name", "shipping_street", "Host name"])
def test_names_and_addresses_of_people_describe_nobody(tmp_path: Path, name: str) -> None:
    people = table(f"student_no,{name},parent_email,class", "S{},N{50} Lee,p{50}@x.org,{5}b")
    found = of(tmp_path, people=people)
    assert found.mapping.tables["people"].describe == ("class",)
    assert named(found, "people") == {"student": ("student_no",)}


def test_telephone_numbers_are_known_by_their_shape(tmp_path: Path) -> None:
    found = of(tmp_path, stays=table(
        "Code,Guest contact,Booked,Listing,Host email",
        "HM{},+49 176 12345{50}0,2026-01-1{5},Flat {5},host{5}@x.org",
    ))  # fmt: skip
    assert named(found, "stays") == {"phone": ("Guest contact",)}


def test_cards_and_codes_of_people_name_them(tmp_path: Path) -> None:
    loans = table("loan_id,patron_barcode,item_barcode,checkout_date,return_date",
                  "{},29{50},31{7},2026-01-1{5},2026-02-1{5}")  # fmt: skip
    found = of(tmp_path, loans=loans)
    read = found.mapping.tables["loans"]
    assert named(found, "loans") == {"patron": ("patron_barcode",)}
    assert read.item is not None
    assert read.item.id.column == "item_barcode"
    assert read.time is not None
    assert read.time.column == "checkout_date"
    sold = table("receipt_no,loyalty_card,sold_at,description,line_total",
                 "R{},9800{50},2026-01-1{5},Bread {7},2.5")  # fmt: skip
    other = of(tmp_path / "other", sales=sold)
    assert named(other, "sales") == {"loyalty_card": ("loyalty_card",)}


def test_deeds_of_nobody_and_deeds_of_two_names_are_asked_about(tmp_path: Path) -> None:
    found = of(tmp_path, sales=table("receipt_no,sold_at,sku,qty", "R{},2026-01-1{5},P{7},1"))
    assert doubted(found, "sales.kind: items or baskets at a time; nobody is named")
    booked = table("Ticket Number,Email,Booking Date,Fare", "T{},a{50}@x.org,2026-01-1{5},9{5}")
    assert doubted(of(tmp_path / "a", bookings=booked), "bookings.verb: 'ticket' in the id")
    points = table("txn_no,card_no,posted_on,points", "{},60{50},2026-01-1{5},-{7}")
    assert doubted(of(tmp_path / "b", ledger=points), "nothing says what, or for how much")
