"""What the steps of a run have to say, a sentence each, from their summaries in the lake."""

from collections.abc import Iterator
from typing import Any

MOST_REASONS = 6
WARNING = "warning: "


def notes(lake: Any) -> list[str]:
    """How many records became how many people, sessions, intents and personas, and what was odd."""
    tellers = {
        "ingest": _ingest,
        "identity": _identity,
        "intents": _intents,
        "personas": _personas,
        "rules": _rules,
        "claims": _claims,
    }
    summaries = {step: lake.summary(step) for step in tellers}
    return [line for step, tell in tellers.items() if (s := summaries[step]) for line in tell(s)]


def _ingest(s: dict[str, Any]) -> Iterator[str]:
    reasons: dict[str, int] = {}
    for file in s["report"]["files"]:
        for reason, count in file["reasons"].items():
            reasons[reason] = reasons.get(reason, 0) + count
        if file["status"] not in {"read", "unchanged"}:
            yield f"{file['source']}: {file['status']}" + (
                f" ({file['detail']})" if file["detail"] else ""
            )
    if reasons:
        most = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
        told = ", ".join(f"{count:,} {reason}" for reason, count in most[:MOST_REASONS])
        yield f"Quarantined with their reason, to be mended and run again: {told}."
    anonymous = sum(dataset["anonymous"] for dataset in s["report"]["datasets"])
    if anonymous:
        yield f"{anonymous:,} records name nobody; they are kept, and belong to no person."
    consent = s["consent"]
    yield f"Who said nothing has consent {consent['default']} (basis: {consent['basis']})."
    if s["sampled"] != "no":
        yield f"The source is a sample of {s['sampled']}: what that cannot support is not claimed."


def _identity(s: dict[str, Any]) -> Iterator[str]:
    yield f"{s['records']:,} records turned out to be about {s['people']:,} people."
    for one in s.get("gathered", ()):  # not of workspaces of before
        yield (
            f"{WARNING}{one['values']:,} values of {one['namespace']} became only "
            f"{one['people']:,} people. Unless a person has several, strangers were merged: "
            "look at some with personagraph identity explain, and take `unique: false` out of the "
            "mapping where every value is another person."
        )
    if s["denied"]:
        yield f"{s['denied']:,} people denied consent; nothing is made of their records."
    for one in s["blocked"]:
        yield (
            f"Not merged on {one['values']:,} values of {one['namespace']} "
            f"({one['records']:,} records): {one['why']}."
        )
    for why in sorted({one["why"] for one in s["cut"]}):
        cut = sum(one["values"] for one in s["cut"] if one["why"] == why)
        yield f"{cut:,} identifiers were cut: {why}."
    joined = s["evidence"].get("joined", 0)
    if joined:
        yield f"{joined:,} pairs of records were joined: they say the same of the person."
    if s["reviews"]:
        yield f"{s['reviews']:,} pairs wait for a person: personagraph identity review."


def _intents(s: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{s['sessions']:,} sessions, {s['intents']:,} intents of {s['topics']:,} topics, "
        f"{s['events_per_intent']:.2f} events each; topic level {s['topic_level']}: "
        f"{s['topic_level_why']}."
    )


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


def _rules(s: dict[str, Any]) -> Iterator[str]:
    for rule in s["rules"]:
        if rule["people"] == 0:
            yield f"Nobody meets the rule {rule['name']}."
        elif rule["people"] == rule["population"]:
            yield f"Everybody meets the rule {rule['name']}: it tells nobody apart."


def asked_for(s: dict[str, Any]) -> Iterator[str]:
    """What came of what the business asks, from the summary of the step that finds personas."""
    yield from _constraints(s.get("constraints", {}))
    for one in s.get("kept_by_business", []):
        yield f"{one['persona_id']} is kept by the business, not found: {one['because']}."


def _personas(s: dict[str, Any]) -> Iterator[str]:
    yield from asked_for(s)
    lines = s.get("descent", {})
    if lines.keys() - {"born"}:
        told = ", ".join(f"{lines[kind]} {kind}" for kind in sorted(lines))
        yield f"Personas since the run before: {told} (personagraph personas history)."
    yield why_so_many(s)
    if "personas" not in s:
        return
    if "drift" in s:
        yield from _update(s)
        return
    yield (
        f"{s['unassigned_share']:.0%} of {s['episodes']:,} episodes (a person's intents on one "
        "topic on one occasion) belong to no persona."
    )
    levels = s["levels"]
    if levels["families"] or levels["micro_personas"]:
        yield (
            f"Above them {levels['families']:,} families (personas about the same topics, by both "
            f"halves of the people), within them {levels['micro_personas']:,} micro-personas."
        )
    if "information_with_topics" in s:
        yield (
            "Normalised mutual information of personas with topics: "
            f"{s['information_with_topics']:.2f} (1 would be the catalogue over again)."
        )


def why_so_many(s: dict[str, Any]) -> str:
    """Why there are as many personas as there are: what was tried, taken, kept and dropped."""
    if "personas" not in s:
        return f"{s['result']}.".capitalize()
    if "drift" in s:
        return (
            f"{s['personas']:,} personas, by their rule: {s['new_episodes']:,} of "
            f"{s['episodes']:,} episodes came after the last search; {s['unassigned_share']:.0%} "
            "of all belong to none."
        )
    came, tested = s["taken"], s["candidates"]
    tried = next(t for t in s["trials"] if (t["by"], t["size"]) == (came["by"], came["size"]))
    failed = sum(not one["passed"] for one in tested)
    mute = sum(one["passed"] and not one["kept"] for one in tested)
    return (
        f"{s['personas']:,} personas: of {len(s['trials']):,} proposals {came['by']} "
        f"({came['size']:g}) said most that came back on other people "
        f"({tried['information']:.2f} nats beyond the topic). {tried['come_back']:,} of its "
        f"{tried['personas']:,} came back, {s['overlooked']:,} more had been overlooked; of these "
        f"{failed:,} were topics only (they do not recur in the same people more than chance) and "
        f"{mute:,} told too few people, or nobody, from others."
    )


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
    yield f"New episodes against those of the search, beside what chance gives: {told}."


def _claims(s: dict[str, Any]) -> Iterator[str]:
    yield f"{s['claims']:,} claims stand on {s['evidence_paths']:,} evidence paths."
    reasons: dict[str, list[str]] = {}
    for kind, reason in s["disabled"].items():
        reasons.setdefault(reason, []).append(kind)
    for reason, kinds in reasons.items():
        yield f"No claims on {', '.join(kinds)}: {reason}."
