"""SurveyMonkey responses, CSV: two header rows (question, answer option), one row each.

A question with several columns (choices, rows of a matrix) has its wording over the first of them
only. Times are on the clock of the account, month or day first as the account has it: the order is
taken from the dates where they leave no doubt, and a day that can be read both ways is quarantined
where they do. The file names no zone; `time_zone` of the mapping does.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingestion.mapping import Mapping
from ingestion.record import Dataset, Reading
from ingestion.sources import answers
from ingestion.sources.answers import Question
from kg.lake.files import UNNAMED
from kg.lake.scratch import Scratch

HEADER_ROWS = 1  # below the first
_PLAIN = {"", "response", "open-ended response"}
OWN = ("Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Email Address",
       "First Name", "Last Name", "Custom Data 1")  # fmt: skip
_CLOCKS = (" %I:%M:%S %p", " %I:%M %p", " %H:%M:%S", " %H:%M", "")
_DAYS = {"month first": "%m/%d/%Y", "day first": "%d/%m/%Y"}
_USUAL: dict[str, Any] = {
    "files": "any",
    "kind": "event",
    "verb": "answered",
    "key": "Respondent ID",
    "identifiers": {"email": "Email Address"},
    "person": {"given_name": "First Name", "family_name": "Last Name"},
    "time": {"column": "End Date", "formats": "iso"},
    "required": ["Respondent ID", "End Date"],
}


def fits(rows: list[dict[str, Any]]) -> bool:
    """Whether the first rows of a table are those of SurveyMonkey."""
    if not rows or not {"Respondent ID", "Collector ID", "End Date"} <= rows[0].keys():
        return False
    return not rows[0]["Respondent ID"]


def read(scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str) -> Reading:
    """Read responses as events, one for each answer.

    Raises:
        InputError: nobody names the zone of the times.
    """
    heads = answers.first_rows(scratch, dataset, HEADER_ROWS)
    table = answers.usual(dataset.table, _USUAL)
    time = table.time
    if time is not None and time.formats == ("iso",):
        patterns = [day + clock for day in _DAYS.values() for clock in _CLOCKS]
        formats = answers.certain_formats(scratch, dataset, time.column, patterns, HEADER_ROWS)
        table = table.model_copy(
            update={"time": time.model_copy(update={"formats": (*formats, "iso")})}
        )
    table = answers.with_zone(table, mapping)
    dataset = replace(dataset, table=table)
    asked = list(_asked(heads, dataset, answers.other_columns(dataset, table)))
    return answers.read(scratch, dataset, mapping, salt, asked, skip=HEADER_ROWS)


def _asked(
    heads: dict[str, list[dict[str, Any]]], dataset: Dataset, columns: dict[str, list[str]]
) -> Iterator[Question]:
    for source, (options,) in heads.items():
        heading = ""
        for column in dataset.staged[source].columns:
            if not column.startswith(UNNAMED):
                heading = " ".join(column.split())
            if column in OWN or column not in columns[source]:
                continue
            option = " ".join((options[column] or "").split())
            plain = option.casefold() in _PLAIN
            yield Question(source, column, heading, option=None if plain else option)
