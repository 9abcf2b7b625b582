"""Names of topics: a slug names one topic only, and a topic of the lake keeps its own."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, count
from typing import Any

Topic = tuple[str, str, str, int]
"""Slug, label, kind, level."""


class Book:
    """The topics met so far.

    Args:
        there: topics of the lake; one that is met again is known by its slug, label (however it
            is spelled), kind and level.
    """

    def __init__(self, there: Iterable[Topic] = ()) -> None:
        self.known: list[Topic] = []
        self._there = {_spelled(topic): topic for topic in there}
        self._used = {topic[0] for topic in self._there.values()}
        self._topics: dict[tuple[str, str, int], str] = {}

    def topic(self, key: str, label: str, kind: str, level: int, inside: str = "") -> str:
        """The slug of a topic, made at its first mention.

        Args:
            key: tells equal labels apart.
            inside: the slug of a broader topic it is part of, said where its own is taken.
        """
        if (key, kind, level) not in self._topics:
            wanted = slug(key if kind != "text" else label) or kind
            full = f"{inside}/{wanted}" if inside else wanted
            names = chain([wanted, full], (f"{full}-{number}" for number in count(2)))
            topics: Iterator[Topic] = ((name, label, kind, level) for name in names)
            made = next(topic for topic in topics if self._is_free(topic))
            self._used.add(made[0])
            self._topics[(key, kind, level)] = made[0]
            self.known.append(self._there.pop(_spelled(made), made))
        return self._topics[(key, kind, level)]

    def _is_free(self, topic: Topic) -> bool:
        return topic[0] not in self._used or _spelled(topic) in self._there

    def rows(self, item_rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """All topics, with how many items each has, sorted."""
        items = Counter(row[1] for row in item_rows)
        return sorted((*known, items[known[0]]) for known in self.known)


def folded(text: str) -> str:
    """A name whatever its capitals, its blanks and how its accents are encoded."""
    return " ".join(unicodedata.normalize("NFC", text).lower().split())


def _spelled(topic: Topic) -> Topic:
    name, label, kind, level = topic
    return name, folded(label), kind, level


def slug(text: str) -> str:
    """A topic's name as an identifier: lower case, hyphens, `/` between the levels of a path.

    Letters of all scripts stay, as in the topics that events name (`ingestion.intents.slug`).
    """
    parts = [re.sub(r"[\W_]+", "-", part).strip("-") for part in folded(text).split("/")]
    return "/".join(part for part in parts if part)
