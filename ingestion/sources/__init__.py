"""One module per format; each makes a `Reading` of the files of a dataset."""

from importlib import import_module

from ingestion.mapping import EVENT_FORMATS, Mapping
from ingestion.record import Dataset, Reading
from kg.lake.scratch import Scratch


def read_dataset(scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str) -> Reading:
    """Read the staged files of a dataset in the format its table declares."""
    match dataset.table.format:
        case "tickets":
            from ingestion.sources import tickets

            return tickets.read(scratch, dataset, mapping, salt)
        case "survey":
            from ingestion.sources import surveys

            return surveys.read(scratch, dataset, mapping, salt)
        case name if name in EVENT_FORMATS:
            from ingestion.sources import events

            form = import_module(f"ingestion.sources.{name}").FORMAT
            return events.read(scratch, dataset, mapping, salt, form)
        case _:
            from ingestion.sources import tables

            return tables.read(scratch, dataset, mapping, salt)
