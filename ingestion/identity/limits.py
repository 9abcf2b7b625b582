"""The table of limits: what each namespace of identifiers may decide (`limits.yaml`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Form = Literal["trim", "lower", "email", "phone"]


@dataclass(frozen=True)
class Limit:
    """What one namespace may decide; the words are explained in `limits.yaml`."""

    trust: int
    unique: bool = False
    limit: int | None = None
    merges: bool = True
    personal: bool = False
    opaque: bool = False
    form: Form = "trim"


@dataclass(frozen=True)
class Junk:
    """Values that name nobody."""

    words: tuple[str, ...]
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
            patterns=tuple(junk["patterns"]),
            opaque_patterns=tuple(junk["opaque_patterns"]),
            phone_patterns=tuple(junk["phone_patterns"]),
            placeholder_characters=str(junk["placeholder_characters"]),
        ),
        role_mailboxes=frozenset(tree["role_mailboxes"]),
    )
