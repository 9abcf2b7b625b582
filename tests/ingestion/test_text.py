import ibis
import pytest

from ingestion.text import scrub


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("mail ann.lee+x@mail.example.org now", "mail <email> now"),
        ("call +44 20 7946 0018.", "call <phone>."),
        ("call (202) 555-0143 x12", "call <phone>"),
        ("0049 30 901820 please", "<phone> please"),
        ("card 4111 1111 1111 1111 expires", "card <card> expires"),
        ("ordered on 2026-01-05 for 12.50", "ordered on 2026-01-05 for 12.50"),
        ("order 12345, 3 x 250 ml", "order 12345, 3 x 250 ml"),
        ("", ""),
    ],
)
def test_what_could_name_a_person_is_masked(text: str, scrubbed: str) -> None:
    found = ibis.duckdb.connect().execute(scrub(ibis.literal(text)))
    assert found == scrubbed
