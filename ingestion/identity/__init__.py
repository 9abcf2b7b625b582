"""People: which records are about one person, decided on an append-only log of judgements.

limits.yaml    how far each identifier is trusted
identifiers    how identifiers are written, hashed and found unusable
people         what the records say, as codes
links          which statements may join records
judgements     the log
users          ids that stay
facts, consent what is known of users, and who must not be profiled
resolution     the step
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingestion.identity.identifiers import (
        canonical_identifier,
        hash_identifier,
        shown_identifier,
    )
    from ingestion.identity.resolution import IdentityConfig, resolve

__all__ = [
    "IdentityConfig",
    "canonical_identifier",
    "hash_identifier",
    "resolve",
    "shown_identifier",
]


def __getattr__(name: str) -> Any:
    if name in {"IdentityConfig", "resolve"}:
        return getattr(import_module("ingestion.identity.resolution"), name)
    if name in __all__:
        return getattr(import_module("ingestion.identity.identifiers"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
