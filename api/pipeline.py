"""The main job, where the parts meet: files -> records -> people -> intents -> personas -> claims.

Every step is a run in the lake with an id of its own; a step whose id is already in the lake is
skipped, so the same input changes nothing. The graph is loaded from the lake and becomes visible
to readers with its watermark, last.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.progress import Progress, silent
from kg.settings import Settings

if TYPE_CHECKING:
    from ingestion.mapping import Mapping
    from kg.lake import Step, Writer
    from kg.store import Store


@dataclass(frozen=True)
class Job:
    """What to run.

    Attributes:
        data: folder with the files.
        workspace: folder of the workspace; made if it does not exist.
        mapping: how to read the files; None: beside the data, or a shipped one.
        seed: of everything random.
    """

    data: Path
    workspace: Path
    mapping: Path | None = None
    seed: int = 0


@dataclass
class StepReport:
    """What one step did."""

    step: str
    run_id: str = ""
    skipped: bool = False
    seconds: float = 0.0
    summary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunReport:
    """What the whole run did, step by step."""

    mapping: str
    steps: list[StepReport]

    def summary(self, step: str) -> dict[str, Any]:
        """What a step found."""
        return next(s.summary for s in self.steps if s.step == step)

    @property
    def seconds(self) -> float:
        """Wall time of all steps."""
        return sum(s.seconds for s in self.steps)


def run(settings: Settings, job: Job, progress: Progress = silent) -> RunReport:
    """Run the main job; whatever is already done for this input is skipped.

    Raises:
        InputError: no mapping fits the data.
        Conflict: another run is writing to this workspace.
        Unavailable: the graph store does not answer.
    """
    from ingestion.detect import find_mapping
    from kg.lake import Lake
    from kg.store import open_store

    found = find_mapping(job.data, job.mapping)
    with Lake.writer(job.workspace) as lake:
        work = _Work(settings, job, found.mapping, lake, progress)
        with open_store(settings, job.workspace, write=True) as store:
            work.read()
            work.resolve()
            work.topics()
            work.intents()
            work.personas(store)
            work.state(store)
    return RunReport(found.name, work.reports)


class _Work:
    """The steps of one run, in order; each builds on the runs before it."""

    def __init__(
        self, settings: Settings, job: Job, mapping: "Mapping", lake: "Writer", progress: Progress
    ) -> None:
        self.settings, self.job, self.mapping = settings, job, mapping
        self.lake, self.progress = lake, progress
        self.reports: list[StepReport] = []

    @contextmanager
    def _step(self, name: str, after: tuple[str, ...], config: dict[str, Any]) -> Iterator["Step"]:
        report = StepReport(name)
        started = time.monotonic()
        inputs = {step: self.lake.step_id(step) for step in after}
        with self.lake.step(name, inputs=inputs, config=config, seed=self.job.seed) as step:
            report.run_id, report.skipped = step.id, step.done
            yield step
        report.seconds = round(time.monotonic() - started, 2)
        report.summary = self.lake.summary(name)
        self.reports.append(report)

    def read(self) -> None:
        """Files to records."""
        from ingestion.ingest import ingest

        started = time.monotonic()
        report = ingest(self.lake, self.job.data, self.mapping, progress=self.progress)
        seconds = round(time.monotonic() - started, 2)
        self.reports.append(
            StepReport(
                "ingest", report.run_id, report.skipped, seconds, self.lake.summary("ingest")
            )
        )

    def resolve(self) -> None:
        """Records to people."""
        from ingestion.identity import resolve

        config = {
            "consent_default": self.mapping.consent.default,
            "namespaces": self.mapping.namespaces(),
            "describe": self.mapping.described(),
        }
        with self._step("identity", ("ingest",), config) as step:
            if not step.done:
                resolve(step, self.lake.workspace.key)

    def topics(self) -> None:
        """Items and texts to topics."""
        from gnn.text import Embedder
        from gnn.topics import assign

        config = {"embedding_model": self.settings.embedding_model}
        with self._step("topics", ("identity",), config) as step:
            if not step.done:
                assign(step, Embedder(self.settings.embedding_model), progress=self.progress)

    def intents(self) -> None:
        """Events to sessions and intents."""
        from ingestion.intents import intents

        config = {"topic_level": self.mapping.topic_level}
        with self._step("intents", ("identity", "topics"), config) as step:
            if not step.done:
                intents(step)

    def personas(self, store: "Store") -> None:
        """Intents to personas."""
        from gnn.personas import find

        config = {"communities": store.name}
        with self._step("personas", ("intents",), config) as step:
            if not step.done:
                find(step, leiden=store.leiden, progress=self.progress)

    def state(self, store: "Store") -> None:
        """Personas to claims, over the graph."""
        from kg.graph import load
        from kg.personas.claims import state
        from kg.personas.wording import Writer as WordingModel

        load(self.lake, store, self.progress)
        del state, WordingModel
