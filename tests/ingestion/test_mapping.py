import re
import string
from pathlib import Path

import pytest
from folders import fill

from ingestion.ingest import check
from ingestion.mapping import load, parse
from ingestion.table import Table
from ingestion.values import Model, Time
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
        ("    kind: evnt\n", 6, "'event', 'profile'", "Did you mean 'event'?"),
        ("    kind: events\n", 6, "'event', 'profile'", "Did you mean 'event'?"),
        ("    kind: 7\n", 6, "'event', 'profile'", "mapping.md"),
        ("    kind: profile\n    forms: {a: amounts}\n", 7, "'amount'", "Did you mean 'amount'?"),
        ("    kind: event\n    tme: at\n    verb: b\n", 7, "'tme' is not a key", "'time'"),
        ("    kind: event\n    verb: b\n", 4, "event needs time", ""),
        ("    kind: ignore\n", 4, "ignore needs reason", ""),
        ("    kind: event\n    verb: b\n    time: {column: a, zone: Mars}\n", 8, "'Mars'", ""),
        ("    kind: event\n    verb: b\n    time: {column: a, formats: d/m}\n", 8, "'d/m'", ""),
        ("    kind: event\n    time: a\n    verb: [{is: b, when: {x: {}}}]\n", 8, "test", ""),
        ("    kind: profile\n    describe: age\n", 4, "'age', which is not under traits", ""),
        ("    kind: event\n    time: a\n    verb: b\n    key: id\n    part: p\n", 4, "part", ""),
        ("    format: segment\n    kind: event\n", 4, "drop kind: event", ""),
        ("    kind: [\n", 7, "not YAML", "mapping.md"),
        ("    kind: item\n    item: a\n    item: b\n", 8, "duplicate key", "mapping.md"),
        ('    kind: item\n    item: "a\\0b"\n', 7, "NUL", "UTF-8"),
        ('    kind: item\n    item: {"\\0": b}\n', 7, "NUL", "UTF-8"),
        ('    kind: item\n    item: ["\\udc00x"]\n', 7, "half of a character", "UTF-8"),
        ("    kind: profile\n    encoding: klingon\n", 7, "no encoding 'klingon'", "mapping.md"),
        ("    kind: profile\n    encoding: base64\n", 7, "no encoding 'base64'", "mapping.md"),
        ("    kind: profile\n    delimiter: '\"'\n", 7, "one ASCII character", "mapping.md"),
        ('    kind: profile\n    delimiter: "\\n"\n', 7, "one ASCII character", "mapping.md"),
        ("    kind: profile\n    delimiter: ab\n", 7, "one ASCII character", "mapping.md"),
        ("    kind: profile\n    header: 0\n", 7, "header is the line of the file", "mapping.md"),
        ("    kind: profile\n    header: [5, 4]\n", 7, "header is the line of the file", ""),
        ("    kind: profile\n    header: yes\n", 7, "header is the line of the file", ""),
        ("    format: segment\n    header: 4\n", 4, "header is for tables in text", ""),
        ("    kind: profile\n    identifiers: {'a:b': c}\n", 7, "'a:b' cannot be a namespace", ""),
        ("    kind: profile\n    identifiers: {'': c}\n", 7, "'' cannot be a namespace", ""),
        ("    kind: event\n    verb: b\n    time: {column: a, formats: '%Y-%Q'}\n", 8, "%Y-%Q", ""),
        ("    kind: event\n    verb: b\n    time: {column: a, formats: 'at %'}\n", 8, "at %", ""),
        (
            "    kind: event\n    time: a\n    verb: [{is: b, when: {x: {matches: '('}}}]\n",
            8,
            "'(' is not a pattern",
            "",
        ),
        ("    kind: event\n    item: a\n    quantity: {constant: lots}\n", 8, "'lots'", ""),
        ("    kind: item\n    item: {id: a, price: {constant: nan}}\n", 7, "'nan'", ""),
        ("    kind: profile\n    verb: b\n", 4, "verb says nothing in kind: profile", ""),
        ("    kind: profile\n    item: a\n", 4, "item says nothing in kind: profile", ""),
        ("    kind: item\n    item: a\n    value: b\n", 4, "value says nothing in kind: item", ""),
        ("    kind: profile\n    inside: a\n", 1, "is no part", ""),
        ("    kind: profile\n    links: {a: {part: b, on: c}}\n", 1, "is no part", ""),
        ("    kind: profile\n    links: {a: {on: c}}\n", 7, "a file or to a part", ""),
        ("    kind: profile\n    links: {a: {file: b, on: {}}}\n", 7, "needs on", ""),
        ("    parts: {a: {kind: profile}}\n", 4, "'a' needs when", ""),
        ("    parts: {a: {kind: event, when: {x: y}}}\n", 6, "event needs time", ""),
        ("    parts: {a: {kind: profile, when: {x: {below: 1}}}}\n", 4, "compares numbers", ""),
        ("    kind: event\n    parts: {a: {kind: profile, when: {x: y}}}\n", 4, "drop kind", ""),
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


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected name, consent and tables"),
        ("- 1\n", "expected name, consent and tables"),
        ("name: " + "[" * 5_000 + "]" * 5_000, "not YAML that can be read"),
        ("name: a\0b", "not YAML that can be read"),
        ("name: x\n---\nname: y\n", "not YAML"),
        ("name: !!python/object/apply:os.system [ls]\n", "valid string"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nname: &c [*b,*b]\n", "valid string"),
        (HEAD.partition("tables:")[0] + "tables: {}\n", "at least 1 item"),
        (HEAD.replace("a test", "t") + "    kind: profile\n", "line 2: say in words why you may"),
        (HEAD.replace("files: a.csv", "files: []") + "    kind: profile\n", "at least 1 item"),
    ],
)
def test_what_is_no_mapping_is_one_sentence_with_a_hint(text: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(text)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.hint


def test_a_mapping_that_cannot_be_read_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("name: caff\u00e8\n".encode("latin-1"))
    for place, says in ((tmp_path, "is a directory"), (tmp_path / "latin.yaml", "not UTF-8")):
        with pytest.raises(InputError, match=says) as refused:
            load(place)
        assert refused.value.hint


def test_every_time_pattern_that_passes_is_one_that_the_engine_reads() -> None:
    import duckdb

    texts = {f"%{dash}{letter}" for dash in ("", "-") for letter in string.ascii_letters + "%"}
    for text in sorted(texts):
        try:
            Time(column="at", formats=(text,))
        except ValueError:
            continue
        duckdb.execute("SELECT try_strptime('x', ?)", [text])


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


def test_a_time_zone_of_the_mapping_has_its_line_and_the_nearest() -> None:
    with pytest.raises(InputError) as refused:
        parse("# first\ntime_zone: Europe/Berlim\n" + HEAD + "    kind: profile\n", "m.yaml")
    assert str(refused.value).startswith("m.yaml, line 2: 'Europe/Berlim' is not a time zone")
    assert "did you mean Europe/Berlin?" in str(refused.value)


@pytest.mark.parametrize(
    ("files", "key", "says"),
    [
        ("orders.csv", "idd", "m.yaml, line 7: 'orders.csv' has no column 'idd'"),
        ("order.csv", "id", "m.yaml, line 5: no file fits 'order.csv'"),
    ],
)
def test_what_does_not_fit_names_the_file_of_the_mapping(
    tmp_path: Path, files: str, key: str, says: str
) -> None:
    folder = fill(tmp_path / "data", {"orders.csv": "id,who\n1,ann\n"})
    mapping = tmp_path / "m.yaml"
    text = HEAD.replace("a.csv", files)
    mapping.write_text(f"{text}    kind: profile\n    key: {key}\n    identifiers: {{x: who}}\n")
    with pytest.raises(InputError, match=f"^{says}"):
        check(folder, load(mapping))


def test_where_no_mapping_is_none_is_named(tmp_path: Path) -> None:
    contacts = "Record ID,Email,Create Date\n101,ann@example.org,2024-01-02 10:00\n"
    with pytest.raises(InputError) as refused:
        check(fill(tmp_path, {"contacts.csv": contacts}))
    assert str(refused.value) == "The times in 'Create Date' carry no zone."
    assert "`personagraph source propose` begins one" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("header", "like", "seen"),
    [
        ("id,who,what", "email", "It has id, who, what."),
        ("ann@example.org,2024-01-02,7", "Record ID", "It has no names of columns."),
    ],
)
def test_a_file_that_is_not_of_its_format_is_told_so(
    tmp_path: Path, header: str, like: str, seen: str
) -> None:
    folder = fill(tmp_path / "data", {"a.csv": f"{header}\n1,2024-01-01,cup\n"})
    mapping = parse(HEAD + "    format: hubspot_contact\n", "m.yaml")
    with pytest.raises(InputError) as refused:
        check(folder, mapping)
    assert str(refused.value) == (
        "m.yaml, line 6: 'a.csv' is not of the format hubspot_contact: "
        f"it has no column like {like!r}."
    )
    assert (refused.value.hint or "").startswith(seen)
    assert "`personagraph source propose PATH`" in (refused.value.hint or "")
    assert "ann" not in (refused.value.hint or "")
