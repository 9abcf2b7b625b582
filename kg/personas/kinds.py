"""The kinds of claim there are: a table. A new kind is one row here and two Cypher files.

Every kind asks one yes-or-no question about a person, so that four counts per stratum of activity
say all there is to say (`statistics.py`). `cypher/claim/<kind>.cypher` counts,
`cypher/evidence/<kind>.cypher` shows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

DAY_MS = 86_400_000
RETURN_DAYS = 30
UNIT = "share of people"

# What an intent's vector is made of (the architecture, "How a persona comes to be"). A claim about
# any of these restates how the persona was found: it is descriptive and carries no q-value.
REPRESENTED = frozenset({"topic", "item", "verb", "channel", "time", "company", "membership"})


@dataclass(frozen=True)
class Kind:
    """One kind of claim.

    Attributes:
        name: of the kind, and of its two queries.
        measure: what `value` is the share of, for the export.
        phrase: the words that state it, after "62 % of them"; `{label}` and `{other}` stand for
            what the subject names (`topic`, `common` and `verb`: see `VERBS`).
        reads: what the question looks at; descriptive when any of it went into the representation.
        more: how many claims of a persona may say that holders do it more than equally active
            others.
        less: how many may say that they do it less.
        most: bounds both together.
        among: whom the question applies to, in words ("": everybody with an intent).
        needs: lake tables that must not be empty.
        needs_all_lines: why a source that is a sample of lines cannot support it ("": it can).
        counted_as: the kind whose query counts this one too ("": its own).
        shown_as: the kind whose query shows its evidence too ("": its own).
        called: what people are told it is about ("": its name).
        of_all: asked of people of both halves, and compared with nobody.
    """

    name: str
    measure: str
    phrase: str
    reads: frozenset[str]
    more: int = 1
    less: int = 0
    most: int = 2
    among: str = ""
    needs: tuple[str, ...] = ()
    needs_all_lines: str = ""
    counted_as: str = ""
    shown_as: str = ""
    called: str = ""
    of_all: bool = False

    @property
    def words(self) -> str:
        """What it is about, for people."""
        return self.called or self.name

    @property
    def query(self) -> str:
        """Name of the query that counts."""
        return f"claim/{self.counted_as or self.name}"

    @property
    def paths(self) -> str:
        """Name of the query that shows evidence."""
        return f"evidence/{self.shown_as or self.name}"

    @property
    def is_mostly(self) -> bool:
        """Whether one path says nothing of it: the question weighs all of a person's intents."""
        return self.name in {"daypart", "weekday"}

    @property
    def is_descriptive(self) -> bool:
        """Whether it restates what the persona was found by."""
        return bool(self.reads & REPRESENTED)


def _kind(name: str, measure: str, phrase: str, reads: str, **more: Any) -> Kind:
    return Kind(name, measure, phrase, frozenset(reads.split()), **more)


_TIME = "what is missing from the sample decides when somebody came next"

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind(
            "share",
            "people of both halves with an intent who hold the persona",
            "of all people hold this persona",
            "membership",
            of_all=True,
        ),
        _kind(
            "common",
            "people of both halves who hold the persona with an intent of this verb on this topic; "
            "stated where nothing else is",
            "of all who hold it {label}",
            "topic verb",
            more=2,
            shown_as="topic",
            called="in common",
            of_all=True,
        ),
        _kind(
            "topic",
            "people with an intent of this verb on this topic",
            "{label}",
            "topic verb",
            more=4,
            less=1,
            most=4,
        ),
        _kind(
            "trait",
            "people with this trait, of those for whom it is recorded",
            "have the {label}",
            "trait",
            more=2,
            less=1,
            among="whose {name} is known",
            needs=("user_traits",),
        ),
        _kind(
            "response",
            "people with an intent that answers this campaign, of those who received it",
            "responded to {label}",
            "campaign verb",
            more=2,
            less=1,
            among="who received it",
            needs=("received",),
        ),
        _kind(
            "received",
            "people to whom this campaign was sent, no answer to which shapes personas",
            "were sent {label}",
            "sending",
            more=1,
            less=1,
            needs=("received",),
        ),
        _kind(
            "received_inside",
            "people to whom this campaign was sent, answers to which shape personas",
            "were sent {label}",
            "sending campaign verb",
            more=1,
            less=1,
            needs=("received",),
            counted_as="received",
            shown_as="received",
            called="received",
        ),
        _kind(
            "item",
            "people who bought this item",
            "bought {label}",
            "item verb",
            more=2,
            needs=("intent_items",),
        ),
        _kind(
            "returned",
            "people with a return, of those who bought something",
            "returned something",
            "verb",
            more=1,
            less=1,
            among="who bought something",
            shown_as="verb",
        ),
        _kind("verb", "people with an intent of this verb", "", "verb", less=1),
        _kind(
            "support",
            "people who contacted support",
            "contacted support",
            "channel",
            less=1,
            counted_as="channel",
            shown_as="channel",
        ),
        _kind("channel", "people with an intent here", "came through {label}", "channel", less=1),
        _kind(
            "daypart",
            "people with more than half of their intents in this part of the day",
            "came mostly {label}",
            "time",
        ),
        _kind(
            "weekday",
            "people with more than half of their intents on these days",
            "came mostly {label}",
            "time",
        ),
        _kind(
            "repeat",
            f"people who came again within {RETURN_DAYS} days of their first session, of those "
            f"first seen at least {RETURN_DAYS} days before the end of the data",
            f"came back within {RETURN_DAYS} days of their first visit",
            "company",
            less=1,
            among=f"first seen {RETURN_DAYS} or more days before the data ends",
            needs_all_lines=_TIME,
            called="coming back",
        ),
        _kind(
            "sequence",
            "people with an intent on the first topic and one on the second in the next session",
            "took up {label} in the visit after {other}",
            "topic company",
            needs_all_lines=_TIME,
            called="one topic after another",
        ),
        _kind(
            "goal",
            "people who reached this goal",
            "reached the goal {label}",
            "goal",
            more=2,
            less=2,
            needs=("goals",),
        ),
        _kind(
            "goal_inside",
            "people who reached this goal, whose own intents shape personas",
            "reached the goal {label}",
            "goal topic verb",
            more=2,
            less=2,
            needs=("goals",),
            counted_as="goal",
            shown_as="goal",
            called="goal",
        ),
        _kind(
            "goal_return",
            "people who reached this goal by coming again in time, of those first seen early "
            "enough to have done so",
            "reached the goal {label}",
            "goal company",
            more=2,
            less=2,
            among="first seen early enough",
            needs=("goals",),
            needs_all_lines=_TIME,
            counted_as="goal",
            shown_as="goal",
            called="goal of coming again",
        ),
        _kind(
            "overlap",
            "people who hold this other persona as well",
            "hold {label} as well",
            "membership",
        ),
    )
}

VERB_AND_TOPIC = frozenset({"topic", "common"})
"""The kinds whose subject is `verb topic`."""

MAX_CLAIMS = 12

# What a persona is about, in things that people know, and what it is wanted for, is stated before
# anything else of it; further topics after that, and single items last: they are examples.
GOALS = ("goal", "goal_inside", "goal_return")
PLACES = {"share": 0, "topic": 1, "common": 1, "item": 4} | dict.fromkeys(GOALS, 1)
USUAL_PLACE = 2
FURTHER_PLACE = 3
TOPICS_FIRST = 2


# What is kept out of the representation -> the kinds that would speak of it all the same.
KEPT_OUT_KINDS = {
    "channel": ("channel", "support"),
    "hour": ("daypart",),
    "weekday": ("weekday",),
    "visits": ("repeat",),
}


def disabled(sampled: bool) -> dict[str, str]:
    """The kinds that a source cannot support, each with the reason."""
    if not sampled:
        return {}
    return {name: kind.needs_all_lines for name, kind in KINDS.items() if kind.needs_all_lines}


def silenced(manners_out: Iterable[str], channels_out: bool) -> dict[str, str]:
    """The kinds that would speak of what the business keeps out, each with the reason.

    Args:
        manners_out: that shape no persona.
        channels_out: whether channels are kept out whole, so that visits there would count.
    """
    out = [*manners_out, *(["visits"] if channels_out else [])]
    return {
        kind: f"{'a channel' if what == 'visits' else what} is kept out of personas"
        for what in out
        for kind in KEPT_OUT_KINDS.get(what, ())
    }


# verb -> what somebody did with a topic, and did at all; other verbs are stated as they are.
VERBS: dict[str, tuple[str, str]] = {
    "asked": ("asked about {label}", "asked something"),
    "searched": ("searched for {label}", "searched for something"),
    "answered": ("answered a question on {label}", "answered a survey"),
    "responded": ("responded about {label}", "responded to something"),
    "browsed": ("browsed {label}", "browsed"),
    "read": ("read about {label}", "read something"),
    "products_compared": ("compared {label}", "compared products"),
    "compared": ("compared {label}", "compared something"),
    "quoted": ("asked for a quote on {label}", "asked for a quote"),
    "added": ("put {label} into the basket", "put something into the basket"),
    "removed": ("took {label} out of the basket", "took something out of the basket"),
    "quote_requested": ("asked for a quote on {label}", "asked for a quote"),
    "return_requested": ("asked to return {label}", "asked to return something"),
    "wished": ("put {label} on a wish list", "put something on a wish list"),
    "reviewed": ("reviewed {label}", "reviewed something"),
    "shared": ("shared {label}", "shared something"),
    "listed": ("looked through lists of {label}", "looked through lists"),
    "saved": ("saved {label}", "saved something"),
    "viewed": ("viewed {label}", "viewed something"),
    "bought": ("bought {label}", "bought something"),
    "charged": ("were charged for {label}", "were charged for something"),
    "credited": ("were credited for {label}", "were credited for something"),
    "returned": ("returned {label}", "returned something"),
    "redeemed": ("redeemed a coupon on {label}", "redeemed a coupon"),
    "used": ("used {label}", "used something"),
    "visited": ("visited {label}", "visited something"),
    "clicked": ("clicked on {label}", "clicked on something"),
    "opened": ("opened {label}", "opened something"),
}

DAYPARTS = {
    "night": "at night (0 to 6 h {zone})",
    "morning": "in the morning (6 to 12 h {zone})",
    "afternoon": "in the afternoon (12 to 18 h {zone})",
    "evening": "in the evening (18 to 24 h {zone})",
}
WEEKDAYS = {"weekend": "at the weekend", "week": "from Monday to Friday"}
