"""The workspace's own table of identifiers."""

from pathlib import Path

import pyarrow as pa
import pytest

from ingestion.identity.config import IdentityConfig
from ingestion.identity.identifiers import international
from ingestion.identity.limits import read_rules, shipped
from kg.errors import InputError


def written(folder: Path, text: str) -> Path:
    file = folder / "identity.yaml"
    file.write_text(text)
    return file


def test_a_workspace_may_decide_otherwise_than_mapping_and_product(tmp_path: Path) -> None:
    file = written(tmp_path, "namespaces:\n  email: {limit: 2}\n  household: {merges: false}\n")
    config = IdentityConfig(namespaces={"household": (3, False)}, rules=read_rules(file))
    limits = config.limits()
    assert (limits.of("email").limit, limits.of("email").trust) == (2, 2)
    assert (limits.of("household").merges, limits.of("household").trust) == (False, 3)
    assert limits.of("phone") == shipped().of("phone")


def test_no_table_changes_nothing(tmp_path: Path) -> None:
    assert read_rules(tmp_path / "identity.yaml") == {}


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("namespaces:\n  email: {trusted: 2}\n", "has no 'trusted'"),
        ("namespaces:\n  email: {trust: 9}\n", "trust of email is 9"),
        ("namespaces:\n  email: {unique: 1}\n", "unique of email is 1"),
        ("namespaces:\n  email: {form: roman}\n", "form of email"),
        ("namespaces:\n  email: {limit: -4}\n", "limit of email is -4"),
        ("namespaces:\n  email: {together: -4}\n", "together of email is -4"),
        ("namespaces:\n  email: {most: many}\n", "most of email is 'many'"),
        (f"namespaces:\n  email: {{limit: {10**22}}}\n", "limit of email is 1000"),
        ('namespaces:\n  "#match": {merges: false}\n', "#match is no identifier"),
        ("namespaces:\n  email: 2\n", "email needs"),
        ("email: {trust: 2}\n", "expected `namespaces:`"),
        ("namespaces: [", "this is not YAML"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(tmp_path: Path, text: str, fact: str) -> None:
    with pytest.raises(InputError, match=r"identity\.yaml") as told:
        read_rules(written(tmp_path, text))
    assert fact in told.value.message


def test_a_national_number_is_the_international_one_where_the_country_is_known() -> None:
    written_so = pa.array(["02079460018", "442079460018", "12", "15550101"])
    assert international(written_so, "GB").to_pylist()[:3] == ["442079460018", "442079460018", "12"]
