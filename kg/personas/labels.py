"""What subjects are called: words for people, from the catalogue and the topics."""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from kg.personas.kinds import DAYPARTS, VERB_AND_TOPIC, VERBS, WEEKDAYS, Kind

if TYPE_CHECKING:
    from kg.lake import Lake

LONGEST = 60
THEN = ", then "
OTHER = "other"
NO_KNOWN_KIND = "things of no known kind"
"""What the topic of everything that no catalogue and no text tells apart is called."""
TELLS_APART = (
    "an `item` with `title` or `categories`, else an `object`, else a `text`; an item's `id` alone "
    "does not, but may be named as the `object`"
)
"""What of an event in a mapping gives it a topic."""
NUMBER = "no. "
"""Before what is called by a number alone: "bought 4" would say how many."""
WITHOUT_SUBJECT = frozenset({"share", "returned", "support", "repeat"})


class Labels:
    """Labels of a lake's topics, items and campaigns, read when first asked for."""

    def __init__(self, lake: "Lake") -> None:
        self._lake = lake

    def of(self, kind: Kind, subject: str) -> str:
        """What a kind's subject is called; empty where the kind says it all."""
        if kind.name in WITHOUT_SUBJECT:
            return ""
        if kind.name.startswith("goal"):
            return tidy(subject)
        if kind.name in VERB_AND_TOPIC:
            return self.topic(subject.partition(" ")[2])
        if kind.name == "trait":
            name, _, value = subject.partition("=")
            return f"{tidy(name)} {tidy(value)}"
        if kind.name == "sequence":
            return THEN.join(self.topics(subject.split(" > ")).values())
        if kind.name in {"item", "received", "received_inside", "response"}:
            return self.item(subject)
        if kind.name == "daypart":
            return DAYPARTS[subject].format(zone=self._zone)
        return WEEKDAYS.get(subject) or tidy(subject)

    def topic(self, topic: str) -> str:
        """What a topic is called."""
        label = tidy(self._topics.get(topic) or topic)
        return NO_KNOWN_KIND if label.lower() == OTHER else _numbered(label)

    def topics(self, topics: Iterable[str]) -> dict[str, str]:
        """What different topics are called beside each other: with their ids where they share a
        name but for capitals, as a category with and without those above it."""
        named = {topic: self.topic(topic) for topic in topics}
        times = Counter(label.casefold() for label in named.values())
        return {
            topic: tidy(f"{label} ({topic})") if times[label.casefold()] > 1 else label
            for topic, label in named.items()
        }

    def types(self, types: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """What the topics of types (verb, topic) are called, told apart within each verb."""
        topics: dict[str, list[str]] = {}
        for verb, topic in types:
            topics.setdefault(verb, []).append(topic)
        return {
            (verb, topic): label
            for verb, of_verb in topics.items()
            for topic, label in self.topics(of_verb).items()
        }

    def item(self, item_id: str) -> str:
        """What an item, or a campaign, is called: with its id where several have one title."""
        title = self._titles.get(item_id)
        if title is None:
            return _numbered(_line(item_id))
        return _numbered(tidy(f"{title} ({item_id})" if title in self._shared else title))

    @cached_property
    def _zone(self) -> str:
        return str(self._lake.summary("intents").get("time_zone") or "UTC")

    @cached_property
    def _topics(self) -> dict[str, str]:
        rows = self._lake.arrow("topics", columns=["topic", "label"]).to_pylist()
        return {row["topic"]: row["label"] for row in rows}

    @cached_property
    def _shared(self) -> frozenset[str]:
        count = Counter(self._titles.values())
        return frozenset(title for title, items in count.items() if items > 1)

    @cached_property
    def _titles(self) -> dict[str, str]:
        items = self._lake.table("items")
        rows = self._lake.run(items.select("item_id", "title").order_by("item_id", "title"))
        return {row["item_id"]: row["title"] for row in rows.to_pylist() if row["title"]}


def phrase(kind: Kind, subject: str, label: str) -> str:
    """The words that state a claim, after "62 % of them": from the table of kinds alone.

    A topic that is called like the verb (events that are about their own names) is not said again.
    """
    words, other = kind.phrase, ""
    if kind.name in VERB_AND_TOPIC:
        verb = subject.partition(" ")[0]
        is_same = label.casefold() == _plain(verb).casefold()
        words = words.replace("{label}", _verb_words(verb)[is_same])
    elif kind.name == "verb":
        words = _verb_words(subject)[1]
    elif kind.name == "sequence":
        other, _, label = label.partition(THEN)
    return words.format(label=label, other=other)


def among(kind: Kind, subject: str) -> str:
    """Whom the question applies to, in words; empty: everybody with an intent."""
    return kind.among.format(name=tidy(subject.partition("=")[0]))


def and_comparable(among: str) -> str:
    """The same people, but only those for whom there are others to compare with."""
    return f"{among} and as active as some others".removeprefix(" and ")


def _verb_words(verb: str) -> tuple[str, str]:
    plain = _plain(verb)
    return VERBS.get(verb) or (f"did “{plain}” with {{label}}", f"did “{plain}”")


def _plain(verb: str) -> str:
    return tidy(verb.replace("_", " "))


def _numbered(label: str) -> str:
    return NUMBER + label if re.fullmatch(r"\d[\d.:-]*", label) else label


def tidy(text: str) -> str:
    """A label fit for a sentence: one line, no list commas, not shouted, not endless."""
    plain = _line(text.replace("_", " "))
    return plain.lower() if plain.isupper() else plain


def _line(text: str) -> str:
    """One line without list commas, not endless; else as it is, as an id must be."""
    plain = re.sub(r"\s+", " ", text).strip().replace(", ", " / ")
    plain = plain.replace("{", "(").replace("}", ")")
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1].rstrip() + "…"
