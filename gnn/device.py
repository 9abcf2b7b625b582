"""Where tensors live: CUDA when there is a device, the CPU otherwise; the same code for both."""

import functools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

One = TypeVar("One")
Made = TypeVar("Made")


@functools.cache
def device() -> torch.device:
    """The device that training and embedding use."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    # Without it cuBLAS adds up in varying order, which torch refuses inside `one_thread`.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    place = int(os.environ.get("LOCAL_RANK", "0"))  # torchrun: each process a device
    return torch.device("cuda", place % torch.cuda.device_count())


def describe() -> tuple[str, bool]:
    """What was found, in words, and whether it is a GPU."""
    if not torch.cuda.is_available():
        return (
            f"none; torch {torch.__version__} runs on {torch.get_num_threads()} CPU threads",
            False,
        )
    name = torch.cuda.get_device_name(0)
    memory_gib = torch.cuda.get_device_properties(0).total_memory / 2**30
    return f"{name} with {memory_gib:.0f} GiB, torch {torch.__version__}", True


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in one order, whatever the number of cores: inside, BLAS, OpenMP and torch use a thread.

    A sum over threads is rounded by how it was cut, and a proposal of personas turned on that (an
    eigenvector's last digits, then an iterative fit). The matrices are small; one thread is hardly
    slower (docs/figures.md). Another kind of processor may round otherwise all the same. On CUDA
    only kernels that add up in one order are used; those are slower, and a seed reproduces.
    """
    import scipy.linalg  # noqa: F401 - a limit reaches only libraries that are loaded
    import sklearn.decomposition  # noqa: F401
    from threadpoolctl import threadpool_limits

    threads, exact = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with threadpool_limits(1):
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(device().type == "cuda")
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(exact)
            torch.set_num_threads(threads)


def side_by_side(work: Callable[[One], Made], ones: list[One]) -> list[Made]:
    """`work` of each, two at a time, in their order: what two halves of the people say.

    Each still adds up on one thread, so the bits are the same; numpy lets go of the interpreter.
    """
    with ThreadPoolExecutor(2) as two:
        return list(two.map(work, ones))
