"""Ids are the same whoever computes them."""

import ibis
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.hashing import stable_id, stable_id_of, text_hash, text_hash_of

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
ROWS = st.lists(st.tuples(WORDS, st.none() | WORDS, st.integers(-(2**63), 2**63 - 1)), min_size=1)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_python_and_the_engine_agree(rows: list[tuple[str, str | None, int]]) -> None:
    a, b, n = zip(*rows, strict=True)
    table = ibis.memtable(
        pa.table({"a": pa.array(a, "string"), "b": pa.array(b, "string"), "n": pa.array(n)})
    )
    found = ibis.duckdb.connect().to_pyarrow(
        table.select(id=stable_id_of("x", table.a, table.b, table.n), text=text_hash_of(table.a))
    )
    assert sorted(found["id"].to_pylist()) == sorted(stable_id("x", *row) for row in rows)
    assert sorted(found["text"].to_pylist()) == sorted(text_hash(text) for text in a)


def test_an_id_says_what_it_is_and_how_long() -> None:
    assert stable_id("u", "email", "a") == "u_" + stable_id("p", "email", "a")[2:]
    assert len(stable_id("p", "a", digits=8)) == len("p_") + 8


def test_parts_do_not_run_into_each_other() -> None:
    assert stable_id("s", "ab", "c") != stable_id("s", "a", "bc")
