"""Typeform responses, CSV: one header row of questions, one row each, times in UTC.

A choice of a question with several has a column of its own, headed by the choice and filled with
it; the file does not say which question it belongs to, so such an answer is about the choice.
Hidden fields are columns like questions: name them under `identifiers` where they name people.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingestion.mapping import Mapping
from ingestion.record import Dataset, Reading
from ingestion.sources import answers
from ingestion.sources.answers import Question
from kg.lake.scratch import Scratch

_TIMES = ("Submit Date (UTC)", "Start Date (UTC)", "Stage Date (UTC)")
OWN = {"#", "Response Type", "Network ID", "Tags", "Ending", "Score", *_TIMES}
_USUAL: dict[str, Any] = {
    "files": "any",
    "kind": "event",
    "verb": "answered",
    "key": "#",
    # A response that was begun and not submitted has only the time of its last stage.
    "time": {
        "column": "Submit Date (UTC)",
        "formats": ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "iso"],
        "zone": "UTC",
    },
    "names": {"Submit Date (UTC)": ["Stage Date (UTC)"]},
    "required": ["#", "Submit Date (UTC)"],
}


def fits(rows: list[dict[str, Any]]) -> bool:
    """Whether the first rows of a table are those of Typeform."""
    return bool(rows) and {"#", "Start Date (UTC)", "Submit Date (UTC)"} <= set(rows[0])


def read(scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str) -> Reading:
    """Read responses as events, one for each answer."""
    table = answers.usual(dataset.table, _USUAL)
    dataset = replace(dataset, table=table)
    asked = list(_asked(answers.other_columns(dataset, table)))
    return answers.read(scratch, dataset, mapping, salt, asked)


def _asked(columns: dict[str, list[str]]) -> Iterator[Question]:
    for source, names in columns.items():
        for name in names:
            if name not in OWN:
                yield Question(source, name, " ".join(name.split()), option=name)
