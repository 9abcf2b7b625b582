"""`personagraph export`: one table of the contract into one file."""

from pathlib import Path

from api.cli.console import escape, print_json, stderr
from kg.settings import read_settings
from kg.words import some


def export(name: str, out: Path, workspace: str, as_json: bool) -> None:
    """Write the table and say how many rows it has."""
    from kg.exports import write_export
    from kg.lake import Lake

    lake = Lake.open(read_settings().workspace_path(workspace))
    rows = write_export(lake, name, out)
    if as_json:
        print_json({"name": name, "rows": rows, "out": str(out)})
        return
    stderr().print(f"{some(rows, 'row')} of {name} written to {escape(str(out))}")
