import numpy as np

from gnn.neighbours import mutual_neighbours


def _unit(n: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, 24)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_each_pair_stands_once_and_both_are_near() -> None:
    vectors = _unit(200)
    source, target, weight = mutual_neighbours(vectors, 8)
    assert (source < target).all()
    assert len(np.unique(source * 200 + target)) == len(source)
    likeness = vectors @ vectors.T
    for one, other in ((source, target), (target, source)):
        nearer = (likeness[one] > likeness[one, other][:, None] + 1e-6).sum(1)
        assert (nearer <= 8).all()  # itself, and fewer than eight others
    assert np.allclose(weight, likeness[source, target], atol=1e-5)


def test_the_approximate_index_finds_nearly_all_and_always_the_same() -> None:
    vectors = _unit(3200)
    found = mutual_neighbours(vectors, 8)
    again = mutual_neighbours(vectors, 8)
    assert np.array_equal(found[0], again[0])
    nearest = np.argsort(-(vectors @ vectors.T), axis=1)[:, :9]
    near = np.zeros((3200, 3200), bool)
    np.put_along_axis(near, nearest, values=True, axis=1)
    exact = np.triu(near & near.T, 1)
    assert exact[found[0], found[1]].sum() / exact.sum() > 0.9


def test_none_and_one_have_no_neighbours() -> None:
    assert len(mutual_neighbours(_unit(1), 8)[0]) == 0
    assert len(mutual_neighbours(_unit(0), 8)[0]) == 0
