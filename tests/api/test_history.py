"""Personas in time through the command line, over a workspace of three told runs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from program import Result, as_json, personagraph, refused, succeed

from api.views import _fitting
from kg.lake import Lake
from kg.personas.lineage import known_ms
from tests.gnn.told import A, B, C, Told, small_world


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    told = Told(tmp_path_factory.mktemp("history") / "w", small_world())
    told.run()
    told.run(split=True)
    told.run(gone=(C,))
    return told


@pytest.fixture(scope="module")
def folder(told: Told) -> Path:
    return told.path.parent


def test_the_history_reads_as_sentences(told: Told, folder: Path) -> None:
    text = succeed(personagraph(folder, "personas", "history", "-w", "w"))
    assert "run 1  data up to 2021-" in text or "run 1  data up to 2020-" in text
    assert "4 personas: 4 new" in text
    assert "5 personas: 3 went on, 1 split into 2\n" in text
    assert "3 personas: 2 went on, 2 merged into 1, 1 retired\n" in text
    assert "was split, and keeps the larger part" in text
    assert "took in" in text
    assert "became part of" in text
    assert text.rstrip().count("no more") == 2
    one = succeed(personagraph(folder, "personas", "history", told.id_of(B), "-w", "w"))
    assert "split" in one
    assert "retired" not in one.split("\n\n")[-1]


def test_who_asks_for_a_persona_that_is_no_more_is_told_where_it_is_read(folder: Path) -> None:
    history = as_json(personagraph(folder, "personas", "history", "-w", "w", "--json"))
    gone = next(p["persona_id"] for p in history["personas"] if not p["is_current"])
    for name in (gone, f"{gone}@1"):
        result = personagraph(folder, "personas", "show", name, "-w", "w")
        refused(result, 3)
        assert "is no more" in result.stderr
        place = f"--workspace {folder / 'w'}"
        assert f"personas history {gone} {place}" in result.stderr.replace("\n", " ")


def test_ids_may_be_written_in_capitals_and_history_takes_those_of_versions(folder: Path) -> None:
    for one in as_json(personagraph(folder, "personas", "history", "-w", "w", "--json"))[
        "personas"
    ]:
        name = one["persona_id"]
        for wanted in (f"{name}@1", name.upper()):
            text = succeed(personagraph(folder, "personas", "history", wanted, "-w", "w"))
            assert name in text.splitlines()[4]
        refused(personagraph(folder, "personas", "history", f"{name}@99", "-w", "w"), 3)
        if one["is_current"]:
            asked = f"{name}@{one['versions'][-1]['version']}".upper()
            assert name in succeed(personagraph(folder, "personas", "show", asked, "-w", "w"))


def test_of_a_family_and_a_part_is_said_what_they_are_and_where_they_are_told(
    told: Told, folder: Path
) -> None:
    found = as_json(personagraph(folder, "personas", "list", "-w", "w", "--json"))
    (family,) = {p["parent_id"] for p in found} - {None}
    (part,) = [part["id"] for p in found for part in p["micro_personas"]]
    for ask in ("show", "history"):
        result = personagraph(folder, "personas", ask, family, "-w", "w")
        refused(result, 3)
        assert "is no persona, but a family of the personas p_" in result.stderr
        assert all(told.id_of(one) in result.stderr for one in (A, B))
        assert "personas list" in result.stderr.replace("\n", " ")
        result = personagraph(folder, "personas", ask, part, "-w", "w")
        refused(result, 3)
        assert f"a part of the persona {told.id_of(B)}" in result.stderr.replace("\n", " ")
        assert f"personas show {told.id_of(B)}" in result.stderr.replace("\n", " ")


def test_a_whole_name_is_not_the_start_of_another() -> None:
    names = ("Toys Buyers", "Toys Buyers II", "Early Buyers")
    every = [{"persona_id": f"p_{n}", "version": 1, "name": name} for n, name in enumerate(names)]

    def fit(wanted: str) -> list[str]:
        return [one["name"] for one in _fitting(every, wanted)]

    assert fit("toys buyers") == ["Toys Buyers"]
    assert fit("Toys") == ["Toys Buyers", "Toys Buyers II"]
    assert fit("p_1@1") == fit("Toys Buyers I") == ["Toys Buyers II"]
    assert not fit("p_1@2")


def test_the_history_is_one_json_document(folder: Path) -> None:
    found = as_json(personagraph(folder, "personas", "history", "-w", "w", "--json"))
    assert [run["number"] for run in found["runs"]] == [1, 2, 3]
    assert len(found["personas"]) == 5
    refused(personagraph(folder, "personas", "history", "Nobody", "-w", "w"), 3)


def test_personas_are_listed_by_families_with_their_parts(told: Told, folder: Path) -> None:
    found = as_json(personagraph(folder, "personas", "list", "-w", "w", "--json"))
    of_family = [p["persona_id"] for p in found if p["family"]]
    assert sorted(of_family) == sorted([told.id_of(A), told.id_of(B)])
    assert {p["level"] for p in found} == {"persona"}
    (family,) = {p["parent_id"] for p in found} - {None}
    (part,) = [part for p in found for part in p["micro_personas"]]
    assert part["parent_id"] == told.id_of(B)
    text = succeed(personagraph(folder, "personas", "list", "-w", "w"))
    assert text.count("family: ") == text.count("part: ") == 1
    assert text.index(family) < min(text.index(one) for one in of_family)
    assert text.index(told.id_of(B)) < text.index(part["id"])
    assert all(text.count(f"{p['persona_id']}@") == 1 for p in found)
    shown = succeed(personagraph(folder, "personas", "show", told.id_of(B), "-w", "w"))
    assert "of the family: " in shown
    assert part["id"] in shown


def test_personas_are_listed_as_of_a_date(folder: Path) -> None:
    history = as_json(personagraph(folder, "personas", "history", "-w", "w", "--json"))
    newest = history["runs"][-1]["as_of"]
    now = as_json(personagraph(folder, "personas", "list", "-w", "w", "--json"))
    of_day = as_json(
        personagraph(folder, "personas", "list", "-w", "w", "--as-of", newest[:10], "--json")
    )
    assert of_day["as_of"] == newest
    assert {p["persona_id"]: p["people"] for p in of_day["personas"]} == {
        p["persona_id"]: p["people"] for p in now
    }
    text = succeed(personagraph(folder, "personas", "list", "-w", "w", "--as-of", "2020-12-31"))
    assert "% of people" in text
    assert "no more" in text
    with Lake.open(folder / "w") as lake:
        first_ms, _ = known_ms(lake) or (0, 0)
    first = datetime.fromtimestamp(first_ms / 1000, UTC).isoformat()
    text = succeed(personagraph(folder, "personas", "list", "-w", "w", "--as-of", first))
    assert f"nobody held a persona as of {first[:19]}" in text


@pytest.mark.parametrize(
    ("date", "says"),
    [
        ("2099-01-01", "later than the newest event"),
        ("2001-01-01", "earlier than the oldest event"),
        ("soon", "is no date"),
    ],
)
def test_a_date_without_records_and_what_is_no_date_are_refused(
    folder: Path, date: str, says: str
) -> None:
    result = personagraph(folder, "personas", "list", "-w", "w", "--as-of", date)
    refused(result, 2)
    assert says in result.stderr


def test_a_run_beside_a_hole_says_so_in_the_history(tmp_path: Path) -> None:
    told = Told(tmp_path / "w", small_world())
    told.run()
    hole = {"first": "2021-06-01", "last": "2021-06-30", "days": 30}
    names = ("orders", "tickets", "visits", "views")
    told.run(split=True, holes=[hole | {"dataset": name} for name in names])
    first, second = as_json(personagraph(tmp_path, "personas", "history", "-w", "w", "--json"))[
        "runs"
    ]
    assert first["holes"] == []
    assert second["holes"][0] == {"dataset": "orders", "first": "2021-06-01", "last": "2021-06-30"}
    text = succeed(personagraph(tmp_path, "personas", "history", "-w", "w"))
    assert text.count("beside a hole") == 1
    assert "orders had no event from 2021-06-01 to 2021-06-30; tickets" in text
    assert "1 more hole (--json lists them)" in text


def test_a_date_inside_a_hole_says_what_is_not_known(tmp_path: Path) -> None:
    told = Told(tmp_path / "w", small_world())
    hole = {"dataset": "orders", "first": "2020-12-01", "last": "2020-12-31", "days": 31}
    told.run(holes=[hole])

    def asked(date: str, *options: str) -> Result:
        return personagraph(tmp_path, "personas", "list", "-w", "w", "--as-of", date, *options)

    text = succeed(asked("2020-12-15"))
    assert "warning: orders has no event from 2020-12-01 to 2020-12-31: who held what" in text
    assert "on 2020-12-15 is not known from it" in text
    (found,) = as_json(asked("2020-12-31", "--json"))["holes"]
    assert found == {name: hole[name] for name in ("dataset", "first", "last")}
    assert "hole" not in succeed(asked("2021-01-01"))
    assert as_json(asked("2020-11-30", "--json"))["holes"] == []
