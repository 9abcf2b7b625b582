"""Names of topics: a slug names one topic only, and a topic of the lake keeps its own."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import chain, count
from typing import Any

Topic = tuple[str, str, str, int]
"""Slug, label, kind, level."""


class Book:
    """The topics met so far.

    Args:
        there: topics of the lake; one that is met again is known by its slug, label, kind and
            level.
    """

    def __init__(self, there: Iterable[Topic] = ()) -> None:
        self.known: list[Topic] = []
        self._there = set(there)
        self._used = {topic[0] for topic in self._there}
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
            made = next(name for name in names if self._is_free((name, label, kind, level)))
            self._used.add(made)
            self._there.discard((made, label, kind, level))
            self._topics[(key, kind, level)] = made
            self.known.append((made, label, kind, level))
        return self._topics[(key, kind, level)]

    def _is_free(self, topic: Topic) -> bool:
        return topic[0] not in self._used or topic in self._there

    def rows(self, item_rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """All topics, with how many items each has, sorted."""
        items = Counter(row[1] for row in item_rows)
        return sorted((*known, items[known[0]]) for known in self.known)


def slug(text: str) -> str:
    """A topic's name as an identifier: lower case, hyphens, `/` between the levels of a path."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    parts = [re.sub(r"[^a-z0-9]+", "-", part).strip("-") for part in plain.split("/")]
    return "/".join(part for part in parts if part)
