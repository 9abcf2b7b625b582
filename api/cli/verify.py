"""`personagraph verify`: every claim, path, figure and sentence, run again."""

import sys
from dataclasses import asdict

from api.cli.console import TerminalProgress, escape, print_json, stderr, stdout
from kg.settings import read_settings
from kg.words import some


def verify(workspace: str, as_json: bool) -> None:
    """Re-execute everything; exit 1 when anything does not hold."""
    from api.graph import current_graph
    from kg.lake import Lake
    from kg.personas.proof import MADE_ANEW
    from kg.personas.verify import verify as check

    settings = read_settings()
    path = settings.workspace_path(workspace)
    with Lake.open(path) as lake, current_graph(settings, path) as store:
        report = check(lake, store, TerminalProgress())
    if as_json:
        print_json(asdict(report) | {"ok": report.ok})
    else:
        console = stdout()
        for problem in report.problems:
            console.print(
                f"[red]✗[/] {problem.what} {escape(problem.where)}: {escape(problem.why)}",
                soft_wrap=True,
            )
        counted = (
            f"{some(report.claims, 'claim')}, {some(report.paths, 'evidence path')}, "
            f"{some(report.sentences, 'sentence')}, {some(report.lines, 'line')} on intents"
        )
        console.print(
            f"[green]✓[/] {counted}: all hold"
            if report.ok
            else f"[red]✗[/] {counted}: {some(len(report.problems), 'problem')}"
        )
    if not report.ok:
        stderr().print(f"[dim]hint: {escape(MADE_ANEW)}[/]", soft_wrap=True)
        sys.exit(1)
