"""Surveys of three vendors, wide to long: every kind of answer, headers of three shapes."""

import re
from pathlib import Path

import pytest
from folders import HEAD, Read, fill

from ingestion.detect import recognise
from kg.errors import InputError


def ids(*names: str) -> str:
    return ",".join('"{""ImportId"":""' + name.replace("@", '"",""timeZone"":""') + '""}"'
                    for name in names)  # fmt: skip


QUALTRICS = (
    "StartDate,EndDate,Status,IPAddress,ResponseId,RecipientEmail,ExternalReference,"
    "Q1,Q1_NPS_GROUP,Q2_1,Q2_2,Q3_1,Q3_2,Q4,Q5,plan\n"
    '"Start Date","End Date","Response Type","IP Address","Response ID","Recipient Email",'
    '"External Data Reference","How likely are you to recommend us\nto a friend?",'
    '"How likely are you to recommend us to a friend? - Group",'
    '"Which do you own? - Selected Choice - Bike","Which do you own? - Selected Choice - Car",'
    '"We are: - friendly","We are: - fast","What should we do better?",'
    '"Where did you hear of us?",plan\n'
    + ids("startDate@Europe/Paris", "endDate@Europe/Paris", "status", "ipAddress", "_recordId",
          "recipientEmail", "externalDataReference", "QID1", "QID1_NPS_GROUP", "QID2", "QID2",
          "QID3_1", "QID3_2", "QID4_TEXT", "QID5", "plan") + "\n"
    "2026-01-05 09:59:00,2026-01-05 10:00:00,IP Address,1.2.3.4,R_1,ann@x.org,c1,9,Promoter,Bike,,"
    "Strongly agree,Somewhat agree,Be nicer to bob@x.org,Radio,team\n"
    "2026-01-05 09:59:00,2026-01-05 11:00:00,IP Address,1.2.3.4,R_2,,,0,Detractor,Bike,Car,"
    "Somewhat disagree,Strongly disagree,,Radio,solo\n"
    "2026-01-05 09:59:00,2026-01-05 12:00:00,Survey Preview,1.2.3.4,R_3,staff@x.org,,5,Detractor,"
    ",Car,,,Test,Press,solo\n"
    "2026-01-05 09:59:00,2026-01-05 13:00:00,IP Address,1.2.3.4,R_4,cy@x.org,,10,Promoter,,,,,,"
    "Press,team\n"
    "2026-01-05 09:59:00,2026-01-05 13:00:00,IP Address,1.2.3.4,R_5,,,10,Promoter,,,,,,Press,\n"
)  # fmt: skip
MONKEY = (
    "Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,First Name,"
    "How satisfied are you with us?,Which do you use?,,,Comments,Comments\n"
    ",,,,,,,Response,Web,App,Other (please specify),Open-Ended Response,Open-Ended Response\n"
    "11,5,01/13/2026 09:00:00 AM,01/13/2026 09:05:00 PM,1.2.3.4,ann@x.org,Ann,Very satisfied,Web,"
    "App,,Lovely,More please\n"
    "12,5,01/02/2026 09:00:00 AM,01/02/2026 09:05:00 AM,1.2.3.4,,,Dissatisfied,,App,By fax,,\n"
)
TYPEFORM = (
    "#,What is your email?,How old are you?,Bike,Car,user,Response Type,Start Date (UTC),"
    "Stage Date (UTC),Submit Date (UTC),Network ID,Tags\n"
    "abc,Ann@x.org,31,Bike,,u1,completed,2026-01-05 10:00:00,,2026-01-05 10:01:00,n1,\n"
    "abd,bo@x.org,42,Bike,Car,u2,completed,2026-01-05 10:00:00,,2026-01-05 10:02:00,n2,\n"
    "abe,,,Bike,,u3,partial,2026-01-05 10:00:00,2026-01-05 10:03:00,,n2,\n"
)


def mapped(kind: str, more: str = "") -> str:
    return HEAD + f"{more}tables:\n  survey: {{files: answers.csv, format: {kind}}}\n"


def told(found: Read) -> list[tuple[str, str, str | None, float | None]]:
    rows = found.rows("events", "record_key", "object", "text", "quantity")
    return [(key.partition("#")[2], *rest) for key, *rest in rows]


def read(tmp_path: Path, content: str, mapping: str | None = None) -> Read:
    return Read(fill(tmp_path / "data", {"answers.csv": content}, mapping), tmp_path / "workspace")


@pytest.mark.parametrize(
    ("content", "kind"),
    [(QUALTRICS, "qualtrics"), (MONKEY, "surveymonkey"), (TYPEFORM, "typeform"),
     (QUALTRICS.partition("\n")[0] + "\n", None),
     (MONKEY.replace("End Date", "Finished"), None)],
)  # fmt: skip
def test_a_vendor_is_recognised_by_its_header_rows(
    tmp_path: Path, content: str, kind: str | None
) -> None:
    assert recognise(fill(tmp_path, {"x": content}) / "x") == kind


def test_qualtrics_needs_no_mapping_and_knows_its_clock(tmp_path: Path) -> None:
    found = read(tmp_path, QUALTRICS)
    nps = "How likely are you to recommend us to a friend?"
    assert [row for row in told(found) if row[0] == "R_1"] == [
        ("R_1", nps, None, 9.0),
        ("R_1", "We are: fast", "Somewhat agree", 4.0),
        ("R_1", "We are: friendly", "Strongly agree", 5.0),
        ("R_1", "What should we do better?", "Be nicer to <email>", None),
        ("R_1", "Where did you hear of us?: Radio", None, None),
        ("R_1", "Which do you own?: Bike", None, None),
    ]
    assert found.file("answers.csv").received == 5
    assert "R_3" not in {row[0] for row in told(found)}  # a preview is nobody's answer
    assert found.rows("identifiers", "namespace", "value") == [
        ("email", "ann@x.org"), ("email", "cy@x.org"), ("external_reference", "c1")]  # fmt: skip
    times = set(found.rows("events", "occurred_at_ms"))
    assert min(times) == 1767603600000  # 10:00 in Paris
    (report,) = found.report.datasets
    assert "1 choice, 2 likert, 1 multi_select, 1 nps, 1 text" in report.notes[0]
    assert "IPAddress" in report.unread


def test_embedded_data_names_people_where_the_mapping_says_so(tmp_path: Path) -> None:
    mapping = mapped("qualtrics").replace("format: qualtrics", "format: qualtrics, "
                                          "identifiers: {plan: plan}")  # fmt: skip
    found = read(tmp_path, QUALTRICS, mapping)
    assert ("plan", "team") in found.rows("identifiers", "namespace", "value")


def test_embedded_user_ids_are_the_company_s_own(tmp_path: Path) -> None:
    for name in ("user_id", "userId", "User ID"):
        content = QUALTRICS.replace(",Q5,plan\n", f",Q5,{name}\n")
        found = Read(fill(tmp_path / name, {"answers.csv": content}), tmp_path / f"{name}-lake")
        assert ("user_id", "team") in found.rows("identifiers", "namespace", "value")


def test_a_choice_in_one_column_keeps_the_wording_of_its_question(tmp_path: Path) -> None:
    asked = '"Where did you hear of us? - Selected Choice"'
    content = QUALTRICS.replace('"Where did you hear of us?"', asked)
    objects = {row[1] for row in told(read(tmp_path, content))}
    assert {one for one in objects if one.startswith("Where")} == {
        "Where did you hear of us?: Radio", "Where did you hear of us?: Press"}  # fmt: skip


def test_surveymonkey_s_second_header_row_holds_the_options(tmp_path: Path) -> None:
    found = read(tmp_path, MONKEY, mapped("surveymonkey", "time_zone: UTC\n"))
    assert told(found) == [
        ("11", "Comments (2)", "More please", None),
        ("11", "Comments", "Lovely", None),
        ("11", "How satisfied are you with us?", "Very satisfied", 5.0),
        ("11", "Which do you use?: App", None, None),
        ("11", "Which do you use?: Web", None, None),
        ("12", "How satisfied are you with us?", "Dissatisfied", 2.0),
        ("12", "Which do you use?: App", None, None),
        ("12", "Which do you use?: Other (please specify)", "By fax", None),
    ]
    # 01/13 is a day only if the month comes first, so 01/02 is the second of January.
    assert set(found.rows("events", "occurred_at_ms")) == {1768338300000, 1767344700000}


def test_days_that_can_be_read_both_ways_are_not_guessed(tmp_path: Path) -> None:
    content = MONKEY.replace("01/13/", "01/03/")
    with pytest.raises(InputError, match=r"Not one of 2 records .*\(ambiguous_time\)") as refused:
        read(tmp_path, content, mapped("surveymonkey", "time_zone: UTC\n"))
    hint = refused.value.hint or ""
    assert hint.startswith("Write in its table whether the month or the day comes first")
    said = re.search(r"`(time: .*?)`", hint)
    assert said, "what is to be written can be copied as it stands"
    mapping = mapped("surveymonkey", "time_zone: UTC\n").replace(
        "surveymonkey}", f"surveymonkey, {said[1]}}}"
    )
    found = Read(fill(tmp_path / "mended", {"answers.csv": content}, mapping), tmp_path / "again")
    assert found.reasons() == {}


def test_times_of_surveymonkey_need_a_zone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="carry no zone"):
        read(tmp_path, MONKEY)


def test_typeform_s_choices_stand_for_themselves_and_the_address_names_the_person(
    tmp_path: Path,
) -> None:
    mapping = mapped("typeform").replace("format: typeform", "format: typeform, "
                                         "identifiers: {user_id: user}")  # fmt: skip
    found = read(tmp_path, TYPEFORM, mapping)
    assert told(found) == [
        ("abc", "Bike", None, None),
        ("abc", "How old are you?", None, 31.0),
        ("abd", "Bike", None, None),
        ("abd", "Car", None, None),
        ("abd", "How old are you?", None, 42.0),
        ("abe", "Bike", None, None),
    ]
    assert found.rows("identifiers", "record_key", "value") == [
        ("answers.csv#abc", "ann@x.org"), ("answers.csv#abc", "u1"),
        ("answers.csv#abd", "bo@x.org"), ("answers.csv#abd", "u2"),
        ("answers.csv#abe", "u3"),
    ]  # fmt: skip
    assert "taken for the person's own address" in found.report.datasets[0].notes[1]


def test_a_response_with_the_address_that_was_asked_for_is_not_without_identifiers(
    tmp_path: Path,
) -> None:
    mapping = mapped("typeform")
    found = Read(fill(tmp_path / "data", {"answers.csv": TYPEFORM}, mapping), tmp_path / "w")
    report = found.report.datasets[0]
    assert report.accepted == 3
    assert report.identifiers["email"]["records"] == 2
    assert report.anonymous == 1


def test_two_surveys_may_ask_different_things_in_one_column(tmp_path: Path) -> None:
    other = QUALTRICS.replace("What should we do better?", "What do you like?").replace("R_", "S_")
    files = {"a.csv": QUALTRICS, "b.csv": other}
    found = Read(fill(tmp_path / "data", files), tmp_path / "workspace")
    asked = {(key[0], what) for key, what in found.rows("events", "record_key", "object")
             if what.startswith("What ")}  # fmt: skip
    assert asked == {("a", "What should we do better?"), ("b", "What do you like?")}


@pytest.mark.parametrize("kind", ["qualtrics", "surveymonkey", "typeform"])
def test_another_vendor_s_file_is_not_read(tmp_path: Path, kind: str) -> None:
    content = "Id,LastName,ResponseId,EndDate\n1,x,2,3\n4,x,5,6\n7,x,8,9\n"
    with pytest.raises(InputError, match=f"the header rows are not those of {kind}"):
        read(tmp_path, content, mapped(kind, "time_zone: UTC\n"))


@pytest.mark.parametrize("content", [QUALTRICS, MONKEY, TYPEFORM])
def test_a_file_that_ends_in_the_middle_loses_only_its_last_row(
    tmp_path: Path, content: str
) -> None:
    kind = {QUALTRICS: "qualtrics", MONKEY: "surveymonkey"}.get(content, "typeform")
    found = read(tmp_path, content.rstrip()[:-30], mapped(kind, "time_zone: UTC\n"))
    (reason,) = found.reasons().values()
    assert reason in {"ragged", "unreadable_time", "missing_time"}
    assert found.file("answers.csv").accepted > 0


def test_several_choices_in_one_answer_are_told_apart(tmp_path: Path) -> None:
    rows = "".join(
        f"a{n},{answer},2026-01-05 10:00:00,2026-01-05 10:01:00\n"
        for n, answer in enumerate(['"Tea, Coffee"', "Tea", '"Coffee, Water"', "Water"] * 3)
    )
    found = read(tmp_path, "#,What do you drink?,Start Date (UTC),Submit Date (UTC)\n" + rows)
    assert [row[1] for row in told(found) if row[0] == "a0"] == [
        "What do you drink?: Coffee", "What do you drink?: Tea"]  # fmt: skip
