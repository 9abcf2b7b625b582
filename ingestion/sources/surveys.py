"""Survey responses: a wide table, one row per response, one column per question.

Each answered question is an event of channel `survey`, verb `answered`, about the question; all
events of a response share its record.
"""

from typing import Any

import ibis

from ingestion.columns import as_text
from ingestion.mapping import Mapping
from ingestion.record import Dataset, Reading, Rows
from ingestion.sources import answers
from ingestion.sources.received import used_columns
from ingestion.table import Questions
from kg.errors import InputError
from kg.lake.scratch import Scratch


def read(scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str) -> Reading:
    """Read responses as events, one for each answer.

    Raises:
        InputError: no column holds the answers to a listed question.
    """
    asked = [
        answers.Question(source, column, wording, kind="declared", category=kind)
        for column, wording, kind in _questions(scratch, dataset)
        for source, staged in dataset.staged.items()
        if column in staged.columns
    ]
    return answers.read(scratch, dataset, mapping, salt, asked)


Question = tuple[str, str, str | None]  # answer column, wording, type


def _questions(scratch: Scratch, dataset: Dataset) -> list[Question]:
    columns = {name for staged in dataset.staged.values() for name in staged.columns}
    if dataset.table.questions is None:
        used = set(used_columns(dataset.table))
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
