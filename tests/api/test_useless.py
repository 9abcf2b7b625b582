"""Exports that were cut off, and those of which nothing can be used: said, and nothing is lost."""

from pathlib import Path

from folders import EVENTS, GOOD, fill
from program import as_json, personagraph, refused, succeed

TIME = "2026-01-01T10:00:00Z"


def _rows(count: int, time: str = TIME) -> str:
    return f"{GOOD}\n" + "".join(f"{n},c{n},{time},cup,1\n" for n in range(count))


def test_a_file_that_shrank_is_warned_of_and_one_that_is_useless_changes_nothing(
    tmp_path: Path,
) -> None:
    data = fill(tmp_path / "data", {"events.csv": _rows(6)}, EVENTS)
    told = succeed(personagraph(tmp_path, "run", data, "-w", "w"))
    assert "too few people to look for personas" in told
    assert "Personas could not be searched for." in told
    assert "recur" not in told
    said = refused(personagraph(tmp_path, "personas", "show", "Buyers", "-w", "w"), 3)
    assert f"personas list --workspace {tmp_path / 'w'}` says why" in said
    fill(data, {"events.csv": _rows(3)})
    report = as_json(personagraph(tmp_path, "run", data, "-w", "w", "--json"))
    assert report["warnings"][0].startswith(
        "events.csv had 6 records when it was read before and has 3 now: 3 are gone"
    )
    fill(data, {"events.csv": _rows(3, "never")})
    said = refused(personagraph(tmp_path, "run", data, "-w", "w"), 2)
    assert "Not one of 3 records in 'data' can be used" in said
    assert "unreadable_time" in said
    out = tmp_path / "records.csv"
    succeed(personagraph(tmp_path, "export", "records", "-w", "w", "-o", out))
    assert out.read_text().count(",accepted,") == 3
    refused(personagraph(tmp_path, "run", data, "-w", "new"), 2)
    succeed(personagraph(tmp_path, "export", "records", "-w", "new", "-o", out))
    assert out.read_text().count("unreadable_time") == 3
    checked = personagraph(tmp_path, "source", "check", data)
    refused(checked, 2)
    assert "nothing was written" in checked.stdout
