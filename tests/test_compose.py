"""docker-compose.yml, checked without Docker: its shape, its addresses, and Neo4j's settings."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from kg.settings import Settings
from tests.neo4j.server import Options, write_conf

ROOT = Path(__file__).parents[1]

TEXTS = {"type": "array", "items": {"type": "string"}}
# What of the Compose specification we use; a word that is not here is a slip, or belongs here.
SERVICE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "oneOf": [{"required": ["image"]}, {"required": ["build"]}],
    "properties": {
        "image": {"type": "string", "pattern": r"^[a-z0-9./-]+:[\w.-]+$"},
        "build": {"type": "string"},
        "command": TEXTS,
        "ports": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "environment": {
            "type": "object",
            "patternProperties": {r"^\w+$": {"type": "string"}},
            "additionalProperties": False,
        },
        "volumes": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "profiles": TEXTS,
        "ipc": {"type": "string"},
        "network_mode": {"type": "string"},
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["condition"],
                "properties": {
                    "condition": {
                        "enum": [
                            "service_started",
                            "service_healthy",
                            "service_completed_successfully",
                        ]
                    }
                },
                "additionalProperties": False,
            },
        },
        "healthcheck": {
            "type": "object",
            "required": ["test"],
            "additionalProperties": False,
            "properties": {
                "test": {"type": "array", "prefixItems": [{"enum": ["CMD", "CMD-SHELL"]}]},
                "retries": {"type": "integer"},
                **{
                    name: {"type": "string", "pattern": r"^\d+(s|m)$"}
                    for name in ("interval", "timeout", "start_period")
                },
            },
        },
        "deploy": {
            "type": "object",
            "required": ["resources"],
            "additionalProperties": False,
            "properties": {
                "resources": {
                    "type": "object",
                    "required": ["reservations"],
                    "additionalProperties": False,
                    "properties": {
                        "reservations": {
                            "type": "object",
                            "required": ["devices"],
                            "additionalProperties": False,
                            "properties": {
                                "devices": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["capabilities"],
                                        "additionalProperties": False,
                                        "properties": {
                                            "driver": {"type": "string"},
                                            "count": {"type": "integer"},
                                            "capabilities": TEXTS,
                                        },
                                    },
                                }
                            },
                        }
                    },
                }
            },
        },
    },
}
COMPOSE = {
    "type": "object",
    "required": ["services"],
    "additionalProperties": False,
    "properties": {
        "services": {
            "type": "object",
            "patternProperties": {"^[a-z0-9._-]+$": SERVICE},
            "additionalProperties": False,
        },
        "volumes": {"type": "object", "additionalProperties": {"type": "object"}},
    },
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
    return loaded


def test_it_has_the_shape_that_compose_reads(compose: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(COMPOSE).validate(compose)


def test_everything_listens_on_loopback_only(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")
    assert compose["services"]["app"]["network_mode"] == "host"
    assert compose["services"]["app"]["command"][0] == "serve"  # which binds to loopback


def test_no_password_has_a_default(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or "AUTH" in name:
                assert "${NEO4J_PASSWORD:?" in value


def test_volumes_and_services_that_are_named_exist(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        named = {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert {name for name in named if not name.startswith(".")} <= compose["volumes"].keys()
        assert service.get("depends_on", {}).keys() <= compose["services"].keys()
    assert compose["services"]["llm"]["profiles"] == ["llm"]


def test_the_app_waits_for_a_first_run(compose: dict[str, Any]) -> None:
    assert compose["services"]["app"]["profiles"] == ["serve"]
    assert "profiles" not in compose["services"]["neo4j"]


def test_the_app_is_told_settings_that_exist(compose: dict[str, Any]) -> None:
    known = {f"PERSONAGRAPH_{name.upper()}" for name in Settings.model_fields}
    told = compose["services"]["app"]["environment"].keys()
    assert told <= known
    assert {name for name in known if "_LLM_" in name} <= told


def neo4j_settings(environment: dict[str, str]) -> dict[str, str]:
    """As the image decodes them: `__` is an underscore, `_` a dot."""
    names = [name for name in environment if re.match("NEO4J_(server|db|dbms)_", name)]
    return {
        re.sub("__?", lambda m: "_" if len(m[0]) == 2 else ".", name.removeprefix("NEO4J_")): (
            environment[name]
        )
        for name in names
    }


def test_neo4j_has_the_settings_of_the_one_that_is_tested(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    write_conf(tmp_path, tmp_path, 7687, Options())
    lines = (tmp_path / "conf" / "neo4j.conf").read_text().splitlines()
    tested = dict(line.split("=", 1) for line in lines)
    shipped = neo4j_settings(compose["services"]["neo4j"]["environment"])
    of_the_machine = re.compile(
        r"memory\.(heap|pagecache)|directories|transaction\.(total|timeout)"
    )
    compared = {name for name in shipped if not of_the_machine.search(name)}
    assert {name: shipped[name] for name in compared} == {name: tested[name] for name in compared}
    assert "server.directories.import" in shipped
    line = compose["services"]["neo4j"]["image"].split(":")[1].rsplit(".", 1)[0]
    assert f"<neo4j>{line}." in (ROOT / "tests" / "neo4j" / "pom.xml").read_text()


def test_the_image_copies_what_exists_and_sends_nothing_else() -> None:
    copied = [
        word
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    assert {f"!{name}" for name in copied} == {name for name in ignored if name.startswith("!")}
    for name in copied:
        assert (ROOT / name).exists(), name
