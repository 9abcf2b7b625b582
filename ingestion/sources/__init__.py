"""One module per format; each makes a `Reading` of the files of a dataset."""

from types import ModuleType

from ingestion.mapping import EVENT_FORMATS, Mapping
from ingestion.record import Dataset, Reading
from kg.lake.scratch import Scratch


def event_modules() -> dict[str, ModuleType]:
    """The formats of product events: name -> the module with its `FORMAT`, its test of an object
    `fits` and, where its lines need not be JSON, its test of a line `fits_text`."""
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


def read_dataset(scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str) -> Reading:
    """Read the staged files of a dataset in the format its table declares."""
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
        case _:
            from ingestion.sources import tables

            return tables.read(scratch, dataset, mapping, salt)
