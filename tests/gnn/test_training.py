"""Training that is interrupted, short of memory, or done by several processes learns the same."""

import os
import signal
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gnn.attention import Encoder
from gnn.encoder import Sample
from gnn.room import CPU, is_no_room
from gnn.training import Work, encode, loss_of
from kg.errors import Unavailable
from tests.gnn import trained
from tests.gnn.trained import CUDA, QUICK, everywhere, needs_cuda, two_worlds

ROOT = Path(__file__).parents[2]
GPU = torch.device("cpu", 0)
"""Another device than `CPU` for all that is asked of it, and there on every machine."""


@pytest.fixture(scope="module")
def plain() -> np.ndarray:
    return encode(two_worlds(), QUICK, 0, Work(device=CPU))


class _Fatal:
    """A task that kills the process at a step."""

    def __init__(self, step: float) -> None:
        self.left = step

    def advance(self, count: float = 1) -> None:
        self.left -= count
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


@everywhere
def test_a_training_that_was_killed_goes_on_and_learns_the_same(
    where: torch.device, tmp_path: Path
) -> None:
    aside, said = tmp_path / "state", list[str]()
    doomed = Work(_Fatal(17), aside=aside, every_seconds=0, device=where)
    process = get_context("spawn").Process(target=encode, args=(two_worlds(), QUICK, 0, doomed))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    gone_on = encode(two_worlds(), QUICK, 0, Work(say=said.append, aside=aside, device=where))
    assert np.array_equal(gone_on, encode(two_worlds(), QUICK, 0, Work(device=where)))
    assert said == ["Training goes on at step 16 of 30."]


def test_the_state_of_another_training_is_not_gone_on_from(tmp_path: Path) -> None:
    aside, said = tmp_path / "state", list[str]()
    nodes = two_worlds()
    encode(nodes, QUICK, 0, Work(aside=aside, every_seconds=0))
    other = encode(nodes, QUICK, 1, Work(say=said.append, aside=aside))
    assert np.array_equal(other, encode(nodes, QUICK, 1, Work()))
    assert not said


def test_a_short_training_writes_nothing(tmp_path: Path) -> None:
    encode(two_worlds(), QUICK, 0, Work(aside=tmp_path / "state"))
    assert not list(tmp_path.iterdir())


class _Small:
    """A GPU with room for so many rows, until the training has moved; it says so in `said`."""

    def __init__(self, rows: int) -> None:
        self.rows, self.said, self.tried = rows, list[str](), list[int]()

    def __call__(self, encoder: Encoder, graph: Sample, candidates: Tensor, rows: int) -> Tensor:
        moved = any("on the CPU" in message for message in self.said)
        self.tried.append(candidates.shape[1])
        if candidates.shape[1] > self.rows and not moved:
            raise torch.OutOfMemoryError
        return loss_of(encoder, graph, candidates, rows)


def test_what_does_not_fit_is_done_in_smaller_parts_and_learns_the_same(plain: np.ndarray) -> None:
    small = _Small(40)
    made = encode(two_worlds(), QUICK, 0, Work(say=small.said.append, device=GPU, loss=small))
    assert np.abs(made - plain).max() < 1e-4
    assert small.said == [
        f"Training: the memory of cpu:0 is too small; going on with 1/{parts} of a batch at once."
        for parts in (2, 4)
    ]
    assert small.tried == [128, 64] + 4 * QUICK.steps * [32]


def test_what_does_not_fit_at_all_is_done_on_the_cpu(plain: np.ndarray) -> None:
    small = _Small(0)
    made = encode(two_worlds(), QUICK, 0, Work(say=small.said.append, device=GPU, loss=small))
    assert np.array_equal(made, plain)
    assert len(small.said) == 5
    assert "going on on the CPU, which is slower" in small.said[-1]


def test_what_does_not_fit_on_the_cpu_either_is_said() -> None:
    with pytest.raises(Unavailable, match="memory of cpu is too small"):
        encode(two_worlds(), QUICK, 0, Work(device=CPU, loss=_Small(0)))


def too_much(*_: object) -> Tensor:
    """Asks for four exabytes, which this machine's own allocator refuses."""
    return torch.empty(1 << 60)


def test_what_the_memory_of_the_machine_refuses_is_said() -> None:
    with pytest.raises(Unavailable, match="memory of cpu is too small"):
        encode(two_worlds(), QUICK, 0, Work(device=CPU, loss=too_much))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (torch.AcceleratorError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (MemoryError("Unable to allocate 16.0 GiB for an array"), True),
        (torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_full_memory_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    assert is_no_room(error) is expected


def test_what_else_goes_wrong_is_not_tried_again() -> None:
    def broken(*_: object) -> Tensor:
        raise RuntimeError("an error of ours")

    with pytest.raises(RuntimeError, match="an error of ours"):
        encode(two_worlds(), QUICK, 0, Work(device=GPU, loss=broken))


@needs_cuda
def test_a_gpu_learns_what_the_cpu_does(plain: np.ndarray) -> None:
    assert np.abs(encode(two_worlds(), QUICK, 0, Work(device=CUDA)) - plain).max() < 1e-3


@needs_cuda
def test_what_a_gpu_has_no_memory_for_is_done_on_the_cpu(plain: np.ndarray) -> None:
    said = list[str]()
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(1e-6)
    try:
        made = encode(two_worlds(), QUICK, 0, Work(say=said.append, device=CUDA))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert np.array_equal(made, plain)
    assert "going on on the CPU, which is slower" in said[-1]


@pytest.mark.slow
def test_two_processes_that_torchrun_starts_learn_what_one_does(
    plain: np.ndarray, tmp_path: Path
) -> None:
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    done = subprocess.run(
        [sys.executable, *torchrun, trained.__file__, tmp_path / "out.npy"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert np.abs(np.load(tmp_path / "out.npy") - plain).max() < 1e-4
