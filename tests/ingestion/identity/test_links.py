"""What may join records, on integer codes."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.identity.limits import shipped
from ingestion.identity.links import (
    BY_PERSON,
    BY_SIZE,
    BY_TWO,
    KEPT,
    Cut,
    Manual,
    Namespaces,
    Sides,
    Statements,
    components,
    contradictory,
    cut,
    fan_out,
)
from ingestion.namespaces import NAMESPACES

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
NOBODY = Manual()

Pairs = set[tuple[int, int]]
PAIRS = st.sets(st.tuples(st.integers(0, RECORDS - 1), st.integers(0, 12)), max_size=24)
SOME = st.sets(st.integers(0, RECORDS - 1), min_size=1, max_size=3)
VERDICTS = st.lists(st.tuples(SOME, SOME).filter(lambda two: two[0].isdisjoint(two[1])), max_size=3)


def statements(pairs: Pairs) -> Statements:
    rows = sorted(pairs)
    record = np.array([record for record, _ in rows], np.int64)
    value = np.array([value for _, value in rows], np.int64)
    found = Statements(record, value, NAMESPACE, RECORDS)
    return found.only(~contradictory(found, SPACES))


def partition(found: Cut) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(found.group == g).tolist()) for g in found.group}


def groups_of(found: Cut) -> list[set[int]]:
    """Who is with somebody."""
    return sorted((set(group) for group in partition(found) if len(group) > 1), key=min)


def sides(left: set[int], right: set[int], *, same: bool = False, leaves: bool = False) -> Sides:
    codes = (np.array(sorted(side), np.int64) for side in (left, right))
    return Sides(*codes, same=same, leaves=leaves)


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
@given(PAIRS, VERDICTS, st.booleans())
def test_people_who_say_different_are_obeyed(
    pairs: Pairs, said: list[tuple[set[int], set[int]]], leaves: bool
) -> None:
    manual = Manual(tuple(sides(*one, leaves=leaves) for one in said))
    group = cut(statements(pairs), SPACES, manual).group
    for one in manual.different:
        assert not {*group[one.left].tolist()} & {*group[one.right].tolist()}


@settings(deadline=None)
@given(PAIRS, VERDICTS)
def test_people_who_say_same_are_obeyed(
    pairs: Pairs, said: list[tuple[set[int], set[int]]]
) -> None:
    manual = Manual(tuple(sides(*one, same=True) for one in said))
    group = cut(statements(pairs), SPACES, manual).group
    left, right = manual.same
    assert (group[left] == group[right]).all()


@settings(deadline=None)
@given(PAIRS, VERDICTS, st.permutations(range(RECORDS)))
def test_verdicts_do_not_depend_on_the_numbers_of_the_records(
    pairs: Pairs, said: list[tuple[set[int], set[int]]], renamed: list[int]
) -> None:
    found = partition(cut(statements(pairs), SPACES, Manual(tuple(sides(*one) for one in said))))
    moved = Manual(tuple(sides(*({renamed[r] for r in side} for side in one)) for one in said))
    other = partition(cut(statements({(renamed[r], v) for r, v in pairs}), SPACES, moved))
    assert other == {frozenset(renamed[r] for r in group) for group in found}


def test_who_names_something_of_each_of_two_people_is_with_neither() -> None:
    two = sides({0, 1}, {2, 3})
    own = {(0, 6), (1, 6), (2, 7), (3, 7)}
    newcomers = {(4, 6), (4, 7), (5, 7)}  # one names both mailboxes, one only the second
    found = cut(statements(own | newcomers), SPACES, Manual((two,)))
    assert groups_of(found) == [{0, 1}, {2, 3, 5}]
    # Through another one's statement as well, and by several kinds of value.
    chain = {(4, 6), (4, 8), (5, 8), (5, 7)}
    assert groups_of(cut(statements(own | chain), SPACES, Manual((two,)))) == [
        {0, 1}, {2, 3}, {4, 5}
    ]  # fmt: skip
    later = {(4, 6), (4, 10), (2, 10)}  # of the first by its mailbox; the device is the second's
    assert groups_of(cut(statements(own | later), SPACES, Manual((two,)))) == [{0, 1, 4}, {2, 3}]
    # What both name is neither's, nor anybody's who names it.
    both = {(0, 10), (2, 10), (4, 10)}
    found = cut(statements(own | both), SPACES, Manual((two,)))
    assert groups_of(found) == [{0, 1}, {2, 3}]
    assert set(found.because.tolist()) == {KEPT, BY_TWO}


def test_a_record_that_leaves_loses_what_the_others_name() -> None:
    out = sides({0, 1}, {2}, leaves=True)
    pairs = {(0, 6), (1, 6), (2, 6), (2, 10), (3, 10), (4, 6), (5, 6), (5, 10)}
    found = cut(statements(pairs), SPACES, Manual((out,)))
    assert groups_of(found) == [{0, 1, 4, 5}, {2, 3}]
    assert set(found.because.tolist()) == {KEPT, BY_PERSON}


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
