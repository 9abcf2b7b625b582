"""Who was sent what in which arm, and who agreed to what: tables that no vendor has published."""

from datetime import datetime
from pathlib import Path
from typing import Literal

import ibis
import pytest
from business import CONSENTS, SENDS
from folders import HEAD, Read, fill, lines

from ingestion.detect import recognise
from ingestion.identity import IdentityConfig, resolve
from ingestion.identity.consent import CONTACT, last_ended
from ingestion.propose import is_needed, propose
from ingestion.purposes import decides
from kg.errors import InputError
from kg.lake import Lake


def read(tmp_path: Path, mapping: str | None = None, **files: str) -> Read:
    return Read(fill(tmp_path / "data", files, mapping), tmp_path / "workspace")


def test_who_was_held_out_is_known_by_when_that_was_decided(tmp_path: Path) -> None:
    found = read(tmp_path, sends=SENDS)
    assert found.file("sends").recognised_as == "campaign_sends"
    assert found.rows("events", "verb", "campaign_id", "arm", "channel", "occurred_at_ms") == [
        ("opened", "spring", "treated", "email", 1769943600000),
        ("received", "spring", "control", "campaign_sends", 1769936400000),
        ("received", "spring", "control", "campaign_sends", 1769940000000),
        ("received", "spring", "treated", "email", 1769940000000),
    ]
    assert found.rows("items", "item_id", "role") == [("spring", "campaign")]
    assert found.rows("identifiers", "value") == ["ann@x.org", "bob@x.org", "cem@x.org"]


def test_an_arm_is_told_once_and_what_was_bought_twice_twice(tmp_path: Path) -> None:
    mail = SENDS.splitlines(keepends=True)[1]
    found = read(tmp_path, sends=SENDS + mail, more=SENDS.partition("\n")[0] + "\n" + mail)
    assert [found.file(name).duplicate for name in ("more", "sends")] == [0, 2]
    assert found.rows("events", "verb").count("opened") == 1
    bought = MAPPED.replace("verb: received", "verb: bought")
    rows = "email,campaign_id,arm,sent_at\n" + "a@x.org,c1,A,2026-02-01\n" * 2
    twice = Read(fill(tmp_path / "own", {"sends": rows}, bought), tmp_path / "other")
    assert twice.file("sends").accepted == 2


MAPPED = HEAD + (
    "tables:\n  sends:\n    files: sends\n    kind: event\n    verb: received\n"
    "    identifiers: {email: email}\n    time: {column: sent_at, zone: UTC}\n"
    "    campaign: {id: campaign_id, arm: arm, control: [ctl, none], treated: [A, B, sent]}\n"
)


def test_variants_keep_their_names_and_a_strange_arm_is_quarantined(tmp_path: Path) -> None:
    rows = "".join(f"p{n}@x.org,c1,{arm},2026-02-01\n"
                   for n, arm in enumerate(["A", "b", "CTL", "none", "Sent", "", "C"]))  # fmt: skip
    found = read(tmp_path, MAPPED, sends="email,campaign_id,arm,sent_at\n" + rows)
    assert found.rows("events", "record_key", "arm") == [
        ("sends#1", "A"), ("sends#2", "b"), ("sends#3", "control"), ("sends#4", "control"),
        ("sends#5", "treated"), ("sends#6", None),
    ]  # fmt: skip
    assert found.reasons() == {7: "unknown_value"}


def test_a_word_cannot_mean_both_arms(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'a' is under control and under treated"):
        read(tmp_path, MAPPED.replace("ctl", "a"), sends="email,campaign_id,arm,sent_at\n")


def test_consents_are_known_by_their_columns_and_a_denial_wins(tmp_path: Path) -> None:
    found = read(tmp_path, agreed=CONSENTS)
    assert found.file("agreed").recognised_as == "consents"
    assert found.rows("consents", "record_key", "purpose", "granted") == [
        ("agreed#1", "profiling", False), ("agreed#2", "profiling", True),
        ("agreed#3", "profiling", True), ("agreed#4", "newsletter", False),
    ]  # fmt: skip
    with Lake.writer(tmp_path / "workspace") as lake:
        with lake.step("identity", inputs={"ingest": found.run_id}) as step:
            resolve(step, bytes(range(32)), IdentityConfig())
        users = {row["user_id"]: row["consent_denied"] for row in lake.arrow("users").to_pylist()}
        names = lake.arrow("user_identifiers").to_pylist()
    assert {row["value"]: users[row["user_id"]] for row in names} == {
        "u1": True, "u2": False, "u3": False}  # fmt: skip


def test_a_consent_in_other_words_is_quarantined(tmp_path: Path) -> None:
    rows = "".join(f"u{n},profiling,granted,2026-01-01,web\n" for n in range(20))
    found = read(tmp_path, agreed=CONSENTS + rows + "u4,profiling,pending,2026-01-01,web\n")
    assert found.reasons() == {25: "unknown_value"}


def test_a_denial_of_no_purpose_is_one_of_all_and_half_a_decision_is_quarantined(
    tmp_path: Path,
) -> None:
    rows = "u4,,denied,2026-01-01,web\nu5,,granted,2026-01-01,web\nu6,profiling,,2026-01-01,web\n"
    found = read(tmp_path, agreed=CONSENTS + rows)
    assert found.reasons() == {6: "missing_id", 7: "unknown_value"}
    assert ("agreed#5", "all", False) in found.rows("consents", "record_key", "purpose", "granted")
    mapped = HEAD + (
        "tables:\n  people:\n    files: people\n    kind: profile\n    key: id\n"
        "    identifiers: {customer: id}\n"
        "    consents: [{purpose: {column: what}, granted: said}]\n"
    )
    people = "id,what,said\nk1,,no\nk2,,yes\nk3,profiling,\nk4,,\n"
    said = Read(fill(tmp_path / "more", {"people": people}, mapped), tmp_path / "other")
    assert said.reasons() == {}, "who said nothing is a customer all the same"
    assert said.rows("consents", "record_key", "purpose", "granted") == [
        ("people#k1", "all", False)
    ]


ENDING = HEAD + (
    "tables:\n  people:\n    files: people\n    kind: consent\n    identifiers: {customer: id}\n"
    "    consents: [{purpose: {column: what}, granted: ok, until: {column: until, zone: UTC}}]\n"
)
ENDS = (
    "id,what,ok,until\n"
    "1,profiling,yes,2026-02-01\n"  # ends, and nothing else was said
    "2,profiling,yes,2026-02-01\n2,profiling,yes,2026-04-01\n"  # given anew
    "3,profiling,yes,2026-02-01\n3,scoring,yes,\n"  # to another purpose
    "4,profiling,yes,\n"
    "5,profiling,no,whenever\n"
    "6,profiling,yes,whenever\n"
)


@pytest.mark.parametrize(
    ("day", "default", "denied"),
    [
        ("2026-01-15", "granted", {"5"}),
        ("2026-02-01", "denied", {"1", "3", "5"}),
        ("2026-05-01", "granted", {"1", "2", "3", "5"}),
    ],
)
def test_a_consent_that_has_ended_is_a_denial_where_no_other_holds(
    tmp_path: Path, day: str, default: Literal["granted", "denied"], denied: set[str]
) -> None:
    folder = fill(tmp_path / "data", {"people": ENDS}, ENDING)
    found = Read(folder, tmp_path / "workspace")
    assert found.reasons() == {8: "unreadable_time"}
    now_ms = int(datetime.fromisoformat(f"{day}T00:00Z").timestamp() * 1000)
    with Lake.writer(tmp_path / "workspace") as lake:
        config = IdentityConfig(default, ended_ms=last_ended(lake, now_ms))
        with lake.step("identity", inputs={"ingest": found.run_id}) as step:
            resolve(step, bytes(range(32)), config)
        users = {row["user_id"]: row["consent_denied"] for row in lake.arrow("users").to_pylist()}
        names = lake.arrow("user_identifiers").to_pylist()
    assert {row["value"] for row in names if users[row["user_id"]]} == denied


def test_columns_that_say_when_a_consent_ends_are_known(tmp_path: Path) -> None:
    head, *rows = CONSENTS.splitlines()
    said = [f"{head},valid_until", *(f"{row},2026-03-01" for row in rows)]
    found = read(tmp_path, agreed="\n".join(said))
    ends = found.rows("consents", "granted", "until_ms")
    assert ends == [(False, None), (False, None), (True, 1772323200000), (True, 1772323200000)]


@pytest.mark.parametrize("at", ["yesterday", "2126-01-01", "1969-01-01", ""])
@pytest.mark.parametrize("newest", ["", "    newest: {column: at, zone: UTC}\n"])
def test_a_denial_counts_though_nobody_can_read_when_it_was_said(
    tmp_path: Path, at: str, newest: str
) -> None:
    people = f"id,at,agreed\n1,{at},no\n2,{at},yes\n"
    folder = fill(tmp_path / "data", {"people-1": people}, AGREED + newest)
    found = Read(folder, tmp_path / "workspace")
    assert found.rows("consents", "record_key", "granted")[0] == ("people-1#1", False)
    assert set(found.reasons()) == ({2} if at else set())
    listed = read(tmp_path / "listed", agreed=CONSENTS + f"u9,profiling,denied,{at},web\n")
    assert ("agreed#5", False) in listed.rows("consents", "record_key", "granted")


AGREED = HEAD + (
    "tables:\n  people:\n    files: people-*\n    kind: profile\n    key: id\n"
    "    identifiers: {customer: id}\n    time: {column: at, zone: UTC}\n"
    "    consents: [{purpose: profiling, granted: agreed}]\n"
)
AT_FIRST = "id,at,agreed\n1,2026-01-01,yes\n2,2026-01-01,yes\n"
LATER = "id,at,agreed\n1,2026-02-01,no\n1,2026-03-01,no\n2,2026-01-01,yes\n"


@pytest.mark.parametrize("newest", ["", "    newest: {column: at, zone: UTC}\n"])
def test_a_denial_counts_though_its_row_repeats_a_record(tmp_path: Path, newest: str) -> None:
    folder = fill(tmp_path / "data", {"people-1": LATER, "people-2": AT_FIRST}, AGREED + newest)
    found = Read(folder, tmp_path / "workspace").rows("consents", "record_key", "granted")
    assert found == [("people-1#1", False), ("people-1#2", True)]
    folder = fill(tmp_path / "other", {"people-1": AT_FIRST, "people-2": LATER}, AGREED + newest)
    found = Read(folder, tmp_path / "another").rows("consents", "record_key", "granted")
    assert [one for one in found if not one[1]] == [(f"people-{2 if newest else 1}#1", False)]


@pytest.mark.parametrize("newest", ["", "    newest: {column: at, zone: UTC}\n"])
@pytest.mark.parametrize("denied_at", ["2025-12-01", "2026-02-01"])
def test_a_denial_of_a_file_that_is_gone_holds_when_others_are_read_anew(
    tmp_path: Path, newest: str, denied_at: str
) -> None:
    folder, workspace = tmp_path / "data", tmp_path / "workspace"
    head, denied = "id,at,agreed\n", f"1,{denied_at},no\n"
    fill(folder, {"people-1": head + "1,2026-01-01,yes\n"}, AGREED + newest)
    Read(folder, workspace)
    fill(folder, {"people-2": head + denied})
    Read(folder, workspace)
    (folder / "people-2").unlink()
    # Other rows; the same anew; none of this person; this person in another file.
    editions = [("1", "1,2026-02-02,yes\n2,2026-02-02,yes\n"), ("1", "1,2026-02-03,yes\n"),
                ("1", "2,2026-02-04,yes\n"), ("3", "1,2026-02-05,yes\n")]  # fmt: skip
    for number, rows in editions:
        fill(folder, {f"people-{number}": head + rows})
        found = Read(folder, workspace)
    said = found.rows("consents", "record_key", "granted")
    (key,) = {key for key, granted in said if not granted}
    assert (key, "accepted") in found.rows("records", "record_key", "status")
    assert (key, "1") in found.rows("identifiers", "record_key", "value")


def test_a_denial_that_is_read_anew_and_not_said_any_more_is_gone(tmp_path: Path) -> None:
    denied = AT_FIRST.replace("yes", "no", 1)
    folder = fill(tmp_path / "data", {"people-1": denied, "people-2": AT_FIRST}, AGREED)
    Read(folder, tmp_path / "workspace")
    fill(folder, {"people-1": AT_FIRST})
    found = Read(folder, tmp_path / "workspace")
    assert set(found.rows("consents", "granted")) == {True}


def test_a_denial_that_comes_later_blocks_a_person_who_was_known(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {"people-1": AT_FIRST}, AGREED)
    for denied in ({"1": False, "2": False}, {"1": True, "2": False}):
        found = Read(folder, tmp_path / "workspace")
        with Lake.writer(tmp_path / "workspace") as lake:
            with lake.step("identity", inputs={"ingest": found.run_id}) as step:
                resolve(step, bytes(range(32)), IdentityConfig())
            users = {one["user_id"]: one for one in lake.arrow("users").to_pylist()}
            names = lake.arrow("user_identifiers").to_pylist()
        assert {one["value"]: users[one["user_id"]]["consent_denied"] for one in names} == denied
        fill(folder, {"people-2": LATER})


VISITS = HEAD + (
    "tables:\n  visits:\n    files: visits-*\n    kind: event\n    key: id\n    verb: visited\n"
    "    identifiers: {customer: who}\n    time: {column: at, zone: UTC}\n    value: paid\n"
    "    consents: [{purpose: profiling, granted: track}, {purpose: email, granted: mail}]\n"
)
SPOILT = (
    "id,who,at,paid,track,mail\n"
    "1,ann,gibberish,5,no,\n"
    "2,bob,2026-01-05,a lot,no,yes\n"
    ",cem,2026-01-05,5,no,\n"
    "4,dan,gibberish,5,yes,no\n"  # whom nobody may write to, that is all
    "5,,gibberish,5,no,\n"
    "1,eve,2026-01-05,5,yes,\n"  # has the id of ann's row, and is not ann
    "7,fay,2026-01-05,5,no\n"
)


def test_a_denial_counts_though_its_row_cannot_be_read_otherwise(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {"visits-1": SPOILT}, VISITS)
    found = Read(folder, tmp_path / "workspace")
    assert found.reasons() == {4: "unreadable_time", 5: "unreadable_time", 7: "ragged"}
    assert found.rows("events", "record_key") == ["visits-1#1"]
    names = {row["record_key"]: row["value"] for row in found.rows("identifiers")}
    assert names == {
        "visits-1#1": "eve", "visits-1#1/denied/": "ann", "visits-1#2/denied/": "bob",
        "visits-1#3/denied/": "cem",
    }  # fmt: skip
    said = {names[key]: yes for key, yes in found.rows("consents", "record_key", "granted")}
    assert said == {"eve": True, "ann": False, "bob": False, "cem": False}
    told = [one for data in found.report.datasets for one in data.warnings if "denial" in one]
    assert [one.split(" with")[0] for one in told] == ["3 rows"]

    fill(folder, {"visits-2": "id,who,at,paid,track,mail\n2,bob,2026-01-05,5,no,\n"})
    again = Read(folder, tmp_path / "workspace")
    assert ("visits-2#2", "visited") in again.rows("events", "record_key", "verb")
    fill(folder, {"visits-1": SPOILT.replace("gibberish", "2026-01-05")})
    mended = Read(folder, tmp_path / "workspace")
    assert "visits-1#1/denied/" not in mended.rows("identifiers", "record_key")


def test_a_message_that_cannot_be_read_denies_all_the_same(tmp_path: Path) -> None:
    message = {
        "type": "track", "event": "Opened", "userId": "ann", "messageId": "m1",
        "timestamp": "gibberish",
        "context": {"consent": {"categoryPreferences": {"Analytics": False, "Ads": True}}},
    }  # fmt: skip
    good = {**message, "userId": "bob", "messageId": "m2", "timestamp": "2026-01-05T10:00:00Z"}
    found = Read(
        fill(tmp_path / "data", {"events.jsonl": lines([message, good])}), tmp_path / "workspace"
    )
    assert found.rows("consents", "record_key", "purpose", "granted") == [
        ("events.jsonl#1/denied/", "Analytics", False),
        ("events.jsonl#m2", "Ads", True),
        ("events.jsonl#m2", "Analytics", False),
    ]
    assert found.rows("events", "record_key") == ["events.jsonl#m2"]


def test_identity_and_ingestion_agree_on_what_is_contact() -> None:
    words = [*sorted(CONTACT), "all", "profiling", "email_profiling"]
    shown = ibis.memtable({"purpose": words})
    found = shown.filter(decides(shown.purpose)).purpose.execute()
    assert set(found) == {"all", "profiling", "email_profiling"}


def test_a_purpose_of_contact_is_one_however_it_is_written(tmp_path: Path) -> None:
    of_contact = {
        "E-Mail": "email", "Email": "email", "email_marketing": "email",
        "Marketing emails": "email", "SMS": "sms", "push-notifications": "push",
        "Newsletter": "newsletter", "phone calls": "phone",
    }  # fmt: skip
    others = ("marketing", "email_profiling", "Analytics", "posture")
    purposes = [*of_contact, *others]
    rows = "".join(f"v{n},{one},denied,2026-01-01,web\n" for n, one in enumerate(purposes))
    found = read(tmp_path, agreed=CONSENTS.partition("\n")[0] + "\n" + rows)
    kept = dict(found.rows("consents", "record_key", "purpose"))
    wanted = [*of_contact.values(), *others]
    assert kept == {f"agreed#{n}": one for n, one in enumerate(wanted, 1)}


def test_tables_that_look_alike_are_not_taken_for_these(tmp_path: Path) -> None:
    odd = "dan@x.org,spring,ctl,2026-02-01T10:00:00Z,,,\n"
    folder = fill(tmp_path, {
        "arms": SENDS + odd,
        "nobody": CONSENTS.replace("user_id", "row"),
        "orders": "email,purpose,status\na@x.org,gift,shipped\n",
        "tests": SENDS.replace("campaign_id", "order_id"),
        "empty": CONSENTS.partition("\n")[0] + "\n",
    })  # fmt: skip
    assert [recognise(folder / name) for name in ("nobody", "orders", "tests", "empty")] == [
        None
    ] * 4


def test_beside_tables_of_another_kind_they_are_proposed_with_those(tmp_path: Path) -> None:
    folder = fill(tmp_path, {"agreed.csv": CONSENTS})
    assert not is_needed(folder)
    fill(folder, {"people.csv": "customer_no,email\nk1,ann@x.org\n"})
    assert is_needed(folder)
    fill(folder, {"sends.csv": SENDS})
    found = propose(folder).mapping.tables
    assert (found["agreed"].kind, found["agreed"].identifiers["user_id"].column) == (
        "consent", ("user_id",))  # fmt: skip
    assert found["sends"].names == {"sent_at": ("assigned_at",)}


FEW_CONSENTS = (
    "email,purpose,status,changed_at\n"
    "a@x.org,analytics,granted,2024-05-01T10:00:00Z\n"
    "a@x.org,analytics,withdrawn,2024-06-01T10:00:00Z\n"
    "c@x.org,profiling,pending,2024-06-03T11:00:00Z\n"
)
FEW_SENDS = (
    "email,campaign_id,arm,sent_at\n"
    "a@x.org,spring,treatment,2024-05-01T10:00:00Z\n"
    "b@x.org,spring,holdout,2024-05-01T10:00:00Z\n"
    "c@x.org,spring,Z,2024-05-01T10:00:00Z\n"
)


@pytest.mark.parametrize(
    ("content", "form"), [(FEW_CONSENTS, "consents"), (FEW_SENDS, "campaign_sends")]
)
def test_one_strange_word_costs_its_row_in_a_file_of_few_rows_too(
    tmp_path: Path, content: str, form: str
) -> None:
    found = read(tmp_path, words=content)
    assert found.file("words").recognised_as == form
    assert found.reasons() == {3: "unknown_value"}
    mapping = propose(tmp_path / "data").mapping
    again = Read(tmp_path / "data", tmp_path / "again", mapping)
    assert again.reasons() == {3: "unknown_value"}, "as it is proposed it is read alike"


def test_a_word_that_is_neither_yes_nor_no_is_proposed_as_neither(tmp_path: Path) -> None:
    people = "id,email,plan\n" + "".join(f"{n},p{n}@x.org,a\n" for n in range(1, 7))
    said = "".join(
        f"{n % 6 + 1},mail,{('granted', 'unsubscribed', 'unknown')[n % 3]},2024-05-01T10:00:0{n}Z\n"
        for n in range(9)
    )
    consents = "customer_id,purpose,status,changed_at\n" + said
    found = propose(fill(tmp_path, {"people.csv": people, "consents.csv": consents}))
    (agreed,) = found.mapping.tables["consents"].consents
    assert (agreed.yes, agreed.no) == (("granted",), ("unsubscribed",))
    assert any("neither yes nor no, and quarantined: unknown" in one for one in found.doubts)


def test_the_reason_for_leaving_a_table_out_is_true(tmp_path: Path) -> None:
    rows = "".join(f"p{n % 3}@x.org,{n},2024-05-01T10:00:0{n}Z\n" for n in range(9))
    found = propose(fill(tmp_path, {"notes.csv": "email,rank,changed_at\n" + rows}))
    assert "its time (changed_at) is not when something was done" in found.text


def test_yes_and_no_are_known_in_four_languages(tmp_path: Path) -> None:
    words = {
        "ja": True,
        "Nein": False,
        "widerrufen": False,
        "oui": True,
        "REFUSÉ": False,
        "Sí": True,
    }
    rows = [f"p{n}@x.org,analytics,{word},2026-01-05T10:00:00Z\n" for n, word in enumerate(words)]
    found = read(tmp_path, consents="email,Zweck,Einwilligung,date\n" + "".join(rows))
    told = found.rows("consents", "record_key", "granted")
    assert [granted for _, granted in told] == list(words.values())
