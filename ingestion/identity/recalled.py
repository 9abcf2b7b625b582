"""The evidence of records that were compared before, as the lake has it."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.compared import Compared, shared_values
from ingestion.identity.matching import Found, kept_model, kept_pairs, sharing_of, with_followers
from ingestion.identity.part import Part
from ingestion.identity.people import People
from kg.lake.scratch import Scratch


def recall(part: Part, people: People) -> Found | None:
    """What `matching.find` gives of these records; None where they say nothing."""
    rows, known = part.arrow("person_rows", ["record_key", "content"]), part.arrow("compared")
    model = kept_model(part)
    if model is None or not len(rows):
        return None
    compared = _compared(people, rows, known)
    every = np.ones(len(people.records), bool)
    pairs = kept_pairs(part, "matches", people, model, every)
    with Scratch.open(part.lake.workspace.spill) as scratch:
        first, second, value = shared_values(scratch, people, compared)
    shared = kept_pairs(part, "sharing", people, model, every)
    sharing, shared = sharing_of(people, shared, first, second, value)
    weighed = {"matches": pairs, "sharing": shared}
    return Found(model, False, compared, with_followers(pairs, compared), sharing, weighed)


def _compared(people: People, rows: pa.Table, known: pa.Table) -> Compared:
    """Which of these records are compared, and whom the others follow: the first of those that say
    the same, or themselves where nobody like them is here."""
    code, content = people.codes(rows["record_key"]), rows["content"].combine_chunks()
    order = np.argsort(code)
    code, content = code[order], content.take(pa.array(order))
    own = np.isin(code, people.codes(known["record_key"]))
    leads = content.filter(pa.array(own))
    lead = np.asarray(pc.fill_null(pc.index_in(content, value_set=leads), -1).to_numpy(), np.int64)
    leader = np.where(lead >= 0, code[own][lead] if own.any() else code, code)
    return Compared(code[own], leads, code[~own], leader[~own], rows.slice(0, 0), False)
