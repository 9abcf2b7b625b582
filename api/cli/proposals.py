"""A folder that nobody has described: propose a mapping, show it, and ask before it is used."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.console import TerminalProgress, escape, print_json, stderr, stdout
from kg.errors import Conflict, InputError, NotAllowed
from kg.words import some

if TYPE_CHECKING:
    from ingestion.propose import Proposal

NAME = "personagraph.yaml"


def propose(data: str, out: Path | None, as_json: bool) -> None:
    """Show a proposal for DATA, or write it to a file that is not there yet."""
    from ingestion.places import opened
    from ingestion.propose import propose as look

    if out is not None and out.exists():
        raise Conflict(f"There is already a file {str(out)!r}.", hint="Name another, or move it.")
    progress = TerminalProgress()
    with opened(data, whole=True, progress=progress) as folder:
        proposal = look(folder, progress=progress)
    if out is not None:
        _write(proposal, out)
    if as_json:
        written = str(out) if out is not None else None
        doubts = list(proposal.doubts)
        print_json({"mapping": proposal.text, "doubts": doubts, "out": written})
        return
    if out is None:
        sys.stdout.write(proposal.text)
    else:
        stdout().print(f"written to {escape(str(out))}", soft_wrap=True)
    _say_doubts(proposal)


def described(data: str, folder: Path, workspace: Path, yes: bool) -> Path | None:
    """The mapping to read DATA with; None: it is beside the data, shipped or not needed.

    Args:
        data: what the command line names.
        folder: the same as a folder of files (`ingestion.places`).
        workspace: what the data are read into.
        yes: whether a proposal is taken unseen.

    Raises:
        InputError: there is none, and nobody is there to be asked.
        NotAllowed: the person who was asked said no.
    """
    from ingestion.places import name_of
    from ingestion.propose import is_needed
    from ingestion.propose import propose as look

    if not is_needed(folder):
        return None
    name = name_of(data)
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise undescribed(data, folder, " `--yes` reads the files as it would be proposed.")
    proposal = look(folder, progress=TerminalProgress())
    if all(table.kind == "ignore" for table in proposal.mapping.tables.values()):
        raise InputError(
            f"No file of {name!r} seems to say what people did, or who they are.",
            hint=f"`personagraph source propose {_shown(data)}` says what was seen in each.",
        )
    out = _place(data, workspace)
    if not yes:
        sys.stdout.write(proposal.text)
        _say_doubts(proposal)
        _ask(data, out)
    _write(proposal, out)
    note = stderr()
    note.print(f"[dim]the proposed mapping is in {escape(str(out))}[/]", soft_wrap=True)
    if yes:
        _say_doubts(proposal)
    return out


def undescribed(data: str, folder: Path, more: str = "") -> InputError:
    """The refusal of data of which nothing says how all of it is read; `more`: what else helps."""
    from ingestion.detect import nearly
    from ingestion.places import name_of

    return InputError(
        f"Nothing says how to read {name_of(data)!r}: there is no {NAME} in it.",
        hint=f"`personagraph source propose {_shown(data)}` proposes one to correct.{more}"
        + nearly(folder),
    )


def kept(data: str, workspace: Path) -> Path | None:
    """The mapping that an earlier run proposed for data beside which none can lie."""
    place = _place(data, workspace)
    return place if place.name != NAME and os.path.isfile(place) else None


def _shown(data: str) -> str:
    """Data as it may be repeated: an address may hold a password."""
    return "DATA" if "://" in data else data


def _place(data: str, workspace: Path) -> Path:
    """Beside the data, so that it is found and corrected there; else beside the workspace."""
    from ingestion.places import is_container, name_of

    folder = Path(data)
    if os.path.isdir(folder) and not is_container(folder) and os.access(folder, os.W_OK):
        return folder / NAME
    return workspace.with_name(f"{workspace.name}.{name_of(data)}.{NAME}")


def _ask(data: str, out: Path) -> None:
    import typer

    if not typer.confirm(f"Write this to {out} and read the files so?", default=False):
        raise NotAllowed(
            "Nothing was read.",
            hint=f"`personagraph source propose {_shown(data)} --out {out}` writes the "
            "proposal; correct it and run again.",
        )


def _write(proposal: "Proposal", out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(proposal.text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"The proposal cannot be written to {str(out)!r}: {error.strerror}.",
            hint="Name a file that may be written with `source propose --out`.",
        ) from error


def _say_doubts(proposal: "Proposal") -> None:
    console = stderr()
    console.print(f"[bold]{some(len(proposal.doubts), 'thing')} to look at[/] (marked CHECK):")
    for doubt in proposal.doubts:
        console.print(f"  • {escape(doubt)}", soft_wrap=True)
