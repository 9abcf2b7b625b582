"""Survey answers, wide to long: which column asks what, what kind of answers it holds, and one
event for each answer.

What kind a question is follows from its wording and from all its answers (`kinds`); a kind decides
only how an answer is told, never whether. Answers to questions about a choice are told apart by
what was chosen, because that is what people differ in.
"""

import re
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis
import pyarrow as pa

from ingestion.columns import identifier
from ingestion.functions import among, json_texts, try_strptime
from ingestion.mapping import Mapping
from ingestion.record import EVENT, Dataset, Reading, Rows
from ingestion.sources import tables
from ingestion.sources.naming import trust_of
from ingestion.sources.received import received, used_columns
from ingestion.table import Table
from ingestion.text import scrub
from ingestion.values import Case
from kg.errors import InputError
from kg.lake.files import POSITION
from kg.lake.scratch import Scratch

# Words of the usual scales, worst to best; a question's words must all be of one of them.
SCALES: tuple[tuple[str, ...], ...] = (
    ("strongly disagree", "disagree", "neither agree nor disagree", "agree", "strongly agree"),
    ("strongly disagree", "somewhat disagree", "neither agree nor disagree", "somewhat agree",
     "strongly agree"),
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"),
    ("strongly disagree", "disagree", "undecided", "agree", "strongly agree"),
    ("strongly disagree", "disagree", "somewhat disagree", "neither agree nor disagree",
     "somewhat agree", "agree", "strongly agree"),
    ("very dissatisfied", "dissatisfied", "neutral", "satisfied", "very satisfied"),
    ("very dissatisfied", "dissatisfied", "neither satisfied nor dissatisfied", "satisfied",
     "very satisfied"),
    ("extremely dissatisfied", "somewhat dissatisfied", "neither satisfied nor dissatisfied",
     "somewhat satisfied", "extremely satisfied"),
    ("not at all satisfied", "not so satisfied", "somewhat satisfied", "very satisfied",
     "extremely satisfied"),
    ("extremely unlikely", "somewhat unlikely", "neither likely nor unlikely", "somewhat likely",
     "extremely likely"),
    ("very unlikely", "unlikely", "neutral", "likely", "very likely"),
    ("not at all likely", "not so likely", "somewhat likely", "very likely", "extremely likely"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("never", "sometimes", "about half the time", "most of the time", "always"),
    ("very poor", "poor", "fair", "good", "very good"),
    ("poor", "fair", "good", "very good", "excellent"),
    ("terrible", "poor", "average", "good", "excellent"),
    ("not at all important", "slightly important", "moderately important", "very important",
     "extremely important"),
    ("not at all important", "not so important", "somewhat important", "very important",
     "extremely important"),
)  # fmt: skip
_SEPARATORS = (";", ",")
_MOST_OPTIONS = 20
_NPS = re.compile(r"\bnps\b|recommend|how likely .*(friend|colleague)", re.IGNORECASE)
_CSAT = re.compile(r"\bcsat\b|satisf", re.IGNORECASE)
_MAIL = re.compile(r"e-?mail", re.IGNORECASE)
_OF_OTHERS = re.compile(r"friend|colleague|someone|referr", re.IGNORECASE)
_LONGEST_OPTION = 80


@dataclass(frozen=True)
class Question:
    """A column of answers.

    Attributes:
        source: the file it is in; two files may ask different things in columns of one name.
        wording: what was asked.
        option: what was chosen, where each choice has a column of its own.
        kind: nps, csat, likert, scale, number, choice, multi_select, text or email; `declared`:
            read as it stands, with `category` from the list of questions.
    """

    source: str
    column: str
    wording: str
    option: str | None = None
    kind: str = ""
    category: str | None = None
    words: tuple[str, ...] = ()  # of its scale
    separator: str | None = None  # of several choices in one answer


def read(
    scratch: Scratch,
    dataset: Dataset,
    mapping: Mapping,
    salt: str,
    asked: Sequence[Question],
    *,
    skip: int = 0,
) -> Reading:
    """Read responses as events, one for each answer (several for several choices).

    Args:
        scratch: the engine.
        dataset: with a table whose time, key and identifiers are known.
        mapping: what it belongs to.
        salt: of content hashes.
        asked: every column of every file that holds answers.
        skip: how many rows after the header of each file are no responses.

    Raises:
        InputError: no column holds answers.
    """
    if not asked:
        line = mapping.line("tables", dataset.name)
        raise InputError(
            f"{mapping.place(line)}no column of table {dataset.name!r} is left to be a question.",
            hint="In a survey the columns that the mapping does not name are its questions; "
            "for a table of events drop format and give kind: event.",
            line=line,
        )
    columns = list(dict.fromkeys(one.column for one in asked))
    table = dataset.table.model_copy(
        update={
            "kind": "event",
            "verb": (Case.model_validate({"is": "answered"}),),
            "traits": {name: name for name in columns},
            "required": tuple(dataset.table.required or ()),
        }
    )
    reading = tables.read(scratch, replace(dataset, table=table), mapping, salt, skip=skip)
    rows = scratch.keep(reading.rows)
    understood = asked
    if not all(one.kind for one in asked):
        understood = kinds(scratch, _told(scratch, rows, asked, columns), asked)
    about = {"consents", "person_details", "merged_ids"}
    outputs = {name: make for name, make in reading.outputs.items() if name in about}
    channel = (table.channel.constant if table.channel else None) or "survey"
    outputs["events"] = lambda rows: _events(scratch, _told(scratch, rows, understood, columns),
                                             understood, channel)  # fmt: skip
    named = reading.outputs.get("identifiers")
    outputs["identifiers"] = lambda rows: _identifiers(
        scratch, rows, understood, columns, named(rows) if named else None
    )
    notes = tuple(_notes(understood))
    return Reading(_with_named(rows, understood), outputs, reading.unread, notes)


def _told(scratch: Scratch, rows: Rows, asked: Sequence[Question], columns: list[str]) -> Rows:
    """The answers, one a row: (record columns, number, answer); number is the place in `asked`."""
    paths = [f'$."{name}"' for name in columns]
    keep = [name for name in ("record_key",) if name in rows.columns]
    rows = rows.filter(rows["_concerned"]).select(
        *keep, "source", "occurred_at_ms", "recorded_at_ms",
        answer=json_texts(rows.traits, ibis.literal(paths)),
    ).unnest("answer", offset="place")  # fmt: skip
    places = pa.table(
        {
            "source": [one.source for one in asked],
            "place": pa.array([columns.index(one.column) for one in asked], pa.int64()),
            "number": pa.array(range(len(asked)), pa.int64()),
        }
    )
    rows = rows.filter(rows.answer.notnull())
    return rows.join(scratch.given(places), ["source", "place"]).drop("place")


def _score(answer: Any) -> Any:
    """The number that an answer is or begins with (`10 - Extremely likely`)."""
    first = answer.re_extract(r"^(-?\d{1,6}(?:\.\d+)?)(?:\s*[-–:(].*)?$", 1)
    number = first.nullif("").try_cast("float64")
    return (number.isnan() | number.isinf()).ifelse(ibis.null("float64"), number)


def kinds(scratch: Scratch, told: Rows, asked: Sequence[Question]) -> list[Question]:
    """The questions with the kind that their wording and all their answers speak for."""
    score = _score(told.answer)
    facts = told.group_by("number").agg(
        count=told.count(),
        distinct=told.answer.nunique(),
        scores=score.count(),
        whole=(score == score.floor()).sum(),
        low=score.min(),
        high=score.max(),
        longest=told.answer.length().max(),
        mails=told.answer.re_search(r"^\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*$").sum(),
    )
    found = {row["number"]: row for row in scratch.fetch(facts)}
    few = [number for number, row in found.items() if row["distinct"] <= _MOST_OPTIONS]
    words: dict[int, list[str]] = {}
    some = told.filter(told.number.isin(few) if few else ibis.literal(False))
    for row in scratch.fetch(some.select("number", "answer").distinct()):
        words.setdefault(row["number"], []).append(row["answer"])
    split = _separated(scratch, told)
    return [
        _understood(one, found.get(number), sorted(words.get(number, [])), split.get(number))
        for number, one in enumerate(asked)
    ]


def _separated(scratch: Scratch, told: Rows) -> dict[int, str]:
    """Questions whose answers are several of a few choices, and what separates them."""
    found: dict[int, str] = {}
    for separator in _SEPARATORS:
        part = told.answer.split(separator)
        parts = told.select("number", several=part.length() > 1, part=part).unnest("part")
        parts = parts.mutate(part=parts.part.strip(), whole=parts.part)
        counted = parts.group_by("number").agg(
            parts=parts.count(), distinct=parts.part.nunique(), several=parts.several.mean(),
            longest=parts.part.length().max(),
        )  # fmt: skip
        whole = told.group_by("number").agg(wholes=told.answer.nunique())
        for row in scratch.fetch(counted.join(whole, "number")):
            few = row["distinct"] <= _MOST_OPTIONS and row["parts"] >= 2 * row["distinct"]
            if few and row["several"] >= 0.2 and row["longest"] <= 60 and row["wholes"] > 1:
                found.setdefault(row["number"], separator)
    return found


def _understood(
    one: Question, facts: Dict[str, Any] | None, words: list[str], separator: str | None
) -> Question:
    if facts is None or not facts["count"]:
        return replace(one, kind="text")
    if one.option is not None and set(words) <= {one.option, "1", "true", "True", "Yes"}:
        return replace(one, kind="multi_select")
    wording = one.wording if one.option in {None, one.wording} else f"{one.wording}: {one.option}"
    one = replace(one, wording=wording, option=None)
    scale = _scale(words)
    if scale:
        kind = "csat" if any("satisf" in word for word in scale) else "likert"
        return replace(one, kind=kind, words=scale)
    if facts["scores"] == facts["count"]:
        return replace(one, kind=_numeric(wording, facts))
    if facts["mails"] >= 0.9 * facts["count"]:
        return replace(one, kind="email")
    if separator:
        return replace(one, kind="multi_select", separator=separator)
    repeated = words and facts["count"] >= 2 * facts["distinct"]
    if repeated and facts["longest"] <= _LONGEST_OPTION:
        return replace(one, kind="choice")
    return replace(one, kind="text")


def _scale(words: list[str]) -> tuple[str, ...]:
    given = {word.casefold().strip() for word in words}
    fits = [scale for scale in SCALES if given and given <= set(scale)]
    return min(fits, key=len) if fits and len(given) > 1 else ()


def _numeric(wording: str, facts: Dict[str, Any]) -> str:
    low, high, whole = facts["low"], facts["high"], facts["whole"] == facts["count"]
    if whole and low >= 0 and high <= 10 and _NPS.search(wording):
        return "nps"
    if whole and low >= 0 and high <= 10 and _CSAT.search(wording):
        return "csat"
    return "scale" if whole and low >= 0 and high <= 10 else "number"


def own_mails(asked: Sequence[Question]) -> list[Question]:
    """The questions for the person's own address: the only one of its file that asks for one."""
    mails: dict[str, list[Question]] = {}
    for one in asked:
        if one.kind == "email":
            mails.setdefault(one.source, []).append(one)
    return [
        found[0]
        for found in mails.values()
        if len(found) == 1
        and _MAIL.search(found[0].wording)
        and not _OF_OTHERS.search(found[0].wording)
    ]


def _notes(asked: Sequence[Question]) -> list[str]:
    counts: dict[str, int] = {}
    for one in {(one.source, one.wording): one for one in asked}.values():
        counts[one.kind] = counts.get(one.kind, 0) + 1
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()) if kind)
    notes = [f"questions by the kind of their answers: {told}"] if told else []
    mails = sorted({one.wording for one in own_mails(asked)})
    return notes + [f"the answers to {one!r} are taken for the person's own address"
                    for one in mails]  # fmt: skip


def _questions(asked: Sequence[Question]) -> pa.Table:
    scores = [{word: float(n) for n, word in enumerate(one.words, 1)} for one in asked]
    return pa.table(
        {
            "number": pa.array(range(len(asked)), pa.int64()),
            "kind": pa.array([one.kind for one in asked], pa.string()),
            "wording": pa.array([one.wording for one in asked], pa.string()),
            "chosen": pa.array([_chosen(one) for one in asked], pa.string()),
            "asked_category": pa.array([one.category for one in asked], pa.string()),
            "separator": pa.array([one.separator for one in asked], pa.string()),
            "scale": pa.array(
                [list(one.items()) for one in scores], pa.map_(pa.string(), pa.float64())
            ),
        }
    )


def _chosen(one: Question) -> str | None:
    """What a choice with a column of its own is about."""
    if one.option is None:
        return None
    return one.option if one.option == one.wording else f"{one.wording}: {one.option}"


_SCORED = ("nps", "csat", "likert", "scale", "number", "declared")


def _events(scratch: Scratch, told: Rows, asked: Sequence[Question], channel: str) -> Rows:
    rows = told.join(scratch.given(_questions(asked)), "number")
    rows = rows.filter(rows.kind != "email")
    by = [(rows.separator == one, rows.answer.split(one)) for one in _SEPARATORS]
    rows = rows.mutate(part=ibis.cases(*by, else_=ibis.array([rows.answer]))).unnest("part")
    rows = rows.mutate(part=rows.part.strip().nullif(""))
    rows = rows.filter(rows.part.notnull())
    plain = _score(rows.part)
    whole = rows.part.try_cast("float64")
    whole = (whole.isnan() | whole.isinf()).ifelse(ibis.null("float64"), whole)
    by_word = rows.scale.get(rows.part.lower(), ibis.null("float64"))
    score = ibis.cases((rows.kind == "declared", whole), else_=ibis.coalesce(by_word, plain))
    score = among(rows.kind, _SCORED).ifelse(score, ibis.null("float64"))
    chosen = rows.kind.isin(("choice", "multi_select"))
    choice = ibis.coalesce(rows.chosen, rows.wording + ": " + scrub(rows.part))
    nothing = ibis.null("string")
    said = chosen | (score.notnull() & rows.part.try_cast("float64").notnull())
    given = {
        "channel": ibis.literal(channel),
        "verb": ibis.literal("answered"),
        "object": chosen.ifelse(choice, rows.wording),
        "category": rows.asked_category,
        "text": said.ifelse(nothing, scrub(rows.part)),
        # A score is no money: it must not be summed with what people spent.
        "quantity": score,
        "value": ibis.null("float64"),
    }
    keep = ("record_key", "source", "occurred_at_ms", "recorded_at_ms")
    return rows.select(*keep, **{name: given.get(name, nothing) for name in EVENT})


def _identifiers(
    scratch: Scratch,
    rows: Rows,
    asked: Sequence[Question],
    columns: list[str],
    named: Rows | None,
) -> Rows:
    """Whom a response is from: what the table says, and the address that was asked for."""
    mine = own_mails(asked)
    if not mine:
        return named if named is not None else _nobody(rows)
    told = _told(scratch, rows, mine, columns)
    said = told.select("record_key", namespace=ibis.literal("email"),
                       value=identifier("email", told.answer),
                       trust=ibis.literal(trust_of("email"), "int32"))  # fmt: skip
    said = said.filter(said.value.notnull())
    return (said if named is None else named.union(said)).distinct()


def _with_named(rows: Rows, asked: Sequence[Question]) -> Rows:
    """The responses; one with an address that was asked for names somebody, too."""
    given = [
        (rows.source == one.source)
        & identifier("email", json_texts(rows.traits, ibis.literal([f'$."{one.column}"']))[0])
        .notnull()
        for one in own_mails(asked)
    ]  # fmt: skip
    if not given:
        return rows
    return rows.mutate(named=rows.named | (rows["_concerned"] & ibis.or_(*given)))


def _nobody(rows: Rows) -> Rows:
    return rows.filter(ibis.literal(False)).select(
        "record_key", namespace=ibis.literal(""), value=ibis.literal(""),
        trust=ibis.literal(1, "int32"),
    )  # fmt: skip


def other_columns(dataset: Dataset, table: Table) -> dict[str, list[str]]:
    """File -> its columns that the table itself makes nothing of, in their order."""
    found = {}
    for name, staged in dataset.staged.items():
        used = {column for one in used_columns(table)
                for column in table.columns_for(one, staged.columns)}  # fmt: skip
        found[name] = [one for one in staged.columns if one not in used]
    return found


def usual(table: Table, usual: dict[str, Any]) -> Table:
    """The table of a vendor's survey with what the mapping adds to it or overrides."""
    base = Table.model_validate(usual)
    written = {name: getattr(table, name) for name in table.model_fields_set}
    for name in ("identifiers", "names"):
        written[name] = {**getattr(base, name), **getattr(table, name)}
    return base.model_copy(update={**written, "kind": "event"})


def with_zone(table: Table, mapping: Mapping) -> Table:
    """The table, if its times have a zone.

    Raises:
        InputError: neither the table nor the mapping names one.
    """
    if table.time is not None and not table.time.zone and not mapping.time_zone:
        raise InputError(
            f"The times of {table.format} carry no zone.",
            hint="Say which: `time_zone:` of the mapping is the clock of the survey's account.",
        )
    return table


def certain_formats(
    scratch: Scratch, dataset: Dataset, column: str, patterns: Sequence[str], skip: int
) -> tuple[str, ...]:
    """The patterns that read every time of a column; where none does, all that read some.

    More than one is left where the values leave it open; what they read differently is
    quarantined then.
    """
    rows, names = received(scratch, dataset)
    text = rows.filter(rows[POSITION] > skip)[names[column]].strip().nullif("")
    told = text.as_table().rename(text=text.get_name())
    counts = told.agg(
        given=told.text.count(),
        **{f"p{n}": try_strptime(told.text, one).count() for n, one in enumerate(patterns)},
    )
    row = scratch.fetch(counts)[0]
    reads = {one: row[f"p{n}"] for n, one in enumerate(patterns)}
    whole = [one for one, count in reads.items() if count == row["given"] > 0]
    return tuple(whole or [one for one, count in reads.items() if count] or patterns[:1])


def first_rows(scratch: Scratch, dataset: Dataset, count: int) -> dict[str, list[dict[str, Any]]]:
    """File -> its first rows as texts, in order: what some vendors write below the header."""
    rows, names = received(scratch, dataset)
    rows = rows.filter(rows[POSITION] <= count)
    rows = rows.select("source", POSITION, *names.values()).order_by("source", POSITION)
    back = {ours: name for name, ours in names.items()}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in dataset.staged}
    for row in scratch.fetch(rows):
        found[row["source"]].append({back[name]: row[name] for name in names.values()})
    return found
