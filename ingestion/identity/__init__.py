"""People: which records are about one person, decided on an append-only log of judgements.

limits.yaml    how far each identifier is trusted
identifiers    how identifiers are written, hashed and found unusable
people         what the records say, as codes
links          which statements may join records
merged         what people join holds nothing that differs
fields         what can be compared of two people
compared       the rows that are compared
blocking       which pairs of them are
model          how much each agreement says
comparing      where pairs are compared: here, or on Spark
matching       the evidence of all pairs
joining        which groups evidence may join
decisions      evidence as judgements
judgements     the log
users          ids that stay
settle         all of it, as a pure function
touched        whom new records can change
additions      new records compared with all others
recalled       what was compared before
scope, part    the people a pass is about
facts, consent what is known of users, and who must not be profiled
reviews        what a person should look at
statements     what became of each identifier
output         in whose place rows are written
resolution     the step
explain        any pair, in words
former         what two names of one user stood for before they were one
verdicts       what people decide
cautions       what a person's merge overrides
preview        what other rules would do
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingestion.identity.config import IdentityConfig
    from ingestion.identity.identifiers import (
        canonical_identifier,
        hash_identifier,
        shown_identifier,
    )
    from ingestion.identity.resolution import resolve

__all__ = [
    "IdentityConfig",
    "canonical_identifier",
    "hash_identifier",
    "resolve",
    "shown_identifier",
]


def __getattr__(name: str) -> Any:
    if name == "resolve":
        return import_module("ingestion.identity.resolution").resolve
    if name == "IdentityConfig":
        return import_module("ingestion.identity.config").IdentityConfig
    if name in __all__:
        return getattr(import_module("ingestion.identity.identifiers"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
