"""What fits into the memory of the device: work done in more and smaller parts, then on the CPU.

Each time with a message. Parts change how much is done at once, not what comes out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from kg.errors import Unavailable

CPU = torch.device("cpu")
MOST_PARTS = 16
"""A device on which a sixteenth does not fit has no room for this work."""


NO_ROOM = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "can't allocate memory")
"""Torch has a class only for what its allocator on a GPU refuses: a GPU that another program has
filled, cuBLAS and the CPU say it in a plain RuntimeError."""


def is_no_room(error: Exception) -> bool:
    """Whether an error says that memory was too small, and nothing else was wrong."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in NO_ROOM)


def unheard(message: str) -> None:
    """For where nobody listens."""
    del message


@dataclass
class Room:
    """Where work is done, and in how many parts.

    Attributes:
        what: is done, for messages.
        say: told what changed, and why.
    """

    what: str
    device: torch.device
    say: Callable[[str], None] = unheard
    parts: int = 1

    def less(self) -> None:
        """Do half as much at once; on the CPU where that was tried.

        Raises:
            Unavailable: nor does it fit on the CPU.
        """
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        full = f"{self.what}: the memory of {self.device} is too small"
        if self.parts < MOST_PARTS:
            self.parts *= 2
            self.say(f"{full}; going on with 1/{self.parts} of a batch at once.")
        elif self.device != CPU:
            self.device, self.parts = CPU, 1
            self.say(f"{full} for 1/{MOST_PARTS} of a batch; going on on the CPU, which is slower.")
        else:
            raise Unavailable(
                f"{full} for 1/{MOST_PARTS} of a batch.", hint="End other programs, and run again."
            )

    def cut(self, count: int, share: tuple[int, int] = (0, 1)) -> Iterator[tuple[int, int]]:
        """Where each part of a process's share of `count` rows begins and ends.

        Args:
            share: which process, of how many.
        """
        rank, size = share
        bounds = np.linspace(0, count, size * self.parts + 1).astype(int).tolist()
        mine = bounds[rank * self.parts : (rank + 1) * self.parts + 1]
        return ((a, b) for a, b in pairwise(mine) if a < b)
