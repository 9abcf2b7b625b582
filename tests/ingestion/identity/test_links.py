"""What may join records, on integer codes."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.identity.limits import shipped
from ingestion.identity.links import (
    BY_SIZE,
    KEPT,
    Codes,
    Cut,
    Manual,
    Namespaces,
    Statements,
    components,
    contradictory,
    cut,
    fan_out,
)
from ingestion.mapping import NAMESPACES

# Values 0-2 are of a first unique namespace, 3-5 of a second, 6-9 e-mail, 10-12 device.
NAMESPACE = np.array([0] * 3 + [1] * 3 + [2] * 4 + [3] * 3)
SPACES = Namespaces(
    strength=np.array([0, 0, 1, 2]),
    limit=np.array([-1, -1, 5, 1]),
    together=np.array([-1, -1, 2, 2]),
    most=np.array([-1, -1, 3, -1]),
    unique=np.array([True, True, False, False]),
)
RECORDS = 10
NOTHING = np.zeros(0, np.int64)
NOBODY = Manual((NOTHING, NOTHING), (NOTHING, NOTHING))

Pairs = set[tuple[int, int]]
PAIRS = st.sets(st.tuples(st.integers(0, RECORDS - 1), st.integers(0, 12)), max_size=24)
VERDICTS = st.lists(st.tuples(st.integers(0, RECORDS - 1), st.integers(0, RECORDS - 1)), max_size=3)


def statements(pairs: Pairs) -> Statements:
    rows = sorted(pairs)
    record = np.array([record for record, _ in rows], np.int64)
    value = np.array([value for _, value in rows], np.int64)
    found = Statements(record, value, NAMESPACE, RECORDS)
    return found.only(~contradictory(found, SPACES))


def partition(found: Cut) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(found.group == g).tolist()) for g in found.group}


def columns(pairs: list[tuple[int, int]]) -> tuple[Codes, Codes]:
    rows = np.array([pair for pair in pairs if pair[0] != pair[1]], np.int64).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]


@settings(deadline=None)
@given(PAIRS)
def test_no_group_holds_two_values_of_a_unique_namespace(pairs: Pairs) -> None:
    said = statements(pairs)
    found = cut(said, SPACES, NOBODY)
    for group in set(found.group.tolist()):
        values = said.value[found.group[said.record] == group]
        for namespace in (0, 1):
            assert len(set(values[NAMESPACE[values] == namespace].tolist())) <= 1


@settings(deadline=None)
@given(PAIRS)
def test_the_groups_are_what_the_kept_statements_join(pairs: Pairs) -> None:
    said = statements(pairs)
    found = cut(said, SPACES, NOBODY)
    kept = said.only(found.kept)
    joined = components(RECORDS + len(NAMESPACE), kept.record, kept.value + RECORDS)[:RECORDS]
    assert partition(found) == partition(replace(found, group=joined))
    assert ((found.because == KEPT) == found.kept).all()


@settings(deadline=None)
@given(PAIRS, st.permutations(range(RECORDS)))
def test_the_numbers_of_the_records_do_not_matter(pairs: Pairs, renamed: list[int]) -> None:
    found = partition(cut(statements(pairs), SPACES, NOBODY))
    other = partition(cut(statements({(renamed[r], v) for r, v in pairs}), SPACES, NOBODY))
    assert other == {frozenset(renamed[r] for r in group) for group in found}


@settings(deadline=None)
@given(PAIRS, VERDICTS)
def test_people_who_say_different_are_obeyed(pairs: Pairs, said: list[tuple[int, int]]) -> None:
    left, right = columns(said)
    found = cut(statements(pairs), SPACES, Manual((NOTHING, NOTHING), (left, right)))
    assert (found.group[left] != found.group[right]).all()


@settings(deadline=None)
@given(PAIRS, VERDICTS)
def test_people_who_say_same_are_obeyed(pairs: Pairs, said: list[tuple[int, int]]) -> None:
    left, right = columns(said)
    found = cut(statements(pairs), SPACES, Manual((left, right), (NOTHING, NOTHING)))
    assert (found.group[left] == found.group[right]).all()


def test_fan_out_counts_different_values_of_one_stronger_namespace() -> None:
    pairs = {(0, 10), (0, 6), (1, 10), (1, 7), (2, 10), (2, 7), (3, 10), (3, 0), (4, 0), (4, 6)}
    found, crowded = fan_out(statements(pairs), SPACES)
    assert found[10] == 2  # e-mails 6 and 7; one user beside
    assert found[6] == 1
    assert found[0] == 0
    assert not crowded.any()


def test_a_value_that_is_seen_with_many_of_its_own_kind_is_crowded() -> None:
    lessons = {(0, 6), (0, 7), (1, 6), (1, 8), (2, 6), (2, 9)}  # a teacher and three students
    assert np.flatnonzero(fan_out(statements(lessons), SPACES)[1]).tolist() == [6]
    assert not fan_out(statements({(0, 0), (0, 1), (0, 2)}), SPACES)[1].any()
    # Of an equally strong namespace, too: one device, three browsers.
    equal = replace(SPACES, strength=np.array([0, 0, 1, 1]), unique=np.zeros(4, bool))
    kiosk = {(0, 10), (0, 6), (1, 10), (1, 7), (2, 10), (2, 8)}
    assert np.flatnonzero(fan_out(statements(kiosk), equal)[1]).tolist() == [10]
    assert fan_out(statements(kiosk), SPACES)[0][10] == 3


def test_a_chain_of_mailboxes_is_parted_where_records_name_two() -> None:
    presents = {(n, value) for n in range(3) for value in (6 + n, 7 + n)}
    own = {(5, 6), (6, 6), (7, 9)}
    found = cut(statements(presents | own), SPACES, NOBODY)
    assert partition(found) == {
        frozenset({5, 6}),
        *(frozenset({n}) for n in (0, 1, 2, 3, 4, 7, 8, 9)),
    }
    assert set(found.because.tolist()) == {KEPT, BY_SIZE}
    # Three mailboxes are as many as a person may have.
    fewer = cut(statements({(0, 6), (0, 7), (1, 7), (1, 8)} | own), SPACES, NOBODY)
    assert frozenset({0, 1, 5, 6}) in partition(fewer)


def test_a_device_does_not_gather_more_mailboxes_than_a_person_has() -> None:
    pairs = {(0, 6), (0, 7), (0, 10), (1, 8), (1, 9), (1, 10), (2, 10)}
    found = cut(statements(pairs), SPACES, NOBODY)
    assert partition(found) == {frozenset({n}) for n in range(RECORDS)}
    assert (found.because[found.because != KEPT] == BY_SIZE).all()


@settings(deadline=None)
@given(PAIRS)
def test_no_join_makes_anybody_hold_more_than_a_person_may(pairs: Pairs) -> None:
    said = statements(pairs)
    found = cut(said, SPACES, NOBODY)
    kept = said.only(found.kept)
    for group in set(found.group.tolist()):
        mine = kept.value[found.group[kept.record] == group]
        mailboxes = {value for value in mine.tolist() if NAMESPACE[value] == 2}
        assert len(mailboxes) <= 3


def test_the_table_of_limits_and_the_mapping_agree() -> None:
    limits = shipped()
    assert {
        name: (one.trust, one.unique)
        for name, one in limits.namespaces.items()
        if not name.startswith("#")
    } == NAMESPACES
    assert (limits.other.trust, limits.other.unique) == (1, True)
