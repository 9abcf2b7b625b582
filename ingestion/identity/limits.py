"""The table of limits: what each namespace of identifiers may decide (`limits.yaml`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from kg.errors import InputError
from kg.written import yaml_tree

Form = Literal["trim", "lower", "email", "phone"]


Rules = Mapping[str, Mapping[str, Any]]
"""Namespace -> what a workspace decides of it otherwise."""
RULES_FILE = "identity.yaml"
MOST_LIMIT = 1_000_000_000


@dataclass(frozen=True)
class Limit:
    """What one namespace may decide; the words are explained in `limits.yaml`."""

    trust: int
    unique: bool = False
    limit: int | None = None
    together: int | None = None
    most: int | None = None
    merges: bool = True
    personal: bool = False
    opaque: bool = False
    form: Form = "trim"


@dataclass(frozen=True)
class Junk:
    """Values that name nobody; `names` and `dates` as they are compared."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    dates: tuple[str, ...]
    patterns: tuple[str, ...]
    opaque_patterns: tuple[str, ...]
    phone_patterns: tuple[str, ...]
    placeholder_characters: str


@dataclass(frozen=True)
class Limits:
    """All limits: of the known namespaces, of every other one, and the values never used."""

    namespaces: Mapping[str, Limit]
    other: Limit
    junk: Junk
    role_mailboxes: frozenset[str] = field(default_factory=frozenset)
    phone_region: str | None = None

    def of(self, namespace: str) -> Limit:
        """The limit of a namespace, declared or not."""
        return self.namespaces.get(namespace, self.other)

    def declared(self, namespaces: Mapping[str, tuple[int, bool]]) -> "Limits":
        """These limits with what a mapping declares: namespace -> (trust, unique)."""
        changed = {
            name: replace(self.of(name), trust=trust, unique=unique)
            for name, (trust, unique) in namespaces.items()
        }
        return replace(self, namespaces={**self.namespaces, **changed})

    def edited(self, rules: Rules) -> "Limits":
        """These limits with what the workspace's own table says: namespace -> what changes."""
        changed = {name: replace(self.of(name), **row) for name, row in rules.items()}
        return replace(self, namespaces={**self.namespaces, **changed})

    def strength(self, namespace: str) -> tuple[bool, int]:
        """Sorts the strongest namespace first: unique ones, then by trust."""
        limit = self.of(namespace)
        return (not limit.unique, limit.trust)


@cache
def shipped() -> Limits:
    """The limits that come with the product."""
    from ruamel.yaml import YAML

    text = files("ingestion.identity").joinpath("limits.yaml").read_text(encoding="utf-8")
    tree: dict[str, Any] = YAML(typ="safe").load(text)
    junk = tree["junk"]
    return Limits(
        namespaces={name: Limit(**row) for name, row in tree["namespaces"].items()},
        other=Limit(**tree["other"]),
        junk=Junk(
            words=tuple(str(word).lower() for word in junk["words"]),
            names=tuple(junk["names"]),
            dates=tuple(junk["dates"]),
            patterns=tuple(junk["patterns"]),
            opaque_patterns=tuple(junk["opaque_patterns"]),
            phone_patterns=tuple(junk["phone_patterns"]),
            placeholder_characters=str(junk["placeholder_characters"]),
        ),
        role_mailboxes=frozenset(tree["role_mailboxes"]),
    )


_LIMITS = ("limit", "together", "most")
_KINDS: dict[str, tuple[type, ...]] = {
    "trust": (int,),
    "unique": (bool,),
    **dict.fromkeys(_LIMITS, (int, type(None))),
    "merges": (bool,),
    "personal": (bool,),
    "opaque": (bool,),
    "form": (str,),
}


def rules_tree(path: Path) -> dict[str, Any]:
    """The parts of a workspace's own file of rules; empty where there is none.

    Raises:
        InputError: it is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path.name} cannot be read: {error}.", hint="docs/identity.md shows one."
        ) from error
    tree = yaml_tree(text, path.name, "docs/identity.md shows one.")
    if not isinstance(tree, dict) or not tree or {*tree} - {"namespaces", "traits"}:
        raise InputError(
            f"{path.name}: expected `namespaces:`, `traits:` or both.",
            hint="docs/identity.md shows one.",
        )
    return tree


def read_rules(path: Path) -> Rules:
    """A workspace's own table of identifiers; empty where there is none.

    Raises:
        InputError: it is no such table; the message names what is wrong and where.
    """
    rows = rules_tree(path).get("namespaces", {})
    if not isinstance(rows, Mapping):
        raise InputError(
            f"{path.name}: expected `namespaces:` with one line for each.",
            hint="docs/identity.md shows one.",
        )
    for name, row in rows.items():
        _check(path.name, str(name), row)
    return {str(name): dict(row) for name, row in rows.items()}


def workspace_limits(lake: Any) -> Limits:
    """What each namespace may decide in a workspace: by the mapping that was read last and by its
    own table.

    Raises:
        InputError: its own table is none.
    """
    said = lake.summary("ingest")
    declared = {n: (row["trust"], row["unique"]) for n, row in said.get("namespaces", {}).items()}
    found = shipped().declared(declared).edited(read_rules(lake.workspace.path / RULES_FILE))
    return replace(found, phone_region=said.get("phone_region"))


def _check(file: str, name: str, row: Any) -> None:
    if name.startswith("#"):  # ours: pairs that evidence joins, records that name nobody
        raise InputError(f"{file}: {name} is no identifier of records.", hint="Leave it out.")
    if not isinstance(row, Mapping):
        raise InputError(f"{file}: {name} needs {{trust: …, unique: …, limit: …}}.")
    for key, value in row.items():
        if key not in _KINDS:
            raise InputError(
                f"{file}: {name} has no {key!r}.", hint=f"There are: {', '.join(_KINDS)}."
            )
        fits = isinstance(value, _KINDS[key]) and not (
            isinstance(value, bool) and bool not in _KINDS[key]
        )
        if key == "trust":
            fits = fits and 1 <= value <= 6
        if key in _LIMITS and value is not None:
            fits = fits and 0 <= value <= MOST_LIMIT
        if key == "form":
            fits = value in get_args(Form)
        if not fits:
            raise InputError(
                f"{file}: {key} of {name} is {value!r}, which is not what it may be.",
                hint="docs/identity.md says what each may be.",
            )
