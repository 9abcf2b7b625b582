"""Where pairs are compared: on the engine of this process, or on Spark.

The same settings, the same pairs and the same weights: a model that was learnt in one place holds
in the other, and so does what was compared. Learning stays here; its samples are bounded.
"""

import re
from dataclasses import dataclass
from typing import Any, Protocol

from kg.lake.scratch import Scratch

_CALL = re.compile(r"\b(\w+)\(")


class Place(Protocol):
    """What `model` asks of a place."""

    @property
    def scratch(self) -> Scratch:
        """The engine that holds the rows."""

    @property
    def api(self) -> Any:
        """The place as Splink speaks to it."""

    def written(self, condition: str) -> str:
        """A condition of ours as it is written there."""

    def given(self, name: str) -> Any:
        """A table of the engine, registered with Splink."""

    def taken(self, found: Any) -> str:
        """What Splink found, as the name of a table of the engine."""


@dataclass(frozen=True)
class OnEngine:
    """In this process."""

    scratch: Scratch
    api: Any

    def written(self, condition: str) -> str:
        return condition

    def given(self, name: str) -> Any:
        return self.api.register(name)

    def taken(self, found: Any) -> str:
        return str(found.physical_name)


@dataclass(frozen=True)
class OnSpark:
    """On Spark; rows go there and the pairs that are worth keeping come back."""

    scratch: Scratch
    spark: Any
    api: Any

    def written(self, condition: str) -> str:
        from kg.lake.spark import NAMES

        # In our conditions double quotes are names, single ones texts.
        renamed = _CALL.sub(lambda call: f"{NAMES.get(call[1], call[1])}(", condition)
        return renamed.replace('"', "`")

    def given(self, name: str) -> Any:
        return self.api.register(self.spark.given(self.scratch.sql(f"FROM {name}")))

    def taken(self, found: Any) -> str:
        self.scratch.keep_as("compared_on_spark", self.spark.taken(found.physical_name))
        return "compared_on_spark"


def here(scratch: Scratch) -> Place:
    """The engine of this process."""
    return OnEngine(scratch, scratch.splink())


def wherever(scratch: Scratch) -> Place:
    """Spark where the scratch has one, else the engine."""
    spark = scratch.spark
    return here(scratch) if spark is None else OnSpark(scratch, spark, spark.splink())
