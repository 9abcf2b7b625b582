"""The command line: what each command is called; what it does lies in the modules beside it.

Importing this module must stay cheap (0.5 s), so commands import what they need when called.
"""

import sys
import traceback
import warnings
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from api.cli.console import escape, prepare_streams, stderr
from api.cli.ending import CUT_SHORT, INTERRUPTED, Ending, ending
from kg.exports import COMPUTED
from kg.store.stderr import keep_apart
from kg.written import storable

app = typer.Typer(
    name="personagraph",
    help="Customer records in, personas out: every claim of which can be re-run.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
source = typer.Typer(help="What is read, and how.", no_args_is_help=True)
personas = typer.Typer(help="The personas of a workspace.", no_args_is_help=True)
app.add_typer(source, name="source")
app.add_typer(personas, name="personas")
identity = typer.Typer(help="Who is one person, why, and who says otherwise.", no_args_is_help=True)
app.add_typer(identity, name="identity")

Workspace = Annotated[
    str, typer.Option("--workspace", "-w", help="Its name, or the path of its folder.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of prose.")]
Data = Annotated[
    str,
    typer.Argument(
        help="Folder with the files to read, a workbook or SQLite file, or an address: "
        "postgresql://…, s3://…, gs://…, az://…, https://…"
    ),
]
Mapping = Annotated[
    Path | None,
    typer.Option("--mapping", "-m", help="How to read them; default: beside the data, or shipped."),
]
Seed = Annotated[
    int, typer.Option(min=0, max=2**31 - 1, help="Seed of everything random, 0 or more.")
]


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"personagraph {version('personagraph')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which it is.")
    ] = False,
    debug: Annotated[bool, typer.Option(help="Show the whole trace of an error.")] = False,
) -> None:
    """Customer records in, personas out: every claim of which can be re-run."""
    del version  # said already
    _state["debug"] = debug
    if not debug:
        keep_apart()


_state: dict[str, Any] = {"debug": False}


@app.command()
def demo(
    people: Annotated[int, typer.Option(help="People in the made-up company.")] = 2000,
    seed: Seed = 1,
    workspace: Workspace = "demo",
) -> None:
    """Make a small company up, run the main job on it and read what came out."""
    from api.cli.demo import demo as command

    command(people, seed, workspace)


@app.command()
def simulate(
    out: Annotated[
        Path,
        typer.Option(help="Folder to write; data/ and truth/ appear in it.", callback=storable),
    ],
    people: Annotated[int, typer.Option(help="People, 1,000 to 100,000.")] = 2000,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """Write what a made-up company would export, with the truth in a folder of its own."""
    from api.cli.demo import simulate as command

    command(people, seed, out, as_json)


@app.command()
def run(
    data: Data,
    workspace: Workspace = "default",
    mapping: Mapping = None,
    seed: Seed = 0,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Where no mapping fits, take the proposed one.")
    ] = False,
    search: Annotated[
        bool,
        typer.Option("--search", help="Search for personas anew; else new records only update."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Read the files of DATA and find, update, state and check the personas in them."""
    from api.cli.run import Request
    from api.cli.run import run as command

    command(Request(data, workspace, mapping, seed, yes, search), as_json)


@source.command("list")
def source_list(as_json: Json = False) -> None:
    """The formats that are read, and the mappings that are shipped."""
    from api.cli.sources import list_formats as command

    command(as_json)


@source.command("check")
def source_check(data: Data, mapping: Mapping = None, as_json: Json = False) -> None:
    """Read DATA without writing anything and say what would happen to every record."""
    from api.cli.sources import check as command

    command(data, mapping, as_json)


@source.command("propose")
def source_propose(
    data: Annotated[str, typer.Argument(help="Folder with the files, one file, or an address.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; default: standard output.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look at DATA and propose a mapping: what was seen, why, and what is in doubt."""
    from api.cli.proposals import propose as command

    command(data, out, as_json)


@personas.command("list")
def personas_list(
    workspace: Workspace = "default",
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="A day or moment (2026-03-31, UTC): who held what then."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say why there are as many.")
    ] = False,
    as_json: Json = False,
) -> None:
    """All personas by families, a few lines each; as of a date, how many held each."""
    if as_of is not None:
        from api.cli.history import list_personas_at

        list_personas_at(workspace, as_of, as_json)
        return
    from api.cli.personas import list_personas as command

    command(workspace, verbose, as_json)


@personas.command("history")
def personas_history(
    persona: Annotated[
        str | None, typer.Argument(help="Id of a persona, or the start of its name; default: all.")
    ] = None,
    workspace: Workspace = "default",
    as_json: Json = False,
) -> None:
    """What each persona came from and became, run by run, and how common it was."""
    from api.cli.history import show_history as command

    command(persona, workspace, as_json)


@personas.command("constraints")
def personas_constraints(
    workspace: Workspace = "default",
    write: Annotated[
        bool, typer.Option("--write", help="Write the commented personas.yaml that asks nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What the business asks of personas here, where to change it, and what came of it."""
    from api.cli.constraints import constraints as command

    command(workspace, write, as_json)


@personas.command("compare")
def personas_compare(
    workspace: Workspace = "default",
    days: Annotated[
        int, typer.Option(min=1, max=3650, help="How long is recent, and how far goals lie ahead.")
    ] = 30,
    as_json: Json = False,
) -> None:
    """Found personas beside rule-based ones: coverage, overlap, stability, freshness, accuracy."""
    from api.cli.compare import compare as command

    command(workspace, days, as_json)


@personas.command("show")
def personas_show(
    persona: Annotated[str, typer.Argument(help="Id of a persona, or the start of its name.")],
    workspace: Workspace = "default",
    claim: Annotated[
        str | None, typer.Option(help="Id of a claim: only this, with its Cypher and arithmetic.")
    ] = None,
    as_json: Json = False,
) -> None:
    """One persona: its claims and their evidence, or one claim and how to recompute it."""
    from api.cli.personas import show_persona as command

    command(persona, workspace, claim, as_json)


@personas.command("intents")
def personas_intents(
    persona: Annotated[
        str | None,
        typer.Argument(help="Id of a persona, or the start of its name; none: all, in figures."),
    ] = None,
    workspace: Workspace = "default",
    as_json: Json = False,
) -> None:
    """How many intents events came to; of one persona: its types of intent, a line each."""
    from api.cli.intents import intents as command

    command(persona, workspace, as_json)


@personas.command("subgraph")
def personas_subgraph(
    persona: Annotated[str, typer.Argument(help="Id of a persona, or the start of its name.")],
    workspace: Workspace = "default",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="FILE.graphml, or a folder for Parquet.")
    ] = None,
    as_json: Json = False,
) -> None:
    """A persona's people, intents, items and edges: written to --out, or in figures."""
    from api.cli.subgraph import subgraph as command

    command(persona, workspace, out, as_json)


@personas.command("map")
def personas_map(
    out: Annotated[Path, typer.Option("--out", "-o", help="File: .svg or .html.")],
    workspace: Workspace = "default",
    as_json: Json = False,
) -> None:
    """A picture of all personas: what they are about, how large they are, who shares people."""
    from api.cli.subgraph import draw_map as command

    command(workspace, out, as_json)


@personas.command("why")
def personas_why(
    persona: Annotated[str, typer.Argument(help="Id of a persona, or the start of its name.")],
    person: Annotated[
        str, typer.Argument(help="A user id, or namespace:value as records name people.")
    ],
    workspace: Workspace = "default",
    as_json: Json = False,
) -> None:
    """Why a person holds a persona, and the smallest change that would end it."""
    from api.cli.why import why as command

    command(persona, person, workspace, as_json)


Name = Annotated[
    str,
    typer.Argument(
        help="A user id, namespace:value as records name people, or a record key.",
        callback=storable,
    ),
]
By = Annotated[
    str, typer.Option("--by", help="Who says so; kept with the verdict.", callback=storable)
]
Because = Annotated[
    str, typer.Option("--because", help="Why; kept with the verdict.", callback=storable)
]


@identity.command("explain")
def identity_explain(
    one: Name, other: Name, workspace: Workspace = "default", as_json: Json = False
) -> None:
    """Why two users or records are, or are not, taken for one person."""
    from api.cli.identity import explain as command

    command(one, other, workspace, as_json)


@identity.command("traits")
def identity_traits(name: Name, workspace: Workspace = "default", as_json: Json = False) -> None:
    """What holds of one person where records differ, which record and rule say so, and what else
    was said."""
    from api.cli.identity import traits as command

    command(name, workspace, as_json)


@identity.command("review")
def identity_review(
    workspace: Workspace = "default",
    rows: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most this many pairs.")] = 20,
    as_json: Json = False,
) -> None:
    """Pairs that nobody has decided, those on which most depends first."""
    from api.cli.identity import review as command

    command(workspace, rows, as_json)


@identity.command("merge")
def identity_merge(
    one: Name,
    other: Name,
    by: By,
    because: Because,
    workspace: Workspace = "default",
    as_json: Json = False,
) -> None:
    """Say that two are one person, and read what that overrides; the next run follows."""
    from api.cli.identity import merge as command

    command(one, other, workspace, by, because, as_json)


@identity.command("split")
def identity_split(
    record: Annotated[
        str, typer.Argument(help="Key of the record that is somebody else's.", callback=storable)
    ],
    by: By,
    because: Because,
    other: Annotated[
        str | None,
        typer.Argument(
            help="With it: two who wait, as `merge` takes them, are two people.", callback=storable
        ),
    ] = None,
    workspace: Workspace = "default",
) -> None:
    """Say that a record is about somebody else than its user, or that two are two people and stay
    two; the next run follows."""
    from api.cli.identity import split as command

    command(record, other, workspace, by, because)


@identity.command("undo")
def identity_undo(
    number: Annotated[int, typer.Argument(help="As `identity verdicts` shows it.")],
    by: By,
    because: Because,
    workspace: Workspace = "default",
) -> None:
    """Take a verdict back; rules and evidence hold again."""
    from api.cli.identity import undo as command

    command(number, workspace, by, because)


@identity.command("verdicts")
def identity_verdicts(workspace: Workspace = "default", as_json: Json = False) -> None:
    """What people have said of people, and still stands."""
    from api.cli.identity import list_verdicts as command

    command(workspace, as_json)


@identity.command("preview")
def identity_preview(
    rules: Annotated[
        Path | None, typer.Option(help="Another table of identifiers; default: the workspace's.")
    ] = None,
    workspace: Workspace = "default",
    as_json: Json = False,
) -> None:
    """Who would be merged and split under other rules; changes nothing."""
    from api.cli.identity import preview as command

    command(workspace, rules, as_json)


@identity.command("rules")
def identity_rules(workspace: Workspace = "default", as_json: Json = False) -> None:
    """How far each identifier is trusted here, and where to change it."""
    from api.cli.identity import rules as command

    command(workspace, as_json)


@app.command()
def verify(workspace: Workspace = "default", as_json: Json = False) -> None:
    """Run every claim again; exit non-zero when one does not hold."""
    from api.cli.verify import verify as command

    command(workspace, as_json)


@app.command()
def query(
    cypher: Annotated[str, typer.Argument(help="Read-only Cypher; '-' reads standard input.")],
    workspace: Workspace = "default",
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="NAME=JSON, as often as needed.")
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.1, help="The query is killed after this long.")
    ] = 15.0,
    memory: Annotated[int, typer.Option(min=256, help="... or above this many MiB.")] = 2048,
    rows: Annotated[int, typer.Option(min=1, help="At most this many rows are returned.")] = 1000,
    as_json: Json = False,
) -> None:
    """Ask the graph in Cypher, in a process that can be killed."""
    from api.cli.query import Limits
    from api.cli.query import query as command

    command(cypher, workspace, param or [], Limits(seconds, memory, rows), as_json)


@app.command()
def export(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(COMPUTED)}.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File: .parquet, .csv or .ndjson.")],
    workspace: Workspace = "default",
    as_json: Json = False,
) -> None:
    """Write one table of the workspace as Parquet, CSV or NDJSON.

    Texts are as the data has them, also those that a spreadsheet runs as formulas (=, +, -, @):
    import a CSV with its columns as text.

    Records, identities and judgements hold those of people who denied consent, too, by opaque ids:
    the denial must hold for all their records. Nothing else does.
    """
    from api.cli.export import export as command

    command(name, out, workspace, as_json)


@app.command()
def serve(
    workspace: Workspace = "default",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="On loopback only; 0: any free one.")
    ] = 8080,
) -> None:
    """Answer over REST on this machine."""
    from api.cli.serve import serve as command

    command(workspace, port)


@app.command()
def doctor(workspace: Workspace = "default", as_json: Json = False) -> None:
    """What is installed and reachable, and what to do about what is not."""
    from api.cli.doctor import doctor as command

    command(workspace, as_json)


def main() -> None:
    """Entry point: errors become one line with a hint and an exit code of their own."""
    warnings.simplefilter("ignore", FutureWarning)  # of libraries about each other
    prepare_streams()
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except Exception as error:  # noqa: BLE001 - the last door; --debug shows it whole
        _end(ending(error))
    if code == INTERRUPTED:
        _end(CUT_SHORT)
    sys.exit(code if isinstance(code, int) else 0)


def _end(told: Ending) -> NoReturn:
    if not told.message:
        sys.exit(told.code)
    if _state["debug"] and sys.exc_info()[0]:
        traceback.print_exc()
        sys.exit(told.code)
    console = stderr()
    console.print(f"[bold red]error:[/] {_one_line(told.message)}", soft_wrap=True)
    if told.hint:
        console.print(f"[bold]hint:[/] {_one_line(told.hint)}", soft_wrap=True)
    sys.exit(told.code)


def _one_line(text: str) -> str:
    return escape(" ".join(text.split()))


if __name__ == "__main__":
    main()
