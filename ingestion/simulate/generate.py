"""The simulator's main loop: chunks of people in, the files of a company and the truth out."""

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import orjson

from ingestion.simulate import behaviour, devices, segment, world
from ingestion.simulate.catalogue import Catalogue, make_catalogue
from ingestion.simulate.mapping import MAPPING
from ingestion.simulate.people import CHUNK, Flags, Ints, People, make_people
from ingestion.simulate.tables import Deeds, Tables
from ingestion.simulate.truth import Truth
from kg.errors import Conflict, InputError
from kg.lake.disk import on_disk
from kg.progress import Progress, silent

FEWEST, MOST = 1_000, 100_000
_FOLDERS = ("segment", "crm", "support", "survey", "shop", "consent")


@dataclass(frozen=True)
class Report:
    """What was written.

    Args:
        version: of the world; the same version, people and seed give the same bytes.
        records: rows with a record key; repeated lines count once.
        events: rows about something that a person did.
        lines: rows that a reader receives, repeated lines as often as they are there.
    """

    version: str
    people: int
    seed: int
    planted: bool
    records: int
    events: int
    size_bytes: int
    lines: int


def simulate(
    people: int, seed: int, out: Path, progress: Progress = silent, *, planted: bool = True
) -> Report:
    """Write what a company would export under `out/data`, and the truth under `out/truth`.

    Memory does not grow with `people`: 1,000 of them are made at a time.

    Args:
        people: 1,000 to 100,000.
        seed: 0 or more.
        out: a folder; a world simulated there before is replaced.
        planted: False makes the control, a world of the same activity and popularity in which
            no persona is planted.

    Raises:
        InputError: too few or too many people, or a negative seed.
        Conflict: `out/data` or `out/truth` holds something that was not simulated.
        Unavailable: the disk refuses.
    """
    if not FEWEST <= people <= MOST or seed < 0:
        raise InputError(
            f"Expected {FEWEST:,} to {MOST:,} people and a seed of 0 or more, "
            f"received {people:,} and {seed}.",
            hint="Smaller worlds have too few holders of the rare persona to say anything.",
        )
    with on_disk(out):
        _refuse_foreign(out)
        draft = out / ".simulating"
        shutil.rmtree(draft, ignore_errors=True)
        try:
            report = _write(Plan(people, seed, planted), draft, progress)
            for name in ("data", "truth"):
                shutil.rmtree(out / name, ignore_errors=True)
                (draft / name).rename(out / name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return report


def _refuse_foreign(out: Path) -> None:
    taken = [name for name in ("data", "truth") if (out / name).exists()]
    if taken and not (out / "truth" / "world.json").exists():
        raise Conflict(
            f"{out / taken[0]} is there already and is no simulated world.",
            hint="Choose another folder with --out.",
        )


@dataclass(frozen=True)
class Plan:
    """Which world is made."""

    people: int
    seed: int
    planted: bool


def _write(plan: Plan, folder: Path, progress: Progress) -> Report:
    data, truth_folder = folder / "data", folder / "truth"
    truth_folder.mkdir(parents=True)
    for name in _FOLDERS:
        (data / name).mkdir(parents=True)
    (data / "personagraph.yaml").write_text(MAPPING, encoding="utf-8")
    catalogue = make_catalogue(plan.seed)
    files = segment.SegmentFiles(data)
    try:
        with (
            Truth(truth_folder) as truth,
            Tables(data, catalogue, truth) as tables,
            progress.task("Simulating people", plan.people) as task,
        ):
            writer = _Writer(plan, catalogue, files, tables, truth)
            for start in range(0, plan.people, CHUNK):
                count = min(CHUNK, plan.people - start)
                writer.chunk(start, count)
                task.advance(count)
            truth.finish()
    finally:
        files.close()
    size = sum(file.stat().st_size for file in data.rglob("*") if file.is_file())
    report = Report(
        world.WORLD_VERSION, plan.people, plan.seed, plan.planted,
        truth.record_count, truth.event_count, size, truth.line_count,
    )  # fmt: skip
    # The bytes of a version stay: it was written before lines were counted.
    written = {name: value for name, value in asdict(report).items() if name != "lines"}
    (truth_folder / "world.json").write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2))
    _date_files(folder)
    return report


def _date_files(folder: Path) -> None:
    """Every file was last written when the world ended."""
    for file in folder.rglob("*"):
        if file.is_file():
            os.utime(file, (world.END_MS / 1000, world.END_MS / 1000))


class _Writer:
    """Writes chunks one after the other; keeps only counters between them."""

    def __init__(
        self,
        plan: Plan,
        catalogue: Catalogue,
        files: segment.SegmentFiles,
        tables: Tables,
        truth: Truth,
    ) -> None:
        self._plan, self._catalogue, self._files = plan, catalogue, files
        self._tables, self._truth = tables, truth
        self._intents = 0

    def chunk(self, start: int, count: int) -> None:
        """Make and write people `start` to `start + count` and all they did."""
        rng = np.random.default_rng([self._plan.seed, start // CHUNK])
        people = make_people(rng, start, count)
        own = behaviour.make_intents(rng, people, planted=self._plan.planted)
        intents = behaviour.joined([own, *self._campaigns(rng, people), *_troubles(rng, people)])
        events = behaviour.make_events(rng, intents, self._catalogue)
        lines, basket = behaviour.order_lines(rng, intents, events, self._catalogue)
        visits = devices.make_visits(rng, people, intents)
        self._tables.contacts(rng, people)
        self._tables.consents(rng, people)
        deeds = Deeds(people, intents, events, self._intents)
        self._tables.tickets(rng, deeds)
        self._tables.answers(rng, deeds)
        web = visits.of[basket] >= 0
        self._tables.order_lines(rng, Deeds(people, intents, lines, self._intents), basket, web)
        elsewhere = [behaviour.CODE[code] for code in ("ticket", "answer")]
        sent = events.take(np.flatnonzero(~np.isin(events.code, elsewhere)))
        messages = segment.make_messages(people, intents, sent, visits)
        chunk = segment.Chunk(people, intents, visits, messages, self._catalogue, self._intents)
        segment.write_messages(rng, self._files, chunk, self._truth)
        self._truth.people(people)
        self._intents += len(intents)

    def _campaigns(self, rng: np.random.Generator, people: People) -> list[behaviour.Intents]:
        responses = []
        for number in range(len(world.CAMPAIGNS)):
            sent = _sent(rng, people, number)
            intents, responds = behaviour.make_responses(rng, people, number, sent)
            self._tables.members(rng, number, people, sent)
            self._truth.campaign(number, people, sent, responds)
            responses.append(intents)
        return responses


def _sent(rng: np.random.Generator, people: People, number: int) -> tuple[Ints, Flags]:
    """Who is in a campaign (places), and whether in the treated arm."""
    facts = world.CAMPAIGNS[number]
    at = world.START_MS + facts.sent_day * world.DAY_MS
    present = people.in_crm & (people.joined_ms < at)
    present &= people.left_ms > at + (world.RESPONSE_DAYS + 1) * world.DAY_MS
    who = np.flatnonzero(present & (rng.random(len(people)) < facts.eligible_share))
    return who, rng.random(who.size) < facts.treated_share


def _troubles(rng: np.random.Generator, people: People) -> list[behaviour.Intents]:
    """Tickets nobody solves, late deliveries, and the tickets that half of those lead to."""
    names = [cause.name for cause in world.CHURN_CAUSES]
    unsolved = people.trouble_cause == names.index("unresolved_ticket")
    who, when = people.trouble_person, people.trouble_ms
    topics = rng.integers(0, len(world.CATEGORIES), int(unsolved.sum()))
    asked = behaviour.server_intents(who[unsolved], "ask", "Delivery", when[unsolved])
    asked.topic = topics
    late_who, late_when = who[~unsolved], when[~unsolved]
    complains = rng.random(late_who.size) < 0.5
    return [
        asked,
        behaviour.server_intents(late_who, "wait", "Delivery", late_when),
        behaviour.server_intents(
            late_who[complains], "ask", "Delivery", late_when[complains] + 5 * 3_600_000
        ),
    ]
