"""`personagraph run`: the main job, and what it did."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from api import views
from api.cli.console import TerminalProgress, escape, print_json, stdout
from api.cli.notes import notes
from api.cli.personas import nothing_found, show_all, show_proposal
from api.cli.proposals import described, kept
from kg.settings import read_settings
from kg.words import WARNING

if TYPE_CHECKING:
    from api.pipeline import RunReport
    from gnn.crew import Crew
    from ingestion.report import Report


@dataclass(frozen=True)
class Request:
    """What the command line asks for.

    Attributes:
        yes: a mapping that is proposed is taken unseen.
        search: for personas anew.
    """

    data: str
    workspace: str
    mapping: Path | None
    seed: int
    yes: bool
    search: bool


def run(asked: Request, as_json: bool) -> None:
    """Run the main job and show where the records went, who they are, and the personas.

    Of the processes that torchrun started the first does so; the others help it train.

    Raises:
        PartlyRead: some files could not be read; said once all is done and shown.
    """
    from gnn.crew import assembled

    with assembled() as crew:
        if crew.rank != 0:
            from gnn.training import help_out

            help_out(crew)
            return
        report = _run(asked, as_json, crew)
    report.refuse_unread("Mend them, or take them out of the folder, and run again.")


def _run(asked: Request, as_json: bool, crew: "Crew") -> "Report":
    from api.pipeline import Job
    from api.pipeline import run as main_job
    from ingestion.places import opened
    from ingestion.report import Report

    settings = read_settings()
    workspace = settings.workspace_path(asked.workspace)
    progress = TerminalProgress()
    mapping = asked.mapping or kept(asked.data, workspace)
    with opened(asked.data, mapping, progress=progress) as folder:
        mapping = mapping or described(asked.data, folder, workspace, asked.yes)
        job = Job(folder, workspace, mapping, asked.seed, asked.search)
        report = main_job(settings, job, progress, crew)
    (_print_json if as_json else _show)(report, job.workspace)
    return Report.from_dict(report.summary("ingest")["report"])


def _print_json(report: "RunReport", workspace: Path) -> None:
    from kg.lake import Lake

    with Lake.open(workspace) as lake:
        said = told(lake, report.summary("ingest"))
        warned = [line for line in said if line.startswith(WARNING)]
    print_json(
        {
            "personas": report.door,
            "warnings": [line.removeprefix(WARNING) for line in warned],
            "mapping": report.mapping,
            "steps": [asdict(step) for step in report.steps],
        }
    )


def _show(report: "RunReport", workspace: Path) -> None:
    from kg.lake import Lake

    console = stdout()
    console.print(f"[bold]{escape(report.door)}[/]", soft_wrap=True)
    with Lake.open(workspace) as lake:
        show_records(console, lake, report.summary("ingest"))
        found = views.personas(lake)
        console.print()
        if not found:
            console.print(escape(nothing_found(lake.summary("personas"))), soft_wrap=True)
        show_all(console, found)
        show_proposal(console, lake)
    done = "nothing new" if all(step.skipped for step in report.steps) else "done"
    console.print(f"[dim]{done} in {_seconds():.1f} s; mapping: {escape(report.mapping)}[/]")


def _seconds() -> float:
    """How long whoever called has waited: since this process began, its imports among it."""
    import psutil  # type: ignore[import-untyped]

    return time.time() - float(psutil.Process().create_time())


def show_records(console: Console, lake: Any, read: dict[str, Any] | None = None) -> None:
    """How many records came in, where each went, and how many people they turned out to be."""
    columns = ("received", "accepted", "duplicate", "quarantined", "consent_blocked")
    rows = views.reconciliation(lake)
    table = Table("source")
    for name in columns:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(escape(row["source"]), *(f"{row[name]:,}" for name in columns))
    totals = {name: sum(row[name] for row in rows) for name in columns}
    table.add_section()
    table.add_row("all", *(f"{totals[name]:,}" for name in columns), style="bold")
    console.print(table)
    for line in told(lake, read):
        style = "bold yellow" if line.startswith(WARNING) else None
        console.print(escape(line), soft_wrap=True, style=style)


def told(lake: Any, read: dict[str, Any] | None = None) -> list[str]:
    """What the steps have to say, warnings among it; `read` as of `notes`."""
    return [*read_in_vain(lake), *notes(lake, read)]


def read_in_vain(lake: Any) -> Iterator[str]:
    """The tables of which no topic can come, or that one value fills; that they were read well
    would hide it."""
    from ingestion.counting import ABOUT_NOTHING, ONE_VALUE

    for dataset in lake.summary("ingest")["report"]["datasets"]:
        for warning in dataset["warnings"]:
            if warning == ABOUT_NOTHING or f": {ONE_VALUE} " in warning:
                yield f"{WARNING}{dataset['name']}: {warning}."
