"""A small training; as a program, by all processes that torchrun started.

python trained.py OUT    the vectors go to OUT
"""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gnn.crew import assembled
from gnn.encoder import EncoderConfig, Nodes
from gnn.room import CPU
from gnn.training import Work, encode, help_out

QUICK = EncoderConfig(steps=30, batch=128)
CUDA = torch.device("cuda", 0)
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")
everywhere = pytest.mark.parametrize(
    "where", [CPU, pytest.param(CUDA, marks=needs_cuda)], ids=["cpu", "cuda"]
)


def two_worlds(people: int = 80, seed: int = 0) -> Nodes:
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


def main(out: Path) -> None:
    with assembled() as crew:
        if crew.rank:
            help_out(crew)
        else:
            np.save(out, encode(two_worlds(), QUICK, 0, Work(crew=crew)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
