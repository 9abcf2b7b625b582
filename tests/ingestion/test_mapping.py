import re
from pathlib import Path

import pytest

from ingestion.mapping import Model, Table, load, parse
from kg.errors import InputError, NotFound

ROOT = Path(__file__).parents[2]
HEAD = "name: x\nconsent: {default: granted, basis: a test}\ntables:\n  sales:\n    files: a.csv\n"


def test_the_examples_of_the_documentation_are_mappings() -> None:
    found = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/mapping.md").read_text(), re.S)
    assert parse(found[0]).name == "shop"
    assert set(parse(HEAD.partition("tables:")[0] + found[1]).tables) >= {"survey", "members"}


def test_the_documentation_names_every_key() -> None:
    text = (ROOT / "docs/mapping.md").read_text()
    models: list[type[Model]] = [Table, *Model.__subclasses__()]
    keys = {f.alias or name for model in models for name, f in model.model_fields.items()}
    assert {key for key in keys if f"`{key}" not in text and f"{key}:" not in text
            and f" {key}" not in text and f".{key}" not in text} == set()  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "line", "says", "hint"),
    [
        ("    kind: evnt\n", 6, "'event', 'profile'", "mapping.md"),
        ("    kind: event\n    tme: at\n    verb: b\n", 7, "'tme' is not a key", "'time'"),
        ("    kind: event\n    verb: b\n", 4, "event needs time", ""),
        ("    kind: ignore\n", 4, "ignore needs reason", ""),
        ("    kind: event\n    verb: b\n    time: {column: a, zone: Mars}\n", 8, "'Mars'", ""),
        ("    kind: event\n    verb: b\n    time: {column: a, formats: d/m}\n", 8, "'d/m'", ""),
        ("    kind: event\n    time: a\n    verb: [{is: b, when: {x: {}}}]\n", 8, "test", ""),
        ("    kind: profile\n    describe: age\n", 4, "'age', which is not under traits", ""),
        ("    kind: event\n    time: a\n    verb: b\n    key: id\n    part: p\n", 4, "part", ""),
        ("    format: segment\n    kind: event\n", 4, "drop kind: event", ""),
        ("    kind: [\n", 7, "not YAML", ""),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(
    lines: str, line: int, says: str, hint: str
) -> None:
    with pytest.raises(InputError) as refused:
        parse(HEAD + lines)
    assert str(refused.value).startswith(f"personagraph.yaml, line {line}: ")
    assert says in str(refused.value)
    assert hint in (refused.value.hint or "")


def test_consent_must_be_declared() -> None:
    with pytest.raises(InputError, match="'consent' is missing"):
        parse("name: x\ntables: {}\n")


def test_a_mapping_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no mapping"):
        load(tmp_path / "personagraph.yaml")


def test_a_trait_is_described_everywhere_or_nowhere() -> None:
    text = HEAD + "    kind: profile\n    traits: [age]\n    describe: [age]\n"
    with pytest.raises(InputError, match="'age' is under describe elsewhere"):
        parse(text + "  other:\n    files: b.csv\n    kind: profile\n    traits: [age]\n")


def test_comments_do_not_change_the_hash_but_words_do() -> None:
    table = "    kind: event\n    time: a\n    verb: bought\n"
    same = parse(HEAD + "# a comment\n" + table).hash()
    assert parse(HEAD + table).hash() == same
    assert parse(HEAD + table.replace("bought", "sold")).hash() != same


def test_namespaces_have_trust_and_uniqueness() -> None:
    text = HEAD + (
        "    kind: profile\n"
        "    identifiers: {crm: Id, email: Mail, card: {column: Card, trust: 2, unique: false}}\n"
        "  web: {files: b.jsonl, format: segment}\n"
    )
    assert parse(text).namespaces() == {
        "user_id": (1, True),
        "anonymous_id": (5, False),
        "email": (2, False),
        "phone": (3, False),
        "device_id": (5, False),
        "advertising_id": (4, False),
        "crm": (1, True),
        "card": (2, False),
    }
