from dataclasses import replace

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from gnn.encoder import EncoderConfig, Nodes, sample
from gnn.room import CPU
from gnn.training import Work, encode
from tests.gnn.trained import QUICK, everywhere
from tests.gnn.trained import two_worlds as _two_worlds


def _vectors(nodes: Nodes, seed: int = 0) -> np.ndarray:
    return encode(nodes, QUICK, seed, Work())


def test_company_tells_apart_who_does_the_same() -> None:
    nodes = _two_worlds()
    # Quick training is not enough: after 30 steps half of eight seeds are below the bound.
    vectors = encode(nodes, replace(QUICK, steps=120), 0, Work())
    assert vectors.shape == (len(nodes), QUICK.size)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    everyones = vectors[nodes.kind == 10]
    likeness = everyones @ everyones.T
    same = (np.arange(80)[:, None] - np.arange(80)) % 2 == 0
    assert likeness[same].mean() > likeness[~same].mean() + 0.3


@everywhere
def test_the_same_seed_gives_the_same_vectors(where: torch.device) -> None:
    made = [encode(_two_worlds(), QUICK, 0, Work(device=where)) for _ in range(2)]
    assert np.array_equal(*made)


def test_a_node_is_never_its_own_company() -> None:
    nodes = _two_worlds()
    batch = np.arange(len(nodes))
    drawn = sample(nodes, batch, 3, np.random.default_rng(1))
    own = nodes.kind[batch][drawn.edges[1].numpy()]
    assert (drawn.source.numpy() != own).all()  # a person has each kind once
    assert np.bincount(drawn.edges[1].numpy()).tolist() == [3] * len(nodes)


def test_a_part_of_a_batch_has_the_company_of_its_places() -> None:
    nodes = _two_worlds()
    drawn = sample(nodes, np.arange(40), 3, np.random.default_rng(1))
    part = drawn.part(10, 25, CPU)
    there = (drawn.edges[1] >= 10) & (drawn.edges[1] < 25)
    assert part.source.tolist() == drawn.source[there].tolist()
    assert part.edges.tolist() == [list(range(45)), (drawn.edges[1][there] - 10).tolist()]
    assert part.facts.tolist() == drawn.facts[there].tolist()


def test_a_batch_of_nothing_is_fine() -> None:
    drawn = sample(_two_worlds(), np.zeros(0, np.int64), 3, np.random.default_rng(1))
    assert drawn.edges.shape == (2, 0)
    assert drawn.part(0, 0, CPU).edges.shape == (2, 0)


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


def test_vectors_do_not_depend_on_the_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    kinds = np.concatenate([np.sort(rng.choice(600, 8, replace=False)) for _ in range(800)])
    nodes = Nodes(
        kinds.astype(np.int64),
        np.ones(6400, np.float32),
        np.arange(6400) // 2,
        np.arange(0, 6401, 8),
        np.eye(600, dtype=np.float32),
    )
    made = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            made.append(encode(nodes, EncoderConfig(steps=2), 0, Work()))
    assert np.array_equal(*made)
