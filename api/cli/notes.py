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


def _personas(s: dict[str, Any]) -> Iterator[str]:
    lines = s.get("descent", {})
    if lines.keys() - {"born"}:
        told = ", ".join(f"{lines[kind]} {kind}" for kind in sorted(lines))
        yield f"Personas since the run before: {told} (personagraph personas history)."
    if "personas" not in s:
        yield f"{s['result']}.".capitalize()
        return
    tested = s["candidates"]
    failed = sum(not one["passed"] for one in tested)
    mute = sum(one["passed"] and not one["kept"] for one in tested)
    came = s["taken"]
    yield (
        f"{s['personas']:,} personas, found by {came['by']} ({came['size']:g}); all came back on "
        f"other people. {failed:,} of {len(tested):,} that came back were topics only (they do "
        "not recur in the same people more than chance)"
        + (f", {mute:,} told too few people, or nobody, from others" if mute else "")
        + f". {s['unassigned_share']:.0%} of "
        f"{s['episodes']:,} episodes (a person's intents on one topic on one occasion) belong to "
        "none."
    )
    if "information_with_topics" in s:
        yield (
            "Normalised mutual information of personas with topics: "
            f"{s['information_with_topics']:.2f} (1 would be the catalogue over again)."
        )


def _claims(s: dict[str, Any]) -> Iterator[str]:
    yield f"{s['claims']:,} claims stand on {s['evidence_paths']:,} evidence paths."
    reasons: dict[str, list[str]] = {}
    for kind, reason in s["disabled"].items():
        reasons.setdefault(reason, []).append(kind)
    for reason, kinds in reasons.items():
        yield f"No claims on {', '.join(kinds)}: {reason}."
