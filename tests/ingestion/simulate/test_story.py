"""The small story that tests share is true of what the main job makes of it."""

from pathlib import Path

from ingestion.identity import IdentityConfig, resolve
from ingestion.ingest import ingest
from ingestion.mapping import load
from kg.exports import EXPORTS
from kg.lake import Lake
from tests.world import ANSWERS, write_story

KEY = b"k" * 32


def test_the_story_ends_as_it_says(tmp_path: Path) -> None:
    data = tmp_path / "data"
    answers = write_story(data)
    mapping = load(data / "personagraph.yaml")
    config = IdentityConfig(
        mapping.consent.default, mapping.namespaces(), tuple(mapping.described())
    )
    with Lake.writer(tmp_path / "workspace") as lake:
        ingest(lake, data, mapping, key=KEY)
        with lake.step("identity", inputs={"ingest": lake.step_id("ingest") or ""}) as step:
            resolve(step, KEY, config)
        records = lake.run(EXPORTS["records"].rows(lake)).to_pylist()
        identities = lake.arrow("identities").to_pylist()
    assert answers is ANSWERS
    status = {row["record_key"]: row["status"] for row in records if row["status"] != "duplicate"}
    assert {key: status[key] for key in answers.status} == answers.status
    assert [r["record_key"] for r in records if r["status"] == "duplicate"] == [
        "web/events.jsonl#m4"
    ]
    user = {row["record_key"]: row["user_id"] for row in identities}
    for keys in answers.together:
        assert len({user[key] for key in keys}) == 1, sorted(keys)
    owners = [{user[key] for key in keys if key in user} for keys in answers.people.values()]
    assert all(not one & other for at, one in enumerate(owners) for other in owners[:at])
