import numpy as np

from gnn.encoder import EncoderConfig, Nodes, encode, sample
from kg.progress import silent

QUICK = EncoderConfig(steps=30, batch=128)


def _two_worlds(people: int = 80, seed: int = 0) -> Nodes:
    """Half of the people have kinds 0-4, half 5-9; kind 10 everyone."""
    rng = np.random.default_rng(seed)
    kinds = [
        np.append(rng.choice(5, 4, replace=False) + 5 * (person % 2), 10)
        for person in range(people)
    ]
    count = len(kinds) * 5
    return Nodes(
        np.concatenate(kinds).astype(np.int64),
        np.ones(count, np.float32),
        np.arange(count),
        np.arange(0, count + 1, 5),
        np.eye(11, dtype=np.float32),
    )


def _vectors(nodes: Nodes, seed: int = 0) -> np.ndarray:
    with silent.task("") as task:
        return encode(nodes, QUICK, seed, task)


def test_company_tells_apart_who_does_the_same() -> None:
    nodes = _two_worlds()
    vectors = _vectors(nodes)
    assert vectors.shape == (len(nodes), QUICK.size)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    everyones = vectors[nodes.kind == 10]
    likeness = everyones @ everyones.T
    same = (np.arange(80)[:, None] - np.arange(80)) % 2 == 0
    assert likeness[same].mean() > likeness[~same].mean() + 0.3


def test_the_same_seed_gives_the_same_vectors() -> None:
    assert np.array_equal(_vectors(_two_worlds()), _vectors(_two_worlds()))


def test_a_node_is_never_its_own_company() -> None:
    nodes = _two_worlds()
    batch = np.arange(len(nodes))
    drawn = sample(nodes, batch, 3, np.random.default_rng(1), "cpu")
    own = nodes.kind[batch][drawn.edges[1].numpy()]
    assert (drawn.source.numpy() != own).all()  # a person has each kind once
    assert np.bincount(drawn.edges[1].numpy()).tolist() == [3] * len(nodes)


def test_a_batch_of_nothing_is_fine() -> None:
    drawn = sample(_two_worlds(), np.zeros(0, np.int64), 3, np.random.default_rng(1), "cpu")
    assert drawn.edges.shape == (2, 0)


def test_who_has_one_kind_only_gets_a_vector_from_content() -> None:
    alone = Nodes(
        np.array([0, 1]),
        np.ones(2, np.float32),
        np.arange(2),
        np.arange(3),
        np.eye(2, dtype=np.float32),
    )
    vectors = _vectors(alone)
    assert np.isfinite(vectors).all()
