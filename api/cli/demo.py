"""`personagraph demo` and `simulate`: a made-up company, and what is found in it."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.rule import Rule

from api import views
from api.cli.console import TerminalProgress, escape, print_json, stderr, stdout
from api.cli.personas import nothing_found, show_all, show_claim
from api.cli.run import show_records
from kg.settings import read_settings
from kg.words import command, some


def simulate(people: int, seed: int, out: Path, as_json: bool) -> None:
    """Write the company's exports and, apart from them, the truth."""
    from ingestion.simulate import simulate as write

    report = write(people, seed, out, TerminalProgress())
    if as_json:
        folders = {name: str(out / name) for name in ("data", "truth")}
        print_json(asdict(report) | folders)
        return
    stderr().print(
        f"{some(report.people, 'person')} and {some(report.lines, 'record')} of world "
        f"{report.version} (seed {seed}) written to {escape(str(out / 'data'))}; "
        f"the truth about them lies in {escape(str(out / 'truth'))}"
    )


def demo(people: int, seed: int, workspace: str) -> None:
    """Simulate, run, and read what came out with the reader."""
    from api.pipeline import Job, run
    from ingestion.simulate import simulate as write
    from kg.lake import Lake

    started = time.monotonic()
    settings, progress, console = read_settings(), TerminalProgress(), stdout()
    folder = settings.home / f"demo-{people}-{seed}"
    write(people, seed, folder, progress)
    job = Job(folder / "data", settings.workspace_path(workspace), seed=seed)
    run(settings, job, progress)
    with Lake.open(job.workspace) as lake:
        _heading(console, "What came in")
        show_records(console, lake)
        _heading(console, "Who they are")
        found = views.personas(lake)
        if not found:
            console.print(escape(nothing_found(lake.summary("personas"))), soft_wrap=True)
        show_all(console, found)
        _one_claim(console, lake, found)
        _heading(console, "What was planted, what was recovered and what was missed")
        _recovered(console, lake, folder / "truth")
    console.print(
        f"\n[dim]{time.monotonic() - started:.0f} s. Go on: "
        f"{escape(command(workspace, 'personas show ID'))} · "
        f"{escape(command(workspace, 'verify'))}[/]",
        soft_wrap=True,
    )


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Rule(f"[bold]{text}[/]", align="left", characters="-"))


def _one_claim(console: Console, lake: Any, found: list[dict[str, Any]]) -> None:
    """Follow a claim down to a single person's intent, and its Cypher.

    Of those whose path is longest, the most surprising: the largest distance from the others.
    """
    candidates = [c for p in found for c in views.claims(lake, p["persona_id"]) if c["evidence"]]
    if not candidates:
        return

    def surprise(claim: dict[str, Any]) -> tuple[int, float]:
        distance = claim["value"] - (claim["reference_value"] or claim["value"])
        return len(claim["evidence"][0]), abs(distance)

    claim = max(candidates, key=surprise)
    name = next(p["name"] for p in found if p["persona_id"] == claim["persona_id"])
    _heading(console, "One claim, followed down")
    show_claim(console, name, claim)


def _recovered(console: Console, lake: Any, truth: Path) -> None:
    from ingestion.simulate.score import recovered

    console.print(
        "Here a true person counts once; above, everybody that the run made of the records, so "
        "that somebody whose records could not be brought together counts several times.",
        soft_wrap=True,
    )
    for line in recovered(lake, truth).lines():
        console.print(escape(line), soft_wrap=True)
