"""The main job, where the parts meet: files -> records -> people -> intents -> personas -> claims.

Every step is a run in the lake with an id of its own; a step whose id is already in the lake is
skipped, and what only it needs is not even imported: the same input changes nothing, soon. The
graph is loaded from the lake and becomes visible to readers with its watermark, last.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.progress import Progress, silent
from kg.settings import Settings

if TYPE_CHECKING:
    from ingestion.identity import IdentityConfig
    from ingestion.mapping import Mapping
    from kg.lake import Step, Writer
    from kg.personas.llm import LlmServer
    from kg.store.protocol import Store


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
    from ingestion.mapping import load
    from kg.lake import Lake
    from kg.store import open_store

    mapping = load(job.mapping) if job.mapping else find_mapping(job.data)
    with (
        Lake.writer(job.workspace) as lake,
        open_store(settings, job.workspace, write=True) as store,
    ):
        work = _Work(settings, job, lake, store, progress)
        work.read(mapping)
        work.resolve(mapping)
        work.topics()
        work.intents(mapping)
        work.personas()
        work.state()
    return RunReport(mapping.name, work.reports)


def identity_config(mapping: "Mapping", workspace: Path) -> "IdentityConfig":
    """What the mapping and the workspace's own table say about people."""
    from ingestion.identity import IdentityConfig
    from ingestion.identity.golden import read_choices
    from ingestion.identity.limits import RULES_FILE, read_rules

    return IdentityConfig(
        consent_default=mapping.consent.default,
        namespaces=mapping.namespaces(),
        describe=tuple(mapping.described()),
        phone_region=mapping.phone_region,
        rules=read_rules(workspace / RULES_FILE),
        traits=read_choices(workspace / RULES_FILE),
    )


class _Work:
    """The steps of one run, in order; each builds on the runs before it."""

    def __init__(
        self, settings: Settings, job: Job, lake: "Writer", store: "Store", progress: Progress
    ) -> None:
        self.settings, self.job = settings, job
        self.lake, self.store, self.progress = lake, store, progress
        self.reports: list[StepReport] = []

    @contextmanager
    def _timed(self, name: str) -> Iterator[StepReport]:
        report = StepReport(name)
        started = time.monotonic()
        yield report
        report.seconds = round(time.monotonic() - started, 2)
        report.summary = self.lake.summary(name)
        self.reports.append(report)

    @contextmanager
    def _step(self, name: str, after: tuple[str, ...], config: dict[str, Any]) -> Iterator["Step"]:
        inputs = {step: self.lake.step_id(step) for step in after}
        with (
            self._timed(name) as report,
            self.lake.step(name, inputs=inputs, config=config, seed=self.job.seed) as step,
        ):
            report.run_id, report.skipped = step.id, step.done
            yield step

    def read(self, mapping: "Mapping") -> None:
        """Files to records."""
        from ingestion.ingest import ingest

        before = self.lake.step_id("ingest")
        with self._timed("ingest") as report:
            key = self.lake.workspace.key()
            ingest(self.lake, self.job.data, mapping, key=key, progress=self.progress)
            report.run_id = self.lake.step_id("ingest") or ""
            report.skipped = report.run_id == before

    def resolve(self, mapping: "Mapping") -> None:
        """Records to people."""
        from ingestion.identity import resolve

        config = identity_config(mapping, self.lake.workspace.path)
        with self._step("identity", ("ingest", "verdict"), asdict(config)) as step:
            if not step.done:
                with self.progress.task("People") as task:
                    key, master = self.lake.workspace.key(), self.settings.spark_master
                    resolve(step, key, config, spark_master=master)
                    task.advance()

    def topics(self) -> None:
        """Items and texts to topics."""
        model = self.settings.embedding_model
        with self._step("topics", ("identity",), {"embedding_model": model}) as step:
            if not step.done:
                from gnn.text import Embedder
                from gnn.topics import assign

                assign(step, Embedder(model), progress=self.progress)

    def intents(self, mapping: "Mapping") -> None:
        """Events to sessions and intents."""
        from ingestion.intents import intents

        config = {"topic_level": mapping.topic_level}
        with self._step("intents", ("identity", "topics"), config) as step:
            if not step.done:
                with self.progress.task("Sessions and intents") as task:
                    intents(step)
                    task.advance()

    def personas(self) -> None:
        """Intents to personas."""
        with self._step("personas", ("intents",), {"communities": self.store.name}) as step:
            if not step.done:
                from gnn.personas import find

                find(step, leiden=self.store.leiden, progress=self.progress)

    def state(self) -> None:
        """Personas to claims: chosen in the lake, proved in the graph, worded."""
        from kg.graph import is_behind, project, write_claims
        from kg.personas.state import state

        with self._timed("graph") as report:
            report.skipped = not is_behind(self.lake, self.store)
            if not report.skipped:
                project(self.lake, self.store, self.progress)
        llm = self._llm()
        config = {"llm": [llm.url, llm.model] if llm else None}
        with self._step("claims", ("personas",), config) as step:
            if not step.done:
                state(step, self.lake, self.store, llm=llm, progress=self.progress)
        write_claims(self.lake, self.store, self.progress)

    def _llm(self) -> "LlmServer | None":
        from kg.personas.llm import LlmServer

        if not self.settings.llm_url:
            return None
        key = self.settings.llm_key.get_secret_value()
        return LlmServer(self.settings.llm_url, self.settings.llm_model, key, seed=self.job.seed)
