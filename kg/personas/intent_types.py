"""A line on each type of intent that personas are made of.

A type is a verb and a topic. Its line is written once per type, over facts that hold for everybody
with such an intent, and kept while these words are its facts; a model that is asked is told labels,
never a person and never an event.

Invariant: a type, a channel, a part of the day or an item that fewer than 20 people stand behind is
not spoken of; a line says what its facts say, and no more.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from kg.errors import Unavailable
from kg.personas.claims import off
from kg.personas.counts import Scan, part_of_day
from kg.personas.figures import supporting
from kg.personas.kinds import DAYPARTS, KINDS
from kg.personas.labels import Labels, phrase, tidy
from kg.personas.llm import DOWN, LlmServer, Unusable, write_line
from kg.personas.statistics import MIN_PEOPLE
from kg.personas.wording import TEMPLATE
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from kg.lake import Lake

MOST_OF_PERSONA = 16
MOST_ITEMS = 3
UNNAMED = "the first of the server"
"""Which model was asked, where none was named and none answered with its name."""


@dataclass(frozen=True)
class Facts:
    """What a line may say of a type.

    Attributes:
        phrase: what it is to have such an intent: `bought cake tins`.
        mostly: what more than half of these intents are: `through web`, `in the evening (…)`.
        items: what they are about most often; examples.
    """

    phrase: str
    mostly: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class IntentType:
    """A type of intent with its line.

    Attributes:
        people: who have such an intent, whatever persona it supports; with `intents`, `events`.
        author: `template`, or the model that wrote the line.
        asked: the model that was asked; empty: none.
        refused: what was wrong with what it wrote; empty: nothing.
    """

    verb: str
    topic: str
    people: int
    intents: int
    events: int
    facts: Facts
    line: str
    author: str = TEMPLATE
    asked: str = ""
    refused: str = ""

    @property
    def row(self) -> dict[str, Any]:
        """As a row of the table `intent_types`."""
        facts = json.dumps(asdict(self.facts), ensure_ascii=False)
        return asdict(self) | {"facts": facts}


def read(lake: "Lake") -> list[IntentType]:
    """The types in the lake, as the run that stated the personas left them."""
    rows = lake.arrow("intent_types").drop_columns(["run_id"]).to_pylist()
    return [IntentType(**row | {"facts": _facts_of(row["facts"])}) for row in rows]


def _facts_of(text: str) -> Facts:
    found = json.loads(text)
    return Facts(found["phrase"], tuple(found["mostly"]), tuple(found["items"]))


def describe(lake: "Lake", llm: LlmServer | None, progress: Progress = silent) -> list[IntentType]:
    """The types that most holders of each persona have, each with its line.

    A line that a model wrote, or was asked for in vain, stays while the facts are the same words.
    That it was through the only channel there is, no line says.

    Args:
        llm: who writes the lines; None: the template.
    """
    only = _only_channel(lake)
    plain = [_without(one, only) for one in counted(lake)]
    if llm is None:
        return plain
    before = {(one.verb, one.topic): one for one in read(lake) if one.asked}
    found, is_down = [], False
    with progress.task("Summarising types of intent", len(plain)) as task:
        for one in plain:
            known = before.get((one.verb, one.topic))
            if known and known.facts == one.facts and llm.model in ("", known.asked):
                found.append(replace(one, line=known.line, author=known.author,
                                     asked=known.asked, refused=known.refused))  # fmt: skip
            elif is_down:
                found.append(one)
            else:
                found.append(_written(one, llm))
                is_down = found[-1].refused.startswith(DOWN)
            task.advance()
    return found


def _written(one: IntentType, llm: LlmServer) -> IntentType:
    try:
        line, model = write_line(llm, one.facts.phrase, one.facts.mostly, one.facts.items)
    except Unusable as error:
        return replace(one, asked=llm.model or UNNAMED, refused=error.message)
    except Unavailable as error:
        return replace(one, refused=error.message)
    line = line.strip()
    if wrong := problem(line, one.facts):
        return replace(one, asked=model, refused=wrong)
    return replace(one, line=line, author=model, asked=model)


def counted(lake: "Lake", types: Iterable[tuple[str, str]] | None = None) -> list[IntentType]:
    """Types with the template's line, by verb and topic, counted in columns over everybody.

    Args:
        types: verb and topic of each; None: those that most holders of each persona have.
    """
    scan, labels = Scan(lake, half=None), Labels(lake)
    chosen = _most_held(scan) if types is None else _as_rows(lake, types)
    intents = scan.intents.semi_join(chosen, ["verb", "topic"])
    by_type = ["verb", "topic"]
    sizes = intents.group_by(by_type).agg(
        people=intents.user_id.nunique(), intents=intents.count(), events=intents.event_count.sum()
    )
    rows = lake.run(sizes.filter(sizes.people >= MIN_PEOPLE).order_by(by_type)).to_pylist()
    called = labels.topics(row["topic"] for row in rows)
    mostly, items = _mostly(lake, intents), _items(lake, intents, labels)
    found = []
    for row in rows:
        key = row["verb"], row["topic"]
        words = phrase(KINDS["topic"], " ".join(key), called[row["topic"]])
        facts = Facts(words, tuple(mostly.get(key, ())), tuple(items.get(key, ())))
        found.append(IntentType(**row, facts=facts, line=plain_line(facts)))
    return found


def _as_rows(lake: "Lake", types: Iterable[tuple[str, str]]) -> Any:
    import pyarrow as pa

    verbs, topics = zip(*types, strict=True) if (types := list(types)) else ((), ())
    columns = {"verb": pa.array(verbs, pa.string()), "topic": pa.array(topics, pa.string())}
    return lake.memtable(pa.table(columns))


def _most_held(scan: Scan) -> Any:
    """verb, topic: of every persona the types that most of its holders have for it."""
    import ibis

    rows = supporting(scan)
    people = rows.group_by("version", "verb", "topic").agg(people=rows.user_id.nunique())
    order = [ibis.desc("people"), "verb", "topic"]
    ranked = people.filter(people.people >= MIN_PEOPLE).mutate(
        place=ibis.row_number().over(group_by="version", order_by=order)
    )
    most = ranked.filter(ranked.place < MOST_OF_PERSONA).select("verb", "topic").distinct()
    return scan.lake.memtable(scan.lake.run(most))


Named = dict[tuple[str, str], list[str]]


def _mostly(lake: "Lake", intents: Any) -> Named:
    """(verb, topic) -> what more than half of these intents are, in words.

    What the business keeps out of personas, or the source cannot support, is not spoken of.
    """
    silent_on = off(lake)
    zone = str(lake.summary("intents").get("time_zone") or "UTC")
    found: Named = {}
    for kind, ways in (("channel", intents.channel), ("daypart", part_of_day(intents.hour))):
        if kind in silent_on:
            continue
        told = intents.mutate(way=ways).filter(lambda rows: rows.way.notnull())
        each = told.group_by("verb", "topic", "way").agg(
            n=told.count(), people=told.user_id.nunique()
        )
        every = told.group_by("verb", "topic").agg(every=told.count())
        both = each.inner_join(every, ["verb", "topic"])
        most = both.filter(2 * both.n > both.every, both.people >= MIN_PEOPLE)
        for row in lake.run(most).to_pylist():
            way = row["way"]
            words = DAYPARTS[way].format(zone=zone) if kind == "daypart" else _through(way)
            found.setdefault((row["verb"], row["topic"]), []).append(words)
    return found


def _only_channel(lake: "Lake") -> str | None:
    """The channel that all intents came through, in words; None: there are several."""
    channels = Scan(lake, half=None).intents.select("channel").distinct()
    names = lake.run(channels.filter(channels.channel.notnull()))["channel"].to_pylist()
    return _through(names[0]) if len(names) == 1 else None


def _without(one: IntentType, way: str | None) -> IntentType:
    mostly = tuple(words for words in one.facts.mostly if words != way)
    facts = replace(one.facts, mostly=mostly)
    return replace(one, facts=facts, line=plain_line(facts))


def _through(channel: str) -> str:
    return f"through {tidy(channel)}"


def _items(lake: "Lake", intents: Any, labels: Labels) -> Named:
    """(verb, topic) -> the items that most of these intents are about, the first most often."""
    import ibis

    about = lake.table("intent_items").select("intent_id", "item_id")
    rows = intents.inner_join(about, "intent_id")
    each = rows.group_by("verb", "topic", "item_id").agg(
        n=rows.intent_id.nunique(), people=rows.user_id.nunique()
    )
    order = [ibis.desc("n"), "item_id"]
    ranked = each.filter(each.people >= MIN_PEOPLE).mutate(
        place=ibis.row_number().over(group_by=["verb", "topic"], order_by=order)
    )
    most = ranked.filter(ranked.place < MOST_ITEMS).order_by("verb", "topic", "place")
    found: Named = {}
    for row in lake.run(most).to_pylist():
        named = found.setdefault((row["verb"], row["topic"]), [])
        named.append(labels.item(row["item_id"]))
    return found


def plain_line(facts: Facts) -> str:
    """The line without a model.

    >>> plain_line(Facts("bought tea", ("through web",), ("Green tea", "Mint")))
    'bought tea, mostly through web; among others Green tea and Mint'
    """
    ways = "".join(f", mostly {way}" for way in facts.mostly)
    *most, last = facts.items or ("",)
    things = f"{', '.join(most)} and {last}" if most else last
    return facts.phrase + ways + (f"; among others {things}" if things else "")


_GLUE = frozenset(re.findall(r"\w+", "they people those who these things items with and for the"))
_PHRASE, _WAY, _ITEM = "\x01", "\x02", "\x03"
_MOSTLY = re.compile(rf"\bmostly\s+{_WAY}")
_EXAMPLES = re.compile(rf"\b(?:among others|such as)\s+{_ITEM}(?:\s*(?:,\s*and|,|and)\s+{_ITEM})*")
_WORD = re.compile(r"[^\W_]+")


def problem(line: str, facts: Facts) -> str | None:
    """What is wrong with a line; None: nothing.

    It states the phrase word for word, what is mostly so with "mostly" right before it, items as
    examples ("among others", "such as"), and nothing else.
    """
    left = _marked(line, [(facts.phrase, _PHRASE)])
    if _PHRASE not in left:
        return f"it does not say “{facts.phrase}”"
    ways, items = ((words, _WAY) for words in facts.mostly), ((i, _ITEM) for i in facts.items)
    left = _marked(left, sorted([*ways, *items], key=lambda pair: -len(pair[0])))
    left = _EXAMPLES.sub(" ", _MOSTLY.sub(" ", left))
    if _WAY in left:
        return "it says of all what is mostly so"
    if _ITEM in left:
        return "it names items, but not as examples"
    unknown = sorted(set(_WORD.findall(left)) - _GLUE)
    return f"its facts do not say “{unknown[0]}”" if unknown else None


def _marked(text: str, marks: Iterable[tuple[str, str]]) -> str:
    """The text in lower case, whole words of each replaced by its mark."""
    text = text.lower()
    for words, mark in marks:
        text = re.sub(rf"(?<!\w){re.escape(words.lower())}(?!\w)", mark, text)
    return text
