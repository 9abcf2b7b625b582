"""What the encoder of episodes is given: its settings, people's nodes, the company of a batch.

A *node* is a person's kind of episode. Its content is the verb, the topic (itself made from
categories or texts) and the manner that tells most; its company are the same person's other nodes.
The encoder itself is `gnn.attention`.

Source: Hamilton et al. 2017 (neighbour sampling).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gnn.tensors import Ints

Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class EncoderConfig:
    """How the encoder is built and trained.

    Attributes:
        size: of vectors.
        heads: of attention.
        company: at most so many other nodes of a person are attended to.
        negatives: candidates drawn by popularity beside the true one.
        steps: of training.
        batch: nodes in one step.
        same_occasion: how much more a node of the same occasion weighs (log, at the start).
        own: weight of a node's own kind beside its company (1) in its vector; at 1 vectors of one
            kind find only each other (planted worlds: ARI of communities .16, at .3 .50).
    """

    size: int = 48
    heads: int = 2
    company: int = 12
    negatives: int = 3
    steps: int = 100
    batch: int = 1024
    rate: float = 0.01
    same_occasion: float = 0.5
    own: float = 0.3


@dataclass(frozen=True)
class Nodes:
    """Nodes sorted by person.

    Shapes: m nodes of p people: kind (m,) into `content` (kinds, c) float32, weight (m,) float32
    intents, occasion (m,) the node's most recent; start (p + 1,) where each person's nodes begin.
    """

    kind: Ints
    weight: Floats32
    occasion: Ints
    start: Ints
    content: Floats32

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True)
class Sample:
    """The sampled company of a batch, sorted by place in it.

    Shapes: source (e,) kind; edges (2, e) from row of `source` to place in the batch; facts (e, 2):
    log of the source's intents, and 1 where both were done on one occasion.
    """

    source: Tensor
    edges: Tensor
    facts: Tensor

    def part(self, first: int, last: int, device: torch.device) -> "Sample":
        """The company of some places of the batch, on a device."""
        inside = slice(*torch.searchsorted(self.edges[1], torch.tensor([first, last])).tolist())
        source = self.source[inside]
        edges = torch.stack([torch.arange(len(source)), self.edges[1, inside] - first])
        return Sample(source.to(device), edges.to(device), self.facts[inside].to(device))


def sample(nodes: Nodes, batch: Ints, most: int, rng: np.random.Generator) -> Sample:
    """Up to `most` other nodes of the same person for each node of the batch.

    Shapes: batch (b,) places of nodes, may be empty.
    """
    person = np.searchsorted(nodes.start, batch, side="right") - 1
    first, count = nodes.start[person], np.diff(nodes.start)[person]
    taken = np.minimum(count - 1, most)
    target = np.repeat(np.arange(len(batch)), taken)
    place = np.arange(len(target)) - np.repeat(np.cumsum(taken) - taken, taken)
    offset = np.repeat(rng.integers(0, np.maximum(count, 1)), taken)
    stride = np.repeat(np.maximum(count - 1, 1) // np.maximum(taken, 1), taken)
    others = np.repeat(np.maximum(count - 1, 1), taken)
    # A stride through the person's nodes: without repeats, and never the node itself.
    chosen = (offset + place * stride) % others
    own = np.repeat(batch - first, taken)
    chosen = np.repeat(first, taken) + chosen + (chosen >= own)
    together = nodes.occasion[chosen] == nodes.occasion[batch[target]]
    facts = np.stack([np.log(nodes.weight[chosen]), together.astype(np.float32)], 1)
    return Sample(
        torch.from_numpy(nodes.kind[chosen]),
        torch.from_numpy(np.stack([np.arange(len(target)), target])),
        torch.from_numpy(facts.astype(np.float32)),
    )


def co_occurrence(nodes: Nodes, size: int) -> Floats32:
    """Where kinds start: near each other when the same people have both more often than chance.

    Shapes: -> (kinds, size) float32.
    Source: Levy and Goldberg 2014 (positive pointwise mutual information, factorised).
    """
    from scipy.sparse import csr_array

    people, kinds = len(nodes.start) - 1, len(nodes.content)
    person = np.repeat(np.arange(people), np.diff(nodes.start))
    table = csr_array((np.ones(len(nodes)), (person, nodes.kind)), shape=(people, kinds))
    # A person with many nodes says little about each pair.
    table = table.multiply(1 / np.sqrt(np.maximum(np.diff(nodes.start), 1))[:, None]).tocsr()
    both: Any = (table.T @ table).tocoo()
    apart = both.row != both.col
    row, col, together = both.row[apart], both.col[apart], both.data[apart]
    margin = np.bincount(row, together, kinds)
    chance = margin[row] * margin[col] / margin.sum()
    information = csr_array(
        (np.maximum(np.log(together / chance), 0), (row, col)), shape=(kinds, kinds)
    )
    values, directions = _strongest(information, size)
    made = np.zeros((kinds, size), np.float32)
    made[:, : len(values)] = directions * np.sqrt(np.abs(values))
    return made / max(float(np.abs(made).max()), 1e-9)


def _strongest(symmetric: Any, size: int) -> tuple[Any, Any]:
    """The eigenvalues of largest magnitude, and their vectors, strongest first."""
    from scipy.sparse.linalg import eigsh

    count = symmetric.shape[0]
    if count <= 2 * size:
        values, directions = np.linalg.eigh(symmetric.toarray())
    else:
        start = np.ones(count)  # else it is drawn anew each time
        values, directions = eigsh(symmetric, size, which="LM", v0=start)
    order = np.argsort(-np.abs(values), kind="stable")[:size]
    return values[order], directions[:, order]
