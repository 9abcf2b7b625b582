"""One module per format; each makes a `Reading` of the files of a dataset. Formats that are no more
than a table with published columns are data instead (`*.yaml`, read by `ingestion.shipped`)."""

from importlib import import_module
from typing import Any

from ingestion.mapping import Mapping
from ingestion.record import Dataset, Reading
from kg.lake.scratch import Scratch

SURVEYS = ("qualtrics", "surveymonkey", "typeform")


def survey_of(rows: list[dict[str, Any]]) -> str | None:
    """The survey tool whose export a file is, by its first rows."""
    fits = (name for name in SURVEYS if import_module(f"ingestion.sources.{name}").fits(rows))
    return next(fits, None)


def read_dataset(scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str) -> Reading:
    """Read the staged files of a dataset in the format its table declares."""
    match dataset.table.format:
        case "segment":
            from ingestion.sources import segment

            return segment.read(scratch, dataset, mapping, salt)
        case "tickets":
            from ingestion.sources import tickets

            return tickets.read(scratch, dataset, mapping, salt)
        case "survey":
            from ingestion.sources import surveys

            return surveys.read(scratch, dataset, mapping, salt)
        case "qualtrics":
            from ingestion.sources import qualtrics

            return qualtrics.read(scratch, dataset, mapping, salt)
        case "surveymonkey":
            from ingestion.sources import surveymonkey

            return surveymonkey.read(scratch, dataset, mapping, salt)
        case "typeform":
            from ingestion.sources import typeform

            return typeform.read(scratch, dataset, mapping, salt)
        case _:
            from ingestion.sources import tables

            return tables.read(scratch, dataset, mapping, salt)
