"""Questions to the rows of a table that decide what is proposed for it; each is one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import ibis

from ingestion.columns import as_text
from ingestion.forms import formed
from ingestion.identity.identifiers import canonical_values, unusable
from ingestion.identity.limits import shipped
from ingestion.propose.meanings import says, words
from ingestion.propose.profiles import MAIL, Profile, open_rows
from ingestion.record import Rows
from kg.lake.scratch import Scratch
from kg.words import some

_MOST_ODD = 200
_ODD_SHARE = 0.02
_GAPLESS = 0.9  # of the orders; lines that were taken back leave gaps


@dataclass(frozen=True)
class Odd:
    """Item ids that are unlike all others: postage, fees, tests."""

    condition: dict[str, Any]
    why: str


@dataclass(frozen=True)
class Beside:
    """Two columns that name people, where both have a value.

    Attributes:
        differ: rows in which they differ.
        several: values of the second that stand beside several of the first.
        values: of the second.
    """

    differ: int
    several: int
    values: int


def _rows(scratch: Scratch, profile: Profile, names: Sequence[str]) -> Rows:
    rows = open_rows(scratch, profile.staged, names)
    return rows.select(**{
        f"c{n}": formed(as_text(rows[f"c{n}"]).strip().nullif(""), profile.columns[name].form)
        for n, name in enumerate(names)
    })  # fmt: skip


def is_key(scratch: Scratch, profile: Profile, names: Sequence[str]) -> bool:
    """Whether columns together are another in every row."""
    rows = _rows(scratch, profile, names)
    counted = rows.group_by(*rows.columns).agg(count=rows.count())
    return bool(scratch.fetch(counted.agg(most=counted["count"].max()))[0]["most"] == 1)


def counts_lines(scratch: Scratch, profile: Profile, whole: str, line: str, step: int) -> bool:
    """Whether a column counts the rows of each value of another, in steps: together they are
    another in every row, and they run without a gap in nearly all."""
    if not is_key(scratch, profile, [whole, line]):
        return False
    rows = _rows(scratch, profile, [whole, line])
    number = rows.c1.cast("float64")
    runs = rows.group_by("c0").agg(rows=rows.count(), span=(number.max() - number.min()) / step + 1)
    gapless = scratch.fetch(runs.agg(share=(runs.span == runs.rows).mean()))[0]["share"]
    return bool(gapless >= _GAPLESS)


def overlap(
    scratch: Scratch, profile: Profile, part: str, core: Sequence[str], others: Sequence[str]
) -> tuple[int, list[str]]:
    """How many rows are there again under another value of `part`, equal in the core columns, and
    which of the other columns differ between such rows."""
    rows = _rows(scratch, profile, [part, *core, *others])
    keys = [f"c{n}" for n in range(1, len(core) + 1)]
    rest = [f"c{n}" for n in range(len(core) + 1, len(core) + 1 + len(others))]
    grouped = rows.group_by(*keys).agg(
        parts=rows.c0.nunique(),
        rows=rows.count(),
        **{f"d_{name}": rows[name].nunique() > 1 for name in rest},
    )
    several = grouped.filter(grouped.parts > 1)
    found = scratch.fetch(
        several.agg(
            rows=several.rows.sum().fill_null(0) - several.count(),
            **{name: several[f"d_{name}"].sum().fill_null(0) for name in rest},
        )
    )[0]
    differing = [others[n] for n, name in enumerate(rest) if found[name]]
    return int(found["rows"]), differing


def depends_on(scratch: Scratch, profile: Profile, column: str, on: str) -> bool:
    """Whether a value of one column has (nearly) always the same value of the other."""
    rows = _rows(scratch, profile, [on, column])
    counted = rows.group_by("c0").agg(values=rows.c1.nunique())
    return bool(
        (scratch.fetch(counted.agg(one=(counted["values"] <= 1).mean()))[0]["one"] or 0) > 0.95
    )


def broad_to_fine(profile: Profile, names: Sequence[str]) -> list[str]:
    """Columns of categories, the broadest first: by their words, then by how many values."""
    levels = words()["levels"]

    def rank(name: str) -> tuple[int, int]:
        found = [n for n, listed in enumerate(levels) if says(name, listed)]
        return max(found, default=1), profile.columns[name].distinct

    return sorted(names, key=rank)


def people_twice(scratch: Scratch, profile: Profile, own: str, mail: str) -> tuple[int, int]:
    """How many addresses stand beside several of the table's own ids of people, of how many.

    What is no address of one person (a word for nothing, junk, a mailbox of many) is not counted.
    """
    rows = _rows(scratch, profile, [own, mail])
    said = rows.filter(rows.c0.notnull() & rows.c1.re_search(MAIL))
    counted = said.group_by(mail=said.c1.lower()).agg(ids=said.c0.nunique())
    several = counted.filter(counted.ids > 1).select("mail")
    mails = scratch.arrow(several)["mail"].combine_chunks()
    used = unusable("email", canonical_values("email", mails), shipped()).null_count
    return used, int(scratch.fetch(counted.agg(all=counted.count()))[0]["all"])


def beside(scratch: Scratch, profile: Profile, one: str, other: str) -> Beside:
    """How two columns that name people stand to each other."""
    rows = _rows(scratch, profile, [one, other])
    rows = rows.filter(rows.c0.notnull() & rows.c1.notnull())
    rows = rows.select(one=rows.c0.lower(), other=rows.c1.lower())
    counted = rows.group_by("other").agg(
        ones=rows.one.nunique(), differ=(rows.one != rows.other).sum()
    )
    found = counted.agg(
        differ=counted.differ.sum().fill_null(0),
        several=(counted.ones > 1).sum().fill_null(0),
        values=counted.count(),
    )
    return Beside(**scratch.fetch(found)[0])


def nested_share(scratch: Scratch, profile: Profile, levels: Sequence[str]) -> float | None:
    """Which share of the finer categories lies in one broader one; None: there is one level."""
    if len(levels) < 2:
        return None
    shares = []
    for broad, fine in pairwise(levels):
        rows = _rows(scratch, profile, [broad, fine])
        counted = rows.filter(rows.c1.notnull()).group_by("c1").agg(parents=rows.c0.nunique())
        shares.append(
            scratch.fetch(counted.agg(one=(counted.parents <= 1).mean()))[0]["one"] or 0.0
        )
    return float(min(shares))


def odd_codes(scratch: Scratch, profile: Profile, item: str, title: str | None) -> Odd | None:
    """Item ids that seem to be no items.

    They begin with a letter where nearly all others have a digit, and they or their titles say so,
    or they are too short to count.
    """
    rows = _rows(scratch, profile, [item, *([title] if title else [])])
    coded = rows.filter(rows.c0.notnull())
    begins = coded.c0.re_search(r"^\d")
    usual = scratch.fetch(coded.agg(share=begins.mean(), codes=(~begins).sum()))[0]
    if usual["share"] is None or not 1 - _ODD_SHARE <= usual["share"] < 1:
        return None
    odd = coded.filter(~begins)
    said = odd.c1 if title else ibis.null("string")
    odd = odd.mutate(said=said)
    listed = odd.group_by("c0").agg(rows=odd.count(), title=odd.said.mode())
    found = scratch.fetch(listed.order_by(ibis.desc("rows"), "c0").limit(_MOST_ODD))
    mine = [row for row in found if _is_no_item(row["c0"], row["title"] or "")]
    if not mine:
        return None
    count = sum(row["rows"] for row in mine)
    others = len(found) - len(mine)
    why = (
        f"{some(count, 'row')} with a code that begins with a letter where others have a digit, "
        "and that says it is no item (postage, fees, tests). "
        f"{others} more codes begin with a letter and are taken for items"
    )
    return Odd({item: sorted(row["c0"] for row in mine)}, why)


def _is_no_item(code: str, title: str) -> bool:
    vocabulary = words()["no_item"]
    short = len(code) <= 4 and not any(character.isdigit() for character in code)
    return short or says(code, vocabulary) or says(title, vocabulary)


def free_of_nobody(scratch: Scratch, profile: Profile, price: str, person: str) -> int:
    """How many rows cost nothing and name nobody."""
    rows = _rows(scratch, profile, [price, person])
    free = (rows.c0.try_cast("float64") <= 0) & rows.c1.isnull()
    return int(scratch.fetch(rows.agg(count=free.sum().fill_null(0)))[0]["count"])
