"""Each person's own groups, before they are laid beside those of others."""

import numpy as np
import pytest

from gnn.aligned import own_groups
from gnn.encoder import Nodes
from gnn.tensors import Ints


def _nodes(people: list[list[int]], kinds: int) -> Nodes:
    """One node for each kind that a person has."""
    kind = np.array([one for person in people for one in person], np.int64)
    start = np.cumsum([0, *map(len, people)])
    ones = np.ones(len(kind), np.float32)
    return Nodes(kind, ones, np.arange(len(kind)), start, np.eye(kinds, dtype=np.float32))


def _story() -> tuple[list[list[int]], Ints]:
    """Kinds 0 to 3 and 4 to 7 go together; a third of the people has kinds of both."""
    rng = np.random.default_rng(0)
    people = []
    for number in range(90):
        halves = [[0], [1], [0, 1]][number % 3]
        people.append([4 * half + int(k) for half in halves for k in rng.permutation(4)[:3]])
    return people, np.array([kind // 4 for person in people for kind in person])


def test_a_person_of_two_aims_has_two_groups_and_centres_of_one_aim_are_alike() -> None:
    people, aim = _story()
    group, centres = own_groups(_nodes(people, 8), 4, 0.25)
    aims = np.array([np.unique(aim[group == one]) for one in range(len(centres))])
    assert aims.shape == (120, 1)  # no group mixes aims, and nobody has more groups than aims
    likeness = centres @ centres.T
    same = aims == aims.T
    assert likeness[same].min() > likeness[~same].max()


def test_groups_never_hold_two_people() -> None:
    people, _ = _story()
    person = np.repeat(np.arange(len(people)), [len(one) for one in people])
    group, centres = own_groups(_nodes(people, 8), 4, -1.0)
    assert group.tolist() == person.tolist()
    assert len(centres) == len(people)


def test_the_order_of_what_a_person_did_does_not_matter() -> None:
    people, _ = _story()
    turned = [person[::-1] for person in people]
    group, centres = own_groups(_nodes(people, 8), 4, 0.25)
    other, turned_centres = own_groups(_nodes(turned, 8), 4, 0.25)
    for number, start in enumerate(np.cumsum([0, *map(len, people[:-1])])):
        mine = slice(int(start), int(start) + len(people[number]))
        for place, kind in enumerate(people[number]):
            there = turned[number].index(kind)
            assert np.allclose(
                centres[group[mine][place]], turned_centres[other[mine][there]], atol=1e-5
            )


@pytest.mark.parametrize("people", [[], [[]], [[0]], [[0], [1]]])
def test_few_or_no_nodes_are_groups_of_their_own(people: list[list[int]]) -> None:
    nodes = _nodes(people, 2)
    group, centres = own_groups(nodes, 4, 0.25)
    assert group.tolist() == list(range(len(nodes)))
    assert centres.shape == (len(nodes), 4)
