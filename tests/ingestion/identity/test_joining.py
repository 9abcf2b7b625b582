"""Which groups evidence may join."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.identity.joining import (
    MOST_MEMBERS,
    Cause,
    Evidence,
    Guards,
    Joined,
    join,
    smallest_labels,
)

Pair = tuple[int, int, float]
MARGIN = 3.0


def joined(
    count: int,
    pairs: list[Pair],
    owner: dict[int, int] | None = None,
    apart: list[tuple[int, int]] | None = None,
    members: list[int] | None = None,
) -> Joined:
    rows = sorted({(min(a, b), max(a, b)): bits for a, b, bits in pairs if a != b}.items())
    left, right = (np.array([pair[side] for pair, _ in rows], np.int64) for side in (0, 1))
    bits = np.array([bits for _, bits in rows], float)
    held = np.full((1, count), -1, np.int64)
    for record, value in (owner or {}).items():
        held[0, record] = value
    said = np.array(apart or [], np.int64).reshape(-1, 2)
    sizes = np.array(members or [1] * count)
    guards = Guards(held, held[:0], (said[:, 0], said[:, 1]), sizes, MARGIN)
    evidence = Evidence(left, right, bits, bits > MARGIN, bits < -MARGIN)
    return join(np.arange(count), evidence, guards)


def groups(found: Joined) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(found.group == g).tolist()) for g in found.group}


def test_probable_pairs_join_and_chain() -> None:
    assert groups(joined(4, [(0, 1, 9.0), (1, 2, 5.0), (2, 3, 1.0)])) == {
        frozenset({0, 1, 2}), frozenset({3})
    }  # fmt: skip


def test_two_owners_never_meet_and_the_better_one_gets_what_lies_between() -> None:
    found = joined(3, [(0, 1, 12.0), (1, 2, 5.0)], owner={0: 7, 2: 8})
    assert groups(found) == {frozenset({0, 1}), frozenset({2})}
    assert found.cause.tolist() == [Cause.JOINED, Cause.UNIQUE]


def test_what_could_be_either_stays_alone_even_by_a_weaker_pair() -> None:
    """A father's old row: as near to the son as to the father, and a weaker pair beside."""
    pairs = [(0, 1, 12.0), (1, 2, 12.0), (1, 3, 4.0), (2, 3, 20.0)]
    found = joined(4, pairs, owner={0: 7, 2: 8})
    assert groups(found) == {frozenset({0}), frozenset({1}), frozenset({2, 3})}


def test_a_verdict_of_a_person_holds() -> None:
    found = joined(3, [(0, 1, 9.0), (1, 2, 9.0)], apart=[(0, 2)])
    assert not any({0, 2} <= group for group in groups(found))
    assert Cause.SAID in found.cause.tolist()


def test_evidence_gathers_no_more_than_its_cap() -> None:
    found = joined(2, [(0, 1, 9.0)], members=[MOST_MEMBERS, 1])
    assert found.cause.tolist() == [Cause.OVERSIZED]


def test_a_bridge_that_more_pairs_speak_against_is_held_back() -> None:
    inside = [(0, 1, 20.0), (2, 3, 20.0)]
    across = [(1, 2, 4.0), (0, 2, -9.0), (0, 3, -9.0), (1, 3, -9.0)]
    found = joined(4, inside + across)
    assert groups(found) == {frozenset({0, 1}), frozenset({2, 3})}
    assert Cause.OUTVOTED in found.cause.tolist()


PAIRS = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 7), st.sampled_from([-9.0, 1.0, 4.0, 6.0, 8.0])),
    max_size=20,
)
OWNERS = st.dictionaries(st.integers(0, 7), st.integers(0, 2), max_size=4)


@settings(deadline=None)
@given(PAIRS, OWNERS)
def test_no_group_holds_two_owners(pairs: list[Pair], owner: dict[int, int]) -> None:
    for group in groups(joined(8, pairs, owner)):
        assert len({owner[record] for record in group if record in owner}) <= 1


@settings(deadline=None)
@given(PAIRS, OWNERS, PAIRS)
def test_people_who_share_no_pair_cannot_touch_each_other(
    pairs: list[Pair], owner: dict[int, int], strangers: list[Pair]
) -> None:
    alone = groups(joined(8, pairs, owner))
    moved = [(a + 8, b + 8, bits) for a, b, bits in strangers]
    both = groups(joined(16, pairs + moved, owner))
    assert {group for group in both if min(group) < 8} == alone


def test_labels_are_the_smallest_record_of_each_group() -> None:
    assert smallest_labels(np.array([5, 2, 5, 2])).tolist() == [0, 1, 0, 1]
