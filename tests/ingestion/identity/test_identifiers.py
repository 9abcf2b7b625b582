"""How identifiers are compared, hidden and refused."""

import ibis
import pyarrow as pa
import pytest

from ingestion.columns import identifier
from ingestion.identity.identifiers import (
    canonical_identifier,
    hash_identifier,
    shown_identifier,
    unusable,
)
from ingestion.identity.limits import shipped

KEY = bytes(32)


@pytest.mark.parametrize(
    ("namespace", "value", "canonical"),
    [
        ("email", "  Ann.Lee+News@Shop.ORG ", "ann.lee+news@shop.org"),
        ("email", "mailto:ann@shop.org", "ann@shop.org"),
        ("email", "Ann.Lee+Shop@GMail.com", "ann.lee+shop@gmail.com"),
        ("phone", "+44 20 7946-0018", "442079460018"),
        ("phone", "0044 20 7946 0018", "442079460018"),
        ("phone", "(983) 566.0706 ext. 9509", "9835660706x9509"),
        ("phone", "9835660706x9509", "9835660706x9509"),
        ("phone", "+1-983-566-0706;ext=9509", "19835660706x9509"),
        ("phone", "001 983 566 0706 #12", "19835660706x12"),
        ("phone", "fax 983 566 0706", "9835660706"),
        ("phone", "983.566.0706x9509", "9835660706x9509"),
        ("user_id", " Ab12 ", "Ab12"),
        ("crm", "0035g00000AbCdE", "0035g00000AbCdE"),
    ],
)
def test_an_identifier_is_written_one_way_by_whoever_reads_it(
    namespace: str, value: str, canonical: str
) -> None:
    assert canonical_identifier(namespace, value) == canonical
    assert canonical_identifier(namespace, canonical) == canonical
    read = identifier(namespace, ibis.literal(value).strip())
    assert ibis.duckdb.connect().execute(read) == canonical


@pytest.mark.parametrize(
    ("namespace", "value", "reason"),
    [
        ("user_id", "null", "junk"),
        ("user_id", "Undefined", "junk"),
        ("user_id", "0", "junk"),
        ("user_id", "-1", "junk"),
        ("user_id", "11", None),
        ("user_id", "00000000-0000-0000-0000-000000000000", "junk"),
        ("email", "info@shop.org", "role_mailbox"),
        ("email", "sales+uk@shop.org", "role_mailbox"),
        ("email", "kontakt@shop.org", "role_mailbox"),
        ("email", "accueil@shop.org", "role_mailbox"),
        ("email", "ann@example.com", None),
        ("anonymous_id", "aaaaaaaa-aaaa", "junk"),
        ("anonymous_id", "ab1", "junk"),
        ("anonymous_id", "7f3a-11c2", None),
        ("phone", "+11111111", "junk"),
        ("phone", "11234567890", "junk"),
        ("phone", "0123456789", "junk"),
        ("phone", "12345678900", "junk"),
        ("phone", "10000000000", "junk"),
        ("phone", "15550000000", "junk"),
        ("phone", "13125550000", None),
        ("phone", "442012345678", None),
        ("phone", "+442079460018", None),
        ("ip", "10.0.0.7", "evidence_only"),
    ],
)
def test_values_that_name_nobody_are_told_with_their_reason(
    namespace: str, value: str, reason: str | None
) -> None:
    assert unusable(namespace, pa.array([value]), shipped()).to_pylist() == [reason]


def test_a_personal_value_is_shown_as_a_hash_that_needs_the_key() -> None:
    shown = shown_identifier(KEY, "email", "Ann@shop.org", shipped())
    assert shown == hash_identifier(KEY, "email", "ann@shop.org")
    assert len(shown) == 64
    assert shown != hash_identifier(bytes(31) + b"1", "email", "ann@shop.org")
    assert shown != hash_identifier(KEY, "phone", "ann@shop.org")


def test_other_values_are_shown_as_they_are() -> None:
    assert shown_identifier(KEY, "crm", " C1 ", shipped()) == "C1"


def test_a_mapping_may_declare_its_own_namespaces() -> None:
    limits = shipped().declared({"household": (3, False), "email": (1, True)})
    assert not limits.of("household").unique
    assert limits.of("email").unique
    assert limits.of("email").personal
    assert limits.of("anything else").unique
