"""Qualtrics responses, CSV or TSV: three header rows (name, wording, import id), one row each.

Source: Qualtrics, "Understanding your dataset". The second row below the header says which columns
are questions (`QID…`) and on which clock the times are; all other columns are the tool's own or
embedded data, which a mapping may use. Addresses of the network (IP, location) name nobody.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingestion.mapping import Mapping
from ingestion.record import Dataset, Reading
from ingestion.sources import answers
from ingestion.sources.answers import Question
from ingestion.table import Table
from kg.errors import InputError
from kg.lake.scratch import Scratch

HEADER_ROWS = 2  # below the first
_IMPORT_ID = re.compile(r'^\{\s*"ImportId"')
_CHOSEN = " - Selected Choice"  # beside a choice that may be told in words of one's own
_DERIVED = re.compile(r"_(NPS_GROUP|DO|DO_\d+)$|_(First Click|Last Click|Page Submit|Click Count)$")
# By label or by code, a sum of 1 (preview), 2 (test), 4 (imported), 8 (spam), 16 (offline) and 32:
# what was only tried out is no answer of anybody.
_TRIED = "|".join(str(code) for code in range(64) if code & (1 | 2 | 8))
_NO_ANSWER = f"(?i)preview|test|spam|^({_TRIED})$"
_USUAL: dict[str, Any] = {
    "files": "any",
    "kind": "event",
    "verb": "answered",
    "key": "ResponseId",
    "identifiers": {
        "email": "RecipientEmail",
        "external_reference": "ExternalReference",
        "user_id": "user_id",
    },
    "person": {"given_name": "RecipientFirstName", "family_name": "RecipientLastName"},
    "time": {"column": "EndDate", "formats": ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "iso"]},
    "names": {
        "ResponseId": ["ResponseID"],
        "EndDate": ["RecordedDate"],
        "user_id": ["userId", "UserId", "UserID", "userid", "User ID"],
    },
    "required": ["ResponseId", "EndDate"],
    "nobody": [{"Status": {"matches": _NO_ANSWER}}],
}


def fits(rows: list[dict[str, Any]]) -> bool:
    """Whether the first rows of a table are those of Qualtrics: the second one is import ids."""
    if len(rows) < HEADER_ROWS:
        return False
    given = [str(value) for value in rows[1].values() if value]
    return bool(given) and all(_IMPORT_ID.match(value) for value in given)


def read(scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str) -> Reading:
    """Read responses as events, one for each answer.

    Raises:
        InputError: the files are on different clocks, or on one that nobody names.
    """
    heads = answers.first_rows(scratch, dataset, HEADER_ROWS)
    table = answers.usual(dataset.table, _USUAL)
    table = _with_zone(table, _zones(heads), mapping)
    dataset = replace(dataset, table=table)
    asked = list(_asked(heads, answers.other_columns(dataset, table)))
    return answers.read(scratch, dataset, mapping, salt, asked, skip=HEADER_ROWS)


def _import_id(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _asked(heads: dict[str, list[dict[str, Any]]], columns: dict[str, list[str]]
           ) -> Iterator[Question]:  # fmt: skip
    for source, (wordings, ids) in heads.items():
        for column in columns[source]:
            found = str(_import_id(ids[column]).get("ImportId", ""))
            if not found.startswith("QID") or _DERIVED.search(found) or _DERIVED.search(column):
                continue
            wording = " ".join((wordings[column] or column).split())
            stem, dash, option = wording.rpartition(" - ")
            if wording.endswith(_CHOSEN):  # all choices in one column
                yield Question(source, column, wording.removesuffix(_CHOSEN))
            elif dash:
                stem = stem.removesuffix(_CHOSEN).rstrip(": ")
                yield Question(source, column, stem, option=option)
            else:
                yield Question(source, column, wording)


def _zones(heads: dict[str, list[dict[str, Any]]]) -> set[str]:
    found = {_import_id(text).get("timeZone") for _, ids in heads.values() for text in ids.values()}
    return {"UTC" if zone == "Z" else str(zone) for zone in found if zone}


def _with_zone(table: Table, zones: set[str], mapping: Mapping) -> Table:
    time = table.time
    if time is None or time.zone or not zones:
        return answers.with_zone(table, mapping)
    if len(zones) > 1:
        raise InputError(
            f"The exports are on different clocks ({', '.join(sorted(zones))}).",
            hint="Make one table of the mapping for each.",
        )
    return table.model_copy(update={"time": time.model_copy(update={"zone": zones.pop()})})
