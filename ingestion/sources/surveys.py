"""Survey responses: a wide table, one row per response, one column per question.

Each answered question is an event of channel `survey`, verb `answered`, about the question; all
events of a response share its record.
"""

from dataclasses import replace
from typing import Any

import ibis

from ingestion.columns import as_text
from ingestion.functions import json_texts
from ingestion.mapping import Case, Mapping, Questions
from ingestion.record import EVENT, Dataset, Reading, Rows
from ingestion.sources import tables
from ingestion.text import scrub
from kg.errors import InputError
from kg.lake.scratch import Scratch


def read(scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str) -> Reading:
    """Read responses as events, one for each answer.

    Raises:
        InputError: no column holds the answers to a listed question.
    """
    questions = _questions(scratch, dataset)
    table = dataset.table.model_copy(
        update={
            "kind": "event",
            "verb": (Case.model_validate({"is": "answered"}),),
            "traits": {name: name for name, _, _ in questions},
        }
    )
    reading = tables.read(scratch, replace(dataset, table=table), mapping, salt)
    channel = table.channel.constant if table.channel else "survey"
    about = {"identifiers", "person_details", "merged_ids"}
    outputs = {name: make for name, make in reading.outputs.items() if name in about}
    outputs["events"] = lambda rows: _event_rows(rows, questions, channel or "survey")
    if "consents" in reading.outputs:
        outputs["consents"] = reading.outputs["consents"]
    return Reading(reading.rows, outputs)


Question = tuple[str, str, str | None]  # answer column, wording, type


def _questions(scratch: Scratch, dataset: Dataset) -> list[Question]:
    columns = {name for staged in dataset.staged.values() for name in staged.columns}
    if dataset.table.questions is None:
        used = set(tables.used_columns(dataset.table))
        return [(name, name, None) for name in sorted(columns - used)]
    declared = dataset.table.questions
    rows = scratch.rows(dataset.links["questions"])
    found = [one for one in _listed(scratch, rows, declared) if one[0] in columns]
    if not found:
        raise InputError(
            f"No column of {dataset.name!r} answers a question of {declared.file!r}.",
            hint=f"questions.id names the column that holds their names; it is {declared.id!r}.",
        )
    return found


def _listed(scratch: Scratch, rows: Rows, declared: Questions) -> list[Question]:
    kind: Any = as_text(rows[declared.type]) if declared.type else ibis.null("string")
    listed = rows.select(
        id=as_text(rows[declared.id]).strip(), text=as_text(rows[declared.text]).strip(), kind=kind
    )
    found = scratch.fetch(listed)
    named = {row["id"]: (row["id"], row["text"] or row["id"], row["kind"]) for row in found}
    return [named[name] for name in sorted(name for name in named if name)]


def _event_rows(rows: Rows, questions: list[Question], channel: str) -> Rows:
    paths = [f'$."{name}"' for name, _, _ in questions]
    rows = rows.mutate(answers=json_texts(rows.traits, ibis.literal(paths)))
    parts = []
    for number, (_, wording, kind) in enumerate(questions):
        answer = rows.answers[number]
        score = answer.try_cast("float64")
        counts = score.notnull() & ~score.isnan() & ~score.isinf()
        nothing = ibis.null("string")
        given = {
            "channel": ibis.literal(channel),
            "verb": ibis.literal("answered"),
            "object": ibis.literal(wording),
            "category": ibis.literal(kind) if kind else nothing,
            "text": counts.ifelse(nothing, scrub(answer)),
            # A score is no money: it must not be summed with what people spent.
            "quantity": counts.ifelse(score, ibis.null("float64")),
            "value": ibis.null("float64"),
        }
        filled = {name: given.get(name, nothing) for name in EVENT}
        keep = ("record_key", "source", "occurred_at_ms", "recorded_at_ms")
        parts.append(rows.filter(answer.notnull()).select(*keep, **filled))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]
