"""The main job, where the parts meet: files -> records -> people -> intents -> personas -> claims.

Every step is a run in the lake with an id of its own; a step whose id is already in the lake is
skipped, and what only it needs is not even imported: the same input changes nothing, soon. The
graph is loaded from the lake and becomes visible to readers with its watermark, last.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.door import Door, choose
from kg.errors import PersonagraphError
from kg.progress import Progress, silent
from kg.settings import Settings

if TYPE_CHECKING:
    from gnn.crew import Crew
    from gnn.found import PersonaConfig
    from ingestion.identity import IdentityConfig
    from ingestion.mapping import Mapping
    from kg.lake import Step, Writer
    from kg.personas.constraints import Constraints
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
        search: search for personas anew, though there is a rule to update them by.
    """

    data: Path
    workspace: Path
    mapping: Path | None = None
    seed: int = 0
    search: bool = False


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
    """What the whole run did, step by step.

    Attributes:
        door: one sentence: were personas searched for, updated, or left as they are, and why; or
            that they could not be searched for.
    """

    mapping: str
    steps: list[StepReport]
    door: str

    def summary(self, step: str) -> dict[str, Any]:
        """What a step found."""
        return next(s.summary for s in self.steps if s.step == step)


def run(
    settings: Settings, job: Job, progress: Progress = silent, crew: "Crew | None" = None
) -> RunReport:
    """Run the main job; whatever is already done for this input is skipped.

    Args:
        crew: processes that wait to help train; None: this one does it alone.

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
    is_new = not job.workspace.exists()
    with (
        Lake.writer(job.workspace) as lake,
        _leaving_nothing(lake, is_new),
        open_store(settings, job.workspace, write=True) as store,
    ):
        work = _Work(settings, job, lake, store, progress)
        work.read(mapping)
        work.resolve(mapping)
        work.choose(mapping)
        work.topics()
        work.intents(mapping)
        work.look_up()
        work.goals()
        work.rules()
        work.personas(crew)
        work.state()
    door = work.door.told(lake.summary("personas"), work.skipped("personas"))
    return RunReport(mapping.name, work.reports, door)


@contextmanager
def _leaving_nothing(lake: "Writer", is_new: bool) -> Iterator[None]:
    """A first run that is refused before anything is written leaves no empty workspace."""
    try:
        yield
    except PersonagraphError:
        if is_new and lake.head is None:
            lake.workspace.remove()
        raise


def identity_config(mapping: "Mapping", workspace: Path) -> "IdentityConfig":
    """What the mapping and the workspace's own table say about people."""
    from ingestion.identity import IdentityConfig
    from ingestion.identity.choices import read_choices
    from ingestion.identity.limits import RULES_FILE, read_rules

    return IdentityConfig(
        consent_default=mapping.consent.default,
        namespaces=mapping.namespaces(),
        describe=tuple(mapping.described()),
        phone_region=mapping.phone_region,
        rules=read_rules(workspace / RULES_FILE),
        traits=read_choices(workspace / RULES_FILE),
    )


def _asked(lake: "Writer") -> "Constraints":
    """What the business asks of the personas of this workspace."""
    from kg.personas.constraints import read
    from kg.personas.shaping import check_must_keep

    asked = read(lake.workspace.path)
    check_must_keep(lake, asked)
    return asked


def _persona_config(asked: "Constraints", seed: int) -> "PersonaConfig":
    """How personas are found, with what the business asks."""
    from gnn.found import PersonaConfig

    plain = PersonaConfig()
    return replace(
        plain,
        least_people=asked.minimum_people or plain.least_people,
        least_share_of_people=asked.minimum_share or 0.0,
        manners_out=tuple(asked.keep_out.manners),
        manners_in=tuple(asked.keep_in.manners),
        must_keep=tuple(asked.must_keep),
        seed=seed,
    )


class _Work:
    """The steps of one run, in order; each builds on the runs before it."""

    def __init__(
        self, settings: Settings, job: Job, lake: "Writer", store: "Store", progress: Progress
    ) -> None:
        self.settings, self.job = settings, job
        self.lake, self.store, self.progress = lake, store, progress
        self.reports: list[StepReport] = []
        self.asked = _asked(lake)
        self.door = Door()

    def skipped(self, step: str) -> bool:
        """Whether a step had nothing to do."""
        return next(report.skipped for report in self.reports if report.step == step)

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
            read = ingest(self.lake, self.job.data, mapping, key=key, progress=self.progress)
            report.run_id = self.lake.step_id("ingest") or ""
            report.skipped = report.run_id == before
        report.summary = report.summary | {"report": read.to_dict()}  # of the folder as it is now

        from kg.personas.shaping import check_read

        check_read(self.lake, self.asked)

    def resolve(self, mapping: "Mapping") -> None:
        """Records to people."""
        from ingestion.identity import resolve
        from ingestion.identity.consent import last_ended

        config = identity_config(mapping, self.lake.workspace.path)
        config = replace(config, ended_ms=last_ended(self.lake, int(time.time() * 1000)))
        with self._step("identity", ("ingest", "verdict"), asdict(config)) as step:
            if not step.done:
                with self.progress.task("People") as task:
                    key, master = self.lake.workspace.key(), self.settings.spark_master
                    resolve(step, key, config, spark_master=master)
                    task.advance()

    def choose(self, mapping: "Mapping") -> None:
        """Search for personas, or update them by the rule there is."""
        from kg.lake.code import code_version
        from kg.lake.writer import Plan

        seed = self.job.seed
        inputs = {"identity": self.lake.step_id("identity")}
        grouping = Plan("topics", inputs, self._models(), seed, code_version())
        settings = {
            "store": self.store.name,
            "embedding model": self.settings.embedding_model,
            "spaCy pipeline": self.settings.spacy_model,
            "topic level": mapping.topic_level,
            "time zone": mapping.clock,
            "personas.yaml": self.asked.shaping,
            "seed": seed,
            "program": code_version(),
        }
        self.door = choose(self.lake, settings, grouping.run_id, self.job.search)

    def _models(self) -> dict[str, str]:
        """What texts are read with."""
        return {
            "embedding_model": self.settings.embedding_model,
            "spacy_model": self.settings.spacy_model,
        }

    def topics(self) -> None:
        """Items and texts to topics: all anew, or only what is new."""
        model, pipeline = self.settings.embedding_model, self.settings.spacy_model
        config = self._models() | self.door.kept("topics")
        with self._step("topics", ("identity",), config) as step:
            if not step.done:
                from gnn.text import Embedder

                embedder = Embedder(model, self.progress.say, pipeline=pipeline)
                if self.door.is_update:
                    from gnn.joining import join

                    join(step, embedder, progress=self.progress)
                else:
                    from gnn.topics import assign

                    assign(step, embedder, progress=self.progress)
                step.summary["grouped"] = self.door.last.get("topics", step.id)

    def intents(self, mapping: "Mapping") -> None:
        """Events to sessions and intents."""
        from ingestion.intents import intents

        config = {"topic_level": mapping.topic_level, "time_zone": mapping.clock}
        config |= self.door.kept("kept_topic_level")
        with self._step("intents", ("identity", "topics"), config) as step:
            if not step.done:
                with self.progress.task("Sessions and intents") as task:
                    intents(step)
                    task.advance()

    def look_up(self) -> None:
        """Refuse a name in personas.yaml that this workspace does not know, before it is used."""
        from kg.personas.shaping import check

        check(self.lake, self.asked)

    def goals(self) -> None:
        """Who reached the goals of the business; no step where there never was one."""
        asked = self.asked
        if asked.goals or self.lake.step_id("goals"):
            with self._step("goals", ("intents",), asked.aims) as step:
                if not step.done:
                    from kg.personas.goals import aim

                    aim(step, asked)

    def rules(self) -> None:
        """Who meets the rules of the business; no step where there never was one."""
        asked = self.asked
        if asked.rules or self.lake.step_id("rules"):
            with self._step("rules", ("intents",), asked.own_rules) as step:
                if not step.done:
                    from kg.personas.rules import apply

                    apply(step, asked)

    def personas(self, crew: "Crew | None") -> None:
        """Intents to personas: searched for, or updated."""
        config = {"communities": self.store.name, "constraints": self.asked.shaping}
        with self._step("personas", ("intents",), config | self.door.kept("run_id")) as step:
            if step.done:
                return
            from kg.personas.shaping import shape

            step.summary["constraints"] = shape(step, self.asked)
            how = _persona_config(self.asked, self.job.seed)
            if self.door.is_update:
                from gnn.update import update

                update(step, self.door.last["run_id"], how, self.store.leiden, self.progress)
            else:
                from gnn.crew import ALONE
                from gnn.search import find

                find(step, how, self.store.leiden, self.progress, crew or ALONE)
            self.door.remember(step, self.lake)

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
        with self._step("claims", ("personas", "goals"), config) as step:
            if not step.done:
                state(step, self.lake, self.store, llm=llm, progress=self.progress)
        write_claims(self.lake, self.store, self.progress)

    def _llm(self) -> "LlmServer | None":
        from kg.personas.llm import LlmServer

        if not self.settings.llm_url:
            return None
        key = self.settings.llm_key.get_secret_value()
        return LlmServer(self.settings.llm_url, self.settings.llm_model, key, seed=self.job.seed)
