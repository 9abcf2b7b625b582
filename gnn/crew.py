"""The processes that train together: those torchrun started, or this one alone.

The first process runs the whole job and alone writes; the others wait until there is something to
train, do their share, and add up with the rest. Sums go through the CPU (gloo) wherever tensors
live: all there is to add up is a few hundred kilobytes of gradient, and so the same code runs, and
is tested, without a GPU.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

LONGEST_WAIT = timedelta(days=7)
"""For the first process, while it reads; torchrun ends all when one of them fails."""


@dataclass(frozen=True)
class Crew:
    """One of `size` processes, the `rank`-th from 0."""

    rank: int = 0
    size: int = 1

    def share(self, what: Any) -> Any:
        """What the first process hands in, in every process."""
        if self.size == 1:
            return what
        from torch import distributed

        told = [what]
        distributed.broadcast_object_list(told, 0)
        return told[0]

    def agree(self, so: bool) -> bool:
        """Whether it is so in every process."""
        if self.size == 1:
            return so
        import torch

        said = torch.tensor([so], dtype=torch.int32)
        torch.distributed.all_reduce(said, torch.distributed.ReduceOp.MIN)
        return bool(said.item())

    def add(self, tensors: Sequence["Tensor"]) -> None:
        """Make each tensor (float32, at the same place in every process) the sum of all of them."""
        if self.size == 1:
            return
        import torch

        flat = torch.cat([tensor.detach().reshape(-1).cpu() for tensor in tensors])
        torch.distributed.all_reduce(flat)
        sums = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, total in zip(tensors, sums, strict=True):
            tensor.detach().copy_(total.view_as(tensor))


ALONE = Crew()


@contextmanager
def assembled() -> Iterator[Crew]:
    """The processes that torchrun started; leaving the block in the first tells the others to end.

    What torchrun says is read from the environment (`RANK`, `WORLD_SIZE` ...); torch is loaded only
    where there are several.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    from torch import distributed

    # What PyTorch Geometric imports must be there before gloo's threads are: loaded later, one
    # process in seven aborted at its end ("terminate called without an active exception").
    import gnn.attention  # noqa: F401

    distributed.init_process_group("gloo", timeout=LONGEST_WAIT)
    crew = Crew(distributed.get_rank(), size)
    try:
        yield crew
        if crew.rank == 0:
            crew.share(None)
    finally:
        distributed.destroy_process_group()
