"""What the steps that find, state and check personas have to say."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from api.cli.notes_on_records import MOST_REASONS, Command
from kg.personas.holes import holes, tables
from kg.personas.kinds import KINDS
from kg.personas.labels import NO_KNOWN_KIND, OTHER, TELLS_APART
from kg.personas.lineage import told_changes
from kg.personas.sentences import percent
from kg.personas.wording import TEMPLATE
from kg.words import WARNING, some

GIANT_SHARE = 0.5
"""Of intents about one topic: from here on personas were seen to run together (at 90 % two of three
that were planted, and at half as well; without the topic all three came back)."""
FEWEST_TOPICS = 5
"""Of fewer, one has half of the intents often, and there is little to tell apart by anyway."""
MOST_ERROR = 0.1
"""Standard error over mean, of what comes back over all halvings. (A planted world: .01; the orders
of a wholesaler: .05, and .2 in a state in which seeds did not agree.)"""

MOST_OUTSIDE = 0.9
"""Of episodes in no persona: from here on what is found tells of a small part of what people do.
(Planted worlds: about .25; a wholesaler's orders: .28; a sample of a grocer's lines: .98.)"""


DROPPED = {
    "": "held by too few people, or telling nobody from others",  # of workspaces of before
    "alike": "telling its people from nobody as active as they are",
    "busier": "whose people are mostly more active than anybody to compare them with",
    "few": "held by too few people",
    "topic": "only a topic (its intents do not recur in the same people more than chance)",
}
"""Why groups that came back are no personas."""


def _constraints(s: dict[str, Any]) -> Iterator[str]:
    """What the business asked, and what that leaves out."""
    if s.get("keep_out"):
        told = ", ".join(f"{one['intents']:,} of {one['what']}" for one in s["keep_out"])
        yield (
            f"{s['intents_kept_out']:,} intents are kept out of personas and claims, as "
            f"personas.yaml asks: {told}."
        )
    for what in ("out", "in"):
        if names := s.get(f"manners_kept_{what}"):
            yield f"Manners kept {what}, as personas.yaml asks: {', '.join(names)}."


def giant(s: dict[str, Any]) -> Iterator[str]:
    """One topic that half of all intents are about, from the summary of the step."""
    found = s.get("constraints", {}).get("largest_topic")  # not of runs of before
    if not found or found["share"] < GIANT_SHARE or found["topics"] < FEWEST_TOPICS:
        return
    said = f"{WARNING}{found['share']:.0%} of the intents that personas are made of are about "
    if found["topic"] == OTHER:
        yield (
            f"{said}{NO_KNOWN_KIND}: nothing tells what these people were after. Name what says it "
            f"in the mapping ({TELLS_APART}), or leave such events out."
        )
        return
    yield (
        f"{said}{found['label']} (the other {some(found['topics'] - 1, 'topic')} share the rest), "
        "beside which personas of the others can run together. If it is what everybody passes (a "
        f"start page, a carrier bag), write `keep_out: {{topics: [{found['topic']}]}}` into "
        "personas.yaml and run again."
    )


def _still_told(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """How well what is kept out can be told from the personas all the same."""
    if not found:
        return
    told = ", ".join(
        f"{one['what']} "
        + (
            "not said, for too few have it or have it not"
            if one["association"] is None
            else f"{one['association']:.2f}"
        )
        + (f" ({one['persona_id']})" if one["persona_id"] else "")
        for one in found
    )
    yield (
        "How well what is kept out can be told from personas all the same (Cramér's V: 0 not at "
        f"all, 1 wholly): {told}."
    )


def of_rules(s: dict[str, Any]) -> Iterator[str]:
    for rule in s["rules"]:
        if rule["people"] == 0:
            yield f"Nobody meets the rule {rule['name']}."
        elif rule["people"] == rule["population"]:
            yield f"Everybody meets the rule {rule['name']}: it tells nobody apart."


def asked_for(s: dict[str, Any]) -> Iterator[str]:
    """What came of what the business asks, from the summary of the step that finds personas."""
    yield from _constraints(s.get("constraints", {}))
    yield from _still_told(s.get("still_told", ()))  # not of workspaces of before
    for one in s.get("kept_by_business", []):
        yield f"{one['persona_id']} is kept by the business: {one['because']}."


def of_personas(s: dict[str, Any], lake: Any, command: Command) -> Iterator[str]:
    yield from giant(s)
    yield from asked_for(s)
    became = s.get("descent", {})
    if any(count for kind, count in became.items() if kind != "born"):
        told = told_changes(became)
        # Not "since the run before": a run without anything new tells it again.
        found = "when they were last searched for or updated"
        yield f"Personas {found}: {told} ({command('personas history')})."
        missing = tables(holes(lake))
        if missing and any(became.get(kind) for kind in ("born", "retired", "split", "merged")):
            yield (
                f"{WARNING}what is new, retired, split or merged may be so for want of what is "
                f"missing of {missing}, and not because people changed."
            )
    if "personas" not in s:
        return  # why, is said in the place of the personas
    yield why_so_many(s)
    yield from _who_counts(s, lake.summary("identity"))
    if "drift" in s:
        yield from _update(s)
        return
    yield from how_firm(s)
    yield from little(s) or [f"{_outside(s)}."]
    levels = s["levels"]
    if levels["families"] or levels["micro_personas"]:
        yield (
            f"Above them {some(levels['families'], 'family')} (personas about the same topics, by "
            "both halves of the people), within them "
            f"{some(levels['micro_personas'], 'micro-persona')}."
        )
    if "information_with_topics" in s:
        yield (
            "Normalised mutual information of personas with topics: "
            f"{s['information_with_topics']:.2f} (1 would be the catalogue over again)."
        )


def little(s: dict[str, Any]) -> list[str]:
    """That the personas of a search tell of a small part of what people do, where it is so."""
    if "personas" not in s or "drift" in s or s["unassigned_share"] < MOST_OUTSIDE:
        return []  # of an update it is said with how many there are
    return [
        f"{WARNING}{_outside(s)}. They tell of a small part of what people do: more of it (other "
        "sources, all lines where these are a sample), or topics that are finer or broader "
        "(`topic_level` in the mapping), may show more."
    ]


def _outside(s: dict[str, Any]) -> str:
    """How much of what people did is in no persona, and how much a persona holds of the rest."""
    return (
        f"{percent(s['unassigned_share'])}% of {s['episodes']:,} episodes (a person's intents on "
        "one topic on one occasion) belong to no persona; a persona sums up "
        f"{_each(s):,} on average"
    )


def _each(s: dict[str, Any]) -> int:
    """How many episodes a persona sums up, on average."""
    inside = (1 - float(s["unassigned_share"])) * int(s["episodes"])
    return round(inside / max(int(s["personas"]), 1))


def _who_counts(s: dict[str, Any], identity: dict[str, Any]) -> Iterator[str]:
    """Of whom the shares are, and who of the people that were resolved is not among them."""
    yield f"{some(s['people'], 'person')} had an intent; all shares are of these."
    denied = identity.get("denied", 0)
    if (idle := identity.get("people", 0) - denied - s["people"]) > 0:
        beside = f" and the {denied:,} who denied consent" if denied else ""
        yield (
            f"The other people are not among them: {idle:,} of whom nothing is known that an "
            f"intent is made of{beside}."
        )


def how_firm(s: dict[str, Any]) -> Iterator[str]:
    """Whether another seed might find others, from the summary of the step that finds personas.

    It might where what came back differed much from halving to halving, where other numbers of
    groups came back as well, and where most groups that came back are no personas.
    """
    if "personas" not in s or "error" not in s.get("taken", {}):
        return  # none were found, or by their rule, or by a version that did not measure it
    came, rivals = s["taken"], s.get("as_good", [])
    why = []
    if came["error"] > MOST_ERROR * came["information"]:
        why.append(
            "how much came back depends on how people are halved "
            f"({came['information']:.2g} ± {came['error']:.2g} nats)"
        )
    if rivals:
        why.append(
            f"the grouping that was taken ({_way(came)}) is not the only one that came back: so "
            f"did {', '.join(map(_way, rivals))}"
        )
    tested = s["candidates"]
    failed = sum(not one["passed"] for one in tested)
    if 2 * failed > len(tested):
        why.append(f"of {some(len(tested), 'group')} that came back {failed} are topics only")
    if why:
        yield (
            f"{WARNING}the structure is weak: {'; '.join(why)}. Another seed or store may find "
            "other personas; these stay, by their rule, until `run --search`. Intervals of shares "
            "are of the people, given the rule, and do not tell of this."
        )


def _dropped(one: dict[str, Any]) -> str:
    """Why a group that came back is no persona: a key of `DROPPED`."""
    return "topic" if not one["passed"] else one.get("dropped") or ""


def _way(one: dict[str, Any]) -> str:
    """A way to group what people did, in words."""
    ways = {
        "parts": "{:g} parts of people's histories",
        "communities": "communities at resolution {:g}",
    }
    return ways.get(one["by"], "each person's own groups").format(one["size"])


def why_so_many(s: dict[str, Any]) -> str:
    """Why there are as many personas as there are: what was tried, taken, kept and dropped."""
    if "personas" not in s:
        return f"{s['result']}.".capitalize()
    if "drift" in s:
        return (
            f"{some(s['personas'], 'persona')}, by their rule: {s['new_episodes']:,} of "
            f"{s['episodes']:,} episodes came after the last search; {s['unassigned_share']:.0%} "
            "of all belong to none."
        )
    came, tested = s["taken"], s["candidates"]
    overlooked = f", and {s['overlooked']:,} that had been overlooked" if s["overlooked"] else ""
    kept = len(s.get("kept_by_business", ()))
    beside = f", and {kept:,} kept by the business" if kept else ""
    told = _why_dropped(tested)
    return (
        f"{some(s['personas'], 'persona')}{beside}. Of {some(len(s['trials']), 'way')} to group "
        f"intents, the one was taken whose groups came back most when other people were grouped: "
        f"{came['come_back']:,} of its {came['personas']:,} did{overlooked}. "
        f"Of these dropped: {told or 'none'}."
    )


def tried_in_vain(s: dict[str, Any]) -> str:
    """What a search tried that found no persona; empty where it tried nothing."""
    if "personas" in s or "trials" not in s:
        return ""
    tried = f"Of {some(len(s['trials']), 'way')} to group intents "
    if not (back := s.get("taken", {}).get("come_back", 0) + s.get("overlooked", 0)):
        return f"{tried}none gave a group that came back when other people were grouped."
    dropped = _why_dropped(s.get("candidates", ()))
    return (
        f"{tried}the one was taken whose groups came back most when other people were grouped: "
        f"{some(back, 'group')} did. Of these dropped: {dropped}."
    )


def _why_dropped(tested: Sequence[dict[str, Any]]) -> str:
    """How many groups that came back are no personas, by reason."""
    reasons = Counter(_dropped(one) for one in tested if not one["kept"])
    return ", ".join(f"{count:,} {DROPPED[why]}" for why, count in sorted(reasons.items()))


def _update(s: dict[str, Any]) -> Iterator[str]:
    if s["gone_share"]:
        yield f"{s['gone_share']:.1%} of the intents that the search knew are no more."
    if s["drift"] is None:
        yield "Too few people did anything new to say whether the rule still fits."
        return
    told = ", ".join(
        f"{name} {one['value']:.3g} ({one['usual']:.3g} ± {one['spread']:.2g}, at most "
        f"{one['most']:.3g})"
        for name, one in s["drift"].items()
    )
    drifted = any(one["has_drifted"] for one in s["drift"].values())
    yield (
        f"New episodes against those of the search, beside what chance gives: {told}."
        f"{'' if drifted else ' None is beyond it.'}"
    )


def of_claims(s: dict[str, Any]) -> Iterator[str]:
    tested = s.get("claims_tested", 0)
    if s["claims"]:
        yield (
            f"{some(s['claims'], 'claim')} on {some(s['evidence_paths'], 'evidence path')}: "
            f"{tested:,} tested (with a q); {s['claims'] - tested:,} describe what the persona was "
            "found by, counted, but for shares of people and what is in common, on the half that "
            "it was not searched in."
        )
    yield from _worded(s.get("personas", {}))
    yield from _described(s.get("intent_types", {}))
    for one in s.get("renamed", ()):  # not of workspaces of before
        yield (
            f"{one['version']} was {one['before']} and is {one['name']} now: of what the name "
            "before said, no claim says any more that two fifths of the holders do it."
        )
    reasons: dict[str, list[str]] = {}
    for kind, reason in s["disabled"].items():
        reasons.setdefault(reason, []).append(KINDS[kind].words)
    for reason, kinds in reasons.items():
        yield f"No claims on {', '.join(kinds)}: {reason}."


def _described(types: dict[str, Any]) -> Iterator[str]:
    """How many lines on types of intent a language model that was asked wrote, and why not all."""
    if types.get("by_model") or types.get("refused"):
        reasons = Counter(reason.rstrip(".") for reason in types["refused"])
        told = "; ".join(f"{why} ({n:,})" for why, n in reasons.most_common(MOST_REASONS))
        yield (
            f"The language model wrote {types['by_model']:,} of "
            f"{some(types['described'], 'line')} on types of intent, the template the others"
            + (f": {told}." if told else ".")
        )


def _worded(personas: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What a language model that was asked wrote, and why the template wrote the rest."""
    written = [one["coverage"] for one in personas.values() if one["author"] != TEMPLATE]
    reasons = Counter(one["instead"].rstrip(".") for one in personas.values() if one["instead"])
    every = some(len(personas), "persona")
    if written:
        kept = sum(written) / len(written)
        yield (
            f"The language model wrote {len(written):,} of {every}; {kept:.0%} of its sentences "
            "say what their claims say, the others were cut."
        )
    if reasons:
        told = "; ".join(
            f"{reason} ({count:,})" for reason, count in reasons.most_common(MOST_REASONS)
        )
        if more := sum(count for _, count in reasons.most_common()[MOST_REASONS:]):
            told += f"; other reasons ({more:,}; --json lists them)"
        yield (
            f"{WARNING}the template wrote {sum(reasons.values()):,} of {every}, not the language "
            f"model that was asked: {told}."
        )
