"""What reading, resolving and grouping have to say: of records, people, topics and intents."""

from collections.abc import Callable, Iterator
from typing import Any

from ingestion.report import NAMELESS, OF_NOBODY, PLACEHOLDERS, Report
from kg.personas.holes import days
from kg.words import WARNING, some

MOST_REASONS = 6
MOST_SHRUNK = 5
MOST_CHANGED = 5
MOST_LANGUAGES = 5

Command = Callable[[str], str]
"""What follows `personagraph` -> the whole command for this workspace."""


def _shrunk(report: dict[str, Any]) -> Iterator[str]:
    """Files that hold far fewer records than before: cut off, or much of them deleted."""
    found = Report.from_dict(report).shrunk()
    for file in found[:MOST_SHRUNK]:
        before = file.usable + file.gone
        yield (
            f"{WARNING}{file.source} had {some(before, 'record')} when it was read before and has "
            f"{file.usable:,} now: {file.gone:,} are gone from everything, from people "
            "and personas too. If the file was cut off, restore it and run again."
        )
    if more := found[MOST_SHRUNK:]:
        yield f"{WARNING}so did {some(len(more), 'more file')} (--json lists them)."


def _same_key(report: dict[str, Any]) -> Iterator[str]:
    """Tables of which different rows have one key."""
    for dataset in Report.from_dict(report).datasets:
        for told in dataset.same_key():
            yield f"{WARNING}{dataset.name}: {told}."


def _quarantined(files: list[dict[str, Any]], command: Command) -> Iterator[str]:
    """How many records are in quarantine, why, where the first of each reason is, and what lists
    them all."""
    reasons: dict[str, int] = {}
    first: dict[str, str] = {}
    for file in files:
        for reason, count in file["reasons"].items():
            reasons[reason] = reasons.get(reason, 0) + count
            if reason in file.get("first", {}):  # not of workspaces of before
                at = f" (first: row {file['first'][reason]:,} of {file['source']})"
                first.setdefault(reason, at)
    if not reasons:
        return
    most = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    told = ", ".join(
        f"{count:,} {reason}{first.get(reason, '')}" for reason, count in most[:MOST_REASONS]
    )
    if more := sum(count for _, count in most[MOST_REASONS:]):
        told += f", {more:,} for other reasons (--json lists them)"
    yield (
        f"Quarantined with their reason, to be mended and run again: {told}. "
        f"`{command('export records -o records.csv')}` lists each."
    )


def _gone(report: dict[str, Any], lake: Any) -> Iterator[str]:
    """Files that were read before and are not in the folder: what they said stays."""
    there = {file["source"] for file in report["files"]}
    rows = lake.arrow("files", ["source", "accepted"]).to_pylist()
    gone = [row for row in rows if row["source"] not in there and row["accepted"]]
    if gone:
        first = min(row["source"] for row in gone)
        count = sum(row["accepted"] for row in gone)
        yield (
            f"{some(len(gone), 'file')} read before, no longer in the folder (first: {first}): "
            f"what they said stays, {some(count, 'record')}. To take it out, put a file of the "
            "same name without rows in its place, or make the workspace anew."
        )


def of_ingest(s: dict[str, Any], lake: Any, command: Command) -> Iterator[str]:
    yield from _shrunk(s["report"])
    yield from _gone(s["report"], lake)
    for file in s["report"]["files"]:
        if file["status"] not in {"read", "unchanged"}:
            detail = (file["detail"] or "").removeprefix(WARNING)
            sign = WARNING if detail != (file["detail"] or "") else ""
            yield f"{sign}{file['source']}: {file['status']}{f' ({detail})' if detail else ''}"
    yield from _quarantined(s["report"]["files"], command)
    yield from _same_key(s["report"])
    of_nobody = sum(dataset.get("of_nobody", 0) for dataset in s["report"]["datasets"])
    if of_nobody:
        yield f"{some(of_nobody, 'record')} {OF_NOBODY}."
    datasets = s["report"]["datasets"]
    placeholders = sum(dataset.get("placeholders", 0) for dataset in datasets)  # not of before
    if placeholders:
        yield f"{WARNING}{some(placeholders, 'record')} {PLACEHOLDERS}."
    anonymous = sum(dataset["anonymous"] for dataset in datasets) - placeholders
    if anonymous:
        yield f"{some(anonymous, 'record')} {NAMELESS}."
    consent = s["consent"]
    yield f"Who said nothing has consent {consent['default']} (basis: {consent['basis']})."
    if s["sampled"] != "no":
        yield f"The source is a sample of {s['sampled']}: what that cannot support is not claimed."


def of_identity(s: dict[str, Any], command: Command) -> Iterator[str]:
    yield f"{some(s['records'], 'record')} turned out to be about {some(s['people'], 'person')}."
    for one in s.get("nobody", ()):  # not of workspaces of before
        yield (
            f"{some(one['records'], 'record')} of nobody, kept and in no persona: each names "
            f"{one['why']}."
        )
    for one in s.get("gathered", ()):  # not of workspaces of before
        yield (
            f"{WARNING}{one['values']:,} values of {one['namespace']} became only "
            f"{one['people']:,} people. Unless a person has several, strangers were merged: "
            f"look at some with {command('identity explain A B')}, and take `unique: false` out of "
            "the mapping where every value is another person."
        )
    if new := s.get("newcomers"):
        yield (
            f"{WARNING}none of the {some(new, 'person')} in these files was known to this "
            "workspace: they share no identifier with those already in it. Where they are another "
            "company's, give them a workspace of their own (--workspace) and make this one anew: "
            "what was read stays in it, though its folder is not run again."
        )
    if s["denied"]:
        yield f"{some(s['denied'], 'person')} denied consent; nothing is made of their records."
    for one in s["blocked"]:
        yield (
            f"Not merged on {some(one['values'], 'value')} of {one['namespace']} "
            f"({some(one['records'], 'record')}): {one['why']}."
        )
    for why in sorted({one["why"] for one in s["cut"]}):
        cut = sum(one["values"] for one in s["cut"] if one["why"] == why)
        yield f"{some(cut, 'identifier')} cut: {why}."
    joined = s["evidence"].get("joined", 0)
    if joined:
        settled = s.get("settled", s["records"])
        of = f" of the {settled:,} decided about anew" if settled < s["records"] else ""
        yield f"{some(joined, 'pair')} of records{of} joined: they say the same of the person."
    yield from _changed(s.get("changes", {}))  # not of workspaces of before
    if s["reviews"]:
        waiting = some(s["reviews"], "pair")
        yield f"To be decided by somebody: {waiting} ({command('identity review')})."


def _changed(changes: dict[str, Any]) -> Iterator[str]:
    """Who was merged and split when people were last resolved, the first of them by id.

    Not "since the run before": a run that has nothing new to resolve tells it again.
    """
    for what in ("merged", "split"):
        found = changes.get(what, {"count": 0, "users": []})
        for one in found["users"][:MOST_CHANGED]:
            others = ", ".join(one["others"][:MOST_CHANGED])
            if (more := len(one["others"]) - MOST_CHANGED) > 0:
                others += f" and {more:,} more"
            if what == "merged":
                yield f"Merged when people were last resolved: {others} are {one['user_id']} now."
            else:
                yield f"Split when people were last resolved: {one['user_id']} is {others} now."
        if (more := found["count"] - MOST_CHANGED) > 0:
            yield f"{some(more, 'more user')} {what} (--json lists them, up to 200 in all)."


def _holes(s: dict[str, Any]) -> Iterator[str]:
    """Tables that say nothing for a while, though others do: files may be missing."""
    for one in s.get("holes", ()):  # not of workspaces of before
        beside = "before" if one["is_open"] else "before and after"
        usual = f"at most {some(one['usual_days'], 'day')}" if one["usual_days"] else "never a day"
        shown = one["others"][:MOST_CHANGED]
        more = len(one["others"]) - len(shown)
        others = ", ".join(shown) + (f" and {more:,} more" if more else "")
        yield (
            f"{WARNING}{one['dataset']} has {days(one)} "
            f"({some(one['days'], 'day')}; {beside}, as long, {usual} without one), and other "
            f"tables have: {others}. If files of these days are missing, add them and run again: "
            "personas, who holds them and drift are of what is there. If nothing happened then, "
            "nothing is wrong."
        )


_WRITTEN = {
    "item": (
        "titles of items without categories",
        "Name a column of categories in the mapping (`categories`), which is taken instead",
    ),
    "text": (
        "texts",
        "Name a column that says what they are about in the mapping (`object`), which is taken "
        "instead, or leave `text` out",
    ),
}


def of_topics(s: dict[str, Any]) -> Iterator[str]:
    """Texts that an English model and English words group, and that seem not to be English."""
    yield from _undivided(s)
    if not s.get("is_english_model"):  # who set another knows its languages; or of before
        return
    for what, found in s["languages"].items():
        if found["is_english"]:
            continue
        texts, instead = _WRITTEN[what]
        shares = found["shares"]
        told = ", ".join(f"{shares[name]:.0%} {name}" for name in list(shares)[:MOST_LANGUAGES])
        more = ", and others" if len(shares) > MOST_LANGUAGES else ""
        yield (
            f"{WARNING}of {found['texts']:,} different {texts} at least {sum(shares.values()):.0%} "
            f"seem not to be English ({told}{more}). What groups them knows English: texts of "
            "another language become topics of their own, and people who write in it may become a "
            f"persona. {instead}; or have them translated, or set PERSONAGRAPH_EMBEDDING_MODEL to "
            "a model of these languages. Then run again with --search."
        )


def _undivided(s: dict[str, Any]) -> Iterator[str]:
    """Texts without blanks between words, which nothing divides."""
    if s.get("are_divided"):
        return
    for what, found in s.get("languages", {}).items():
        if names := found.get("undivided"):  # not of runs of before
            texts, instead = _WRITTEN[what]
            yield (
                f"{WARNING}{texts} in {', '.join(names)} are not divided into words, as no blanks "
                "do it: topics are called by whole sentences, and texts share no words. Set "
                "PERSONAGRAPH_SPACY_MODEL to a spaCy pipeline of the language, which divides them. "
                f"{instead}. Then run again with --search."
            )


def of_intents(s: dict[str, Any]) -> Iterator[str]:
    yield from _holes(s)
    yield (
        f"{some(s['sessions'], 'session')}, {some(s['intents'], 'intent')} of "
        f"{some(s['topics'], 'topic')}, {s['events_per_intent']:.2f} events each; topic level "
        f"{s['topic_level']}: {s['topic_level_why']}."
    )
