"""Names of columns in a mapping that no file has, where that is no reason to refuse it.

`forms`, `names`, `lists`, `ignore_columns` and `required` speak of columns that need not be there:
of one that is misspelt nothing is ever noticed. So do `traits` where a table says what it requires.
Of the tables of vendors, whose own columns are optional, only the traits that somebody adds count.
"""

import difflib
from collections.abc import Collection, Iterator, Sequence

from ingestion import shipped
from ingestion.mapping import Mapping
from ingestion.table import Table
from kg.lake.headers import shown


def strays(
    mapping: Mapping, label: str, known: Sequence[str], used: Collection[str]
) -> Iterator[str]:
    """One sentence for each such name, with its line and the name that was likely meant.

    Args:
        mapping: with the table.
        label: of the table.
        known: the columns (of JSON: the fields) that its files have.
        used: the columns that its mapping names elsewhere.
    """
    table = mapping.tables[label]
    if not known:
        return
    for key, name in _named(table, used):
        found = name in known if key == "names" else table.columns_for(name, known)
        inside = name.partition(".")[0]
        if found or inside in known or inside in table.links:
            continue
        line = mapping.line("tables", label, key, word=name)
        near = difflib.get_close_matches(name, shown(known), n=1, cutoff=0.5)
        likely = f"; did you mean {near[0]!r}?" if near else ""
        yield f"{mapping.place(line)}{name!r} under {key} is a column that no file has{likely}"


def _named(table: Table, used: Collection[str]) -> Iterator[tuple[str, str]]:
    vendors = shipped.tables().get(table.format or "")
    own = vendors.table.get("traits", {}).values() if vendors else ()
    for name in table.traits.values():
        if table.may_lack(name) and name not in own and name not in table.names:
            yield "traits", name
    if vendors:
        return
    for key in ("forms", "lists", "ignore_columns", "required"):
        for name in getattr(table, key) or ():
            if not (name in used and table.may_lack(name)):
                yield key, name
    for name, others in table.names.items():
        yield from (("names", one) for one in others)
        if name not in used:
            yield "names", name
