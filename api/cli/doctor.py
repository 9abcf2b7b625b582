"""`personagraph doctor`: what is installed and reachable, and what to do about what is not."""

import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from api.cli.console import escape, print_json, stdout
from kg.errors import NotFound, PersonagraphError
from kg.settings import read_settings
from kg.words import command

if TYPE_CHECKING:
    from kg.store.tables import Watermark

OUR_PACKAGES = (
    "arcadedb",
    "neo4j",
    "graphdatascience",
    "duckdb",
    "deltalake",
    "ibis-framework",
    "spacy",
    "torch",
    "torch-geometric",
    "sentence-transformers",
    "fastapi",
    "pydantic",
)


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `ok`, `missing` (works without) or `broken` (does not)."""

    what: str
    state: str
    fact: str
    advice: str = ""


def doctor(workspace: str, as_json: bool) -> None:
    """Look at everything; exit 1 when something is broken."""
    findings = [
        f
        for look in (_python, _packages, _graph, _personas, _spark, _model, _disk)
        for f in look(workspace)
    ]
    if as_json:
        print_json([asdict(f) for f in findings])
    else:
        marks = {"ok": "[green]✓[/]", "missing": "[yellow]-[/]", "broken": "[red]✗[/]"}
        for f in findings:
            stdout().print(f"{marks[f.state]} {f.what}: {escape(f.fact)}")
            if f.advice:
                stdout().print(f"    {escape(f.advice)}")
    if any(f.state == "broken" for f in findings):
        sys.exit(1)


def _python(workspace: str) -> Iterator[Finding]:
    del workspace
    yield Finding("Python", "ok", f"{platform.python_version()} on {platform.machine()}")


def _packages(workspace: str) -> Iterator[Finding]:
    del workspace
    found = []
    for name in OUR_PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "broken", "not installed", "run `make install` again")
    yield Finding("packages", "ok", ", ".join(found))
    from gnn.device import describe

    fact, has_gpu = describe()
    advice = "" if has_gpu else "everything runs on the CPU; a CUDA device is used when present"
    yield Finding("GPU", "ok" if has_gpu else "missing", fact, advice)


def _graph(workspace: str) -> Iterator[Finding]:
    from kg.lake import Workspace
    from kg.store import open_store

    settings = read_settings()
    path = settings.workspace_path(workspace)
    where = settings.neo4j_uri if settings.store == "neo4j" else str(path)
    if settings.store == "embedded" and not path.exists():
        yield Finding(
            "graph",
            "missing",
            f"embedded; no workspace {workspace} yet",
            command(workspace, "run DATA"),
        )
        return
    try:
        if path.exists():  # of a newer version nothing is known, whatever its graph answers
            Workspace.open(path)
        with open_store(settings, path, write=False) as store:
            store.run("RETURN 1 AS one", {})
            state, told = _loaded(store.watermark())
        advice = "" if state == "ok" else command(workspace, "run DATA")
        yield Finding("graph", state, f"{settings.store} at {where}, {told}", advice)
    except NotFound as error:
        yield Finding("graph", "missing", error.message, error.hint or "")
    except PersonagraphError as error:
        yield Finding("graph", "broken", error.message, error.hint or "")


def _loaded(mark: "Watermark | None") -> tuple[str, str]:
    """Whether a graph has all it should, and in words."""
    if mark is None or mark.graph is None:
        return "missing", "nothing loaded"
    if mark.claims is None:
        return "missing", "graph loaded, claims missing"
    return "ok", "graph and claims loaded"


def _personas(workspace: str) -> Iterator[Finding]:
    from api.cli.personas import proposal
    from kg.lake import Lake

    try:
        with Lake.open(read_settings().workspace_path(workspace)) as lake:
            summary, told = lake.summary("personas"), proposal(lake)
    except PersonagraphError:
        return  # what is wrong with the workspace, the graph says already
    if not summary:
        return
    hint = f"{command(workspace, 'run DATA')} --search" if told else ""
    yield Finding("personas", "missing" if told else "ok", told or summary["result"], hint)


def _spark(workspace: str) -> Iterator[Finding]:
    del workspace
    master = read_settings().spark_master
    if not master:
        yield Finding("Spark", "missing", "not used; people are compared in this process")
        return
    from kg.lake.spark import has_java

    try:
        fact = f"pyspark {importlib.metadata.version('pyspark')} for {master}"
    except importlib.metadata.PackageNotFoundError:
        yield Finding("Spark", "broken", "not installed", 'pip install "personagraph[spark]"')
        return
    if has_java():
        yield Finding("Spark", "ok", fact)
    else:
        advice = "install one (Debian: apt-get install openjdk-17-jdk-headless)"
        yield Finding("Spark", "broken", f"{fact}, without a JDK", advice)


def _model(workspace: str) -> Iterator[Finding]:
    del workspace
    settings = read_settings()
    if not settings.llm_url:
        yield Finding(
            "language model",
            "missing",
            "none configured; a template words the personas",
            "set PERSONAGRAPH_LLM_URL to an OpenAI-compatible server (vLLM)",
        )
        return
    import httpx

    try:
        answer = httpx.get(f"{settings.llm_url.rstrip('/')}/models", timeout=5)
        answer.raise_for_status()
        names = ", ".join(model["id"] for model in answer.json()["data"])
        yield Finding("language model", "ok", f"{settings.llm_url} serves {names}")
    except (httpx.HTTPError, KeyError, ValueError) as error:
        yield Finding(
            "language model",
            "broken",
            f"{settings.llm_url} does not answer as expected ({type(error).__name__})",
            "start the server, or unset PERSONAGRAPH_LLM_URL",
        )


def _disk(workspace: str) -> Iterator[Finding]:
    path = read_settings().workspace_path(workspace)
    existing = next(p for p in (path, *path.absolute().parents) if p.exists())
    free_gib = shutil.disk_usage(existing).free / 2**30
    state = "ok" if free_gib > 2 else "missing"  # small data need less; a full disk is an error
    advice = "" if state == "ok" else "a run of a million events needs about 2 GiB: make room"
    yield Finding("disk", state, f"{free_gib:.1f} GiB free for workspaces", advice)
