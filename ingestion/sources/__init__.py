"""One module per format; each makes a `Reading` of the files of a dataset. Formats that are no more
than a table with published columns are data instead (`*.yaml`, read by `ingestion.shipped`)."""

from types import ModuleType
from typing import Any

from ingestion.mapping import Mapping
from ingestion.record import Dataset, Reading
from ingestion.table import EVENT_FORMATS, SURVEYS
from kg.lake.scratch import Scratch


def survey_of(rows: list[dict[str, Any]]) -> str | None:
    """The survey tool whose export a file is, by its first rows."""
    return next((name for name, tool in _survey_modules().items() if tool.fits(rows)), None)


def _survey_modules() -> dict[str, ModuleType]:
    from ingestion.sources import qualtrics, surveymonkey, typeform

    return {"qualtrics": qualtrics, "surveymonkey": surveymonkey, "typeform": typeform}


def event_modules() -> dict[str, ModuleType]:
    """The formats of product events: name -> the module with its `FORMAT`, its test of an object
    `fits` and, where its lines need not be JSON, its test of a line `fits_text`, of a row of a CSV
    file `fits_row`."""
    from ingestion.sources import (
        amplitude,
        cloudevents,
        ga4,
        mixpanel,
        otel,
        posthog,
        segment,
        snowplow,
        weblogs,
    )

    return {
        "segment": segment, "snowplow": snowplow, "amplitude": amplitude, "posthog": posthog,
        "ga4": ga4, "mixpanel": mixpanel, "cloudevents": cloudevents, "otel": otel,
        "weblogs": weblogs,
    }  # fmt: skip


def has_rows(form: str) -> bool:
    """Whether files of a format of product events may be CSV."""
    return form in EVENT_FORMATS and hasattr(event_modules()[form], "fits_row")


def read_dataset(scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str) -> Reading:
    """Read the staged files of a dataset in the format its table declares."""
    if dataset.table.parts:
        from ingestion.sources import parts

        return parts.read(scratch, dataset, mapping, salt)
    match dataset.table.format:
        case "tickets":
            from ingestion.sources import tickets

            return tickets.read(scratch, dataset, mapping, salt)
        case "survey":
            from ingestion.sources import surveys

            return surveys.read(scratch, dataset, mapping, salt)
        case str(name) if name in EVENT_FORMATS:
            from ingestion.sources import events

            return events.read(scratch, dataset, mapping, salt, event_modules()[name].FORMAT)
        case str(name) if name in SURVEYS:
            made: Reading = _survey_modules()[name].read(scratch, dataset, mapping, salt)
            return made
        case _:
            from ingestion.sources import tables

            return tables.read(scratch, dataset, mapping, salt)
