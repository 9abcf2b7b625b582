"""The names that records give their people, in normal form, and how many people they speak of."""

import re
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.functions import among, composed, strip_accents
from ingestion.identity.fields import GENERATIONS
from ingestion.identity.limits import shipped
from ingestion.identity.links import Codes
from ingestion.identity.people import People

# Letters that are no letter with an accent, and how they are written where there are none.
_WRITTEN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
}  # fmt: skip


_TITLES = (
    "mr", "mrs", "ms", "mx", "miss", "dr", "prof", "professor", "sir", "rev", "herr", "frau", "mme",
    "mlle", "monsieur", "madame", "sr", "sra", "srta", "senor", "senora", "signor", "signora",
)  # fmt: skip


# Scripts in which a mark is an accent; in others it is a vowel, or makes another consonant.
_ACCENTED = r"^[\p{Latin}\p{Greek}\p{Cyrillic}\p{Hebrew}\p{Arabic}\p{Common}\p{Inherited}]*$"
_DEGREES = ("phd", "md", "dds", "dvm", "mba", "cpa", "esq", "rn", "msc", "bsc")
"""What stands behind a name and a comma, and is none."""


def plain(text: Any) -> Any:
    """A name as it is compared: small letters and digits, single spaces; null for none."""
    text = text.lower()
    text = text.re_search(_ACCENTED).ifelse(strip_accents(text), composed(text))
    for letter, written in _WRITTEN.items():
        text = text.replace(letter, written)
    return text.re_replace(r"[^\p{L}\p{M}\p{N}]+", " ").strip().nullif("")


def whole(name: Any) -> Any:
    """A whole name in the order given, family: `Lee, Ann` is turned; `Ann Lee, Jr.` is not, and
    `Ann Lee, MD` is called no MD."""
    last = name.split(",")[-1].lower().re_replace(r"[\s.]+", "")
    behind = among(last, [*GENERATIONS, *_DEGREES]) & name.contains(",")
    behind = behind.fill_null(False)
    said = behind.ifelse(name.re_replace(r",[^,]*$", ""), name)
    turned = said.contains(",").fill_null(False)
    before, after = said.split(",")[0], said.split(",")[1]
    who = turned.ifelse(plain(after) + " " + plain(before), plain(said))
    return (behind & among(last, GENERATIONS)).ifelse(who + " " + last, who)


def given_and_family(rows: Any) -> dict[str, Any]:
    """Both names of rows that have them, or a `whole` one, in normal form and without titles;
    `Mr. Lee` is somebody called Lee, of no given name."""
    import ibis

    said = named(rows.whole)
    who = untitled(said)
    several = who.contains(" ").fill_null(False)
    parts = who.split(" ")
    # `Ann Lee Jr.` is a Lee.
    suffixed = (parts.length() > 2) & among(parts[-1], GENERATIONS)
    last = suffixed.fill_null(False).ifelse(parts[-2] + " " + parts[-1], parts[-1])
    alone = (who != said).fill_null(False).ifelse(None, who), (who != said).ifelse(who, None)
    return {
        "given_name": ibis.coalesce(untitled(rows.given_name), several.ifelse(parts[0], alone[0])),
        "family_name": ibis.coalesce(rows.family_name, several.ifelse(last, alone[1])),
    }


def untitled(text: Any) -> Any:
    """A name in normal form without the titles before it; a title alone stays."""
    return text.re_replace(rf"^(?:(?:{'|'.join(_TITLES)}) )+", "")


def named(text: Any) -> Any:
    """The same, null where it names nobody."""
    return names_somebody(text).ifelse(text, None)


def names_somebody(text: Any) -> Any:
    """Whether a text in normal form is more than a word that names nobody (`test`, `n a`)."""
    return ~among(text, _nobody())


def born(text: Any) -> Any:
    """The same date (digits), null where nobody says it of themselves."""
    return is_said_date(text).ifelse(text, None)


def is_said_date(text: Any) -> Any:
    """Whether a date (digits) is none at which systems and forms begin or end."""
    return ~among(text, shipped().junk.dates)


@cache
def _nobody() -> list[str]:
    """What names nobody, as identifiers are written and as names are compared."""
    junk = shipped().junk
    return sorted(
        {*junk.words, *(re.sub(r"\W+", " ", one).strip() for one in junk.words), *junk.names}
    )


def initials(source: Any, people: People) -> Codes:
    """A code for the two initials of whom each record names, whichever comes first; -1 where it
    names nobody, or nothing that so many records name that its limit could be passed.

    Who writes a name with a slip, in short or turned keeps the initials; so there are no fewer
    people behind a value than records with different ones, unless somebody changed names.

    Shapes: -> (records,).
    """
    codes = np.full(len(people.records), -1, np.int64)
    said = people.statements
    limit = people.namespaces.limit[said.namespace]
    count = np.bincount(said.value, minlength=len(limit))
    usable = pc.is_null(people.unusable).to_numpy(zero_copy_only=False)
    crowded = np.zeros(len(codes), bool)
    crowded[said.record[(usable & (limit >= 0) & (count > limit))[said.value]]] = True
    if not crowded.any():
        return codes
    keys = source.arrow("person_details", ["record_key"])["record_key"]
    record = people.codes(keys)
    asked = keys.filter(pa.array((record >= 0) & crowded[record]))
    if not len(asked):
        return codes
    details = source.table("person_details")
    details = details.semi_join(source.memtable(pa.table({"record_key": asked})), "record_key")
    rows = details.select(
        "record_key",
        whole=whole(details.name),
        given_name=plain(details.given_name),
        family_name=plain(details.family_name),
    )
    first = {name: named(text)[0] for name, text in given_and_family(rows).items()}
    found = source.lake.run(rows.select("record_key", **first).drop_null())
    pair = pc.binary_join_element_wise(
        pc.min_element_wise(found["given_name"], found["family_name"]),
        pc.max_element_wise(found["given_name"], found["family_name"]),
        "",
    )
    code = pc.dictionary_encode(pair.combine_chunks()).indices
    codes[people.codes(found["record_key"])] = code.to_numpy(zero_copy_only=False)
    return codes
