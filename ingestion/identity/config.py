"""What the steps of identity are told of a company: by its mapping and its own `identity.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ingestion.identity.choices import Choices
from ingestion.identity.limits import Limits, Rules, shipped


@dataclass(frozen=True)
class IdentityConfig:
    """What a mapping says about people.

    Args:
        consent_default: what holds for people who said nothing.
        namespaces: namespace -> (trust, unique), as the mapping declares them.
        describe: the traits that claims may speak of.
        phone_region: the country of national telephone numbers, e.g. `GB`.
        rules: the workspace's own table of identifiers, over the mapping's.
        traits: how the value of a trait is chosen where several are said.
        ended_ms: a consent that was given until then, or for shorter, has ended; None: none has.
    """

    consent_default: Literal["granted", "denied"] = "granted"
    namespaces: Mapping[str, tuple[int, bool]] = field(default_factory=dict)
    describe: tuple[str, ...] = ()
    phone_region: str | None = None
    rules: Rules = field(default_factory=dict)
    traits: Choices = field(default_factory=dict)
    ended_ms: int | None = None

    def limits(self) -> Limits:
        """What each namespace may decide."""
        limits = shipped().declared(self.namespaces).edited(self.rules)
        return replace(limits, phone_region=self.phone_region)
