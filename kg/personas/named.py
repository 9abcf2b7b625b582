"""What names in `personas.yaml` stand for in a workspace: topics, verbs, channels, campaigns."""

import difflib
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from kg.errors import InputError
from kg.personas.constraints import Condition, Constraints, Goal

MOST_LISTED = 8
"""Of the names there are, where none is near to the one that was meant."""


class Named:
    """The names that a workspace knows, read when first asked for.

    Args:
        lake: a lake, or a step of one.
        constraints: for the line on which a name stands.
        tables: where verbs and channels (the first) and campaigns (all) are looked up.
    """

    def __init__(
        self, lake: Any, constraints: Constraints, tables: Sequence[str] = ("intents", "received")
    ) -> None:
        self._lake, self._constraints, self._tables = lake, constraints, tables

    def topics(self, name: str, *path: str | int) -> list[str]:
        """The topics that a name means: an id or label, with all below it.

        Raises:
            InputError: no topic is called so.
        """
        wanted = name.casefold()
        tops = [one for one, label in self._topics.items() if wanted in {one.casefold(), label}]
        inside = tuple(f"{top}/" for top in tops)
        found = [topic for topic in self._topics if f"{topic}/".startswith(inside)]
        if not found:
            known = {*self._topics, *self._topics.values()}
            raise self._unknown("topic", name, known, path)
        return sorted(found)

    def verb(self, name: str, *path: str | int) -> str:
        """The verb itself. Raises: InputError: no intent has it."""
        return self._known("verb", name, path)

    def channel(self, name: str, *path: str | int) -> str:
        """The channel itself. Raises: InputError: no intent came through it."""
        return self._known("channel", name, path)

    def campaign(self, name: str, *path: str | int) -> str:
        """The id of a campaign, by id or title. Raises: InputError: there is none."""
        fits = [c for c, title in self._campaigns.items() if name in {c, title}]
        if len(fits) != 1:
            known = {*self._campaigns, *(t for t in self._campaigns.values() if t)}
            raise self._unknown("campaign", name, known, path)
        return fits[0]

    def check(self, asked: Goal | Condition, *path: str | int) -> None:
        """Look up its verb, channel and campaign. Raises: InputError: there is no such name."""
        if asked.verb is not None:
            self.verb(asked.verb, *path, "verb")
        if isinstance(asked, Condition) and asked.channel is not None:
            self.channel(asked.channel, *path, "channel")
        if asked.campaign is not None:
            self.campaign(asked.campaign, *path, "campaign")

    def intents(self, rows: Any, asked: Goal | Condition, *path: str | int) -> Any:
        """The rows of intents that are what is asked for (its verb, topic, channel, campaign)."""
        if asked.verb is not None:
            rows = rows.filter(rows.verb == self.verb(asked.verb, *path, "verb"))
        if asked.topic is not None:
            rows = rows.filter(rows.topic.isin(self.topics(asked.topic, *path, "topic")))
        if isinstance(asked, Condition) and asked.channel is not None:
            rows = rows.filter(rows.channel == self.channel(asked.channel, *path, "channel"))
        if asked.campaign is not None:
            campaign = self.campaign(asked.campaign, *path, "campaign")
            rows = rows.filter(rows.campaign_id == campaign, rows.verb != "received")
        return rows

    def _known(self, column: str, name: str, path: tuple[str | int, ...]) -> str:
        if name not in self._values[column]:
            raise self._unknown(column, name, self._values[column], path)
        return name

    def _unknown(
        self, what: str, name: str, known: Iterable[str], path: tuple[str | int, ...]
    ) -> InputError:
        by_folded = {one.casefold(): one for one in sorted(known)}
        near = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.5)
        every = list(by_folded.values())
        some = ", ".join(every[:MOST_LISTED]) or "none"
        more = f" and {len(every) - MOST_LISTED} more" if len(every) > MOST_LISTED else ""
        return InputError(
            f"{self._constraints.at(*path)}: there is no {what} {name!r} in this workspace.",
            hint=f"Did you mean {by_folded[near[0]]!r}?" if near else f"There are: {some}{more}.",
        )

    @cached_property
    def _values(self) -> dict[str, list[str]]:
        rows = self._lake.table(self._tables[0])
        rows = rows.filter(rows.verb != "received")  # what was sent to somebody is no intent
        return {
            column: sorted(rows.select(column).distinct().to_pyarrow()[column].to_pylist())
            for column in ("verb", "channel")
        }

    @cached_property
    def _topics(self) -> dict[str, str]:
        """Topic -> label, case folded."""
        listed = self._lake.table("topics").select("topic", "label").to_pyarrow().to_pylist()
        used = self._lake.table("intents").select("topic").distinct().to_pyarrow()
        found = {topic: topic.casefold() for topic in used["topic"].to_pylist()}
        return found | {row["topic"]: row["label"].casefold() for row in listed}

    @cached_property
    def _campaigns(self) -> dict[str, str | None]:
        """Campaign -> title."""
        items = self._lake.table("items")
        titled = items.filter(items.role == "campaign").select("item_id", "title")
        found = {r["item_id"]: r["title"] for r in titled.to_pyarrow().to_pylist()}
        for table in self._tables:
            ids = self._lake.table(table).select("campaign_id").distinct().to_pyarrow()
            for one in ids["campaign_id"].drop_null().to_pylist():
                found.setdefault(one, None)
        return found
