"""Training the encoder: resumable, within the memory there is, by as many processes as there are.

Every process draws the same batch and takes its share of it, in as many parts as memory asks for;
gradients are added up. So neither the number of processes nor memory changes what is learned, but
for the rounding of sums. A training that was interrupted goes on where its state was last put
aside, with the very numbers of one that was not.
"""

import hashlib
import io
import json
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from gnn.crew import ALONE, Crew
from gnn.device import device, one_thread
from gnn.encoder import EncoderConfig, Floats32, Nodes, Sample, co_occurrence, sample
from gnn.room import CPU, Room, is_no_room, unheard
from gnn.tensors import Ints
from kg.lake.disk import on_disk, write_whole
from kg.progress import Task, unwatched

if TYPE_CHECKING:
    from gnn.attention import Encoder

VECTORS_AT_ONCE = 20_000


def loss_of(encoder: "Encoder", graph: Sample, candidates: Tensor, rows: int) -> Tensor:
    """What a part of a batch of `rows` adds to its loss; the first candidate is the true one.

    Shapes: candidates (c, b) kinds.
    """
    true = torch.zeros(candidates.shape[1], dtype=torch.long, device=candidates.device)
    return F.cross_entropy(encoder(graph, candidates), true, reduction="sum") / rows


@dataclass(frozen=True)
class Work:
    """How a training is carried out; nothing of it changes what is learned.

    Attributes:
        task: advanced once for every step.
        say: told, in a sentence, what a user should know.
        crew: the processes that train together.
        aside: file to put the state aside in; None: an interrupted training begins anew.
        every_seconds: how often; a training that takes less writes nothing.
        device: where to train while it fits there.
        loss: of a part of a batch.
    """

    task: Task = unwatched
    say: Callable[[str], None] = unheard
    crew: Crew = ALONE
    aside: Path | None = None
    every_seconds: float = 30.0
    device: torch.device = field(default_factory=device)
    loss: Callable[["Encoder", Sample, Tensor, int], Tensor] = loss_of


def encode(nodes: Nodes, config: EncoderConfig, seed: int, work: Work) -> Floats32:
    """Train the encoder and give every node its vector.

    Shapes: m nodes -> (m, d) float32 of unit length.

    Raises:
        Unavailable: it fits into no memory, or the disk refuses the state.
    """
    from gnn.attention import Encoder

    with one_thread():
        torch.manual_seed(seed)
        start = torch.from_numpy(co_occurrence(nodes, config.size))
        encoder = Encoder(torch.from_numpy(nodes.content), start, config)
        training = _Training(nodes, encoder, np.random.default_rng(seed), config, work)
        training.resume(_fingerprint(nodes, config, seed))
        work.crew.share((nodes, config, training.state()))
        return training.vectors_when_trained()


def help_out(crew: Crew) -> None:
    """Do this process's share of every training of the first one, until that has ended."""
    from gnn.attention import Encoder

    while (told := crew.share(None)) is not None:
        nodes, config, state = told
        with one_thread():
            empty = torch.zeros(len(nodes.content), config.size)
            encoder = Encoder(torch.from_numpy(nodes.content), empty, config)
            training = _Training(nodes, encoder, np.random.default_rng(), config, Work(crew=crew))
            training.go_on(state)
            training.vectors_when_trained()


class _Training:
    """One training under way: `step` of `config.steps` are done."""

    def __init__(
        self,
        nodes: Nodes,
        encoder: "Encoder",
        rng: np.random.Generator,
        config: EncoderConfig,
        work: Work,
    ) -> None:
        self.nodes, self.encoder, self.rng, self.config, self.work = (
            nodes, encoder, rng, config, work,
        )  # fmt: skip
        self.step = 0
        self.room = Room("Training", work.device, work.say)
        self.optimizer = torch.optim.Adam(encoder.parameters(), lr=config.rate)
        popular = np.bincount(nodes.kind, minlength=len(nodes.content)) ** 0.75
        self.popular = np.cumsum(popular / popular.sum())
        count = np.diff(nodes.start)
        self.in_company = np.flatnonzero(np.repeat(count, count) > 1)
        self.fingerprint = ""
        self.written_at = time.monotonic()

    def vectors_when_trained(self) -> Floats32:
        """Take the steps that are left, then -> (m, d)."""
        self._within_memory(self._place)
        while self.step < self.config.steps and len(self.in_company):
            self._take_step()
            self.step += 1
            self.work.task.advance()
            self._put_aside()
        return self._vectors()

    def _take_step(self) -> None:
        config, rng = self.config, self.rng
        some = min(config.batch, len(self.in_company))
        batch = np.sort(rng.choice(self.in_company, some, replace=False))
        graph = sample(self.nodes, batch, config.company, rng)
        drawn = np.searchsorted(self.popular, rng.random((config.negatives, some)))
        drawn = np.minimum(drawn, len(self.popular) - 1)
        kinds = torch.from_numpy(np.concatenate([self.nodes.kind[batch][None], drawn]))

        def gradient() -> None:
            self.optimizer.zero_grad()
            for first, last in self._mine(some):
                device = self.room.device
                part = graph.part(first, last, device)
                loss = self.work.loss(self.encoder, part, kinds[:, first:last].to(device), some)
                torch.autograd.backward(loss)

        self._within_memory(gradient)
        for one in self.encoder.parameters():
            one.grad = torch.zeros_like(one) if one.grad is None else one.grad
        self.work.crew.add([one.grad for one in self.encoder.parameters() if one.grad is not None])
        self.optimizer.step()

    def _vectors(self) -> Floats32:
        out = torch.zeros(len(self.nodes), self.config.size)
        most = 2 * self.config.company
        with torch.inference_mode():
            for batch in np.array_split(
                np.arange(len(self.nodes)), len(self.nodes) // VECTORS_AT_ONCE + 1
            ):
                graph = sample(self.nodes, batch, most, self.rng)
                self._within_memory(partial(self._fill, out, graph, batch))
        self.work.crew.add([out])
        return out.numpy()

    def _fill(self, out: Tensor, graph: Sample, batch: Ints) -> None:
        kinds, device = self.encoder.kinds(), self.room.device
        for first, last in self._mine(len(batch)):
            targets = torch.from_numpy(self.nodes.kind[batch[first:last]]).to(device)
            part = graph.part(first, last, device)
            made = self.encoder.vectors(kinds, part, targets, self.config.own)
            out[batch[first] : batch[last - 1] + 1] = made.cpu()

    def _mine(self, rows: int) -> Any:
        return self.room.cut(rows, (self.work.crew.rank, self.work.crew.size))

    def _within_memory(self, attempt: Callable[[], None]) -> None:
        """Do it in as many parts as it takes; all processes in as many as the poorest of them."""
        is_placed = True
        while True:
            try:
                if not is_placed:
                    self._place()
                attempt()
                fits = True
            except (RuntimeError, MemoryError) as error:
                if not is_no_room(error):
                    raise
                fits = False
            if self.work.crew.agree(fits):
                return
            self.room.less()
            is_placed = False

    def _place(self) -> None:
        """Be where there is room; what the optimizer knows goes along."""
        self.optimizer.zero_grad()
        self.encoder.to(self.room.device)
        self.optimizer.load_state_dict(self.optimizer.state_dict())

    def state(self) -> dict[str, Any]:
        """All that the rest depends on (torch draws the first weights only)."""
        return {
            "fingerprint": self.fingerprint,
            "step": self.step,
            "encoder": self.encoder.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": json.dumps(self.rng.bit_generator.state),
        }

    def go_on(self, state: dict[str, Any]) -> None:
        """Be where a state says."""
        self.fingerprint, self.step = state["fingerprint"], state["step"]
        self.encoder.load_state_dict(state["encoder"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = json.loads(state["rng"])

    def resume(self, fingerprint: str) -> None:
        """Go on from what an interrupted training of the same left, if it left anything."""
        self.fingerprint = fingerprint
        aside = self.work.aside
        if aside is None or not aside.exists():
            return
        with on_disk(aside):
            state = torch.load(io.BytesIO(aside.read_bytes()), CPU, weights_only=True)
        if state["fingerprint"] == fingerprint:
            self.go_on(state)
            self.work.task.advance(self.step)
            self.work.say(f"Training goes on at step {self.step} of {self.config.steps}.")

    def _put_aside(self) -> None:
        waited = time.monotonic() - self.written_at >= self.work.every_seconds
        if self.work.aside is None or not waited:
            return
        content = io.BytesIO()
        torch.save(self.state(), content)
        with on_disk(self.work.aside):
            write_whole(self.work.aside, content.getvalue())
        self.written_at = time.monotonic()


def _fingerprint(nodes: Nodes, config: EncoderConfig, seed: int) -> str:
    """What makes a training the same training."""
    arrays = (nodes.kind, nodes.weight, nodes.occasion, nodes.start, nodes.content)
    digest = hashlib.sha256(repr((astuple(config), seed, torch.__version__)).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
